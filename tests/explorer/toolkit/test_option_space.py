"""A table of options as a space; the plug-in's space passes the whole contract of spaces."""

from __future__ import annotations

import pytest

from explorer.contracts.space import Choices
from explorer.toolkit.option_space import OptionSpace
from graphdb.architecture import Architecture
from graphdb.errors import InputError


class Beams(OptionSpace):
    name, domain = "beams", "bridges"

    def graph_of(self, choices: Choices) -> Architecture:
        return Architecture.of(self.domain, self.name, choices, [], [])


SPACE = Beams({"depth_cm": (20, 40, 80), "steel": (True, False)})


def test_all_designs_are_listed_once() -> None:
    designs = list(SPACE.enumerate())
    assert len(designs) == SPACE.size == 6
    assert [one["depth_cm"] for one in designs] == [20, 20, 40, 40, 80, 80]
    assert all(SPACE.violations(one) == [] for one in designs)


def test_a_decision_is_fixed() -> None:
    part = SPACE.fixed({"steel": False})
    assert part.size == 3
    assert all(not one["steel"] for one in part.enumerate())


@pytest.mark.parametrize(
    ("decisions", "sentence"),
    [
        ({"colour": 1}, "colour is not a decision of beams; allowed: depth_cm, steel"),
        ({"depth_cm": 30}, "depth_cm is 30; allowed: 20, 40, 80"),
        ({"steel": 1}, "steel is 1; allowed: True, False"),
    ],
)
def test_what_cannot_be_fixed_is_refused(decisions: Choices, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        SPACE.fixed(decisions)
