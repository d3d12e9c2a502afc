"""GOBI: gradient-based optimisation of the inputs of a frozen surrogate, all starts in one batch.

Sources: Tuli, Casale and Jennings 2021 (COSCO) for first order; BOSHNAS for second order, with AdaHessian (Yao and
others 2021).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from pytorch_optimizer import AdaHessian
from torch import Tensor

from graphdb.errors import InputError


@dataclass(frozen=True)
class GobiSettings:
    """Settings of GOBI's walk; the defaults are the published constants.

    Attributes:
        second_order: whether to use AdaHessian; otherwise plain gradient descent.
        rate: learning rate of AdaHessian (momenta 0.9 and 0.999, eps 1e-4, Hessian power 1).
        first_order_rate: learning rate of plain gradient descent.
        period: period of the cosine annealing in steps: the rate goes full, half, 0, half, and so on.
        iterations: largest number of steps from a start.
        tolerance: smallest change of the function that counts as a change.
        patience: number of consecutive steps without change after which a start stops, if exceeded.
        trust: largest move of a step as a share of the box; None for no limit. The published region, 0.75 to 1.25 times
            the value, has the wrong sign for negative values; it is off in all published runs.
    """

    second_order: bool = True
    rate: float = 0.5
    first_order_rate: float = 10.0
    period: int = 2
    iterations: int = 200
    tolerance: float = 1e-5
    patience: int = 5
    trust: float | None = None

    def __post_init__(self) -> None:
        if self.trust is not None and self.trust <= 0:
            raise InputError(f"GobiSettings.trust must be positive or None, found {self.trust}.")


def gobi(
    function: Callable[[Tensor], Tensor],
    starts: Tensor,
    settings: GobiSettings,
    generator: torch.Generator,
    frozen: Tensor | None = None,
) -> Tensor:
    """Minimise `function` from every start within the unit box.

    Args:
        function: twice differentiable function from `k x D` to `k` values, each of which depends only on its own row.
        starts: tensor `k x D` with values from 0 to 1.
        settings: settings of the walk.
        generator: random generator for the Hutchinson probes.
        frozen: `D` truth values: entries that keep their start (one-sided search); None if all move.

    Returns:
        A tensor `k x D` with the last point of each walk, as published; it need not be the lowest point passed.
    """
    points = starts.clone().requires_grad_()
    optimiser, schedule = _optimiser(points, settings)
    movable = torch.ones_like(starts) if frozen is None else (~frozen).to(starts).expand_as(starts)
    running = torch.ones(len(starts), dtype=torch.bool)
    unchanged = torch.zeros(len(starts), dtype=torch.int64)
    previous: Tensor | None = None
    for _ in range(settings.iterations):
        values = function(points)
        if previous is not None:
            still = (values.detach() - previous).abs() < settings.tolerance
            unchanged = torch.where(still, unchanged + 1, 0)
            running &= unchanged <= settings.patience
            if not running.any():
                break
        previous = values.detach()
        before = points.detach().clone()
        _step(optimiser, points, values, movable, generator, settings.second_order)
        schedule.step()
        with torch.no_grad():
            move = points - before
            if settings.trust is not None:
                move = move.clamp(-settings.trust, settings.trust)
            move = torch.where(running.unsqueeze(-1), move * movable, 0.0)
            points.copy_((before + move).clamp(0.0, 1.0))
    return points.detach()


def _optimiser(
    points: Tensor, settings: GobiSettings
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    optimiser: torch.optim.Optimizer
    if settings.second_order:
        optimiser = AdaHessian([points], lr=settings.rate, betas=(0.9, 0.999), eps=1e-4, hessian_power=1.0)
    else:
        optimiser = torch.optim.SGD([points], lr=settings.first_order_rate)
    return optimiser, torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=settings.period)


def _step(
    optimiser: torch.optim.Optimizer,
    points: Tensor,
    values: Tensor,
    movable: Tensor,
    generator: torch.Generator,
    second_order: bool,
) -> None:
    """Do one step. The Hessian's diagonal is passed in, because the library's own probe takes no generator."""
    (gradient,) = torch.autograd.grad(values.sum(), points, create_graph=second_order)
    points.grad = gradient.detach()
    if not second_order:
        optimiser.step()
        return
    probe = torch.randint(0, 2, points.shape, generator=generator).to(points) * 2 - 1
    probe = probe * movable
    (product,) = torch.autograd.grad(gradient, points, grad_outputs=probe)
    optimiser.step(hessian=[product * probe])  # type: ignore[call-overload]
