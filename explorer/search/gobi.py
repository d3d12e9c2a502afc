"""GOBI by automatic differentiation, for functions in PyTorch; the walk itself is in `descent`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from explorer.search.descent import Floats, GobiSettings, walk

__all__ = ["GobiSettings", "gobi"]


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

    def derivatives(points: Floats, probe: Floats | None) -> tuple[Floats, Floats, Floats | None]:
        leaf = torch.from_numpy(points).to(starts).requires_grad_()
        values = function(leaf)
        (gradient,) = torch.autograd.grad(values.sum(), leaf, create_graph=probe is not None)
        if probe is None:
            return _array(values), _array(gradient), None
        (product,) = torch.autograd.grad(gradient, leaf, grad_outputs=torch.from_numpy(probe).to(starts))
        return _array(values), _array(gradient), _array(product) * probe

    seed = int(torch.randint(2**62, (1,), generator=generator))
    places = walk(
        derivatives,
        starts.detach().double().numpy(),
        settings,
        np.random.default_rng(seed),
        None if frozen is None else frozen.numpy(),
    )
    return torch.from_numpy(places).to(starts)


def _array(tensor: Tensor) -> Floats:
    result: Floats = tensor.detach().double().numpy()
    return result
