import numpy as np
import pytest

from explorer.contracts.description import Entry, Nature
from explorer.search.default.encoding import Encoding

ENTRIES = (
    Entry("width", Nature.ORDERED, 2, 10),
    Entry("memory", Nature.CATEGORICAL, 0, 2),
    Entry("length", Nature.CONTINUOUS, -1.0, 1.0),
    Entry("fixed", Nature.ORDERED, 3, 3),
    Entry("path a", Nature.ORDERED, 0, 1, group="paths"),
    Entry("path b", Nature.ORDERED, 0, 1, group="paths"),
)


def distance(one: list[float], other: list[float]) -> float:
    points = Encoding(ENTRIES).points(np.array([one, other]))
    return float(np.linalg.norm(points[0] - points[1]))


BASE = [2.0, 0.0, 0.0, 3.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [(0, 10.0, 1.0), (0, 4.0, 0.25), (1, 1.0, 1.0), (1, 2.0, 1.0), (2, 0.5, 0.25), (4, 1.0, 1.0)],
)
def test_distances(place, value, expected):
    other = list(BASE)
    other[place] = value
    assert distance(BASE, other) == pytest.approx(expected)


def test_an_absent_entry_is_as_far_from_either_end_and_equal_to_another_absent_one():
    absent, top = [np.nan, *BASE[1:]], [10.0, *BASE[1:]]
    assert distance(absent, BASE) == pytest.approx(1.0)
    assert distance(absent, top) == pytest.approx(1.0)
    assert distance(absent, absent) == 0


def test_groups_share_their_relevance_and_all_coordinates_have_one():
    encoding = Encoding(ENTRIES)
    assert encoding.groups == ("width", "memory", "length", "fixed", "paths")
    points = encoding.points(np.array([BASE]))
    assert points.shape[1] == len(encoding.group_of)
    assert set(encoding.group_of) == set(range(5))


def test_only_continuous_entries_that_vary_are_continuous():
    assert Encoding(ENTRIES).continuous.tolist() == [False, False, True, False, False, False]


def test_the_coordinate_of_a_continuous_entry_is_its_share_of_the_range():
    encoding = Encoding(ENTRIES)
    (place,) = encoding.coordinates(np.array([2])).tolist()
    assert encoding.points(np.array([[2.0, 0.0, 0.5, 3.0, 0.0, 0.0]]))[0, place] == pytest.approx(0.75)
