"""The simulator's contract: settings, measures, errors, lightness."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from explorer.contracts.simulator import Roles, Simulator
from explorer.domains.accelerator.acceltran.simulator import AccelTranSimulator
from graphdb.errors import InputError
from tests.explorer.contracts.simulator import SimulatorContract
from tests.explorer.domains.accelerator.acceltran import reading

SIMULATOR = AccelTranSimulator()
PUBLISHED = {"engine": "fast", "mode": "reference"}
COMBINATIONS = [
    {"engine": engine, "mode": mode, "task": task}
    for engine in ("fast", "detailed")
    for mode in ("reference", "corrected")
    for task in ("inference", "training")
    if (engine, mode, task) != ("detailed", "reference", "training")  # dead-locks, as published
]


class TestAccelTranSimulator(SimulatorContract):
    later = frozenset({"phase"})

    @pytest.fixture
    def simulator(self) -> Simulator:
        return SIMULATOR

    @pytest.fixture
    def architectures(self) -> Roles:
        return reading.pair(reading.BERT_TINY, reading.EDGE)

    @pytest.fixture
    def given(self) -> dict[str, Any]:
        return PUBLISHED


def test_a_measurement_names_everything_it_depends_on() -> None:
    pair = reading.pair(reading.BERT_TINY, reading.EDGE)
    measurements = [SIMULATOR.run(pair, given) for given in COMBINATIONS]
    for measurement, given in zip(measurements, COMBINATIONS, strict=True):
        assert measurement.roles == {"model": pair["model"].key, "accelerator": pair["accelerator"].key}
        assert measurement.settings == SIMULATOR.settings(given)
        assert set(measurement.measures) <= set(SIMULATOR.measures)
        assert measurement == SIMULATOR.run(pair, given)
    assert len({measurement.key for measurement in measurements}) == len(COMBINATIONS)
    pruned = SIMULATOR.run(pair, {"dynatran_threshold": 0.04})
    assert set(pruned.measures) == set(SIMULATOR.measures)
    assert pruned.measures["dynatran_score"] == pytest.approx(0.9381)


@pytest.mark.parametrize("given", COMBINATIONS, ids=lambda given: "-".join(given.values()))
def test_what_every_engine_and_mode_has_in_common(given: dict[str, Any]) -> None:
    tiny = SIMULATOR.run(reading.pair(reading.BERT_TINY, reading.EDGE), given).measures
    assert tiny["cycles"] > 0 and tiny["latency_s"] == pytest.approx(tiny["cycles"] / 700e6)
    assert tiny["energy_j"] == pytest.approx(tiny["energy_dynamic_j"] + tiny["energy_leakage_j"])
    assert tiny["energy_per_sequence_j"] == pytest.approx(tiny["energy_j"] / 4)
    assert tiny["average_power_w"] == pytest.approx(tiny["energy_j"] / tiny["latency_s"])
    larger = SIMULATOR.run(reading.pair(reading.BERT_NANO, reading.EDGE), given).measures
    assert larger["area_mm2"] == tiny["area_mm2"]  # the model has no part in it


def test_training_as_published_is_refused_with_what_it_waits_for() -> None:
    given = {"engine": "detailed", "mode": "reference", "task": "training"}
    with pytest.raises(InputError, match=r"never ends.*waits for"):
        SIMULATOR.run(reading.pair(reading.BERT_TINY, reading.EDGE), given)


def test_run_batch_keeps_the_order_and_puts_errors_in_their_place() -> None:
    pairs = [reading.pair(model, reading.EDGE) for model in (reading.BERT_TINY, reading.BERT_BASE, reading.BERT_NANO)]
    batch = SIMULATOR.run_batch(pairs, PUBLISHED)
    assert batch[0] == SIMULATOR.run(pairs[0], PUBLISHED) and batch[2] == SIMULATOR.run(pairs[2], PUBLISHED)
    assert isinstance(batch[1], InputError)
    with pytest.raises(InputError, match="does not fit"):
        SIMULATOR.run(pairs[1], PUBLISHED)
    assert SIMULATOR.run_batch([], {}) == []


def test_every_measure_has_the_unit_that_its_name_ends_in() -> None:
    units = {"_s": "s", "_j": "J", "_mm2": "mm²", "_w": "W", "per_s": "1/s", "_bytes": "B", "cycles": ""}
    for name, measure in SIMULATOR.measures.items():
        ends = [end for end in units if name.endswith(end)]
        assert measure.unit == (units[max(ends, key=len)] if ends else "%"), name
        assert measure.name == name and measure.label and measure.whole == name.endswith("cycles")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"engine": "slow"}, "engine of acceltran is 'slow'; allowed: fast, detailed."),
        ({"mode": "right"}, "mode of acceltran is 'right'; allowed: reference, corrected."),
        ({"correct": "speed"}, "correction 'speed' of acceltran is unknown; allowed: all, none, weights-once"),
        ({"correct": "residual,-bandwidth"}, "allowed: either all names or none begin with '-'."),
        ({"mode": "reference", "correct": "residual"}, "correct of acceltran has no effect in mode reference"),
        ({**PUBLISHED, "causal": True}, "causal of acceltran has no effect on the engine fast in mode reference"),
        ({"task": "play"}, "task of acceltran is 'play'; allowed: inference, training."),
        ({"activation_sparsity": 1.0}, "activation_sparsity of acceltran is 1.0; allowed: a number from 0 to below 1."),
        ({"weight_sparsity": float("nan")}, "weight_sparsity of acceltran is nan"),
        ({"gradient_sparsity": "0.9"}, "gradient_sparsity of acceltran is '0.9'"),
        ({"sequence_length": 0}, "sequence_length of acceltran is 0; allowed: an integer from 1 to 65536."),
        ({"sequence_length": True}, "sequence_length of acceltran is True"),
        ({"vocabulary": 1e3}, "vocabulary of acceltran is 1000.0"),
        ({"speed": 1}, "There is no setting 'speed' of acceltran; allowed: task, engine, mode"),
    ],
)
def test_settings_are_refused_in_one_sentence(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as error:
        SIMULATOR.settings(given)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_roles_are_checked() -> None:
    pair = reading.pair(reading.BERT_TINY, reading.EDGE)
    for wrong in ({"model": pair["model"]}, {"model": pair["accelerator"], "accelerator": pair["model"]}):
        with pytest.raises(
            InputError, match=r"allowed: model: transformer, accelerator: accelerator \(elector, acceltran_free\)"
        ):
            SIMULATOR.run(wrong, {})


def test_workers_stay_light() -> None:
    code = (
        "import sys; import explorer.domains.accelerator.acceltran.simulator; "
        "print([name for name in ('torch', 'neo4j', 'gnn', 'matplotlib') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
