"""Layers, numbers of parameters, derivatives, determinism."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.search.networks import (
    DenseNetwork,
    NaturalParameterNetwork,
    mean_layout,
    student_layout,
    teacher_layout,
)
from explorer.search.npn import Gaussian, softplus


def seeded() -> np.random.Generator:
    return np.random.default_rng(4)


def test_published_numbers_of_parameters_for_one_role() -> None:
    assert len(DenseNetwork([16], teacher_layout(1), seeded()).vector) == 3201
    assert len(DenseNetwork([16], student_layout(1), seeded()).vector) == 3201
    assert len(NaturalParameterNetwork([16], mean_layout(1), seeded()).vector) == 3266


def test_numbers_of_parameters_for_two_roles() -> None:
    branches = (16 * 32 + 32 + 32 * 32 + 32) + (13 * 32 + 32 + 32 * 32 + 32)
    assert len(DenseNetwork([16, 13], student_layout(2), seeded()).vector) == branches + 64 * 32 + 32 + 33
    assert len(DenseNetwork([16, 13], teacher_layout(2), seeded()).vector) == (
        branches + 64 * 64 + 64 + 64 * 32 + 32 + 33
    )
    assert len(NaturalParameterNetwork([16, 13], mean_layout(2), seeded()).vector) == 2 * (branches + 64 * 32 + 32 + 33)


@pytest.mark.parametrize("sizes", [[3], [2, 3], [2, 1, 2]])
@pytest.mark.parametrize("kind", ["dense", "natural"])
def test_derivatives_agree_with_differences(sizes: list[int], kind: str) -> None:
    generator = seeded()
    network = (
        NaturalParameterNetwork(sizes, mean_layout(len(sizes)), generator, 2)
        if kind == "natural"
        else DenseNetwork(sizes, teacher_layout(len(sizes)), generator, 2)
    )
    network.vector = network.vector.astype(np.float64)
    x = generator.random((4, sum(sizes)))
    weights = Gaussian(generator.normal(size=(4, 2)), generator.normal(size=(4, 2)))

    def value(at: np.ndarray) -> float:
        out = network(at)
        return float((weights.mean * out.mean + weights.variance * out.variance).sum() if kind == "natural" else
                     (weights.mean * out).sum())  # fmt: skip

    _, backward = network.forward(x)
    by_parameter, by_input = backward(weights if kind == "natural" else weights.mean)  # type: ignore[arg-type]
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = 1e-6
        assert by_input[place] == pytest.approx((value(x + step) - value(x - step)) / 2e-6, rel=1e-4, abs=1e-7)
    for index in generator.integers(len(network.vector), size=60):
        kept = network.vector[index]
        ends = []
        for sign in (1, -1):
            network.vector[index] = kept + sign * 1e-6
            ends.append(value(x))
        network.vector[index] = kept
        assert by_parameter[index] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4, abs=1e-7)


def test_each_branch_sees_its_role_only() -> None:
    network = DenseNetwork([2, 3], student_layout(2), seeded())
    x = seeded().random((5, 5))
    by_input = network.forward(x)[1](np.ones((5, 1)))[1]
    assert (by_input != 0).all()
    start = (2 + 1) * 32 + 33 * 32  # the second role's branch begins here
    network.vector[start : start + (3 + 1) * 32] = 0
    by_input = network.forward(x)[1](np.ones((5, 1)))[1]
    assert (by_input[:, :2] != 0).all() and (by_input[:, 2:] == 0).all()


def test_dropout_needs_a_generator_and_keeps_the_expectation() -> None:
    network = DenseNetwork([3], teacher_layout(1), seeded())
    x = seeded().random((1, 3))
    assert np.array_equal(network(x), network(x))
    passes = network(np.repeat(x, 20_000, axis=0), seeded())
    assert passes.std() > 1e-3
    assert abs(passes.mean() - network(x)[0, 0]) < 0.01


def test_heads_share_all_layers_but_the_last() -> None:
    one, three = (DenseNetwork([3, 2], teacher_layout(2), seeded(), heads) for heads in (1, 3))
    assert len(three.vector) - len(one.vector) == 2 * (32 + 1)
    assert three(seeded().random((4, 5))).shape == (4, 3)
    assert NaturalParameterNetwork([3], mean_layout(1), seeded(), 3)(np.zeros((4, 3))).variance.shape == (4, 3)


def test_initial_variances_are_small_and_positive() -> None:
    network = NaturalParameterNetwork([16], mean_layout(1), seeded())
    half = len(network.vector) // 2
    weights = slice(0, 16 * 32)
    limit = (6 / 48) ** 0.5
    variance = softplus(network.vector[half:][weights])
    assert np.abs(network.vector[weights]).max() <= limit
    assert variance.min() > 0
    assert variance.max() <= 0.01 * limit * 1.001


def test_weights_come_from_the_generator() -> None:
    first, second = (NaturalParameterNetwork([3, 2], mean_layout(2), seeded()) for _ in range(2))
    assert np.array_equal(first.vector, second.vector)
    dense = [DenseNetwork([3, 2], teacher_layout(2), seeded()) for _ in range(2)]
    assert np.array_equal(dense[0].vector, dense[1].vector)
