"""What a domain says about edit distances between its designs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from explorer.contracts.space import Choices
from explorer.distance.graph import Place


@dataclass(frozen=True)
class Metric:
    """A domain's edit distance, and where to find designs to learn it from.

    Attributes:
        place: where blocks stand on the line of labels.
        spaces: names of spaces; an encoder of distances is trained on random designs of each.
        version: counts changes of `place`, so that encoders of an older one are not used.
        beginning: choices of two designs -> how much of them is the same from the input on, before the first
            difference; None where a domain has no such notion.
    """

    place: Place
    spaces: tuple[str, ...]
    version: int = 1
    beginning: Callable[[Choices, Choices], int] | None = None
