"""Fine-tuning: it learns from labels, scores, pairs; and goes on to the bit."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import datasets
import pytest
import torch
from safetensors.torch import load_file

from explorer.domains.transformer.training import corpus, examples
from explorer.domains.transformer.training.examples import glue_text, own_text
from explorer.domains.transformer.training.finetuning import finetune
from explorer.domains.transformer.training.loop import ReportIntervals, TrainingStep
from explorer.domains.transformer.training.pretraining import pretrain
from explorer.domains.transformer.training.saved import read_description
from graphdb.errors import InputError

from .conftest import MODEL, config, sentences


@pytest.fixture(scope="module")
def pretrained(text: corpus.MaskedText, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pretrained")
    pretrain(MODEL, text, folder)
    return folder


def table(file: Path, rows: list[dict[str, Any]]) -> Path:
    with file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [{"text": text, "label": ["poor", "fine"][good]} for text, good in sentences(300, 5)]
    return table(tmp_path / "train.csv", rows)


@pytest.fixture
def unseen(tmp_path: Path) -> Path:
    file = tmp_path / "unseen.jsonl"
    rows = [{"text": text, "label": ["poor", "fine"][good]} for text, good in sentences(100, 6)]
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


def test_a_classifier_of_words_beats_chance_clearly(pretrained: Path, data: Path, unseen: Path, tmp_path: Path) -> None:
    settings = config(steps=None, epochs=3, batch_size=16)
    tuned = finetune(pretrained, own_text([data], settings, [unseen]), settings, tmp_path / "out")
    assert tuned.measures["accuracy"] > 0.9
    assert read_description(tmp_path / "out").labels == ("fine", "poor")
    assert read_description(tmp_path / "out").model == MODEL


def test_scores_of_pairs_are_learnt(pretrained: Path, tmp_path: Path) -> None:
    pairs = zip(sentences(400, 7), sentences(400, 8), strict=True)
    rows = [{"text": a, "text_pair": b, "label": 1.5 * (x + y) + 0.5} for (a, x), (b, y) in pairs]
    settings = config(steps=60, batch_size=16, sequence_length=24, dropout=0.0)
    text = own_text([table(tmp_path / "pairs.csv", rows)], settings)
    measures = finetune(pretrained, text, settings, tmp_path / "out").measures
    assert measures.keys() == {"pearson", "spearman"}
    assert min(measures.values()) > 0.5
    assert read_description(tmp_path / "out").labels == ()


def test_a_stopped_fine_tuning_goes_on_to_the_bit(pretrained: Path, data: Path, tmp_path: Path) -> None:
    settings = config(steps=8)
    text = own_text([data], settings)

    def stop(step: TrainingStep) -> None:
        if step.step == 5:
            raise RuntimeError

    whole = finetune(pretrained, text, settings, tmp_path / "whole")
    with pytest.raises(RuntimeError):
        finetune(pretrained, text, settings, tmp_path / "parts", schedule=ReportIntervals(1, 2), report=stop)
    assert finetune(pretrained, text, settings, tmp_path / "parts") == whole
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_glue_is_read_by_its_columns_and_measures(
    pretrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub cannot be reached in tests: its place is taken by data of the same form."""
    asked = []

    def hub(name: str, configuration: str | None, split: str, cache: Path | None) -> Any:
        asked.append((name, configuration, split))
        pairs = list(zip(sentences(60, len(asked)), sentences(60, 9), strict=True))
        features = datasets.Features(
            {
                "question1": datasets.Value("string"),
                "question2": datasets.Value("string"),
                "label": datasets.ClassLabel(names=["not_duplicate", "duplicate"]),
                "idx": datasets.Value("int32"),
            }
        )
        rows = [{"question1": a, "question2": b, "label": int(x == y), "idx": 0} for (a, x), (b, y) in pairs]
        return datasets.Dataset.from_list(rows, features=features)

    monkeypatch.setattr("explorer.domains.transformer.training.examples.load_hub", hub)
    text = glue_text("qqp")
    assert asked == [("nyu-mll/glue", "qqp", "train"), ("nyu-mll/glue", "qqp", "validation")]
    measures = finetune(pretrained, text, config(steps=2), tmp_path / "out").measures
    assert measures.keys() == {"qqp_accuracy", "qqp_f1"}
    assert read_description(tmp_path / "out").labels == ("not_duplicate", "duplicate")


def test_a_batch_is_padded_and_cut(pretrained: Path, text: corpus.MaskedText, tmp_path: Path) -> None:
    rows = [{"text": "the " * size, "label": size % 2} for size in (1, 2, 30, 4)]
    settings = config(batch_size=4)
    own = own_text([table(tmp_path / "rows.csv", rows)], settings)
    batch = examples.tokenised(own, text.tokenizer, 10, settings).batch(0)
    sizes = batch["attention_mask"].sum(dim=1)
    assert batch["token_ids"].shape[1] == sizes.max() <= 10
    assert (batch["token_ids"][batch["attention_mask"] == 0] == text.tokenizer.pad_token_id).all()


def test_bad_data_and_bad_folders_are_refused(pretrained: Path, data: Path, tmp_path: Path) -> None:
    settings = config()
    refusals = [
        (lambda: own_text([tmp_path / "none.csv"], settings), "does not exist"),
        (lambda: own_text([], settings), "No data file"),
        (lambda: own_text([table(tmp_path / "a.csv", [{"words": "a", "label": 1}] * 3)], settings), "'text' is needed"),
        (lambda: own_text([table(tmp_path / "b.csv", [{"text": "a"}] * 3)], settings), "'label' is needed"),
        (lambda: own_text([table(tmp_path / "c.csv", [{"text": "a", "label": 1}] * 3)], settings), "only one class"),
        (lambda: own_text([table(tmp_path / "d.csv", [{"text": "a", "label": 1}])], settings), "1 rows; at least 2"),
        (
            lambda: own_text([table(tmp_path / "e.csv", [{"text": "a", "label": "x"}, {"text": "b"}])], settings),
            "row 2: the column 'label' holds None",
        ),
        (lambda: glue_text("sst3"), "no GLUE task 'sst3'; allowed: cola"),
        (lambda: finetune(tmp_path, own_text([data], settings), settings, tmp_path / "o"), "holds no trained model"),
        (lambda: finetune(pretrained, own_text([data], settings), settings, pretrained), "choose another"),
    ]
    for call, words in refusals:
        with pytest.raises(InputError, match=words):
            call()


def test_weights_of_another_model_are_refused(text: corpus.MaskedText, data: Path, tmp_path: Path) -> None:
    pretrain(MODEL, text, tmp_path)
    description = json.loads((tmp_path / "model.json").read_text())
    own = own_text([data], config())
    for change, words in (
        ({"model": MODEL | {"f": [[64], [128]]}}, "layers.1.feed_forward.output.weight has the shape"),
        ({"model": {"l": 1}}, "o"),
        ({"vocabulary": "many"}, "does not describe a trained model"),
    ):
        (tmp_path / "model.json").write_text(json.dumps(description | change))
        with pytest.raises(InputError, match=words):
            finetune(tmp_path, own, config(), tmp_path / "out")
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        read_description(tmp_path)
