"""Trained models on disk: `model.safetensors`, `model.json`, `config.json` and the folder `tokenizer`.

`config.json` has the same content as `model.json` in the terms of Hugging Face, so that `AutoModel.from_pretrained` can
read the folder; a folder written by `save_pretrained` has only `config.json`, and can be read here too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from explorer.contracts.space import Choices
from explorer.domains.transformer.modules.encoder import HeterogeneousEncoder
from explorer.domains.transformer.modules.tasks import MaskedLanguageModel, SequenceClassifier
from explorer.domains.transformer.training.checkpoint import check_shapes, read_tensors, write_tensors, write_text
from explorer.domains.transformer.training.corpus import load_tokenizer
from explorer.toolkit.reading import is_integer
from graphdb.errors import InputError

WEIGHTS, DESCRIPTION, CONFIG, TOKENIZER = "model.safetensors", "model.json", "config.json", "tokenizer"
_CLASSES = {True: "FlexiBertForMaskedLM", False: "FlexiBertForSequenceClassification"}


@dataclass(frozen=True)
class Description:
    """The content of `model.json`.

    Attributes:
        model: the model dictionary.
        vocabulary: number of tokens.
        maximum_positions: length of the longest sequence in tokens.
        labels: names of the classes; empty for a score; None for a masked language model.
    """

    model: Choices
    vocabulary: int
    maximum_positions: int
    labels: tuple[str, ...] | None = None

    def encoder(self, generator: torch.Generator, dropout: float) -> HeterogeneousEncoder:
        """A new encoder of these sizes, on the device of `generator`."""
        return HeterogeneousEncoder(
            self.model,
            vocabulary=self.vocabulary,
            maximum_positions=self.maximum_positions,
            generator=generator,
            dropout=dropout,
        )


def save_task(
    folder: Path, task: MaskedLanguageModel | SequenceClassifier, description: Description, tokenizer: Any
) -> None:
    """Write a trained model; `model.json` comes last, so that a folder with it is complete.

    Args:
        folder: existing folder to write to.
        task: trained module.
        description: description of the model.
        tokenizer: transformers tokenizer.
    """
    tokenizer.save_pretrained(str(folder / TOKENIZER))
    tensors = {name: value.detach().contiguous() for name, value in task.state_dict().items()}
    write_tensors(folder / WEIGHTS, tensors, {"format": "pt"})
    values = {
        "model": description.model,
        "vocabulary": description.vocabulary,
        "maximum_positions": description.maximum_positions,
        "labels": None if description.labels is None else list(description.labels),
    }
    write_text(folder / CONFIG, json.dumps(_config(description), indent=2) + "\n")
    write_text(folder / DESCRIPTION, json.dumps(values, indent=2) + "\n")


def _config(description: Description) -> dict[str, Any]:
    config: dict[str, Any] = {
        "model_type": "flexibert",
        "architectures": [_CLASSES[description.labels is None]],
        "design": description.model,
        "vocab_size": description.vocabulary,
        "max_position_embeddings": description.maximum_positions,
    }
    if description.labels is not None:
        names = description.labels or ("score",)
        config["id2label"] = {str(i): name for i, name in enumerate(names)}
        config["label2id"] = {name: i for i, name in enumerate(names)}
    return config


def read_description(folder: Path) -> Description:
    """Read the description from a folder's `model.json`, or from its `config.json` if there is no `model.json`.

    Raises:
        InputError: the folder holds no trained model, or the file is malformed.
    """
    file = folder / DESCRIPTION
    try:
        if not file.exists() and (folder / CONFIG).exists():
            file = folder / CONFIG
            values = _from_config(file, json.loads(file.read_text(encoding="utf-8")))
        else:
            values = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{folder} holds no trained model: there is no {DESCRIPTION}.") from error
    except InputError:  # a sentence of its own, about what the file says
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{file} cannot be read: {error}.") from error
    sizes = ("vocabulary", "maximum_positions")
    if not isinstance(values, dict) or "model" not in values or not all(is_integer(values.get(n)) for n in sizes):
        raise InputError(
            f"{file} does not describe a trained model: model, vocabulary and maximum_positions are needed."
        )
    labels = values.get("labels")
    if not (labels is None or (isinstance(labels, list) and all(isinstance(label, str) for label in labels))):
        raise InputError(f"{file}: labels is {str(labels)[:60]}; allowed: null, or a list of names.")
    return Description(
        values["model"],
        values["vocabulary"],
        values["maximum_positions"],
        None if labels is None else tuple(labels),
    )


def _from_config(file: Path, config: object) -> dict[str, Any]:
    """The content of a FlexiBERT model's `config.json` in the terms of `model.json`."""
    if not isinstance(config, dict) or config.get("model_type") != "flexibert":
        kind = config.get("model_type") if isinstance(config, dict) else config
        raise InputError(f"{file}: model_type is {str(kind)[:60]!r}; allowed for a trained model: 'flexibert'.")
    names = config.get("id2label")
    classifier = _CLASSES[False] in (config.get("architectures") or ())
    return {
        "model": config.get("design"),
        "vocabulary": config.get("vocab_size"),
        "maximum_positions": config.get("max_position_embeddings"),
        "labels": list(names.values()) if classifier and isinstance(names, dict) and len(names) > 1 else None,
    }


def load_encoder(folder: Path, generator: torch.Generator, dropout: float = 0.0) -> tuple[HeterogeneousEncoder, Any]:
    """The encoder of a trained model, whatever its task, and its tokenizer.

    Args:
        folder: folder of the trained model.
        generator: random generator for dropout; the encoder is created on its device.
        dropout: share of activations that training sets to zero.

    Raises:
        InputError: the folder holds no trained model, or a file is corrupt or belongs to another model.
    """
    encoder = read_description(folder).encoder(generator, dropout)
    file = folder / WEIGHTS
    tensors, _ = read_tensors(file, "file of weights")
    weights = {n.removeprefix("encoder."): value for n, value in tensors.items() if n.startswith("encoder.")}
    weights = weights or tensors  # an encoder without a task, as `save_pretrained` writes it
    check_shapes(file, encoder, weights)
    encoder.load_state_dict(weights)
    tokenizer = load_tokenizer(folder / TOKENIZER if (folder / TOKENIZER).exists() else folder)
    if len(tokenizer) > encoder.words.num_embeddings:
        raise InputError(
            f"The tokenizer of {folder} has {len(tokenizer)} tokens; its model has {encoder.words.num_embeddings}."
        )
    return encoder, tokenizer


def digest(tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 of the names, shapes and bits of weights."""
    sha = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        sha.update(f"{name}{tuple(value.shape)}{value.dtype}".encode())
        sha.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return sha.hexdigest()
