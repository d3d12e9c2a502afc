"""`Metric`: the edit distance of a domain; `Likeness`: the ways in which designs can be alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.contracts.space import Choices
    from explorer.distance.graph import Place


class Likeness(StrEnum):
    """A way in which designs are alike.

    Example:
        >>> Likeness("distance") is Likeness.DISTANCE
        True
    """

    BEHAVIOUR = "behaviour"
    """By their embeddings in a surrogate of their measures."""
    DISTANCE = "distance"
    """By the edit distance between their graphs."""
    BEGINNING = "beginning"
    """By how much is the same from the input on, and then by edit distance."""


@dataclass(frozen=True)
class Metric:
    """A domain's edit distance, and the spaces whose designs it is learnt from.

    Attributes:
        place: the place of a block on the line of labels.
        spaces: the names of spaces; an encoder of distances is trained on random designs of each.
        version: counts changes to `place`, so that encoders of an older version are not used.
        beginning: choices of two designs -> how much of them is the same from the input on, before the first
            difference; None if a domain has no such notion.

    Example:
        Beams that stand at their depth, so that replacing a beam costs the difference in depth:

        >>> from graphdb.architecture import Block
        >>> metric = Metric(lambda block: float(block.attributes["depth_cm"]), spaces=("truss",))
        >>> metric.place(Block("beam", {"depth_cm": 20}))
        20.0
    """

    place: Place
    spaces: tuple[str, ...]
    version: int = 1
    beginning: Callable[[Choices, Choices], int] | None = None
