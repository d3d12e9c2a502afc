"""`explorer pretrain` and `explorer finetune`: what they store and print, and what they refuse."""

from __future__ import annotations

import csv
import json
import signal
from pathlib import Path

import datasets
import pytest

from explorer.domains.transformer.training import loop
from graphdb.store import Store
from tests.explorer.cli.test_bad_input import refused
from tests.explorer.conftest import Run
from tests.explorer.domains.transformer.training.conftest import sentences

SMALL = ("--set", "steps=4", "--set", "batch_size=4", "--set", "sequence_length=24", "--set", "warmup_steps=1")
CHECKPOINTS = ("--report-every", 1, "--checkpoint-every", 2)


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "corpus.txt"
    file.write_text("\n".join(text for text, _ in sentences(100, 0)))
    return file


def test_from_text_to_a_stored_accuracy(
    run: Run, store: Store, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("pretrain", "flexibert", "bert-tiny", "--corpus", corpus, "--out", tmp_path / "tiny", *SMALL)
    command += ("--vocabulary", 300, *CHECKPOINTS, "--json")

    update = loop._update

    def interrupted(*arguments: object) -> object:
        if arguments[6] == 2:
            signal.raise_signal(signal.SIGINT)
        return update(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(loop, "_update", interrupted)
        stopped = run(*command)
    assert stopped.status == 130 and "the same command continues" in stopped.err and stopped.out == ""
    assert not (tmp_path / "tiny" / "model.json").exists()

    printed = run(*command).json
    stored = store.measurements.get(printed["key"])
    assert stored.measures == pytest.approx(printed["measures"])
    assert stored.measures.keys() == {"mlm_loss", "mlm_accuracy"}
    assert (stored.simulator, stored.seed, stored.settings["steps"]) == ("mlm", 0, 4)
    assert stored.settings["corpus"] == ["corpus.txt"]
    assert store.architectures.get(stored.roles["model"]).choices == printed["model"]["choices"]
    for given in ("tiny", "tiny/config.json", "tiny/model.json"):  # what was written names what was trained
        assert run("import", tmp_path / given, "--json").json["key"] == stored.roles["model"]
    measured = run("simulate", "acceltran", "--model", tmp_path / "tiny", "--accelerator", "edge", "--json")
    assert measured.status == 0 and stored.roles["model"] in measured.out
    shown = run("show", stored.roles["model"], "--json").out
    assert stored.key in shown and "mlm_loss" in shown

    data = tmp_path / "own.csv"
    with data.open("w", newline="") as stream:
        csv.writer(stream).writerows([("text", "label"), *sentences(40, 1)])
    shown = run("finetune", "flexibert", tmp_path / "tiny", "--data", data, "--set", "steps=2")
    assert shown.status == 0 and "accuracy" in shown.out and "stored as" in shown.out
    tuned = run("finetune", "flexibert", tmp_path / "tiny", "--data", data, "--set", "steps=2", "--json").json
    assert tuned["simulator"] == "finetuning" and tuned["measures"].keys() == {"accuracy"}
    assert tuned["roles"] == {"model": stored.roles["model"]}
    assert Path(tuned["folder"]) == tmp_path / "tiny" / "own"

    refused(run(*command, "--set", "seed=1"), "config.seed", "another folder")
    refused(run("finetune", "flexibert", tmp_path / "tiny"), "--task", "--data")
    refused(run("finetune", "flexibert", tmp_path / "tiny", "--task", "sst3"), "sst3", "cola")
    refused(run("finetune", "flexibert", tmp_path, "--task", "sst2"), "no trained model")


def test_a_decoder_is_refused_and_nothing_is_written(run: Run, corpus: Path, tmp_path: Path) -> None:
    refused(
        run("pretrain", "flexibert", "gpt2", "--corpus", corpus, "--out", tmp_path / "out"),
        "is a decoder",
        "an encoder",
    )
    assert not (tmp_path / "out").exists()


def test_a_model_begins_with_the_weights_of_another(run: Run, store: Store, corpus: Path, tmp_path: Path) -> None:
    first = ("pretrain", "flexibert", "bert-tiny", "--corpus", corpus, "--out", tmp_path / "tiny", *SMALL)
    parent = run(*first, "--vocabulary", 300, "--json").json["roles"]["model"]
    design = tmp_path / "mini.json"
    layers = {"o": [["sa_sdp_64", "sa_sdp_64"]] * 4, "h": [128] * 4, "f": [[512]] * 4}
    design.write_text(json.dumps({"domain": "transformer", "space": "transformer_free", "choices": {"l": 4, **layers}}))
    second = ("pretrain", "flexibert", design, "--corpus", corpus, "--out", tmp_path / "mini", *SMALL)
    trained = run(*second, "--from", tmp_path / "tiny", "--json")
    assert trained.status == 0, trained.err
    child = trained.json["roles"]["model"]
    (relative,) = store.architectures.parents([child], 5)[child]
    assert (relative.key, relative.how, relative.properties["rule"]) == (parent, "weight transfer", "ordered")
    assert 0.4 < relative.properties["ratio"] < 0.8
    assert trained.json["settings"]["start"]["model"] == parent
    assert "came from" in run("show", child).out and "rule ordered" in run("show", child).out
    assert [relative["key"] for relative in run("show", parent, "--json").json["children"]] == [child]
    assert run(*second, "--from", tmp_path / "tiny", "--json").json["key"] == trained.json["key"]

    refused(run(*second, "--rule", "ordered"), "--rule has no effect without --from")
    refused(
        run(*second, "--from", tmp_path / "tiny", "--rule", "all"), "rule of pretrain flexibert is 'all'", "projected"
    )
    refused(run(*second, "--from", tmp_path / "none"), "no trained model")
    refused(run(*second), "another folder")
    other = run(*first[: -len(SMALL) - 1], tmp_path / "other", *SMALL, "--vocabulary", 270, "--json")
    assert other.status == 0, other.err
    tokenizer = ("--tokenizer", tmp_path / "tiny" / "tokenizer")
    refused(run(*second, "--from", tmp_path / "other", *tokenizer), "The tokenizer has", "train with its tokenizer")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--corpus", "none.txt"), ("none.txt", "does not exist")),
        (("--set", "batch_size=0"), ("batch_size", "0", "1")),
        (("--set", "batchsize=1"), ("batchsize", "batch_size")),
        (("--recipe", "bert"), ("bert", "flexibert2-pretraining")),
        (("--config", "none.json"), ("none.json", "cannot be read")),
        (("--checkpoint-every", 0), ("checkpoint_every is 0",)),
        (("--vocabulary", 10), ("vocabulary is 10", "261")),
        (("--tokenizer", "nowhere/at-all"), ("nowhere/at-all",)),
        (("--set", "sequence_length=5000"), ("0 sequences", "at least 2")),
    ],
)
def test_what_cannot_be_trained(
    run: Run,
    corpus: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[object, ...],
    words: tuple[str, ...],
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # it tries for long where there is no network
    given = () if "--corpus" in arguments else ("--corpus", corpus)
    refused(run("pretrain", "flexibert", "bert-tiny", *given, "--out", tmp_path / "out", *arguments), *words)
    assert not (tmp_path / "out").exists()
