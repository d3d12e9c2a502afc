"""Values that are measured or predicted: which is which, whatever the domain."""

from __future__ import annotations

import numpy as np
import pytest

from explorer import registry
from explorer.contracts.skill import Source
from explorer.learning.known import known_values, value_table
from graphdb.errors import InputError
from graphdb.store import Store
from tests.explorer.learning.beams import SHARE, TASK, Beams, MoreBeams, loaded, published


@pytest.fixture(autouse=True)
def beams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "published", published)


def silent(phase: str) -> None:
    del phase


def test_the_published_data_are_loaded_where_nothing_is_measured(store: Store) -> None:
    phases: list[str] = []
    known_values(store, TASK, "share", Beams(), phases.append)
    assert phases[0] == "loading the published data"
    assert any("training on the beams" in phase for phase in phases)
    phases.clear()
    known_values(store, TASK, "share", Beams(), phases.append)
    assert phases == []


def test_every_value_says_where_it_comes_from(store: Store) -> None:
    space, wider = Beams(), MoreBeams()
    known = known_values(store, TASK, "share", space, silent)
    measured = space.build({"first": 10, "second": 10})
    assert known.of(measured) == (1.0, Source.MEASURED)
    value, source = known.of(space.build({"first": 10, "second": 20}))
    assert source is Source.PREDICTED and 0.0 <= value <= 1.0
    assert known.of(wider.build({"first": 160, "second": 10}))[1] is Source.EXTRAPOLATED


def test_the_mean_counts_of_what_was_measured_in_any_space(store: Store) -> None:
    choices = {"first": 10, "second": 10}
    same = MoreBeams().build(choices)
    store.architectures.add([*published().architectures, same])
    store.measurements.add([*published().measurements, loaded(same, 0.5), loaded(same, 0.2, simulator="guess")])
    predicted = loaded(same, 0.0, simulator="oracle", predicted=frozenset({"share"}))
    store.measurements.add([predicted])
    known = known_values(store, TASK, "share", Beams(), silent)
    assert known.of(Beams().build(choices)) == (pytest.approx((1.0 + 0.5 + 0.2) / 3), Source.MEASURED)


def test_what_was_measured_of_a_twin_counts_where_nothing_else_was(store: Store) -> None:
    space = Beams()
    store.architectures.add(published().architectures)
    store.measurements.add(published().measurements)
    before = value_table(store, TASK, "share", space, silent)
    unmeasured = next(row for row, known in enumerate(before.measured) if not known)
    other = next(row for row, known in enumerate(before.measured) if known)
    twins = [MoreBeams().build(before.architectures[row].choices) for row in (unmeasured, other)]
    store.architectures.add(twins)
    store.measurements.add([loaded(twin, 0.25) for twin in twins])
    after = value_table(store, TASK, "share", space, silent)
    assert after.value_of(before.architectures[unmeasured].key) == (0.25, True)
    assert after.value_of(before.architectures[other].key) == before.value_of(before.architectures[other].key)


def test_a_table_has_all_designs_of_the_space(store: Store) -> None:
    space, phases = Beams(), []
    table = value_table(store, TASK, "share", space, phases.append)
    assert [design.choices for design in table.architectures] == list(space.enumerate())
    assert table.embeddings.shape == (16, 32)
    assert table.measured.tolist() == [True, False] * 8
    assert (table.values[table.measured] == 1.0).all() and (table.values <= 1.0).all()
    assert table.value_of(table.architectures[2].key) == (1.0, True)
    assert len(table.measured_only().architectures) == 8 == len(table.measured_only().values)
    assert any(f"predicting the {SHARE.label} of unmeasured designs" in phase for phase in phases)
    stored = store.embeddings.read([design.key for design in table.architectures[:2]])
    assert np.allclose(stored[table.architectures[0].key], table.embeddings[0], atol=1e-6)


def test_a_measure_that_is_no_share_may_exceed_one(store: Store) -> None:
    table = value_table(store, TASK, "mass_kg", Beams(), silent)
    assert table.values[~table.measured].min() > 1.0


def test_a_measure_that_is_not_learnt_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match=r"does not learn the measure 'height_m'; allowed: share, mass_kg"):
        known_values(store, TASK, "height_m", Beams(), silent)
