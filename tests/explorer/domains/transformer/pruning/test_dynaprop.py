from __future__ import annotations

import pytest
import torch

from explorer.domains.transformer.pruning.dynaprop import dynaprop_
from graphdb.errors import InputError


def parameter(gradient: list[float] | None) -> torch.Tensor:
    made = torch.zeros(0 if gradient is None else len(gradient), requires_grad=True)
    made.grad = None if gradient is None else torch.tensor(gradient)
    return made


def test_small_gradients_become_zeros_in_place() -> None:
    first, second, without = parameter([0.5, -0.25, 0.1]), parameter([-0.3]), parameter(None)
    gradient = first.grad
    assert dynaprop_([first, without, second], 0.25) == 0.5
    assert first.grad is gradient
    assert first.grad is not None
    assert first.grad.tolist() == [0.5, 0, 0]
    assert second.grad is not None
    assert second.grad.tolist() == pytest.approx([-0.3])
    assert without.grad is None


def test_any_iterator_and_no_threshold() -> None:
    assert dynaprop_(iter([parameter([0.0, 1.0])]), 0) == 0.5


def test_an_optimiser_leaves_pruned_weights() -> None:
    weight = torch.ones(4, requires_grad=True)
    (weight * torch.tensor([1.0, 0.01, -1.0, -0.01])).sum().backward()
    dynaprop_([weight], 0.1)
    torch.optim.SGD([weight], lr=0.5).step()
    assert weight.tolist() == [0.5, 1, 1.5, 1]


def test_refused() -> None:
    with pytest.raises(InputError, match="No parameter has a gradient"):
        dynaprop_([parameter(None)], 0.1)
    with pytest.raises(InputError, match="threshold"):
        dynaprop_([parameter([1.0])], -1)
