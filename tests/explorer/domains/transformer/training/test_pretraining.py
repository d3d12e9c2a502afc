"""Pre-training: it learns, and goes on to the bit after any end."""

from __future__ import annotations

import json
import multiprocessing
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from explorer.domains.transformer.modules.encoder import HeterogeneousEncoder
from explorer.domains.transformer.modules.tasks import MaskedLanguageModel
from explorer.domains.transformer.training import corpus, loop
from explorer.domains.transformer.training.loop import ReportIntervals, TrainingStep, accelerator
from explorer.domains.transformer.training.pretraining import held_out_measures, pretrain
from explorer.domains.transformer.training.saved import load_encoder, read_description
from graphdb.errors import InputError

from .conftest import MODEL, config

EVERY_STEP = ReportIntervals(report_every=1, checkpoint_every=1)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def same(first: Path, second: Path) -> bool:
    one, other = weights(first), weights(second)
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_the_loss_falls_far_below_guessing(
    text: corpus.MaskedText, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "REPORT_S", float("inf"))
    longer = replace(text, config=config(steps=300, batch_size=16, warmup_steps=10, dropout=0.0))
    reports: list[TrainingStep] = []
    generator = torch.Generator().manual_seed(0)
    untrained = MaskedLanguageModel(
        HeterogeneousEncoder(MODEL, vocabulary=len(text.tokenizer), maximum_positions=24, generator=generator)
    )
    before = held_out_measures(untrained, longer, accelerator(longer.config))
    after = pretrain(MODEL, longer, tmp_path, schedule=ReportIntervals(50, 100), report=reports.append)
    assert before["mlm_loss"] > 5
    assert after["mlm_loss"] < 2.2  # nats
    assert after["mlm_accuracy"] > 0.4 > 0.2 > before["mlm_accuracy"]
    assert [report.step for report in reports] == [50, 100, 150, 200, 250, 300]
    rows = [json.loads(row) for row in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row["loss"] for row in rows] == [report.loss for report in reports]
    assert rows[-1]["loss"] < rows[0]["loss"] - 1


def test_slow_updates_are_reported_between_rows_of_metrics(
    text: corpus.MaskedText, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "REPORT_S", 0.0)
    reports: list[TrainingStep] = []
    few = replace(text, config=config(steps=5, warmup_steps=1))
    pretrain(MODEL, few, tmp_path, schedule=ReportIntervals(3, 100), report=reports.append)
    assert [(report.step, report.steps) for report in reports] == [(step, 5) for step in (1, 2, 3, 4, 5)]
    rows = [json.loads(row) for row in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [(row["step"], row["loss"]) for row in rows] == [(report.step, report.loss) for report in reports[2::2]]


class _Stop(Exception):
    pass


def test_a_stopped_training_goes_on_to_the_bit(text: corpus.MaskedText, tmp_path: Path) -> None:
    whole = pretrain(MODEL, text, tmp_path / "whole", schedule=EVERY_STEP)

    def stop(step: TrainingStep) -> None:
        if step.step == 5:
            raise _Stop

    with pytest.raises(_Stop):
        pretrain(MODEL, text, tmp_path / "parts", schedule=ReportIntervals(1, 3), report=stop)
    assert not (tmp_path / "parts" / "model.safetensors").exists()
    resumed: list[int] = []
    parts = pretrain(
        MODEL, text, tmp_path / "parts", schedule=ReportIntervals(1, 3), report=lambda step: resumed.append(step.step)
    )
    assert resumed[0] == 4  # the checkpoint was of step 3
    assert same(tmp_path / "whole", tmp_path / "parts")
    assert parts == whole
    assert (tmp_path / "whole/metrics.jsonl").read_text() == (tmp_path / "parts/metrics.jsonl").read_text()
    again = pretrain(MODEL, text, tmp_path / "parts", schedule=EVERY_STEP)  # finished: nothing to do
    assert again == whole


def _pretrain_on_one_thread(text: corpus.MaskedText, folder: Path) -> None:
    torch.set_num_threads(1)  # as this process does: sums on two threads differ in the last bit
    pretrain(MODEL, text, folder, schedule=EVERY_STEP)


def test_a_killed_process_leaves_a_checkpoint_to_go_on_from(text: corpus.MaskedText, tmp_path: Path) -> None:
    longer = replace(text, config=config(steps=4000))
    process = multiprocessing.get_context("spawn").Process(
        target=_pretrain_on_one_thread, args=(longer, tmp_path / "run")
    )
    process.start()
    checkpoint = tmp_path / "run" / "checkpoint.safetensors"
    try:
        while process.is_alive() and not _steps(checkpoint) >= 3:
            time.sleep(0.01)
    finally:
        process.kill()
        process.join()
    assert process.exitcode == -signal.SIGKILL
    done = _steps(checkpoint)
    assert 3 <= done < 4000

    def stop(step: TrainingStep) -> None:
        if step.step == done + 3:
            raise _Stop

    # A report comes before the checkpoint of its update: the last checkpoint of both is that of two updates more.
    for name, checkpoints in (("run", 1), ("whole", done + 2)):
        with pytest.raises(_Stop):
            pretrain(MODEL, longer, tmp_path / name, schedule=ReportIntervals(1, checkpoints), report=stop)
    assert {_steps(tmp_path / name / "checkpoint.safetensors") for name in ("run", "whole")} == {done + 2}
    one, other = (load_file(tmp_path / name / "checkpoint.safetensors") for name in ("run", "whole"))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_a_checkpoint(number: signal.Signals, text: corpus.MaskedText, tmp_path: Path) -> None:
    before = signal.getsignal(number)

    def interrupt(step: TrainingStep) -> None:
        if step.step == 4:
            signal.raise_signal(number)

    rarely = ReportIntervals(1, 1000)
    with pytest.raises(KeyboardInterrupt):
        pretrain(MODEL, text, tmp_path / "parts", schedule=rarely, report=interrupt)
    assert signal.getsignal(number) == before
    assert _steps(tmp_path / "parts" / "checkpoint.safetensors") == 4
    pretrain(MODEL, text, tmp_path / "parts", schedule=rarely)
    pretrain(MODEL, text, tmp_path / "whole", schedule=rarely)
    assert same(tmp_path / "whole", tmp_path / "parts")


def _steps(checkpoint: Path) -> int:
    if not checkpoint.exists():
        return 0
    with safe_open(checkpoint, framework="pt") as opened:
        return int(opened.metadata()["step"])


def test_parts_of_a_batch_add_up_to_the_whole(text: corpus.MaskedText, tmp_path: Path) -> None:
    settings = {"steps": 3, "dropout": 0.0, "adam_epsilon": 1e-3}
    for name, size in (("whole", None), ("parts", 3)):
        pretrain(MODEL, replace(text, config=config(**settings, micro_batch_size=size)), tmp_path / name)
    one, other = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert max(float((one[name] - other[name]).abs().max()) for name in one) < 1e-6


def test_initial_weights_are_those_that_training_begins_with(text: corpus.MaskedText, tmp_path: Path) -> None:
    pretrain(MODEL, replace(text, config=config(steps=30, batch_size=32)), tmp_path / "first")
    encoder, tokenizer = load_encoder(tmp_path / "first", torch.Generator().manual_seed(0))
    assert tokenizer.get_vocab() == text.tokenizer.get_vocab()
    assert read_description(tmp_path / "first").model == MODEL
    losses: dict[str, float] = {}
    for name, initial in (("scratch", None), ("warm", encoder)):
        pretrain(
            MODEL,
            replace(text, config=config(steps=3)),
            tmp_path / name,
            initial=initial,
            schedule=EVERY_STEP,
            report=lambda step, name=name: losses.setdefault(name, step.loss),
        )
    assert losses["warm"] < losses["scratch"] - 0.3
    with pytest.raises(InputError, match="initial is null"):
        pretrain(MODEL, replace(text, config=config(steps=3)), tmp_path / "scratch", initial=encoder)
    other = MODEL | {"h": [32, 48]}
    with pytest.raises(InputError, match="initial weights do not fit"):
        pretrain(other, text, tmp_path / "other", initial=encoder)


def test_checkpoints_that_are_corrupt_or_of_others_are_refused(text: corpus.MaskedText, tmp_path: Path) -> None:
    pretrain(MODEL, replace(text, config=config(steps=2)), tmp_path)
    checkpoint = tmp_path / "checkpoint.safetensors"
    refusals: list[tuple[Any, Any, str]] = [
        (MODEL | {"f": [[64], [65]]}, config(steps=2), r"belongs to another training: its model\.f is .*64.*65"),
        (MODEL, config(steps=3), r"config\.steps is 2, that of this one 3"),
        (MODEL, config(steps=2, seed=1), r"config\.seed is 0, that of this one 1"),
    ]
    for model, changed, words in refusals:
        with pytest.raises(InputError, match=words):
            pretrain(model, replace(text, config=changed), tmp_path)
    content = checkpoint.read_bytes()
    for broken in (content[:-100], content[:5], b"", b"\xff" * 1000):
        checkpoint.write_bytes(broken)
        with pytest.raises(InputError, match=r"checkpoint\.safetensors is corrupt"):
            pretrain(MODEL, replace(text, config=config(steps=2)), tmp_path)
        assert checkpoint.read_bytes() == broken
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be created"):
        pretrain(MODEL, text, tmp_path / "file" / "folder")


def test_a_diverging_training_says_so_and_keeps_its_checkpoint(text: corpus.MaskedText, tmp_path: Path) -> None:
    wild = replace(text, config=config(steps=40, learning_rate=1e30, largest_gradient_norm=0.0))
    with pytest.raises(InputError, match="diverged; try a learning_rate below"):
        pretrain(MODEL, wild, tmp_path, schedule=EVERY_STEP)
    saved = load_file(tmp_path / "checkpoint.safetensors")
    assert _steps(tmp_path / "checkpoint.safetensors") >= 1
    assert saved.keys()


def test_schedules_below_one_are_refused() -> None:
    with pytest.raises(InputError, match="checkpoint_every is 0"):
        ReportIntervals(checkpoint_every=0)
