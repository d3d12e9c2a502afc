"""Small checks of JSON values from users' files."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeGuard

from graphdb.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from explorer.contracts.space import Vector


class _Short(reprlib.Repr):
    def repr_int(self, x: int, level: int) -> str:
        # Python refuses to write integers of thousands of digits.
        return str(x) if x.bit_length() <= 128 else f"<an integer of {x.bit_length()} bits>"


_SHORT = _Short()
_SHORT.maxstring = _SHORT.maxother = 60


def shown(value: object) -> str:
    """`value` for an error message: shortened, however long or deep it is."""
    return _SHORT.repr(value)


def is_integer(value: object) -> TypeGuard[int]:
    """Whether `value` is a JSON integer; True and False are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether `value` is a finite JSON number; True and False are not."""
    return is_integer(value) or (isinstance(value, float) and math.isfinite(value))


def among(value: object, allowed: Iterable[Any]) -> bool:
    """Whether `value` is one of `allowed` and of its JSON type (1 is neither True nor 1.0)."""
    return any(type(value) is type(option) and value == option for option in allowed)


def refused(place: str, found: object, allowed: str) -> str:
    """The sentence for one violation.

    Args:
        place: the place of the value, such as the name of a choice.
        found: the value itself.
        allowed: the allowed values, in words.
    """
    return f"{place} is {shown(found)}; allowed: {allowed}."


def listed(options: Iterable[object]) -> str:
    """The allowed values, as text."""
    return ", ".join(str(option) for option in options)


def key_violations(choices: object, required: Iterable[str], optional: Iterable[str] = ()) -> list[str]:
    """The violations in the type or the keys of an object of choices, one sentence each.

    Args:
        choices: any JSON value.
        required: the keys that must be present.
        optional: the keys that may be present.
    """
    required, optional = list(required), list(optional)
    allowed = listed([*required, *optional])
    if not isinstance(choices, dict):
        return [f"The choices are {shown(choices)}; allowed: an object with the keys {allowed}."]
    unknown = [
        f"The key {shown(key)} is unknown; allowed: {allowed}." for key in choices if key not in required + optional
    ]
    return [f"The key {key} is missing." for key in required if key not in choices] + unknown[:5]


def finite_vector(vector: ArrayLike, lowest: Vector, highest: Vector) -> Vector:
    """Clips `vector` to its bounds; entries that are not a number become the lowest value.

    Args:
        vector: any numbers, shape `(d,)`.
        lowest: the smallest value of each entry, shape `(d,)`.
        highest: the largest value of each entry, shape `(d,)`.

    Raises:
        InputError: the shape is not that of the bounds.
    """
    import numpy as np  # the rest of this module is imported at every start

    values = np.asarray(vector, dtype=np.float64)
    if values.shape != lowest.shape:
        raise InputError(f"The vector has the shape {values.shape}; allowed: {lowest.shape}.")
    return np.clip(np.where(np.isnan(values), lowest, values), lowest, highest)
