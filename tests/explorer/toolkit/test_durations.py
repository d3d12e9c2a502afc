"""Times as people write and read them."""

from __future__ import annotations

import pytest

from explorer.toolkit.durations import duration, seconds_of
from graphdb.errors import InputError


def test_times_for_people() -> None:
    assert [duration(s) for s in (0.4, 59.4, 60, 3599, 3600, 90_000)] == [
        *("0 s", "59 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "25 h 0 min"),
    ]


def test_times_of_people() -> None:
    texts = ("90", "1.5", "90s", "20 min", "20m", "1h30min", "1 h 30 min", "2d", "1.5h")
    assert [seconds_of(text) for text in texts] == [90, 1.5, 90, 1200, 1200, 5400, 5400, 172_800, 5400]


@pytest.mark.parametrize("text", ["", "soon", "1 hour", "1h later", "h", "-1h", "1e", "nan", "inf", "-3", "0", "0s"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^The time .*allowed: .*\.$"):
        seconds_of(text)
