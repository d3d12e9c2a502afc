"""The simulator's contract: settings, measures, errors, lightness."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from explorer.domains.accelerator.acceltran.simulator import AccelTranSimulator
from graphdb.errors import InputError

from . import reading

SIMULATOR = AccelTranSimulator()


def test_a_measurement_names_everything_it_depends_on() -> None:
    pair = reading.pair(reading.BERT_TINY, reading.EDGE)
    found = SIMULATOR.run(pair, {"task": "training"})
    assert found.roles == {"model": pair["model"].key, "accelerator": pair["accelerator"].key}
    assert found.settings == SIMULATOR.settings({"task": "training"})
    assert set(found.measures) == set(SIMULATOR.measures)
    assert found.key != SIMULATOR.run(pair, {}).key
    assert found == SIMULATOR.run(pair, {"task": "training"})


def test_run_batch_keeps_the_order_and_puts_errors_in_their_place() -> None:
    pairs = [reading.pair(model, reading.EDGE) for model in (reading.BERT_TINY, reading.BERT_BASE, reading.BERT_NANO)]
    found = SIMULATOR.run_batch(pairs, {})
    assert found[0] == SIMULATOR.run(pairs[0], {}) and found[2] == SIMULATOR.run(pairs[2], {})
    assert isinstance(found[1], InputError)
    with pytest.raises(InputError, match="does not fit"):
        SIMULATOR.run(pairs[1], {})
    assert SIMULATOR.run_batch([], {}) == []


def test_every_measure_has_its_unit() -> None:
    units = {"_s": " in s", "_j": " in J", "_mm2": " in mm2", "_w": " in W", "per_s": " in 1/s"}
    for name, text in SIMULATOR.measures.items():
        wanted = [unit for suffix, unit in units.items() if name.endswith(suffix)]
        assert name == "cycles" or any(unit in text for unit in wanted), name


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"engine": "detailed"}, "engine 'detailed' of acceltran is not available yet; available: fast."),
        ({"mode": "corrected"}, "mode 'corrected' of acceltran is not available yet; available: reference."),
        ({"engine": "slow"}, "engine of acceltran is 'slow'; allowed: fast."),
        ({"task": "play"}, "task of acceltran is 'play'; allowed: inference, training."),
        ({"activation_sparsity": 1.0}, "activation_sparsity of acceltran is 1.0; allowed: a number from 0 to below 1."),
        ({"weight_sparsity": float("nan")}, "weight_sparsity of acceltran is nan"),
        ({"gradient_sparsity": "0.9"}, "gradient_sparsity of acceltran is '0.9'"),
        ({"sequence_length": 0}, "sequence_length of acceltran is 0; allowed: an integer from 1 to 65536."),
        ({"sequence_length": True}, "sequence_length of acceltran is True"),
        ({"vocabulary": 1e3}, "vocabulary of acceltran is 1000.0"),
        ({"speed": 1}, "setting 'speed' of acceltran is unknown; allowed: task, engine, mode"),
    ],
)
def test_settings_are_refused_in_one_sentence(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as error:
        SIMULATOR.settings(given)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_roles_are_checked() -> None:
    pair = reading.pair(reading.BERT_TINY, reading.EDGE)
    for wrong in ({"model": pair["model"]}, {"model": pair["accelerator"], "accelerator": pair["model"]}):
        with pytest.raises(InputError, match="role: domain"):
            SIMULATOR.run(wrong, {})


def test_workers_stay_light() -> None:
    code = (
        "import sys; import explorer.domains.accelerator.acceltran.simulator; "
        "print([name for name in ('torch', 'neo4j', 'gnn', 'matplotlib') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
