"""Option models: what surfaces see of a field, what is refused, and in which words."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, create_model

from explorer.contracts.options import Flag, checked, options_of, shown_names
from graphdb.errors import InputError


class Colour(StrEnum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


class Options(BaseModel):
    """A field of every kind."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="Name of it.")
    count: int = Field(3, ge=1, le=9, description="How many.")
    share: float | None = Field(None, gt=0, description="What part.")
    colour: Colour = Colour.RED
    shape: Literal["round", "square"] = "round"
    files: list[Path] = Field(default_factory=list)
    weights: Mapping[str, float] = Field(default_factory=dict)
    more: dict[str, Any] = Field(default_factory=dict)
    loud: bool = False
    curve: Annotated[object, Flag(read=lambda text: {"from": text}, metavar="FILE")] = None
    cache: Annotated[object, Flag(internal=True)] = None


def test_every_kind_of_field_is_described() -> None:
    options = {option.name: option for option in options_of(Options)}
    assert list(options) == [name for name in Options.model_fields if name != "cache"] == shown_names(Options)
    assert [name for name, option in options.items() if option.required] == ["name"]
    assert (options["count"].type, options["count"].default, options["count"].limits) == (int, 3, "from 1 to 9")
    assert (options["share"].type, options["share"].limits) == (float, "above 0")
    assert (options["colour"].choices, options["colour"].enumeration) == (("red", "blue"), Colour)
    assert (options["shape"].choices, options["shape"].enumeration) == (("round", "square"), None)
    assert (options["files"].type, options["files"].repeated, options["files"].mapping) == (Path, True, False)
    assert (options["weights"].type, options["weights"].repeated, options["weights"].mapping) == (float, False, True)
    assert (options["more"].type, options["more"].mapping) == (None, True)
    assert options["count"].names == ("--count",)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "The setting name of it is missing"),
        ({"name": "a", "count": "12"}, r"The setting count of it is '12'; allowed: an integer from 1 to 9\."),
        ({"name": "a", "count": "many"}, "'many'; allowed: an integer from 1 to 9"),
        ({"name": "a", "share": 0}, "allowed: a number above 0"),
        ({"name": "a", "colour": "green"}, "'green'; allowed: red, blue"),
        ({"name": "a", "shape": "oval"}, "'oval'; allowed: round, square"),
        ({"name": "a", "weights": {"x": "heavy"}}, "The setting weights.x of it is 'heavy'; allowed: names"),
        ({"name": "a", "size": 3}, "There is no setting 'size' of it; allowed: name, count, share"),
        ({"name": "a", "count": "9" * 200}, "The setting count of it is '9{10}"),
    ],
)
def test_what_is_not_allowed_is_refused_in_one_sentence(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words) as refused:
        checked(Options, given, "it", strict=False)
    assert len(str(refused.value)) < 300


def test_only_what_was_given_counts_as_given() -> None:
    assert checked(Options, {"name": "a", "count": "3"}, "it", strict=False).model_fields_set == {"name", "count"}


def test_a_type_that_can_be_no_flag_is_refused() -> None:
    class Nested(BaseModel):
        inner: Options | None = None

    with pytest.raises(InputError, match=r"The field inner of .*Nested has a type that cannot be a flag"):
        options_of(Nested)


@pytest.mark.parametrize(
    ("first", "second", "flag"),
    [
        (Flag(names=("-n",)), Flag(names=("-n",)), "-n"),
        (Flag(), Flag(names=("--first",)), "--first"),
        (Flag(names=("--json",)), Flag(), "--json"),
        (Flag(names=("--help",)), Flag(), "--help"),
    ],
)
def test_a_flag_that_is_taken_is_refused(first: Flag, second: Flag, flag: str) -> None:
    model = create_model("Twice", first=(Annotated[int, first], 1), second=(Annotated[int, second], 2))
    with pytest.raises(InputError, match=rf"The flag {flag} of .*Twice is taken already"):
        options_of(model)
