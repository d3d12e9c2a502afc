from __future__ import annotations

import pytest

from explorer.domains.transformer.measured import early_models, elector_models, published, trained_models


def test_early_rows() -> None:
    rows = [measurement.measures for _, measurement in early_models()]
    assert len(rows) == 818
    assert sum("sst2_accuracy" in measures for measures in rows) == 620
    assert sum("qnli_accuracy" in measures for measures in rows) == 660
    assert sum(len(measures) == 2 for measures in rows) == 462
    assert all(0.5 < value < 0.9 for measures in rows for value in measures.values())


def test_glue_is_without_the_factor() -> None:
    trained = {measurement.settings["hash"][:6]: measurement for _, measurement in trained_models()}
    assert len(trained) == 16
    assert sum("glue" in measurement.measures for measurement in trained.values()) == 13
    best = trained["9f4a1d"]
    assert best.measures == {"mlm_loss": 2.379, "glue": pytest.approx(0.55853, abs=1e-5)}
    assert best.settings["glue_as_stored"] == 0.8378


def test_roles_name_architectures_that_come_along() -> None:
    everything = published()
    keys = {architecture.key for architecture in everything.architectures}
    assert len(keys) == 818 + 16 + len(elector_models())
    assert {key for measurement in everything.measurements for key in measurement.roles.values()} <= keys
    assert len({measurement.key for measurement in everything.measurements}) == 834
