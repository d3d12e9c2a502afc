"""Where the labels of a Transformer stand on FlexiBERT's line."""

from __future__ import annotations

import pytest

from explorer.domains.transformer.edit_costs import GENERAL, EditCosts
from explorer.domains.transformer.presets import PRESETS, preset
from explorer.domains.transformer.spaces.flexibert1 import PUBLISHED
from graphdb.architecture import Block
from graphdb.errors import InputError

COSTS = EditCosts.of(PUBLISHED)


def head(kind: str, hidden: int) -> Block:
    return Block(kind, {"hidden": hidden, "head_dimension": 64})


def test_the_published_space_has_the_published_places() -> None:
    feed_forwards = [Block("feed_forward", {"hidden": 128, "width": width}) for width in (512, 1024)]
    heads = [
        head(kind, hidden)
        for kinds in (("l_dft", "l_dct"), ("sa_sdp", "sa_wma"), ("c_5", "c_9"))
        for hidden in (128, 256)
        for kind in kinds
    ]
    blocks = [Block("input"), Block("output"), Block("add_norm"), *feed_forwards, *heads]
    assert [COSTS.place(block) for block in blocks] == [0, 1, 2, 4, 5, 7, 8, 9, 10, 12, 13, 14, 15, 17, 18, 19, 20]


def test_widths_between_and_beyond_the_listed_ones_are_in_order() -> None:
    widths = (1, 100, 256, 384, 512, 1024, 4096, 65536)
    places = [GENERAL.place(Block("feed_forward", {"hidden": 128, "width": width})) for width in widths]
    assert places == sorted(places)
    assert places[0] == 3.0
    assert GENERAL.place(head("sa_sdp", 128)) < GENERAL.place(head("sa_sdp", 160)) < GENERAL.place(head("sa_sdp", 256))


def test_every_preset_has_places() -> None:
    for name in PRESETS:
        assert min(map(GENERAL.place, preset(name).blocks)) >= 0


def test_a_block_of_another_domain_is_refused() -> None:
    with pytest.raises(InputError, match="'mac_lane' has no place in an edit distance; allowed: input, output"):
        GENERAL.place(Block("mac_lane"))
