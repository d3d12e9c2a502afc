from __future__ import annotations

from explorer.domains.transformer.presets import presets


def test_sizes() -> None:
    found = presets()
    assert found["bert-nano"].choices == {"l": 1, "o": [["sa_sdp_16"] * 2], "h": [32], "f": [[64]]}
    assert found["bert-mini"].choices["o"] == [["sa_sdp_64"] * 4] * 4
    assert found["bert-base"].choices["f"] == [[3072]] * 12


def test_legal_ones_lie_in_the_published_space() -> None:
    spaces = {name: architecture.space for name, architecture in presets().items()}
    assert spaces.pop("bert-nano") == "transformer_free"
    assert set(spaces.values()) == {"flexibert2"}
