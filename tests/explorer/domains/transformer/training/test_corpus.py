"""Corpora: how they are read, cut and masked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from explorer.domains.transformer.training import corpus
from explorer.domains.transformer.training.order import rows_of
from graphdb.errors import InputError

from .conftest import config


def test_a_tokenizer_of_the_corpus_loses_nothing(tokenizer: Any, tmp_path: Path) -> None:
    text = "the bright film, naïve & unseen: 漢字 !"
    tokenizer.save_pretrained(str(tmp_path))
    read = corpus.load_tokenizer(tmp_path)
    ids = read(text)["input_ids"]
    assert ids == tokenizer(text)["input_ids"]
    assert read.decode(ids, skip_special_tokens=True) == text
    assert (ids[0], ids[-1]) == (read.cls_token_id, read.sep_token_id)
    pair = read("a", "b")["input_ids"]
    assert pair.count(read.sep_token_id) == 3  # as RoBERTa: <s> a </s></s> b </s>
    assert len(read("superb dreadful")["input_ids"]) < len("superb dreadful")  # merges were learnt


def test_the_text_is_kept_in_order_and_split_once(text: corpus.MaskedText, corpus_file: Path) -> None:
    rows = [*text.training["input_ids"], *text.held_out["input_ids"]]
    assert {len(row) for row in rows} == {24}
    assert len(text.held_out) == 40
    tokens = sum(len(text.tokenizer(line)["input_ids"]) for line in corpus_file.read_text().splitlines() if line)
    assert 0 <= tokens - 24 * len(rows) < 3 * 24  # one rest for each thousand lines
    first = corpus_file.read_text().splitlines()[0]
    assert any(text.tokenizer.decode(row).startswith(f"<s>{first}</s>") for row in rows)


def test_masking_is_that_of_bert(text: corpus.MaskedText) -> None:
    many = replace(text, config=config(batch_size=512))
    batch = many.batch(0)
    rows = rows_of(0, len(many.training), 512, 0)
    original = torch.tensor(np.array(many.training[rows]["input_ids"]))
    asked = batch["labels"] != -100
    special = torch.isin(original, torch.tensor(text.tokenizer.all_special_ids))
    assert not (asked & special).any()
    assert asked[~special].float().mean().item() == pytest.approx(0.15, abs=0.02)
    assert torch.equal(batch["labels"][asked], original[asked])
    assert torch.equal(batch["token_ids"][~asked], original[~asked])
    tokens = batch["token_ids"][asked]
    assert (tokens == text.tokenizer.mask_token_id).float().mean().item() == pytest.approx(0.8, abs=0.04)
    assert (tokens == original[asked]).float().mean().item() == pytest.approx(0.1, abs=0.03)


def test_a_batch_depends_on_the_seed_and_its_number_alone(text: corpus.MaskedText) -> None:
    first = text.batch(3)
    text.batch(9)
    assert all(torch.equal(first[name], text.batch(3)[name]) for name in first)
    assert not torch.equal(first["token_ids"], text.batch(4)["token_ids"])
    other = replace(text, config=config(seed=1))
    assert not torch.equal(first["token_ids"], other.batch(3)["token_ids"])
    held_out = [make()["labels"] for make in text.held_out_batches()]
    assert all(torch.equal(a, make()["labels"]) for a, make in zip(held_out, text.held_out_batches(), strict=True))


def test_every_pass_sees_every_row_once_in_another_order() -> None:
    epochs = [np.concatenate([rows_of(step, 10, 4, 7) for step in range(start, start + 3)]) for start in (0, 3)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(10))
    assert list(epochs[0]) != list(epochs[1])


def test_files_of_every_kind(corpus_file: Path, cache: Path, tmp_path: Path) -> None:
    rows = [{"text": line} for line in corpus_file.read_text().splitlines() if line]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "a.csv").write_text("text\n" + "\n".join(row["text"] for row in rows))
    (tmp_path / "a.md").write_text(corpus_file.read_text())
    for name in ("a.jsonl", "a.csv", "a.md"):
        loaded = corpus.load_corpus([str(tmp_path / name)])
        assert [text for text in loaded["text"] if text] == [row["text"] for row in rows]
    two = corpus.load_files([tmp_path / "a.csv", tmp_path / "a.csv"])
    assert len(two) == 2 * len(rows)


def test_bad_corpora_and_tokenizers_are_refused(tokenizer: Any, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("short")
    (tmp_path / "b.csv").write_text("words\na\n")
    (tmp_path / "c.jsonl").write_text("{")
    (tmp_path / "d.jsonl").write_text('{"text": 3}\n{"text": 4}')
    (tmp_path / "e.txt").write_text("")
    (tmp_path / "f.parquet").write_text("")
    files = {file.name[0]: file for file in tmp_path.iterdir()}
    refusals = [
        (lambda: corpus.load_files([]), "No data file"),
        (lambda: corpus.load_files([files["a"], files["b"]]), "not of one kind"),
        (lambda: corpus.load_files([files["f"]]), r"allowed: \.txt"),
        (lambda: corpus.load_files([files["c"]]), "cannot be loaded"),
        (lambda: corpus.masked_text(corpus.load_files([files["a"]]), tokenizer, config()), "0 sequences of 24 tokens"),
        (lambda: corpus.masked_text(corpus.load_files([files["e"]]), tokenizer, config()), "."),
        (lambda: corpus.masked_text(corpus.load_files([files["b"]]), tokenizer, config()), "'text' is needed"),
        (lambda: corpus.masked_text(corpus.load_files([files["d"]]), tokenizer, config()), "is not text"),
        (lambda: corpus.load_tokenizer(tmp_path), "cannot be loaded"),
        (lambda: corpus.train_tokenizer(["a"], 260), "vocabulary is 260; allowed: 261"),
    ]
    for call, words in refusals:
        with pytest.raises(InputError, match=words) as refusal:
            call()
        assert "\n" not in str(refusal.value)


def test_a_byte_order_mark_is_no_part_of_a_corpus(tmp_path: Path) -> None:
    mark = b"\xef\xbb\xbf"
    contents = {"a.txt": b"first\nsecond\n", "a.csv": b"text\nfirst\nsecond\n", "a.jsonl": b'{"text": "first"}\n' * 2}
    for name, content in contents.items():
        file = tmp_path / name
        file.write_bytes(mark + content)
        read = corpus.load_files([file], tmp_path / "cache")
        assert (read.column_names, read[0]["text"]) == (["text"], "first"), name
