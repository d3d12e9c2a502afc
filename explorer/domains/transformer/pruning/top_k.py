"""Top-k pruning of attention probabilities, with which AccelTran compares DynaTran."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from explorer.toolkit.reading import refused
from graphdb.errors import InputError

TopKRule = Literal["right", "published"]


def top_k(probabilities: Tensor, k: int, rule: TopKRule = "right") -> tuple[Tensor, Tensor]:
    """The k largest entries of every row (the last axis) with zeros elsewhere, and the mask (bool) of kept entries.

    Args:
        probabilities: tensor of shape (..., S).
        k: number of entries, at least 1; above S it counts as S.
        rule: `right` keeps k entries, any of those that are equal. `published` keeps entries strictly greater than the
            k-th largest one, that is k - 1 entries, or fewer if some are equal (source: the published DynaTran model).

    Raises:
        InputError: k or the rule is not allowed.
    """
    if k < 1:
        raise InputError(refused("k", k, "1 or more"))
    if rule not in ("right", "published"):
        raise InputError(refused("The rule of top-k", rule, "right, published"))
    largest = probabilities.topk(min(k, probabilities.shape[-1]), dim=-1)
    if rule == "published":
        kept = probabilities > largest.values[..., -1:]
    else:
        kept = torch.zeros_like(probabilities, dtype=torch.bool).scatter(-1, largest.indices, True)
    return probabilities.masked_fill(~kept, 0), kept
