from __future__ import annotations

import json

import pytest

from explorer.domains.transformer.measured import trained_models
from explorer.domains.transformer.parameters import parameter_count
from explorer.domains.transformer.presets import preset
from tests.places import DATA

GOLDEN = json.loads((DATA / "transformer" / "published_embeddings.json").read_text(encoding="utf-8"))


def test_the_16_published_counts() -> None:
    published = {row["hash"]: row["parameters_million"] for row in GOLDEN if "parameters_million" in row}
    counted = {measurement.settings["hash"]: parameter_count(model.choices) for model, measurement in trained_models()}
    assert len(published) == 16
    assert {name: round(count / 1e6, 2) for name, count in counted.items()} == published


def test_bert_base_by_hand() -> None:
    """BERT-Base has 109,482,240 weights; ours has a relative table in each layer (positions and types as in BERT)."""
    relative = 12 * (2 * 512 - 1) * 64
    base = preset("bert-base").choices
    assert parameter_count(base, vocabulary=30_522, positions=512, token_types=2) == 109_482_240 + relative


@pytest.mark.parametrize(
    ("name", "millions"), [("bert-tiny", 7.045), ("bert-mini", 16.488), ("flexibert-mini", 16.143)]
)
def test_presets(name: str, millions: float) -> None:
    assert parameter_count(preset(name).choices) / 1e6 == pytest.approx(millions, abs=5e-4)
