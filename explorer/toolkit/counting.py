"""Designs by number: exactly uniform draws from spaces of any size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def uniform_below(generator: np.random.Generator, limit: int) -> int:
    """A uniform integer in [0, `limit`) for a limit of any size: random bits, drawn again if too large."""
    bits = (limit - 1).bit_length()
    length = (bits + 7) // 8
    while True:
        drawn = int.from_bytes(generator.bytes(length), "little") >> (8 * length - bits)
        if drawn < limit:
            return drawn


def digits(number: int, radices: Sequence[int]) -> list[int]:
    """`number` in a mixed radix, with the last digit changing fastest: one index for each choice."""
    indices: list[int] = []
    for radix in reversed(radices):
        number, digit = divmod(number, radix)
        indices.append(digit)
    return indices[::-1]
