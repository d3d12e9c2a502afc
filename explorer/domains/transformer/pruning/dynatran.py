"""DynaTran: sets activations of small magnitude to zero while a model runs."""

from __future__ import annotations

import math

from torch import Tensor

from explorer.toolkit.reading import refused
from graphdb.errors import InputError


def dynatran(activation: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """`activation` with zeros where its magnitude is at most `threshold`, and the mask (bool) of kept elements.

    Source: AccelTran, arXiv 2302.14705. Its comparison is strict: a magnitude equal to the threshold is pruned. NaN
    values are kept, so that an error stays visible.

    Raises:
        InputError: the threshold is negative or not finite.
    """
    check_threshold(threshold)
    small = activation.abs() <= threshold
    return activation.masked_fill(small, 0), ~small


def check_threshold(threshold: float) -> None:
    """Refuse an invalid threshold.

    Raises:
        InputError: it is negative or not finite.
    """
    if not (math.isfinite(threshold) and threshold >= 0):
        raise InputError(refused("The threshold", threshold, "a finite number of 0 or more"))
