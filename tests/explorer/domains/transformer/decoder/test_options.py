"""The key `decoder`: its one form, and one sentence for each fault."""

from __future__ import annotations

from typing import Any

import pytest

from explorer import registry
from explorer.domains.transformer.graph import reference_hashes
from explorer.domains.transformer.model import layers_of
from graphdb.errors import InputError

PLAIN: dict[str, Any] = {
    "l": 2,
    "o": [["sa_sdp_8"] * 4] * 2,
    "h": [32, 32],
    "f": [[40], [40, 24]],
    "decoder": {"vocabulary": 50},
}


def with_options(**options: Any) -> dict[str, Any]:
    return PLAIN | {"decoder": {"vocabulary": 50} | options}


def test_what_says_the_same_has_one_key() -> None:
    space = registry.space("transformer_free")
    one = space.build(PLAIN)
    for options in ({"key_value_heads": 4}, {"key_value_heads": [4, 4]}, {"norm": "rms", "gated": True}):
        assert space.build(with_options(**options)).key == one.key
    assert space.build(with_options(key_value_heads=[4, 2])).key != one.key
    assert space.build(one.choices).key == one.key


def test_an_encoder_keeps_its_key() -> None:
    choices = {name: PLAIN[name] for name in "lohf"}
    built = registry.space("transformer_free").build(choices)
    assert built.key == "c1c389981e96bc130fe1beb449e5ccddad84952585aab1ea50cd75793091ebb9"
    assert built.key != registry.space("transformer_free").build(PLAIN).key


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        (PLAIN | {"decoder": []}, "decoder is []; allowed: an object with some of the keys vocabulary, "),
        (PLAIN | {"decoder": {}}, "The setting vocabulary of decoder is missing"),
        (with_options(experts=8), "There is no setting 'experts' of decoder; allowed: vocabulary, "),
        (with_options(norm="batch"), "norm"),
        (with_options(norm_bias=True), "norm_bias of decoder is true with the norm rms"),
        (with_options(key_value_heads=3), "Layer 0 of the decoder has 4 heads and 3 key-value heads"),
        (with_options(key_value_heads=[4]), "key_value_heads of decoder has 1 entries; allowed: 2"),
        (
            with_options(key_value_heads=0),
            "key_value_heads of decoder is 0; allowed: an integer from 1 to 256, or a list",
        ),
        (with_options(key_value_heads=[4, True]), "key_value_heads of decoder is [4, True]; allowed: an integer from"),
        (with_options(vocabulary=True), "vocabulary"),
        (PLAIN | {"h": [32, 64]}, "h is [32, 64]; allowed in a decoder: one width"),
        (PLAIN | {"o": [["sa_sdp_8"], ["l_dct_8"]]}, "o[1] is 'l_dct_8'; allowed: sa_sdp_<width> in a decoder"),
        (PLAIN | {"o": [["sa_sdp_7"]] * 2}, "o[0] is 'sa_sdp_7'; allowed: an even width with rotary positions"),
        (PLAIN | {"l": 3}, "o has 2 entries; allowed: 3"),
    ],
)
def test_faults(choices: dict[str, Any], sentence: str) -> None:
    faults = registry.space("transformer_free").violations(choices)
    assert any(sentence in fault for fault in faults), faults


def test_the_published_spaces_have_no_decoders() -> None:
    for name in ("flexibert2", "flexibert", "flexibert_early"):
        assert registry.space(name).violations(registry.preset("gpt2").choices)


def test_what_knows_encoders_alone_refuses_decoders() -> None:
    with pytest.raises(InputError, match="The model is a decoder; allowed: an encoder"):
        layers_of(PLAIN)
    assert reference_hashes(PLAIN) == {}
