"""The spaces of trained networks: their sizes, which designs are the same network, and what describes them."""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np
import pytest

from explorer.contracts.space import DesignSpace
from explorer.domains.cnn.nasbench.cell_space import NasBench201Space, choices_of
from explorer.domains.cnn.nasbench.cells import EDGES, OPERATIONS, network_of, paths_of, published_expression, text_of
from explorer.domains.cnn.nasbench.macro_space import NasBenchMacroSpace
from explorer.domains.cnn.nasbench.tables import cell_accuracies, macro_accuracies
from graphdb.architecture import Architecture
from tests.explorer.contracts.space import SpaceContract

SHORT = {"0": "none", "s": "skip_connect", "p": "avg_pool_3x3", "1": "nor_conv_1x1", "3": "nor_conv_3x3"}


def operations(short: str) -> tuple[str, ...]:
    """The operations of the edges 01, 02, 12, 03, 13, 23."""
    return tuple(SHORT[one] for one in short)


def cell(short: str) -> Architecture:
    return NasBench201Space().build(choices_of(operations(short)))


class Described(SpaceContract):
    """Spaces that describe designs by the networks that they are, of which several may be the same."""

    def test_descriptions_tell_designs_apart(self, space: DesignSpace, generator: np.random.Generator) -> None:
        designs = [space.sample(generator) for _ in range(300)]
        rows = space.describe_vectors(np.stack([space.to_vector(choices) for choices in designs]))
        assert rows.shape == (len(designs), len(space.entries))
        assert len({entry.name for entry in space.entries}) == len(space.entries)
        assert (rows >= [entry.low for entry in space.entries]).all()
        assert (rows <= [entry.high for entry in space.entries]).all()
        np.testing.assert_array_equal(rows, [space.describe(choices) for choices in designs])
        by_network = defaultdict(set)
        for choices, row in zip(designs, rows, strict=True):
            by_network[space.build(choices).fingerprint].add(row.tobytes())
        assert all(len(described) == 1 for described in by_network.values())
        assert len(by_network) >= len({row.tobytes() for row in rows}) > 0.95 * len(by_network)


class TestNasBench201Space(Described):
    @pytest.fixture
    def space(self) -> DesignSpace:
        return NasBench201Space()


class TestFixedEdge(Described):
    @pytest.fixture
    def space(self) -> DesignSpace:
        return NasBench201Space().fixed({"edge_0_1": "nor_conv_3x3"})

    def test_it_is_described_like_the_whole_space(self, space: DesignSpace) -> None:
        choices = space.sample(np.random.default_rng(0))
        assert space.describe(choices).tolist() == NasBench201Space().describe(choices).tolist()


class TestNasBenchMacroSpace(Described):
    @pytest.fixture
    def space(self) -> DesignSpace:
        return NasBenchMacroSpace()


@pytest.fixture(scope="module")
def cells() -> list[Architecture]:
    space = NasBench201Space()
    return [space.graph_of(choices) for choices in space.enumerate()]


@pytest.fixture(scope="module")
def macros() -> list[Architecture]:
    space = NasBenchMacroSpace()
    return [space.graph_of(choices) for choices in space.enumerate()]


def test_there_are_as_many_designs_as_were_trained(cells: list[Architecture], macros: list[Architecture]) -> None:
    assert len({one.key for one in cells}) == NasBench201Space().size == 15_625
    assert len({one.key for one in macros}) == NasBenchMacroSpace().size == 6_561


def test_the_published_text_form_tells_6466_cells_apart() -> None:
    assert len({published_expression(one) for one in itertools.product(OPERATIONS, repeat=len(EDGES))}) == 6_466


def test_copies_share_a_fingerprint(cells: list[Architecture], macros: list[Architecture]) -> None:
    assert len({one.fingerprint for one in cells}) == 5_425
    assert len({one.fingerprint for one in macros}) == 3_969


def test_copies_of_a_cell_differ_by_the_noise_of_a_training(cells: list[Architecture]) -> None:
    groups = defaultdict(list)
    for one, accuracy in zip(cells, cell_accuracies()[:, 0], strict=True):
        groups[one.fingerprint].append(float(accuracy))
    trained = [group for group in groups.values() if np.mean(group) > 0.85]
    noise = np.sqrt(sum(np.var(group) * len(group) for group in trained) / sum(map(len, trained)))
    assert 0.0015 < noise < 0.0016


def test_copies_of_a_macro_network_have_its_values(macros: list[Architecture]) -> None:
    groups = defaultdict(set)
    for one, accuracies in zip(macros, macro_accuracies().tolist(), strict=True):
        groups[one.fingerprint].add(tuple(accuracies))
    assert all(len(group) == 1 for group in groups.values())


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("3s0001", "330003", False),  # one convolution after the other, or twice the same after a skip
        ("030001", "300010", True),  # through node 2, or through node 1
        ("3s0000", "000000", True),  # nothing arrives
        ("300s00", "000s00", True),  # a convolution that nothing uses
        ("ss00ss", "s00s1s", False),
        ("s0s0ss", "ss00ss", True),  # the input twice
        ("30s0ss", "33000s", False),  # one convolution twice, or one
        ("30s0ss", "3300ss", False),  # one convolution twice, or two
    ],
)
def test_cells_that_are_the_same_network_have_the_same_graph(first: str, second: str, same: bool) -> None:
    assert (cell(first).fingerprint == cell(second).fingerprint) is same


def test_the_graph_of_a_cell_is_what_it_computes() -> None:
    built = cell("33ss13")
    assert [block.kind for block in built.blocks] == [
        "input",
        *["nor_conv_3x3"] * 2,
        "nor_conv_1x1",
        "nor_conv_3x3",
        "output",
    ]
    assert sorted((edge.source, edge.target) for edge in built.edges) == [
        *((0, 1), (0, 2), (0, 5), (1, 3), (1, 4), (2, 4), (3, 5), (4, 5)),
    ]
    twice = cell("ss00ss")
    assert [dict(edge.attributes) for edge in twice.edges] == [{"times": 2}]


def test_a_macro_network_is_a_chain_without_its_identities() -> None:
    space = NasBenchMacroSpace()
    built = space.build(dict.fromkeys(space.options, "identity") | {"layer_4": "mb6_k5"})
    assert [block.kind for block in built.blocks] == [
        *("input", "reduction", "reduction", "inverted_bottleneck", "reduction", "output"),
    ]
    assert built.blocks[3].attributes == {"kernel": 5, "expansion": 6, "channels": 128, "stride": 1}


def test_paths_leave_skips_out_and_end_at_edges_that_carry_nothing() -> None:
    assert paths_of(operations("ss0s3s")) == {(): 2, ("nor_conv_3x3",): 1}
    assert paths_of(operations("31ps03")) == {
        (): 1,
        ("nor_conv_1x1", "nor_conv_3x3"): 1,
        ("nor_conv_3x3", "avg_pool_3x3", "nor_conv_3x3"): 1,
    }
    assert network_of(operations("000000")).operations == ()


def test_descriptions_count_paths() -> None:
    described = NasBench201Space().describe(choices_of(operations("ss0s3s")))
    counted = {entry.name: count for entry, count in zip(NasBench201Space().entries, described, strict=True) if count}
    assert counted.pop("multiplications") == pytest.approx(np.log(43_172_480))
    assert counted == {"direct": 2.0, "nor_conv_3x3": 1.0, "summands of the output": 2.0}


def test_the_published_text_names_the_source_of_every_edge() -> None:
    assert text_of(operations("31ps03")) == (
        "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
    )
