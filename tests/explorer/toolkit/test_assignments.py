"""Settings as `name=value`."""

from __future__ import annotations

import pytest

from explorer.toolkit.assignments import parsed_assignments, split_assignments
from graphdb.errors import InputError


def test_values_are_json_where_they_are_json_and_text_otherwise() -> None:
    texts = ["a=1", "b=1.5", "c=x", "d=[1,2]", "e=NaN", "f=", "g=x=y", "h=" + "1" * 5000, "i=" + "[" * 100_000]
    given = parsed_assignments(texts)
    assert list(given.values()) == [1, 1.5, "x", [1, 2], "NaN", "", "x=y", "1" * 5000, "[" * 100_000]


def test_texts_stay_texts_where_that_is_asked_for() -> None:
    assert split_assignments(["a=1", "b=x=y"]) == {"a": "1", "b": "x=y"}


@pytest.mark.parametrize(
    ("texts", "words"), [(["pe"], "'pe' is not"), (["=1"], "'=1' is not"), (["a=1", "a=2"], "twice")]
)
def test_malformed_settings_are_refused_under_the_flag_they_came_by(texts: list[str], words: str) -> None:
    with pytest.raises(InputError, match=f"--weight.*{words}"):
        parsed_assignments(texts, "--weight")
