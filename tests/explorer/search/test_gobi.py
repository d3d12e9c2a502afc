"""Descent of the inputs on functions whose minimum is known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from explorer.search.gobi import GobiSettings, gobi
from graphdb.errors import InputError

TARGET = torch.tensor([0.3, 0.7, 0.5])


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bowl(x: Tensor) -> Tensor:
    return (torch.tensor([1.0, 10.0, 0.1]) * (x - TARGET).square()).sum(-1)


def coupled(x: Tensor) -> Tensor:
    offset = x - TARGET
    return offset.square().sum(-1) + 0.8 * offset[:, 0] * offset[:, 1]


def test_second_order_finds_the_bottom_whatever_the_curvature() -> None:
    starts = torch.rand(6, 3, generator=seeded())
    rest = gobi(bowl, starts, GobiSettings(), seeded())
    torch.testing.assert_close(rest, TARGET.expand(6, 3), atol=0.02, rtol=0)


def test_second_order_finds_the_bottom_with_coupled_inputs() -> None:
    rest = gobi(coupled, torch.rand(6, 3, generator=seeded()), GobiSettings(), seeded())
    torch.testing.assert_close(rest, TARGET.expand(6, 3), atol=0.05, rtol=0)


def test_first_order_descends() -> None:
    starts = torch.rand(6, 3, generator=seeded())
    settings = GobiSettings(second_order=False, first_order_rate=0.05)
    rest = gobi(bowl, starts, settings, seeded())
    assert (bowl(rest) < bowl(starts)).all()
    assert bowl(rest).max() < 0.01


def test_stays_within_the_box() -> None:
    rest = gobi(
        lambda x: -((x - 0.4) ** 2).sum(-1) + x.sum(-1) * 0.1,
        torch.rand(5, 3, generator=seeded()),
        GobiSettings(),
        seeded(),
    )
    assert rest.min() >= 0
    assert rest.max() <= 1
    slope = gobi(lambda x: (x - 3.0).square().sum(-1), torch.rand(5, 3, generator=seeded()), GobiSettings(), seeded())
    torch.testing.assert_close(slope, torch.ones(5, 3))


def test_frozen_entries_do_not_move() -> None:
    starts = torch.rand(4, 3, generator=seeded())
    rest = gobi(coupled, starts, GobiSettings(), seeded(), torch.tensor([False, True, False]))
    assert torch.equal(rest[:, 1], starts[:, 1])
    # what moves goes to the bottom of what is left: d/dx0 = 0
    torch.testing.assert_close(rest[:, 0], 0.3 - 0.4 * (starts[:, 1] - 0.7), atol=0.02, rtol=0)


def test_starts_are_independent() -> None:
    starts = torch.rand(5, 3, generator=seeded())
    together = gobi(bowl, starts, GobiSettings(), seeded())  # of a diagonal Hessian any probe gives the diagonal
    alone = torch.cat([gobi(bowl, start[None], GobiSettings(), seeded(7)) for start in starts])
    torch.testing.assert_close(together, alone)


def test_stops_when_nothing_changes() -> None:
    calls = 0

    def flat(x: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return 0 * x.square().sum(-1)

    gobi(flat, torch.rand(3, 2, generator=seeded()), GobiSettings(), seeded())
    assert calls == 1 + 6  # six changes below the tolerance in a row are more than five


def test_trust_region_limits_each_step() -> None:
    starts = torch.full((1, 3), 0.95)
    rest = gobi(bowl, starts, GobiSettings(iterations=1, trust=0.01), seeded())
    torch.testing.assert_close(rest, starts - 0.01)
    with pytest.raises(InputError, match="trust"):
        GobiSettings(trust=0.0)


def test_randomness_comes_from_the_generator_alone() -> None:
    torch.manual_seed(2)
    state = torch.random.get_rng_state()
    starts = torch.rand(4, 3, generator=seeded())
    settings = GobiSettings(iterations=10)
    first, second = (gobi(coupled, starts, settings, seeded()) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not torch.equal(first, gobi(coupled, starts, settings, seeded(1)))
