"""`Entry`: what one number in the description of a design means, so that surrogates can compare designs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from graphdb.errors import InputError


class Nature(StrEnum):
    """How two values of an entry compare."""

    CONTINUOUS = "continuous"
    """Any number within the limits; differences count."""
    ORDERED = "ordered"
    """Whole numbers or the indices of ordered values; differences count, and there is nothing between two of them."""
    CATEGORICAL = "categorical"
    """The indices of values without order; they are equal or not."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the descriptions of designs.

    A description holds NaN in an entry that means nothing for the design, such as an attribute of its fourth layer if
    it has two.

    Attributes:
        name: what it is, for people.
        nature: how two values compare.
        low, high: the smallest and the largest value.
        group: a name that entries share if they count equally, such as many features of one kind; empty if the entry
            counts by itself.

    Raises:
        InputError: `low` is above `high`.

    Example:
        >>> Entry("memory", Nature.CATEGORICAL, 0, 2).nature.value
        'categorical'
    """

    name: str
    nature: Nature
    low: float
    high: float
    group: str = ""

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise InputError(f"The entry {self.name} of a description has low {self.low} above high {self.high}.")
