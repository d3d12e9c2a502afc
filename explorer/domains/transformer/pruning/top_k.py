"""Top-k pruning of attention probabilities, to which AccelTran compares DynaTran."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from explorer.toolkit.reading import refused
from graphdb.errors import InputError

TopKRule = Literal["right", "published"]


def top_k(probabilities: Tensor, k: int, rule: TopKRule = "right") -> tuple[Tensor, Tensor]:
    """The k largest entries of every row (the last axis), zeros elsewhere; and the mask (bool) of what is kept.

    Args:
        probabilities: (..., S).
        k: 1 or more; above S it counts as S.
        rule: `right` keeps k entries, of equal ones any. `published` keeps what is strictly greater than the k-th
            largest entry, that is k - 1 entries or, where some are equal, fewer (source: the published DynaTran model).

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
