"""Layers, numbers of parameters, determinism."""

from __future__ import annotations

import torch

from explorer.search.networks import (
    DenseNetwork,
    NaturalParameterNetwork,
    mean_layout,
    student_layout,
    teacher_layout,
)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(4)


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_published_numbers_of_parameters_for_one_role() -> None:
    assert parameters(DenseNetwork([16], teacher_layout(1), seeded())) == 3201
    assert parameters(DenseNetwork([16], student_layout(1), seeded())) == 3201
    assert parameters(NaturalParameterNetwork([16], mean_layout(1), seeded())) == 3266


def test_numbers_of_parameters_for_two_roles() -> None:
    branches = (16 * 32 + 32 + 32 * 32 + 32) + (13 * 32 + 32 + 32 * 32 + 32)
    assert parameters(DenseNetwork([16, 13], student_layout(2), seeded())) == branches + 64 * 32 + 32 + 33
    assert parameters(DenseNetwork([16, 13], teacher_layout(2), seeded())) == (
        branches + 64 * 64 + 64 + 64 * 32 + 32 + 33
    )
    assert parameters(NaturalParameterNetwork([16, 13], mean_layout(2), seeded())) == 2 * (branches + 64 * 32 + 32 + 33)


def test_each_branch_sees_its_role_only() -> None:
    network = DenseNetwork([2, 3], student_layout(2), seeded())
    with torch.no_grad():
        network.joint[0].weight[:, 32:] = 0  # deaf to the second role
    x = torch.rand(5, 5, generator=seeded())
    other = x.clone()
    other[:, 2:] = 0
    torch.testing.assert_close(network(x), network(other))
    assert not torch.equal(network(x), network(x.flip(1)))


def test_dropout_needs_a_generator_and_keeps_the_expectation() -> None:
    network = DenseNetwork([3], teacher_layout(1), seeded())
    x = torch.rand(1, 3, generator=seeded())
    assert torch.equal(network(x), network(x))
    passes = network(x.repeat(20_000, 1), seeded()).detach()
    assert passes.std() > 1e-3
    assert (passes.mean() - network(x).detach()).abs() < 0.01


def test_weights_come_from_the_generator() -> None:
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first, second = (NaturalParameterNetwork([3, 2], mean_layout(2), seeded()) for _ in range(2))
    dense = [DenseNetwork([3, 2], teacher_layout(2), seeded()) for _ in range(2)]
    assert torch.equal(torch.random.get_rng_state(), before)
    x = torch.rand(4, 5, generator=seeded())
    assert torch.equal(first(x).mean, second(x).mean)
    assert torch.equal(dense[0](x), dense[1](x))
