"""The examples of an update and the seed of its randomness, as functions of only the seed and the step.

These functions have no state, so a training that continues from a checkpoint sees exactly the same examples.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

ORDER, INITIAL, DROPOUT, MASKING, EVALUATION, SPLIT, TRANSFER = range(7)
"""Purposes of random numbers; each has its own seed."""


def derived_seed(seed: int, *purpose: int) -> int:
    """A 63-bit seed for one purpose, such as (DROPOUT, step, process)."""
    return int(np.random.SeedSequence([seed, *purpose]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def rows_of(step: int, examples: int, batch_size: int, seed: int) -> NDArray[np.int64]:
    """The rows of update number `step` (from 0).

    Every pass over the examples has its own order; its last batch is smaller if the batch size does not divide them.

    Args:
        step: number of the update.
        examples: number of examples.
        batch_size: number of rows of an update.
        seed: seed of the training.
    """
    epoch, batch = divmod(step, -(-examples // batch_size))
    return _permutation(examples, epoch, seed)[batch * batch_size : (batch + 1) * batch_size]


@lru_cache(maxsize=1)
def _permutation(examples: int, epoch: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(derived_seed(seed, ORDER, epoch)).permutation(examples)
