"""`explorer study compare`: the best after the same numbers of trials."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from explorer import registry
from explorer.cli.study_comparison import checkpoints
from graphdb.records import NewTrial, StudyRecord
from graphdb.store import Store
from tests.explorer.conftest import Run
from tests.fault import toy


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    """The recipe, for as long as a test runs."""
    toy.register()
    yield
    registry.refresh()


def stored(store: Store, name: str, xs: Sequence[int], **settings: Any) -> None:
    """A study whose trial i measures the pair (xs[i], 29), with a loss of (xs[i] - 11)²."""
    store.studies.create(StudyRecord(name, "toy", 7, len(xs), toy.RECIPE.settings(settings, len(xs))))
    simulator = toy.ToySimulator()
    pairs = [{"model": toy.architecture(x), "accelerator": toy.architecture(29)} for x in xs]
    pending = [simulator.pending(roles, {"task": name}) for roles in pairs]
    store.architectures.add([one for roles in pairs for one in roles.values()])
    store.studies.ask(name, [NewTrial(index, one, "random") for index, one in enumerate(pending)])
    for index, (roles, one) in enumerate(zip(pairs, pending, strict=True)):
        store.studies.tell(name, index, replace(one, measures=simulator.measured(roles, {"task": name})))


def test_studies_are_compared_after_the_same_numbers_of_trials(run: Run, store: Store, tmp_path: Path) -> None:
    stored(store, "slow", [39 - index for index in range(24)])
    stored(store, "fast", [12, 11])
    told = run("study", "compare", "slow", "fast", "slow", "--plots", tmp_path, "--json").json
    slow, fast = told["studies"]
    assert told["comparable"] is True
    assert (slow["study"], slow["trials"], fast["study"], fast["trials"]) == ("slow", 24, "fast", 2)
    assert slow["best_after"] == {"20": 1 - 81 / 3200} and fast["best_after"] == {"20": None}
    assert (slow["best_trial"], fast["best_trial"], fast["best"]) == (23, 1, 1.0)
    assert slow["incumbents"] == [1 - (28 - index) ** 2 / 3200 for index in range(24)]
    assert [Path(file).name for file in told["plots"]] == [f"convergence-slow-fast.{end}" for end in ("png", "svg")]
    lines = [" ".join(line.split()) for line in run("study", "compare", "slow", "fast").out.splitlines()]
    assert "slow 7 24 0.9747 0.9922 23" in lines and "fast 7 2 - 1 1" in lines
    assert not any("one scale" in line for line in lines)


def test_other_constraints_are_pointed_out(run: Run, store: Store, tmp_path: Path) -> None:
    stored(store, "free", [12, 11])
    stored(store, "strict", [12, 11], worst=-1.0)
    assert run("study", "compare", "free", "strict", "--json").json["comparable"] is False
    assert "not on one scale" in run("study", "compare", "free", "strict").out
    assert run("study", "compare", "strict", "--plots", tmp_path, "--json").json["plots"] == []
    refused = run("study", "compare", "free", "nothing")
    assert (refused.status, "nothing" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("longest", "counts"),
    [(0, []), (19, []), (60, [20, 40, 60]), (170, [40, 80, 120, 160]), (1000, [140 * i for i in range(1, 8)])],
)
def test_there_are_at_most_eight_columns(longest: int, counts: list[int]) -> None:
    studies: Any = [SimpleNamespace(trials=[None] * count) for count in (longest // 2, longest)]
    assert checkpoints(studies) == counts
