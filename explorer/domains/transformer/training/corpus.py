"""Text for masked language modelling: loaded, tokenised, cut into sequences of one length, and masked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.domains.transformer.training.config import TrainingConfig
from explorer.domains.transformer.training.extras import extra
from explorer.domains.transformer.training.order import EVALUATION, MASKING, SPLIT, derived_seed, rows_of
from graphdb.errors import InputError

FORMATS = {".txt": "text", ".md": "text", ".csv": "csv", ".json": "json", ".jsonl": "json"}
"""Suffix of a local file -> reader in Hugging Face datasets."""

Batch = dict[str, Tensor]


def load_files(files: Sequence[Path], cache: Path | None = None) -> Any:
    """Load local text, Markdown, CSV, JSON or JSONL files, all of one kind, as a Hugging Face data set.

    Args:
        files: one or more files.
        cache: folder for the converted files; None for the one that `HF_HOME` names.

    Raises:
        InputError: no file is given, or a file is missing, empty, malformed or of another kind.
    """
    if not files:
        raise InputError("No data file was given; name one or more.")
    for file in files:
        if not file.is_file():
            raise InputError(f"The file {file} does not exist.")
    kinds = {FORMATS.get(file.suffix.lower()) for file in files}
    kind = kinds.pop()
    if kinds or kind is None:
        raise InputError(
            f"The files {', '.join(map(str, files))[:200]} are not of one kind that can be read; "
            f"allowed: {', '.join(FORMATS)}."
        )
    names = [str(file) for file in files]
    place = f"The files {', '.join(names)[:200]}"
    # Editors on Windows begin a file with a byte order mark, which is no part of the text.
    return _loaded(kind, place, data_files=names, split="train", cache_dir=_text(cache), encoding="utf-8-sig")


def load_hub(name: str, configuration: str | None = None, split: str = "train", cache: Path | None = None) -> Any:
    """Load a data set from the Hugging Face hub, or from its local cache.

    Args:
        name: name of the data set.
        configuration: part of the data set; None for its only part.
        split: split of the data set, such as `train`.
        cache: folder for the hub's files; None for the one that `HF_HOME` names.

    Raises:
        InputError: there is no data set with that name, or the hub cannot be reached.
    """
    return _loaded(name, f"The data set {name}", configuration, split=split, cache_dir=_text(cache))


def load_corpus(names: Sequence[str], cache: Path | None = None) -> Any:
    """Load text from local files, or from one data set of the hub: `name` or `name:part` (`wikitext:wikitext-2-v1`).

    Raises:
        InputError: as for `load_files` and `load_hub`.
    """
    if len(names) == 1 and Path(names[0]).suffix.lower() not in FORMATS and not Path(names[0]).exists():
        name, _, part = names[0].partition(":")
        return load_hub(name, part or None, cache=cache)
    return load_files([Path(name) for name in names], cache)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _loaded(kind: str, place: str, *arguments: str | None, **options: Any) -> Any:
    datasets = extra("datasets")
    datasets.disable_progress_bars()
    try:
        return datasets.load_dataset(kind, *arguments, **options)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        reason = " ".join(str(error.__cause__ or error).split())[:200]
        raise InputError(f"{place} cannot be loaded: {reason}.") from error


def load_tokenizer(name: str | Path) -> Any:
    """Load a transformers tokenizer from a folder or from the hub.

    Raises:
        InputError: there is no such tokenizer, or it has no mask or padding token.
    """
    transformers = extra("transformers")
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(name))
    except (OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"The tokenizer {name} cannot be loaded: {reason}.") from error
    if tokenizer.mask_token_id is None or tokenizer.pad_token_id is None:
        raise InputError(f"The tokenizer {name} lacks a mask token or a padding token; both are needed.")
    return tokenizer


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> Any:
    """Train a byte-level BPE tokenizer on a corpus, with the special tokens of RoBERTa.

    Args:
        texts: the corpus.
        vocabulary: largest number of tokens; a small corpus gives fewer.

    Raises:
        InputError: `vocabulary` is below the 256 bytes and 5 special tokens.
    """
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    if vocabulary < 256 + len(special):
        raise InputError(f"vocabulary is {vocabulary}; allowed: {256 + len(special)} or more.")
    tokenizers, transformers = extra("tokenizers"), extra("transformers")
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=special,
        initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    made.post_processor = tokenizers.processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    roles = ["bos_token", "pad_token", "eos_token", "unk_token", "mask_token"]
    names = dict(zip(roles, special, strict=True)) | {"cls_token": special[0], "sep_token": special[2]}
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, model_input_names=["input_ids", "attention_mask"], **names
    )


def tokenizer_of(dataset: Any, folder: Path, name: str | None, vocabulary: int) -> Any:
    """The tokenizer of a training: a named one, that of an earlier run in `folder`, or one trained on the corpus.

    Args:
        dataset: corpus.
        folder: folder of the training.
        name: folder or name on the hub; None to look in `folder` first, and otherwise train one.
        vocabulary: largest number of tokens of a trained one.

    Raises:
        InputError: as for `load_tokenizer` and `train_tokenizer`, or the corpus has no column `text`.
    """
    if name is not None:
        return load_tokenizer(name)
    if (folder / "tokenizer").is_dir():
        return load_tokenizer(folder / "tokenizer")
    check_column(dataset, "text", "The corpus")
    return train_tokenizer((text for text in dataset["text"] if text), vocabulary)


@dataclass(frozen=True)
class MaskedText:
    """Sequences of one length, and how each batch of them is masked.

    Attributes:
        training: training rows, with `input_ids`.
        held_out: rows to evaluate the loss on.
        tokenizer: tokenizer of the rows.
        config: configuration of the training.
    """

    training: Any
    held_out: Any
    tokenizer: Any
    config: TrainingConfig

    @property
    def identity(self) -> dict[str, Any]:
        """Values that identify these data in a checkpoint."""
        return {
            "sequences": len(self.training),
            "digest": data_digest(self.training),
            "vocabulary": len(self.tokenizer),
        }

    def batch(self, step: int) -> Batch:
        """The whole batch of an update, with new masks each time a sequence occurs (RoBERTa's dynamic masking)."""
        rows = rows_of(step, len(self.training), self.config.batch_size, self.config.seed)
        return self._masked(self.training, rows, derived_seed(self.config.seed, MASKING, step))

    def held_out_batches(self) -> list[Callable[[], Batch]]:
        """Batches of the held-out sequences, masked in the same way at every call."""
        size = self.config.evaluation_batch_size
        chunks = np.array_split(np.arange(len(self.held_out)), -(-len(self.held_out) // size))
        seeds = [derived_seed(self.config.seed, EVALUATION, index) for index in range(len(chunks))]
        return [
            lambda rows=rows, seed=seed: self._masked(self.held_out, rows, seed)  # type: ignore[misc]
            for rows, seed in zip(chunks, seeds, strict=True)
        ]

    def _masked(self, dataset: Any, rows: Any, seed: int) -> Batch:
        tokens = torch.from_numpy(np.array(dataset[rows]["input_ids"], dtype=np.int64))
        collator = extra("transformers").DataCollatorForLanguageModeling(
            self.tokenizer,
            mlm_probability=self.config.masked_share,
            mask_replace_prob=self.config.replaced_share,
            random_replace_prob=self.config.random_share,
        )
        collator.generator = torch.Generator().manual_seed(seed)
        special = torch.isin(tokens, torch.tensor(self.tokenizer.all_special_ids))
        masked, labels = collator.torch_mask_tokens(tokens, special)
        return {"token_ids": masked, "labels": labels}


def masked_text(dataset: Any, tokenizer: Any, config: TrainingConfig, place: str = "The corpus") -> MaskedText:
    """Tokenise the column `text` of a corpus, join it and cut it into sequences (like RoBERTa's FULL-SENTENCES).

    Args:
        dataset: corpus.
        tokenizer: transformers tokenizer.
        config: configuration of the training.
        place: name of the corpus in messages.

    Raises:
        InputError: there is no column `text`, or too little text for one training and one held-out sequence.
    """
    check_column(dataset, "text", place)
    length = config.sequence_length
    tokens = dataset.map(
        lambda rows: {"input_ids": _tokens(_whole(rows["text"], place), tokenizer)},
        batched=True,
        remove_columns=dataset.column_names,
    )
    blocks = tokens.map(lambda rows: {"input_ids": _blocks(rows["input_ids"], length)}, batched=True).with_format(
        "numpy"
    )
    if len(blocks) < 2:
        raise InputError(f"{place} holds {len(blocks)} sequences of {length} tokens; at least 2 are needed.")
    training, held_out = split_off(blocks, config)
    return MaskedText(training, held_out, tokenizer, config)


def split_off(dataset: Any, config: TrainingConfig) -> tuple[Any, Any]:
    """Training rows and held-out rows: `held_out_sequences` of them, but at most a tenth and at least one."""
    count = max(1, min(config.held_out_sequences, len(dataset) // 10))
    order = np.random.default_rng(derived_seed(config.seed, SPLIT)).permutation(len(dataset))
    return dataset.select(np.sort(order[count:])), dataset.select(np.sort(order[:count]))


def data_digest(dataset: Any) -> str:
    """SHA-256 of tokens and labels of a thousand evenly spaced rows, so that it is fast for any corpus."""
    sha = hashlib.sha256()
    for row in np.unique(np.linspace(0, len(dataset) - 1, min(len(dataset), 1000)).astype(int)):
        values = dataset[int(row)]
        sha.update(np.asarray(values["input_ids"], dtype=np.int64).tobytes() + f"|{values.get('label')}|".encode())
    return sha.hexdigest()


def check_column(dataset: Any, column: str, place: str) -> None:
    """Refuse a data set without a column.

    Args:
        dataset: Hugging Face data set.
        column: column that is needed.
        place: name of the data in messages.

    Raises:
        InputError: the column is missing.
    """
    if column not in dataset.column_names:
        raise InputError(f"{place} has the columns {', '.join(dataset.column_names)[:200]}; {column!r} is needed.")


def _whole(texts: Sequence[object], place: str) -> list[str]:
    if not all(isinstance(text, str) for text in texts):
        raise InputError(f"{place}: the column 'text' holds a value that is not text.")
    return [str(text) for text in texts if text]


def _tokens(texts: list[str], tokenizer: Any) -> list[list[int]]:
    tokens: list[list[int]] = tokenizer(texts, return_attention_mask=False, verbose=False)["input_ids"] if texts else []
    return tokens


def _blocks(rows: Sequence[Sequence[int]], length: int) -> list[list[int]]:
    joined = [token for row in rows for token in row]
    return [joined[start : start + length] for start in range(0, len(joined) - length + 1, length)]
