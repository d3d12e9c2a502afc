"""DynaProp: sets gradients of small magnitude to zero while a model is trained."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from explorer.domains.transformer.pruning.dynatran import check_threshold
from graphdb.errors import InputError


@torch.no_grad()
def dynaprop_(parameters: Iterable[Tensor], threshold: float) -> float:
    """Set gradients of a magnitude of at most `threshold` to zero in place; return the share of zeros among them.

    Call this after clipping the gradients and before the optimiser step; parameters without a gradient are skipped.
    Source: ELECTOR, arXiv 2303.14882, and the trainer of txf_design-space.

    Raises:
        InputError: the threshold is negative or not finite, or no parameter has a gradient.
    """
    check_threshold(threshold)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    elements = sum(gradient.numel() for gradient in gradients)
    if elements == 0:
        raise InputError("No parameter has a gradient; allowed: parameters after a backward pass.")
    zeros = 0
    for gradient in gradients:
        small = gradient.abs() <= threshold
        gradient.masked_fill_(small, 0)
        zeros += int(small.sum())
    return zeros / elements
