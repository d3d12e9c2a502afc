from __future__ import annotations

import pytest

from explorer.domains.accelerator.elector.measured import pairs, published


def test_242_pairs_without_the_mislabelled_ones() -> None:
    found = list(pairs())
    assert len(found) == 242
    assert len({measurement.key for *_, measurement in found}) == 242
    for model, accelerator, measurement in found:
        assert measurement.roles == {"model": model.key, "accelerator": accelerator.key}
        assert measurement.predicted == {"glue"}
        # The embeddings of a mislabelled pair would not fit.
        if accelerator.choices["weight_buffer_mb"] == 16:
            assert model.choices["h"][0] < 512


def test_units() -> None:
    *_, measurement = next(pairs())
    measures = measurement.measures
    assert measures["cycles"] == 62_715_593
    assert measures["latency_s"] == pytest.approx(62_715_593 / 700e6)
    assert measures["area_mm2"] == pytest.approx(2148.9439284638756)
    assert measures["energy_main_memory_j"] == pytest.approx(3.7405687661220784)


def test_sums() -> None:
    for *_, measurement in pairs():
        measures = measurement.measures
        parts = [
            value
            for name, value in measures.items()
            if name.startswith("energy_") and name not in ("energy_j", "energy_dynamic_j", "energy_leakage_j")
        ]
        assert len(parts) == 12
        assert measures["energy_j"] == pytest.approx(sum(parts))
        assert measures["energy_j"] == pytest.approx(measures["energy_dynamic_j"] + measures["energy_leakage_j"])
        assert 0 < measures["energy_leakage_j"] < measures["energy_dynamic_j"]


def test_roles_name_architectures_that_come_along() -> None:
    everything = published()
    keys = {architecture.key for architecture in everything.architectures}
    assert len(keys) == 32
    assert {key for found in everything.measurements for key in found.roles.values()} == keys
