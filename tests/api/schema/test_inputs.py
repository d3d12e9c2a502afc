"""Inputs become the values of the floors below, or are refused."""

import math

import pytest
from graphql import GraphQLError, parse_value

from api.schema.inputs import constraint_texts, filter_of
from api.schema.paging import checked_first, cursor_of, key_of
from api.schema.scalars import JSON
from graphdb.errors import InputError
from graphdb.records import ArchitectureFilter, Range


def test_nothing_given_filters_nothing():
    assert filter_of(None) == filter_of({}) == ArchitectureFilter()


def test_filter():
    given = {
        "domain": "transformer",
        "choices": [{"name": "l", "value": 2}, {"name": "h", "min": 128.0}],
        "measures": [{"name": "latency_s", "max": 0.1}],
        "block_kind": "sa_sdp",
    }
    assert filter_of(given) == ArchitectureFilter(
        domain="transformer",
        choices={"l": 2},
        choice_ranges=(Range("h", 128.0),),
        measure_ranges=(Range("latency_s", None, 0.1),),
        block_kind="sa_sdp",
    )


@pytest.mark.parametrize("bound", [math.inf, -math.inf, math.nan])
def test_bounds_are_finite(bound):
    with pytest.raises(InputError, match="finite"):
        filter_of({"measures": [{"name": "latency_s", "max": bound}]})


def test_constraints():
    given = [{"measure": "area_mm2", "max": 200.0}, {"measure": "accuracy", "min": 0.8, "max": 0.9}]
    assert constraint_texts(given) == ["max:area_mm2=200.0", "min:accuracy=0.8", "max:accuracy=0.9"]
    assert constraint_texts(None) == []
    with pytest.raises(InputError, match="neither min nor max"):
        constraint_texts([{"measure": "area_mm2"}])


def test_cursors_go_there_and_back():
    key = "0123456789abcdef" * 4
    assert key_of(cursor_of(key)) == key
    assert key not in cursor_of(key)


@pytest.mark.parametrize("cursor", ["", "a", "é", "====", cursor_of("short"), cursor_of("G" * 64), "a2V5Og", "\ud800"])
def test_other_texts_are_no_cursors(cursor):
    with pytest.raises(InputError, match="cursor"):
        key_of(cursor)


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1])
def test_page_sizes(first):
    assert checked_first(1) == 1 and checked_first(100) == 100
    with pytest.raises(InputError, match="allowed: 1 to 100"):
        checked_first(first)


@pytest.mark.parametrize("value", [None, True, 1, 0.5, "a", [1, [2]], {"a": {"b": [None]}}, 2**63 - 1, -(2**63)])
def test_json_values(value):
    assert JSON.parse_value(value) == JSON.serialize(value) == value


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, math.inf, math.nan, {"a": [math.nan]}])
def test_json_values_that_cannot_be_stored(value):
    with pytest.raises(GraphQLError):
        JSON.parse_value(value)


def test_json_nesting():
    value: list = []
    for _ in range(31):
        value = [value]
    assert JSON.parse_value(value) == value
    with pytest.raises(GraphQLError, match="nested"):
        JSON.parse_value([[value]])


def test_json_literals():
    assert JSON.parse_literal(parse_value('{a: [1, "b", null, ENUM], c: 1.5}')) == {
        "a": [1, "b", None, "ENUM"],
        "c": 1.5,
    }
    assert JSON.parse_literal(parse_value("{a: $x}", no_location=True), {"x": 3}) == {"a": 3}
    with pytest.raises(GraphQLError):
        JSON.parse_literal(parse_value("1e400"))
