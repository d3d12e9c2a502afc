"""Arithmetic of a number, or of a column of numbers at once.

The rules of costs and energies are written once. The detailed engine applies them to numbers; the estimate applies them
to columns (arrays of NumPy), with one entry for each operation or transfer of many pairs of model and accelerator.
Columns hold floats: they are exact up to 2^53, and never overflow.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

Figure = Any
"""A number, or a column of numbers."""


def is_column(figure: Figure) -> bool:
    """Whether it is a column of numbers, not one number."""
    return not isinstance(figure, int | float)


def ceiling(figure: Figure) -> Figure:
    """The smallest whole number that is not below `figure`."""
    if not is_column(figure):
        return math.ceil(figure)
    import numpy as np  # here, as modules that are imported at every start import this one

    return np.ceil(figure)


def root(figure: Figure) -> Figure:
    """The square root."""
    if not is_column(figure):
        return math.sqrt(figure)
    import numpy as np

    return np.sqrt(figure)


def larger(one: Figure, other: Figure) -> Figure:
    """The larger of two, entry by entry."""
    if is_column(one) or is_column(other):
        import numpy as np

        return np.maximum(one, other)
    return max(one, other)


def smaller(one: Figure, other: Figure) -> Figure:
    """The smaller of two, entry by entry."""
    return -larger(-one, -other)


def smallest(figure: Figure) -> Figure:
    """The number itself, or the smallest entry of a column."""
    return figure.min() if is_column(figure) else figure


def total(figures: Iterable[Figure]) -> Figure:
    """The sum, correctly rounded, of numbers, or of columns entry by entry."""
    parts = list(figures)
    if not any(map(is_column, parts)):
        return math.fsum(parts)
    import numpy as np

    return np.array([math.fsum(entries) for entries in np.stack(np.broadcast_arrays(*parts), axis=1).tolist()])


def is_nothing(figure: Figure) -> bool:
    """Whether it is the number zero; a column never is."""
    return not is_column(figure) and figure == 0
