"""A user's own space: counted and sampled as a published one, and refused in one sentence where it is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from explorer import registry
from explorer.contracts.space import Choices, DesignSpace
from explorer.domains.transformer.spaces.flexibert1 import PUBLISHED as FLEXIBERT
from explorer.domains.transformer.spaces.flexibert2 import PUBLISHED as FLEXIBERT2
from explorer.domains.transformer.spaces.layered import LayeredSpace, Options
from explorer.domains.transformer.spaces.own import read_space
from graphdb.errors import InputError
from tests.explorer.contracts.space import SpaceContract

OWN = {
    "layers": [3, 1],
    "hidden": [96, 64],
    "heads": [2, 3],
    "head_types": ["c_5", "sa_sdp"],
    "mixed_heads": True,
    "feed_forwards": [1, 2],
    "feed_forward_widths": [100, 200],
}


def written(folder: Path, content: object) -> Path:
    file = folder / "own.yaml"
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return file


def as_file(options: Options) -> dict[str, object]:
    return {
        "layers": list(options.depths),
        "hidden": list(options.hidden),
        "heads": list(options.head_counts),
        "head_types": list(options.head_kinds),
        "mixed_heads": options.mixed,
        "feed_forwards": list(options.stacks),
        "feed_forward_widths": list(options.widths),
    }


class TestOwnSpace(SpaceContract):
    @pytest.fixture
    def space(self, tmp_path: Path) -> DesignSpace:
        return read_space(written(tmp_path, OWN))

    def reversible(self, space: DesignSpace, first: Choices, second: Choices) -> bool:
        return bool(first["l"] == second["l"])


@pytest.mark.parametrize(("options", "name"), [(FLEXIBERT, "flexibert"), (FLEXIBERT2, "flexibert2")])
def test_published_spaces_written_as_files_are_the_same(options: Options, name: str, tmp_path: Path) -> None:
    own, published = read_space(written(tmp_path, as_file(options))), registry.space(name)
    assert isinstance(published, LayeredSpace)
    assert own.options == options
    assert own.size == published.size
    first, second = np.random.default_rng(3), np.random.default_rng(3)
    assert [own.sample(first) for _ in range(20)] == [published.sample(second) for _ in range(20)]


def test_the_size_is_counted_by_hand(tmp_path: Path) -> None:
    layer = 2 * (3 + 4) * (2 + 4)  # widths, multisets of 2 or 3 heads of 2 types, stacks of 1 or 2 of 2 widths
    assert read_space(written(tmp_path, OWN)).size == layer + layer**3


def test_designs_are_read_back_without_the_file(tmp_path: Path) -> None:
    space = read_space(written(tmp_path, OWN))
    design = space.build(space.sample(np.random.default_rng(0)))
    assert registry.space(design.space).build(design.choices) == design


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("- 1\n", "allowed: a mapping with the keys layers, hidden"),
        ("layers: [1\n", "YAML is needed"),
        ("layers: [1]\nlayers: [2]\n", "line 1: the key 'layers' stands there twice"),
        ("layers: &a [1]\nhidden: *a\n", "aliases are not allowed"),
        ({**OWN, "depth": 2}, "the key 'depth' is unknown"),
        ({key: OWN[key] for key in OWN if key != "heads"}, "the key heads is missing; needed: layers, hidden, heads"),
        ({**OWN, "hidden": []}, "hidden is []; allowed: a list of 1 to 64 whole numbers"),
        ({**OWN, "hidden": [64, 0]}, "hidden is [64, 0]; allowed"),
        ({**OWN, "hidden": [64.5]}, "hidden is [64.5]; allowed"),
        ({**OWN, "hidden": [float("nan")]}, "hidden is [nan]; allowed"),
        ({**OWN, "hidden": [True]}, "hidden is [True]; allowed"),
        ({**OWN, "layers": [1, 1000]}, "layers has 1000; allowed: 1 to 128"),
        ({**OWN, "layers": [2, 2]}, "layers has 2 twice"),
        ({**OWN, "head_types": ["lstm"]}, "head_types has 'lstm'; allowed: sa_sdp"),
        ({**OWN, "head_types": "sa_sdp"}, "head_types is 'sa_sdp'; allowed: a list"),
        ({**OWN, "mixed_heads": "perhaps"}, "mixed_heads is 'perhaps'; allowed: true or false"),
        ({**OWN, "heads": [128]}, "heads has 128 and hidden 64; a head needs a width of at least 1"),
        ({**OWN, "feed_forwards": [16], "feed_forward_widths": [1, 2, 3]}, "43046721 feed-forward stacks"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(content: object, said: str, tmp_path: Path) -> None:
    file = written(tmp_path, content)
    with pytest.raises(InputError) as caught:
        read_space(file)
    message = str(caught.value)
    assert said in message
    assert str(file) in message
    assert "\n" not in message
