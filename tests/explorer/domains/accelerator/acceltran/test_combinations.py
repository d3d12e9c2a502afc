"""Every engine, mode, task, pruning and output of `simulate acceltran`, each once, without a database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, cast

import pytest

from explorer import registry
from explorer.cli.output import show
from explorer.contracts.fact import Fact
from explorer.contracts.session import Session
from explorer.contracts.simulator import Roles
from explorer.domains.accelerator.acceltran.findings import ablation
from explorer.domains.accelerator.acceltran.verbs.simulating import SimulationOptions, simulate
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.measurement import Measurement

DYNATRAN = {"dynatran_threshold": 0.01}


class Unstored:
    """A session that measures presets and keeps nothing."""

    def resolve(self, reference: str, *, domain: str, overrides: Mapping[str, Any] | None = None) -> Architecture:
        assert not overrides
        return registry.preset(reference)

    def measure(self, simulator: str, architectures: Roles, settings: Mapping[str, Any]) -> Measurement:
        return registry.simulator(simulator).run(architectures, settings)

    def facts(self, architecture: Architecture) -> Sequence[Fact]:
        return ()

    def report(self, text: str) -> None:
        pass


def printed(capsys: pytest.CaptureFixture[str], as_json: bool, **options: Any) -> str:
    given = SimulationOptions(model="bert-nano", accelerator="edge", **options)
    show(simulate(cast(Session, Unstored()), given), as_json)
    return capsys.readouterr().out


RUNS = [
    {"engine": engine, "mode": mode, "task": task, **pruning, **correct}
    for engine, mode, task, pruning, correct in product(
        ("fast", "detailed"),
        ("reference", "corrected"),
        ("inference", "training"),
        ({}, DYNATRAN),
        ({}, {"correct": "none"}, {"correct": "-refetch"}),
    )
    if mode == "corrected" or not correct
    # Thresholds are refused where no correction reads them.
    if not pruning or (mode == "corrected" and correct.get("correct") != "none")
]


@pytest.mark.parametrize("as_json", [False, True], ids=["table", "json"])
@pytest.mark.parametrize("options", RUNS, ids=lambda options: ",".join(map(str, options.values())))
def test_every_run_is_shown(capsys: pytest.CaptureFixture[str], options: dict[str, Any], as_json: bool) -> None:
    never_ends = options["engine"] == "detailed" and options["task"] == "training"
    if never_ends and (options["mode"] == "reference" or options.get("correct") == "none"):
        with pytest.raises(InputError, match=r"allowed|never|waits"):  # most of its tensors are never stored
            printed(capsys, as_json, **options)
        return
    text = printed(capsys, as_json, **options)
    if as_json:
        assert json.loads(text)["measures"]["cycles"] > 0
    else:
        assert "cycles" in text and "Energy of a batch" in text and "stored as" in text


@pytest.mark.parametrize(
    ("engine", "mode", "task"),
    # Pictures take a second each; the others are drawn in test_verbs.
    [("fast", "corrected", "inference"), ("fast", "corrected", "training"), ("detailed", "corrected", "training")],
)
def test_every_engine_draws_its_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, engine: str, mode: str, task: str
) -> None:
    folder = tmp_path / "pictures"
    document = json.loads(printed(capsys, True, engine=engine, mode=mode, task=task, plot=folder))
    assert document["plots"] and all(Path(file).stat().st_size for file in document["plots"])


@pytest.mark.parametrize("as_json", [False, True], ids=["table", "json"])
def test_an_ablation_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    few = dict(list(ablation.SWITCHES.items())[:2])
    monkeypatch.setattr(ablation, "SWITCHES", few)
    text = printed(capsys, as_json, ablate=True)
    assert all(name in text for name in few)
