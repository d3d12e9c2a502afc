"""Architectures come back as they went in, once, whoever writes them."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from graphdb import cypher
from graphdb.architecture import Architecture, Block, Edge
from graphdb.errors import ExplorerError, InputError, NotFoundError
from graphdb.measurement import Measurement
from graphdb.records import ArchitectureFilter, ListedArchitecture, Order, Range, Relative, Span, Twin
from graphdb.store import Store
from tests.graphdb.designs import design, taken


def test_a_design_comes_back_equal_and_is_stored_once(store: Store) -> None:
    designs = [design(i) for i in range(7)]
    assert store.architectures.add(designs, batch_size=3) == 7
    assert store.architectures.add([*designs, design(7)]) == 1
    for original in designs:
        found = store.architectures.get(original.key)
        assert found == original
        assert found.fingerprint == original.fingerprint
        assert found.choices == original.choices


def test_many_graphs_are_one_query_in_the_order_asked_for(store: Store) -> None:
    designs = [design(i) for i in range(50)]
    store.architectures.add(designs)
    keys = [architecture.key for architecture in reversed(designs)]
    before = store.query_counter
    found = store.architectures.get_many([*keys, "0" * 64])
    assert store.query_counter - before == 1
    assert list(found) == keys


@pytest.mark.parametrize("shape", [((), ()), ((Block("alone"),), ()), ((Block("self"),), (Edge(0, 0),))])
def test_the_smallest_graphs(store: Store, shape: tuple[tuple[Block, ...], tuple[Edge, ...]]) -> None:
    small = Architecture.of("network", "tiny", {"n": len(shape[0])}, *shape)
    store.architectures.add([small])
    assert store.architectures.get(small.key) == small


def test_concurrent_writers_store_each_design_once(store: Store) -> None:
    designs = [design(i) for i in range(40)]
    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(lambda _: store.architectures.add(designs, batch_size=10), range(4)))
    assert sum(added) == 40
    assert store.architectures.counts() == {"transformer/toy": 40}
    assert store.architectures.get(designs[3].key) == designs[3]


def test_a_bad_attribute_stores_nothing_of_its_batch(store: Store) -> None:
    for value in (float("nan"), 2**70):
        bad = Architecture("network", "tiny", "{}", (Block("link", {"rate": value}),), ())
        with pytest.raises(ExplorerError):
            store.architectures.add([design(1), bad])
    for name in ("position", "kind", "a`b", ""):
        bad = Architecture("network", "tiny", "{}", (Block("link", {name: 1}),), ())
        with pytest.raises(InputError, match="attribute"):
            store.architectures.add([design(1), bad])
    assert store.architectures.counts() == {}


def test_pages_follow_one_another_in_key_order(store: Store) -> None:
    store.architectures.add([design(i) for i in range(11)] + [design(i, domain="cnn") for i in range(3)])
    wanted = store.architectures.keys(ArchitectureFilter(domain="transformer"))
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = store.architectures.find(ArchitectureFilter(domain="transformer"), first=4, after=cursor)
        assert page.total == 11
        found += [architecture.key for architecture in page.items]
        cursor = page.end_cursor
        if not page.has_next:
            break
    assert found == wanted == sorted(wanted)
    with pytest.raises(InputError):
        store.architectures.find(ArchitectureFilter(), first=0)


def test_every_condition_of_a_filter_holds(store: Store) -> None:
    designs = [design(i) for i in range(6)]
    store.architectures.add([*designs, design(0, space="other"), design(0, domain="cnn", space="cells", blocks=2)])
    store.measurements.add([taken(d, i / 10, accuracy=1 - i / 10, depth=i) for i, d in enumerate(designs)])

    def numbers(**conditions: object) -> list[int]:
        keys = store.architectures.keys(ArchitectureFilter(space="toy", **conditions))  # type: ignore[arg-type]
        return sorted(store.architectures.get(key).choices["number"] for key in keys)

    assert numbers() == [0, 1, 2, 3, 4, 5]
    assert numbers(choices={"number": 3}) == [3]
    assert numbers(choices={"name": "d4", "number": 4}) == [4]
    assert numbers(choices={"hidden": 128 * 3}) == [2]
    assert numbers(choice_ranges=(Range("number", 2, 4),)) == [2, 3, 4]
    assert numbers(choice_ranges=(Range("hidden", 600, None),)) == [4, 5]
    assert numbers(choice_ranges=(Range("nested", 4, None),)) == [4, 5]
    assert numbers(measure_ranges=(Range("latency_s", 0.15, 0.35),)) == [2, 3]
    assert numbers(measure_ranges=(Range("latency_s", None, 0.35), Range("accuracy", 0.75, None))) == [0, 1, 2]
    assert numbers(measure_ranges=(Range("depth", 5, None),)) == [5]
    assert numbers(block_kind="attention") == [0, 1, 2, 3, 4, 5]
    assert numbers(block_kind="unheard of") == []
    assert numbers(measured=True) == [0, 1, 2, 3, 4, 5]
    assert numbers(measured=False) == []
    assert numbers(choices={"unheard_of": 1}) == []
    with pytest.raises(InputError, match="minimum"):
        numbers(choice_ranges=(Range("number", 4, 2),))


def test_what_was_not_measured_is_listed_by_itself(store: Store) -> None:
    store.architectures.add([design(i) for i in range(3)])
    store.measurements.add([taken(design(1), 0.5)])
    for measured, expected in ((True, {1}), (False, {0, 2}), (None, {0, 1, 2})):
        page = store.architectures.listed(ArchitectureFilter(measured=measured))
        assert {item.key for item in page.items} == {design(i).key for i in expected}
        assert page.total == len(expected)


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize("descending", [True, False])
def test_a_listing_goes_by_the_best_value_of_a_measure(store: Store, descending: bool, indexed: bool) -> None:
    measure = "latency_s" if indexed else "sway"
    designs = [design(i) for i in range(7)]
    store.architectures.add([*designs, design(9)])
    # Two values each, and ties between neighbours.
    runs = [taken(d, 0.0 if not indexed else v, seed=s, sway=v) for i, d in enumerate(designs) for s, v in _two(i)]
    store.measurements.add(runs)
    best = {d.key: (max if descending else min)(value for _, value in _two(i)) for i, d in enumerate(designs)}
    expected = sorted(best, key=lambda key: (-best[key] if descending else best[key], key))
    order, cursor = Order(measure, descending), None
    items: list[ListedArchitecture] = []
    while True:
        page = store.architectures.listed(ArchitectureFilter(domain="transformer"), first=3, after=cursor, order=order)
        assert page.total == 7
        items += page.items
        cursor = page.end_cursor
        if not page.has_next:
            break
    assert [item.key for item in items] == expected
    assert [item.value for item in items] == [best[key] for key in expected]
    by_key = {d.key: d for d in designs}
    assert all((i.domain, i.space, i.choices) == ("transformer", "toy", by_key[i.key].choices_json) for i in items)
    for bad in ("", "x", design(0).key, "0x1p-1@", f"nan@{design(0).key}"):
        with pytest.raises(InputError, match="cursor"):
            store.architectures.listed(ArchitectureFilter(), after=bad, order=order)


def _two(number: int) -> list[tuple[int, float]]:
    return [(0, number // 2 / 10), (1, number // 2 / 10 + 0.05)] if number < 6 else [(0, 0.9)]


def test_values_of_measures_are_summed_up(store: Store) -> None:
    one, other = design(1), design(2)
    store.architectures.add([one, other])
    guess = Measurement("clock", "2", {"model": one.key}, {}, {"accuracy": 0.5}, None, frozenset({"accuracy"}))
    store.measurements.add([taken(one, 0.1, seed=0), taken(one, 0.3, seed=1), guess])
    spans = store.measurements.spans([one.key, other.key], ["latency_s", "accuracy", "none"])
    assert spans == {
        one.key: {"latency_s": Span(0.1, 0.3, 2, False), "accuracy": Span(0.5, 0.5, 1, True)},
        other.key: {},
    }


def test_twins_have_the_same_graph_under_another_key(store: Store) -> None:
    one, twin, other = design(1), design(1, space="other"), design(2)
    foreign = Architecture(domain="cnn", space="toy", choices_json="{}", blocks=one.blocks, edges=one.edges)
    assert store.architectures.twins([one]) == {one.key: []}
    store.architectures.add([one, twin, other, foreign])
    assert store.architectures.twins([one, twin, other]) == {
        one.key: [Twin(twin.key, "other")],
        twin.key: [Twin(one.key, "toy")],
        other.key: [],
    }


def test_a_beginning_that_several_keys_share_names_them(store: Store) -> None:
    by_digits: dict[str, Architecture] = {}
    for number in count():
        one = design(number)
        other = by_digits.setdefault(one.key[:6], one)
        if other is not one:
            break
    store.architectures.add([one, other])
    with pytest.raises(InputError) as refused:
        store.architectures.resolve(one.key[:6])
    assert one.key[:16] in str(refused.value) and other.key[:16] in str(refused.value)


def _plan(store: Store, name: str) -> str:
    parameters = {
        "low": 0.0,
        "high": 1.0,
        "after": "",
        "domain": None,
        "space": None,
        "block_kind": None,
        "measured": None,
    }
    parameters |= {"choices": [], "choice_ranges": [], "measure_ranges": []}
    query = "EXPLAIN " + cypher.source_measure(name) + cypher.CONDITIONS + cypher.TOTAL
    with store._database._driver.session() as session:
        return str(session.run(query, **parameters).consume().plan)


def test_measures_are_indexed_once_and_their_ranges_use_the_index(store: Store) -> None:
    name = f"sway_{uuid.uuid4().hex}_m"  # the schema outlives the test
    assert "NodeIndexSeekByRange" not in _plan(store, name)
    assert store.index_measures([name, "latency_s", name]) == [name]  # the latter since the first migration
    assert store.index_measures([name]) == []
    assert {name, "latency_s"} <= store.indexed_measures()
    for indexed in (name, "latency_s"):
        assert "NodeIndexSeekByRange" in _plan(store, indexed), indexed
    store.architectures.add([design(i) for i in range(4)])
    store.measurements.add([taken(design(i), 1.0, **{name: 0.1 * i}) for i in range(4)])
    assert store.architectures.keys(ArchitectureFilter(measure_ranges=(Range(name, 0.15, 0.25),))) == [design(2).key]


@pytest.mark.parametrize("name", ["", "x" * 65, "Sway", "sway-m", "sway`", "sway m", "m`) ON (m.x", "ä"])
def test_no_other_name_reaches_the_text_of_an_index(store: Store, name: str) -> None:
    before = store.indexed_measures()
    with pytest.raises(InputError, match="cannot be indexed; allowed: 1 to 64 small letters"):
        store.index_measures(["fresh_measure", name])
    assert store.indexed_measures() == before


def test_a_prefix_names_one_key(store: Store) -> None:
    first = design(1)
    store.architectures.add([first])
    assert store.architectures.resolve(first.key[:6]) == first.key
    assert store.architectures.resolve(first.key) == first.key
    for bad in ("abc", "XYZXYZ", first.key[:5], first.key + "0"):
        with pytest.raises(InputError):
            store.architectures.resolve(bad)
    with pytest.raises(NotFoundError):
        store.architectures.resolve("f" * 64)
    with pytest.raises(NotFoundError):
        store.architectures.get("f" * 64)


def test_derivation_needs_both_designs(store: Store) -> None:
    child, parent = design(1), design(2)
    store.architectures.add([child])
    with pytest.raises(NotFoundError):
        store.architectures.add_derived(child.key, parent.key, "mutation", {})
    store.architectures.add([parent])
    for _ in range(2):
        store.architectures.add_derived(child.key, parent.key, "mutation", {"rate": 0.1})
    stored = store._database.read("MATCH (:Architecture)-[d:DERIVED_FROM]->(:Architecture) RETURN d.how, d.rate")
    assert stored == [["mutation", 0.1]]


def test_relatives_are_read_from_both_sides_in_one_query(store: Store) -> None:
    designs = [design(i) for i in range(6)]
    keys = sorted(one.key for one in designs)
    store.architectures.add(designs)
    for child in keys[2:]:
        store.architectures.add_derived(child, keys[0], "crossover", {"ratio": 0.5})
    store.architectures.add_derived(keys[2], keys[1], "weight transfer", {"rule": "ordered", "ratio": 0.9})
    before = store.query_counter
    parents = store.architectures.parents([*keys, "0" * 64], limit=10)
    children = store.architectures.children(keys, limit=3)
    assert store.query_counter == before + 2
    assert parents[keys[2]] == [
        Relative(keys[0], "crossover", {"ratio": 0.5}),
        Relative(keys[1], "weight transfer", {"rule": "ordered", "ratio": 0.9}),
    ]
    assert set(parents) == set(keys[2:])
    assert [relative.key for relative in children[keys[0]]] == keys[2:5]
    assert [relative.key for relative in children[keys[1]]] == [keys[2]]


@pytest.mark.parametrize(
    "damage",
    [
        "MATCH (a:Architecture) SET a.choices = '{'",
        "MATCH (a:Architecture) SET a.choices = '{\"x\":1}'",
        "MATCH (a:Architecture) REMOVE a.domain",
        "MATCH (b:Block) REMOVE b.kind",
        "MATCH (b:Block) SET b.position = 'first'",
        "MATCH (:Block {position: 1})<-[:HAS]-(a) MATCH (a)-[:HAS]->(b:Block {position: 3}) DETACH DELETE b",
    ],
)
def test_damage_is_reported_with_the_key(store: Store, damage: str) -> None:
    architecture = Architecture.of(
        "transformer", "toy", {"n": 1}, [Block("linear")] * 4, [Edge(0, 1), Edge(3, 0), Edge(2, 3)]
    )
    store.architectures.add([architecture])
    store._database.write(damage)  # type: ignore[arg-type]
    with pytest.raises(ExplorerError, match=architecture.key) as caught:
        store.architectures.get(architecture.key)
    assert not isinstance(caught.value, NotFoundError)
