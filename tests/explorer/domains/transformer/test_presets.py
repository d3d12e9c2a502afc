from __future__ import annotations

import pytest

from explorer.domains.transformer.decoder.presets import DECODERS
from explorer.domains.transformer.presets import PRESETS, preset
from graphdb.errors import InputError


def test_sizes() -> None:
    assert preset("bert-nano").choices == {"l": 1, "o": [["sa_sdp_16"] * 2], "h": [32], "f": [[64]]}
    assert preset("bert-mini").choices["o"] == [["sa_sdp_64"] * 4] * 4
    assert preset("bert-base").choices["f"] == [[3072]] * 12


def test_legal_ones_lie_in_the_published_space() -> None:
    spaces = {name: preset(name).space for name in PRESETS}
    assert spaces.pop("bert-nano") == "transformer_free"
    assert set(spaces.values()) == {"flexibert2"}


def test_decoders_are_of_the_free_space() -> None:
    for name in DECODERS:
        assert preset(name).space == "transformer_free"
        assert "decoder" in preset(name).choices


def test_there_is_none_of_another_name() -> None:
    with pytest.raises(InputError, match="no preset 'bert-none' of a Transformer; allowed: bert-nano, "):
        preset("bert-none")
