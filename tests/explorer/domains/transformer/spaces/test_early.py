from __future__ import annotations

import itertools

import numpy as np
import pytest

from explorer.contracts.space import Choices, DesignSpace
from explorer.domains.transformer.measured import early_models
from explorer.domains.transformer.spaces.early import EarlyFlexiBertSpace
from graphdb.canonical import canonical_json
from tests.explorer.contracts.space import SpaceContract


class TestEarlyFlexiBertSpace(SpaceContract):
    @pytest.fixture
    def space(self) -> DesignSpace:
        return EarlyFlexiBertSpace()

    def reversible(self, space: DesignSpace, first: Choices, second: Choices) -> bool:
        return bool(first["l"] == second["l"])


def _never_falls(values: tuple[int | str, ...]) -> bool:
    return all(a <= b for a, b in itertools.pairwise(values))


def test_size_is_that_of_a_full_enumeration() -> None:
    """Filters the full grid, without the sequences that the space is made of."""
    options = ((2, 4), (128, 256), ("sa_sdp", "sa_wma"), (512, 1024, 2048))
    legal = set()
    for depth in (2, 4):
        kept = [[v for v in itertools.product(values, repeat=depth) if _never_falls(v)] for values in options]
        for heads, hidden, kinds, widths in itertools.product(*kept):
            layers = list(zip(heads, hidden, kinds, widths, strict=True))
            design = {
                "l": depth,
                "o": [[f"{kind}_{h // n}"] * n for n, h, kind, _ in layers],
                "h": list(hidden),
                "f": [[width] for width in widths],
            }
            legal.add(canonical_json(design))
    space = EarlyFlexiBertSpace()
    assert space.size == len(legal) == 2_037
    assert {canonical_json(design) for design in space.enumerate()} == legal


def test_all_published_rows_are_legal_and_distinct() -> None:
    keys = {architecture.key for architecture, _ in early_models()}
    assert len(keys) == 818


def test_graphs_differ() -> None:
    space = EarlyFlexiBertSpace()
    assert len({space.graph_of(choices).fingerprint for choices in space.enumerate()}) == 2_037


def test_repair_gives_the_nearest_design_of_its_depth() -> None:
    space, generator = EarlyFlexiBertSpace(), np.random.default_rng(0)
    deep = np.array([space.to_vector(choices) for choices in space.enumerate() if choices["l"] == 4])
    lowest, highest = space.bounds
    for _ in range(50):
        vector = generator.uniform(lowest, highest)
        vector[0] = 1
        nearest = space.to_vector(space.from_vector(vector))
        assert ((nearest - vector) ** 2).sum() == pytest.approx(((deep - vector) ** 2).sum(axis=1).min())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"h": [256, 128], "o": [["sa_sdp_128"] * 2, ["sa_sdp_64"] * 2]}, "hidden width falls from layer 0"),
        ({"o": [["sa_wma_64"] * 2, ["sa_sdp_64"] * 2]}, "head type falls from layer 0 to layer 1"),
        ({"o": [["sa_sdp_64", "sa_wma_64"], ["sa_wma_64"] * 2]}, "more than one type"),
        ({"o": [["c_5_64"] * 2] * 2}, "'c_5'; allowed: sa_sdp, sa_wma"),
        ({"f": [[512], [512, 512]]}, "2 feed-forward widths; allowed: 1"),
        ({"o": [["sa_sdp_32"] * 2] * 2}, "head width of layer 0 is 32; allowed: 64"),
    ],
)
def test_violations_name_place_found_and_allowed(change: Choices, sentence: str) -> None:
    legal = {"l": 2, "o": [["sa_sdp_64"] * 2] * 2, "h": [128] * 2, "f": [[512]] * 2}
    space = EarlyFlexiBertSpace()
    assert space.violations(legal) == []
    with pytest.raises(ValueError, match=sentence):
        space.build(legal | change)
