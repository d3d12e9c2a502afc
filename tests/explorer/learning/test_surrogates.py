"""Surrogates are found again by what they were trained on, whatever the domain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from explorer import registry
from explorer.domains.accelerator.learning import PAIRS
from explorer.domains.transformer.learning import MODELS
from explorer.learning import surrogates
from gnn.network import SurrogateSettings
from gnn.surrogate import VERSION
from graphdb.architecture import Architecture
from graphdb.canonical import digest
from graphdb.errors import InputError, NotFoundError
from graphdb.store import Store
from tests.explorer.learning.beams import TASK, Beams, loaded, published


def silent(phase: str) -> None:
    del phase


@pytest.fixture
def stored(store: Store) -> Store:
    store.architectures.add(published().architectures)
    store.measurements.add(published().measurements)
    return store


def test_a_surrogate_is_trained_once_and_embeds_what_is_missing(stored: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "learning_tasks", lambda: (TASK,))
    phases: list[str] = []
    key = published().architectures[0].key
    surrogates.ensure_embedding(stored, key, phases.append)
    assert "training on the beams: 100 %" in phases and phases[-1] == "embedding 8 architectures"
    assert stored.embeddings.similar(key, 3)
    stored.architectures.add([Beams().build({"first": 20, "second": 20})])
    phases.clear()
    surrogates.ensure_embedding(stored, key, phases.append)
    assert phases == ["embedding 1 architectures"]


def test_the_key_is_a_hash_of_what_was_learnt_from(stored: Store) -> None:
    rows = sorted(published().measurements, key=lambda row: row.key)
    settings = SurrogateSettings(**TASK.sizes).to_json()
    learnt = [[row.key, sorted(row.measures.items())] for row in rows]
    assert surrogates.trained(stored, TASK, silent).key == digest(["beams", VERSION, 0, settings, learnt])


def test_logarithmic_measures_are_learnt_as_logarithms(stored: Store) -> None:
    assert surrogates.trained(stored, TASK, silent).surrogate.logarithmic == {"mass_kg"}


def test_what_was_predicted_or_measured_by_others_does_not_count(stored: Store) -> None:
    before = surrogates.trained(stored, TASK, silent).key
    beams = published().architectures[0]
    foreign = Architecture.of("trusses", "all", beams.choices, beams.blocks, beams.edges)
    stored.architectures.add([foreign])
    stored.measurements.add(
        [
            loaded(foreign, 0.5),
            loaded(beams, 0.5, roles={"bridge": beams.key}),
            loaded(beams, 0.5, simulator="oracle", predicted=frozenset({"share", "mass_kg"})),
        ]
    )
    assert surrogates.trained(stored, TASK, silent).key == before
    stored.measurements.add([loaded(beams, 0.5, simulator="guess")])
    assert surrogates.trained(stored, replace(TASK, simulators=frozenset({"load"})), silent).key == before
    assert surrogates.trained(stored, TASK, silent).key != before


def test_nothing_to_learn_from_is_said(store: Store) -> None:
    with pytest.raises(NotFoundError, match=r"No measurement of share, mass_kg is stored"):
        surrogates.trained(store, TASK, silent)


def test_a_domain_that_no_surrogate_embeds_is_named() -> None:
    assert surrogates.task_of("transformer") is MODELS
    assert surrogates.task_of("accelerator") is PAIRS
    with pytest.raises(NotFoundError, match=r"No surrogate embeds the domain somewhere; there are .*transformer"):
        surrogates.task_of("somewhere")


def test_the_tasks_of_the_product_keep_the_keys_of_their_surrogates() -> None:
    """Name and sizes are part of the key: another one would train what databases hold already once more."""
    assert (MODELS.name, surrogates.settings_of(MODELS)) == ("accuracy of Transformers", SurrogateSettings())
    assert (PAIRS.name, surrogates.settings_of(PAIRS)) == (
        "costs of Transformers on accelerators",
        SurrogateSettings(members=2, steps=300, trees=0),
    )
    logarithmic = {measure.name for task in (MODELS, PAIRS) for measure in task.measures if measure.logarithmic}
    assert logarithmic == {"latency_s", "energy_j", "area_mm2"}


def test_a_size_that_no_surrogate_has_is_refused() -> None:
    with pytest.raises(InputError, match=r"The task to learn the beams sets 'widht'; allowed: members, hidden, "):
        surrogates.settings_of(replace(TASK, sizes={"widht": 3}))
    with pytest.raises(InputError, match="sets an embedding of 8 numbers; allowed: 32"):
        surrogates.settings_of(replace(TASK, sizes={"embedding": 8}))
