"""What a domain says about edit distances between its designs."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.distance.graph import Place


@dataclass(frozen=True)
class Metric:
    """A domain's edit distance, and where to find designs to learn it from.

    Attributes:
        place: where blocks stand on the line of labels.
        spaces: names of spaces; an encoder of distances is trained on random designs of each.
        version: counts changes of `place`, so that encoders of an older one are not used.
    """

    place: Place
    spaces: tuple[str, ...]
    version: int = 1
