"""The pre-rules: each limit refuses with its code, and no text makes the walk itself expensive."""

import pytest
from graphql import GraphQLError, get_introspection_query, parse

from api.server.limits import Limits, check

LIMITS = Limits()


def refused(text: str) -> str:
    with pytest.raises(GraphQLError) as caught:
        check(parse(text), LIMITS)
    return caught.value.extensions["code"]


def doubling(levels: int, field: str = "a") -> str:
    """Fragments of which each spreads the next twice under different names: 2^levels paths."""
    fragments = [
        f"fragment F{i} on Query {{ x: {field} {{ ...F{i + 1} }} y: {field} {{ ...F{i + 1} }} }}" for i in range(levels)
    ]
    return " ".join(["{ ...F0 }", *fragments, f"fragment F{levels} on Query {{ key }}"])


def nested(levels: int) -> str:
    return "{" + "a {" * (levels - 1) + " a " + "}" * (levels - 1) + "}"


def test_depth_limit_is_exact():
    assert check(parse(nested(12)), LIMITS) == 12
    assert refused(nested(13)) == "TOO_DEEP"


def test_depth_counts_through_fragments():
    text = "{ a { ...F } } fragment F on Query { " + "a {" * 11 + " a " + "}" * 11 + "}"
    assert refused(text) == "TOO_DEEP"
    assert check(parse("{ ...F } fragment F on Query { " + "a {" * 10 + " a " + "}" * 10 + "}"), LIMITS) > 0


@pytest.mark.parametrize("levels", [12, 16, 20, 40])
def test_doubling_fragments_visit_a_bounded_number_of_selections(levels):
    limits = Limits(aliases=1_000, depth=1_000)
    with pytest.raises(GraphQLError) as caught:
        check(parse(doubling(levels)), limits)
    assert caught.value.extensions["code"] == "TOO_COMPLEX"


def test_doubling_of_the_same_name_is_merged_and_cheap():
    fragments = [f"fragment F{i} on Query {{ a {{ ...F{i + 1} }} a {{ ...F{i + 1} }} }}" for i in range(8)]
    text = " ".join(["{ ...F0 }", *fragments, "fragment F8 on Query { key }"])
    assert check(parse(text), LIMITS) < 400


def test_aliases():
    names = " ".join(f"n{i}: __typename" for i in range(30))
    assert check(parse(f"{{ a {{ {names} }} }}"), LIMITS) == 31
    assert refused(f"{{ a {{ {names} n30: __typename }} }}") == "TOO_MANY_ALIASES"


def test_aliases_in_unused_fragments_count():
    names = " ".join(f"n{i}: __typename" for i in range(31))
    assert refused(f"{{ a }} fragment F on Query {{ {names} }}") == "TOO_MANY_ALIASES"


def test_root_fields_count_through_fragments():
    assert check(parse("{" + " ".join("abcdefghij") + "}"), LIMITS) == 10
    assert refused("{ a b c d e ...F } fragment F on Query { f g h i j k }") == "TOO_MANY_ROOT_FIELDS"


def test_repeats_of_one_name():
    assert check(parse("{" + " a" * 10 + "}"), LIMITS) == 10
    assert refused("{" + " a" * 11 + "}") == "TOO_REPETITIVE"


def test_repeats_count_over_merged_parents_and_fragments():
    assert refused("{" + " a { b b b b }" * 3 + "}") == "TOO_REPETITIVE"
    assert refused("{ a a a a a a ...F ... on Query { a a a } } fragment F on Query { a a }") == "TOO_REPETITIVE"


@pytest.mark.parametrize(
    "text",
    [
        "{ ...A } fragment A on Query { ...A }",
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        "{ ...Missing }",
    ],
)
def test_cycles_and_gaps_at_one_level_are_left_to_the_standard_rules(text):
    assert check(parse(text), LIMITS) < 10


def test_cycles_through_fields_end():
    assert refused("{ ...A } fragment A on Query { a { ...A } }") == "TOO_DEEP"


def test_the_standard_introspection_query_is_within_the_limits():
    assert check(parse(get_introspection_query(), max_lexical_tokens=LIMITS.tokens), LIMITS) > 50


def test_introspection_has_a_limit_too():
    assert refused("{ __schema {" + "a {" * 20 + "a" + "}" * 20 + "}}") == "TOO_DEEP"
