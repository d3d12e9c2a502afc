"""ONNX files of trained models, for any batch size and any sequence length."""

from __future__ import annotations

import importlib
import json
import logging
import os
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from explorer.domains.transformer.pretrained.configuration import MODEL_TYPE
from explorer.domains.transformer.pretrained.models import (
    FlexiBertForMaskedLM,
    FlexiBertForSequenceClassification,
    FlexiBertModel,
)
from explorer.domains.transformer.training.checkpoint import check_shapes, read_tensors
from explorer.domains.transformer.training.extras import extra
from explorer.domains.transformer.training.saved import CONFIG, WEIGHTS
from explorer.toolkit.replacing import unwritten
from graphdb.errors import InputError

OPSET = 20
INPUTS = ("input_ids", "attention_mask")

Model = FlexiBertModel | FlexiBertForMaskedLM | FlexiBertForSequenceClassification


def load_model(folder: Path) -> Model:
    """Read the model and its task from a folder written by a training or `save_pretrained`; it is in evaluation mode.

    Raises:
        InputError: there is no model, it is of another type or illegal, or its weights are damaged or of another model.
    """
    file = folder / CONFIG
    if not file.exists():
        raise InputError(f"{folder} holds no trained model: there is no {CONFIG}.")
    transformers = extra("transformers")
    try:
        config = transformers.AutoConfig.from_pretrained(str(folder))
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{file} cannot be read: {' '.join(str(error).split())[:200]}.") from error
    kinds: dict[str, type[Model]] = {
        kind.__name__: kind for kind in (FlexiBertModel, FlexiBertForMaskedLM, FlexiBertForSequenceClassification)
    }
    named = config.architectures
    name = named[0] if isinstance(named, list) and named else named
    if not isinstance(name, str) or name not in kinds or config.model_type != MODEL_TYPE:
        given = f"model_type {config.model_type!r} and architectures {name!r}"
        raise InputError(f"{file} has {given}; allowed: {MODEL_TYPE!r} and one of {', '.join(kinds)}.")
    if "design" not in json.loads(file.read_text(encoding="utf-8")):
        raise InputError(f"{file} has no design; needed: a model dictionary with the keys l, o, h and f.")
    model = kinds[name](config)
    weights, _ = read_tensors(folder / WEIGHTS, "file of weights")
    for tied, source in model.all_tied_weights_keys.items():  # which a file does not repeat
        if source in weights:
            weights.setdefault(tied, weights[source])
    check_shapes(folder / WEIGHTS, model, weights)
    model.load_state_dict(weights)
    model.eval()
    return model


def export_onnx(model: Model, file: Path) -> str:
    """Write a model as ONNX; the file is written completely or not at all.

    Weights above 1.5 GB are stored beside it in `<file>.data`, which is put in place first.

    Inputs are `input_ids` and `attention_mask`, int64 of any shape (B, S) with S from 2 to the model's positions.

    Returns:
        The name of the output: `last_hidden_state` (B, S, h) for an encoder, otherwise `logits`.

    Raises:
        InputError: the extra `onnx` is not installed, or the file cannot be written.
    """
    for package in ("onnx", "onnxscript"):
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise InputError(
                f"ONNX needs the package {package}, which is not installed; "
                "install it with `pip install explorer-codesign[onnx]`."
            ) from error
    output = "last_hidden_state" if isinstance(model, FlexiBertModel) else "logits"
    vocabulary, positions = int(model.config.vocab_size), int(model.config.max_position_embeddings)
    if positions < 2:
        raise InputError(f"The model takes sequences of {positions} token; ONNX export needs sequences of at least 2.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)  # before the export, which takes a while
        program = _exported(_Plain(model), vocabulary, positions, output)
        # The model refers to the file of its large weights, so both are written under their final names.
        with TemporaryDirectory(prefix=f"{file.name}.", suffix=".part", dir=file.parent) as folder:
            program.save(str(Path(folder, file.name)))
            for written in sorted(
                Path(folder).iterdir(), reverse=True
            ):  # the weights before the file that refers to them
                with written.open("rb") as stream:
                    os.fsync(stream.fileno())
                written.replace(file.with_name(written.name))
    except OSError as error:
        raise unwritten(file, error) from error
    return output


class _Plain(nn.Module):
    """A wrapper that takes two tensors and returns one."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The first output of the model."""
        first: Tensor = self.model(input_ids, attention_mask, return_dict=False)[0]
        return first


def _exported(model: nn.Module, vocabulary: int, positions: int, output: str) -> Any:
    tokens = torch.arange(2 * min(positions, 8)).reshape(2, -1) % vocabulary
    batch = torch.export.Dim("batch", min=1, max=1 << 16)
    length = torch.export.Dim("sequence", min=2, max=positions)
    shapes = {0: batch, 1: length} if positions > 2 else {0: batch}
    log = logging.getLogger("torch.onnx")
    level = log.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about packages that are not needed here
        log.setLevel(logging.ERROR)
        try:
            return torch.onnx.export(
                model,
                (tokens, torch.ones_like(tokens)),
                input_names=list(INPUTS),
                output_names=[output],
                dynamic_shapes=(shapes, shapes),
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
        finally:
            log.setLevel(level)
