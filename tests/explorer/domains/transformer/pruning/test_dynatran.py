from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.domains.transformer.pruning.dynatran import dynatran
from graphdb.errors import InputError


def test_the_threshold_itself_is_pruned() -> None:
    pruned, kept = dynatran(torch.tensor([-0.5, -0.25, 0.0, 0.25, 0.3, math.inf]), 0.25)
    assert pruned.tolist() == [-0.5, 0.0, 0.0, 0.0, pytest.approx(0.3), math.inf]
    assert kept.tolist() == [True, False, False, False, True, True]


def test_what_is_not_a_number_stays_visible() -> None:
    pruned, kept = dynatran(torch.tensor([math.nan, 0.1]), 1)
    assert pruned.isnan().tolist() == [True, False]
    assert kept.tolist() == [True, False]


@given(st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=30), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_threshold_prunes_no_less(values: list[float], one: float, other: float) -> None:
    activation = torch.tensor(values)
    low, high = (dynatran(activation, threshold) for threshold in sorted((one, other)))
    assert bool((high[1] <= low[1]).all())
    assert torch.equal(dynatran(low[0], max(one, other))[0], high[0])
    assert torch.equal(dynatran(activation, 0)[0], activation)


def test_gradients_pass_where_values_are_kept() -> None:
    activation = torch.tensor([0.1, 0.5, -0.7], requires_grad=True)
    dynatran(activation, 0.2)[0].sum().backward()
    assert activation.grad is not None
    assert activation.grad.tolist() == [0, 1, 1]


@pytest.mark.parametrize("threshold", [-0.1, math.inf, math.nan])
def test_refused(threshold: float) -> None:
    with pytest.raises(InputError, match="threshold"):
        dynatran(torch.zeros(2), threshold)
