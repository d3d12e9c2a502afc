"""Labelled text for fine-tuning: GLUE's tasks, or a user's CSV, JSON or JSONL files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from explorer.domains.transformer.training.config import TrainingConfig
from explorer.domains.transformer.training.corpus import (
    Batch,
    check_column,
    data_digest,
    load_files,
    load_hub,
    split_off,
)
from explorer.domains.transformer.training.glue import DATA_SET, glue_task
from explorer.domains.transformer.training.order import rows_of
from explorer.toolkit.reading import is_number
from graphdb.errors import InputError


@dataclass(frozen=True)
class LabelledText:
    """Rows of text with a label, not yet tokenised.

    Attributes:
        name: name of the task, which measures begin with unless it is empty.
        training: training rows.
        validation: prefix of a measure's name -> rows to evaluate on.
        columns: column of the first text, and of the second if there is one.
        labels: names of the classes; empty for a score.
        metrics: metrics to measure.
    """

    name: str
    training: Any
    validation: dict[str, Any]
    columns: tuple[str, ...]
    labels: tuple[str, ...]
    metrics: tuple[str, ...]


def glue_text(name: str, cache: Path | None = None) -> LabelledText:
    """A task of GLUE: its training set and its validation sets; the labels of the test sets are not published.

    Raises:
        InputError: there is no such task, or the data cannot be loaded.
    """
    task = glue_task(name)
    training = load_hub(DATA_SET, name, "train", cache)
    validation = {begin: load_hub(DATA_SET, name, split, cache) for begin, split in task.validation}
    labels = tuple(getattr(training.features["label"], "names", ()))
    return LabelledText(name, training, validation, task.columns, labels, task.metrics)


def own_text(
    files: Sequence[Path], config: TrainingConfig, validation: Sequence[Path] = (), cache: Path | None = None
) -> LabelledText:
    """Load a user's files with the columns `text`, optionally `text_pair`, and `label`.

    Labels with a fraction are scores to be predicted; whole numbers and words are classes.

    Args:
        files: CSV, JSON or JSONL files, all of one kind.
        config: configuration with the number of rows to hold out.
        validation: files to evaluate on; without any, at most a tenth of the rows is held out from training.
        cache: folder for the converted files; None for the one that `HF_HOME` names.

    Raises:
        InputError: a file cannot be loaded, a column is missing, a text or label is empty, or there is only one class.
    """
    training = _checked(load_files(files, cache), "The data")
    columns = tuple(column for column in ("text", "text_pair") if column in training.column_names)
    if validation:
        held_out = _checked(load_files(validation, cache), "The validation data")
        if [c for c in columns if c not in held_out.column_names]:
            raise InputError(f"The validation data do not have the columns {', '.join(columns)} of the data.")
    elif len(training) < 2:
        raise InputError(f"The data hold {len(training)} rows; at least 2 are needed.")
    else:
        training, held_out = split_off(training, config)
    labels = [*training["label"], *held_out["label"]]
    if all(isinstance(label, float) for label in labels):
        return LabelledText("", training, {"": held_out}, columns, (), ("pearson", "spearman"))
    names = tuple(sorted({str(label) for label in labels}))
    if len(names) < 2:
        raise InputError(f"The data have only one class, {names[0][:60]!r}; at least 2 are needed.")
    rank = {name: index for index, name in enumerate(names)}

    def numbered(dataset: Any) -> Any:
        classes = [rank[str(label)] for label in dataset["label"]]
        return dataset.remove_columns("label").add_column("label", classes)

    return LabelledText("", numbered(training), {"": numbered(held_out)}, columns, names, ("accuracy",))


def _checked(dataset: Any, place: str) -> Any:
    for column in ("text", "label"):
        check_column(dataset, column, place)
    for column in ("text", "text_pair", "label"):
        for row, value in enumerate(dataset[column] if column in dataset.column_names else (), start=1):
            if not (isinstance(value, str) or (column == "label" and (is_number(value) or isinstance(value, bool)))):
                wanted = "a label" if column == "label" else "text"
                raise InputError(
                    f"{place}, row {row}: the column {column!r} holds {str(value)[:60]}; {wanted} is needed."
                )
    return dataset


@dataclass(frozen=True)
class Examples:
    """Tokenised `LabelledText`, as batches.

    Attributes:
        text: rows with `input_ids`.
        tokenizer: tokenizer of the rows.
        config: configuration of the training.
    """

    text: LabelledText
    tokenizer: Any
    config: TrainingConfig

    @property
    def identity(self) -> dict[str, Any]:
        """Values that identify these data in a checkpoint."""
        return {
            "rows": len(self.text.training),
            "digest": data_digest(self.text.training),
            "columns": list(self.text.columns),
            "labels": list(self.text.labels),
        }

    def batch(self, step: int) -> Batch:
        """The whole batch of an update, padded to its longest row."""
        return self._padded(
            self.text.training, rows_of(step, len(self.text.training), self.config.batch_size, self.config.seed)
        )

    def validation_batches(self, name: str) -> list[Callable[[], Batch]]:
        """Batches of a validation set, in order."""
        rows = self.text.validation[name]
        chunks = np.array_split(np.arange(len(rows)), -(-len(rows) // self.config.evaluation_batch_size))
        return [lambda chunk=chunk: self._padded(rows, chunk) for chunk in chunks]  # type: ignore[misc]

    def _padded(self, dataset: Any, rows: Any) -> Batch:
        chosen = dataset[rows]
        padded = self.tokenizer.pad({"input_ids": chosen["input_ids"]}, return_tensors="pt", verbose=False)
        kind = torch.int64 if self.text.labels else torch.float32
        return {
            "token_ids": padded["input_ids"],
            "attention_mask": padded["attention_mask"],
            "labels": torch.tensor(chosen["label"], dtype=kind),
        }


def tokenised(text: LabelledText, tokenizer: Any, length: int, config: TrainingConfig) -> Examples:
    """Tokenise labelled text.

    Args:
        text: labelled text, whose rows have the named columns.
        tokenizer: transformers tokenizer.
        length: length of the longest sequence in tokens; longer ones are cut.
        config: configuration of the training.
    """

    def tokens(rows: dict[str, Any]) -> dict[str, Any]:
        texts = [rows[column] for column in text.columns]
        encoded = tokenizer(*texts, truncation=True, max_length=length, return_attention_mask=False, verbose=False)
        return {"input_ids": encoded["input_ids"]}

    def of(dataset: Any) -> Any:
        others = [column for column in dataset.column_names if column != "label"]
        return dataset.map(tokens, batched=True, remove_columns=others)

    validation = {name: of(rows) for name, rows in text.validation.items()}
    return Examples(replace(text, training=of(text.training), validation=validation), tokenizer, config)
