"""A made-up domain to learn from: two beams that stand side by side, and the share of the load that they bear."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from explorer.contracts.learning_task import LearningTask
from explorer.contracts.measure import Measure
from explorer.contracts.published import Published
from explorer.contracts.space import Choices
from explorer.toolkit.option_space import OptionSpace
from graphdb.architecture import Architecture, Block, Edge
from graphdb.measurement import Measurement

SHARE, MASS = Measure("share", "share", "%"), Measure("mass_kg", "mass", "kg", logarithmic=True)
TASK = LearningTask(
    "beams",
    ("beam",),
    (SHARE, MASS),
    embeds={"beams": "beam"},
    sizes={"members": 1, "hidden": 8, "rounds": 1, "steps": 20, "trees": 0},
)


class Beams(OptionSpace):
    """Sixteen pairs of beams."""

    name, domain = "pairs", "beams"

    def __init__(self, depths: tuple[int, ...] = (10, 20, 40, 80)) -> None:
        super().__init__({"first": depths, "second": depths})

    def graph_of(self, choices: Choices) -> Architecture:
        beams = [Block("beam", {"depth_cm": depth}) for depth in choices.values()]
        return Architecture.of(self.domain, self.name, choices, beams, [Edge(0, 1)])

    def enumerate(self) -> Iterator[Choices]:
        return (self.at(number) for number in range(self.size))


class MoreBeams(Beams):
    """The same pairs, and thicker ones, in another space."""

    name = "more_pairs"

    def __init__(self) -> None:
        super().__init__((10, 20, 40, 80, 160))


def loaded(beams: Architecture, share: float, **more: Any) -> Measurement:
    """What was measured on a pair of beams."""
    mass_kg = float(sum(block.attributes["depth_cm"] for block in beams.blocks))
    measures = {"share": share, "mass_kg": mass_kg}
    given = {"simulator": "load", "roles": {"beam": beams.key}, "settings": {}, **more}
    return Measurement(version="1", measures=measures, **given)


def published() -> Published:
    """Eight of the sixteen pairs, which bear all of the load, or more than a surrogate should believe."""
    space = Beams()
    beams = [space.build(choices) for choices in space.enumerate()][::2]
    return Published(beams, [loaded(one, 1.0) for one in beams])
