"""Which examples an update sees, and the seed of its randomness: functions of the seed and the step alone.

None of it has a state, so a training that continues from a checkpoint sees exactly what it would have seen.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

ORDER, INITIAL, DROPOUT, MASKING, EVALUATION, SPLIT, TRANSFER = range(7)
"""What random numbers are for; each use has its own."""


def derived_seed(seed: int, *purpose: int) -> int:
    """A seed of 63 bits for one purpose, such as (DROPOUT, step, process)."""
    return int(np.random.SeedSequence([seed, *purpose]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def rows_of(step: int, examples: int, batch_size: int, seed: int) -> NDArray[np.int64]:
    """Rows of the update number `step` (from 0).

    Every pass over the examples has an order of its own; its last batch is smaller where the examples do not divide.

    Args:
        step: number of the update.
        examples: how many there are.
        batch_size: rows of an update.
        seed: of the training.
    """
    epoch, batch = divmod(step, -(-examples // batch_size))
    return _permutation(examples, epoch, seed)[batch * batch_size : (batch + 1) * batch_size]


@lru_cache(maxsize=1)
def _permutation(examples: int, epoch: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(derived_seed(seed, ORDER, epoch)).permutation(examples)
