"""Checkpoints: weights, the state of AdamW and the step in one safetensors file, which is replaced as a whole."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from explorer.toolkit.replacing import replacing, unwritten
from graphdb.errors import InputError

FILE = "checkpoint.safetensors"
FORMAT = "explorer-training-1"


def write_tensors(file: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file completely or not at all, even if the process or the machine stops.

    Args:
        file: file to write.
        tensors: name -> tensor.
        metadata: name -> text, kept in the file's header.

    Raises:
        InputError, StorageFullError: the file cannot be written; an existing file is kept.
    """

    def write(temporary: Path) -> None:
        temporary.touch()
        mode = temporary.stat().st_mode
        save_file(dict(tensors), temporary, dict(metadata))
        temporary.chmod(mode)  # safetensors makes it readable only for its owner, whatever the umask
        with temporary.open("rb") as written:
            os.fsync(written.fileno())

    _replace(file, write)


def write_text(file: Path, text: str) -> None:
    """Write a text file completely or not at all.

    Raises:
        InputError, StorageFullError: the file cannot be written; an existing file is kept.
    """

    def write(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())

    _replace(file, write)


def _replace(file: Path, write: Callable[[Path], None]) -> None:
    try:
        with replacing(file, make_folder=False) as temporary:
            write(temporary)
    except SafetensorError as error:  # it names the error of the operating system only in words
        full = os.strerror(errno.ENOSPC) in str(error)
        raise unwritten(file, OSError(errno.ENOSPC if full else errno.EIO, str(error))) from error


def save_checkpoint(
    folder: Path, module: nn.Module, optimiser: torch.optim.Optimizer, step: int, identity: Mapping[str, Any]
) -> None:
    """Write the checkpoint of a folder, replacing the previous one.

    Args:
        folder: folder of the training; it exists.
        module: module whose weights are saved.
        optimiser: optimiser whose state is saved.
        step: number of updates done.
        identity: JSON value that a training must share with this one to continue from here.
    """
    tensors = {f"model.{name}": value.detach().contiguous() for name, value in module.state_dict().items()}
    for name, parameter in module.named_parameters():
        for kind, value in optimiser.state.get(parameter, {}).items():
            tensors[f"optimiser.{kind}.{name}"] = value.detach().contiguous()
    metadata = {"format": FORMAT, "step": str(step), "identity": json.dumps(identity, sort_keys=True)}
    write_tensors(folder / FILE, tensors, metadata)


def load_checkpoint(
    folder: Path, module: nn.Module, optimiser: torch.optim.Optimizer, identity: Mapping[str, Any]
) -> int:
    """Load the checkpoint of a folder into a module and its optimiser; if it is refused, nothing changes.

    Args:
        folder: folder of the training.
        module: module that receives the weights.
        optimiser: optimiser that receives its state.
        identity: identity of this training, which the checkpoint must share.

    Returns:
        The number of updates done; 0 if there is no checkpoint.

    Raises:
        InputError: the file is corrupt, or belongs to another model, other data or another configuration.
    """
    file = folder / FILE
    if not file.exists():
        return 0
    tensors, metadata = read_tensors(file, "checkpoint")
    try:
        written: dict[str, Any] = json.loads(metadata["identity"])
        step = int(metadata["step"])
    except (KeyError, ValueError) as error:
        raise InputError(f"{file} is not a checkpoint of a training, or another program wrote it.") from error
    _check_identity(file, written, identity)
    parameters = dict(module.named_parameters())
    weights = {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
    state: dict[str, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, kind, parameter = name.split(".", 2)
            state.setdefault(parameter, {})[kind] = value
    check_shapes(file, module, weights)
    if not state.keys() <= parameters.keys() or not all(
        value.shape == parameters[name].shape or kind == "step"
        for name, of in state.items()
        for kind, value in of.items()
    ):
        raise InputError(f"{file} holds the state of an optimiser for other weights.")
    module.load_state_dict(weights)
    for name, of in state.items():
        optimiser.state[parameters[name]] = {
            kind: value if kind == "step" else value.to(parameters[name].device) for kind, value in of.items()
        }
    return step


def read_tensors(file: Path, what: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read tensors and metadata from a safetensors file.

    Raises:
        InputError: the file cannot be read, or is corrupt.
    """
    try:
        with safe_open(file, framework="pt") as opened:
            return {name: opened.get_tensor(name) for name in opened.keys()}, opened.metadata() or {}  # noqa: SIM118
    except OSError as error:
        raise InputError(f"The {what} {file} cannot be read: {error.strerror or error}.") from error
    except SafetensorError as error:
        raise InputError(f"The {what} {file} is corrupt: {error}.") from error


def check_shapes(file: Path, module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Refuse weights that do not fit a module.

    Args:
        file: file that holds them, for messages.
        module: module that determines the expected weights.
        weights: name -> tensor.

    Raises:
        InputError: a weight is missing, unknown, of another shape or not finite.
    """
    expected = module.state_dict()
    for name in sorted(expected.keys() | weights.keys()):
        wanted = tuple(expected[name].shape) if name in expected else None
        shape = tuple(weights[name].shape) if name in weights else None
        if wanted != shape:
            raise InputError(f"{file}: the weight {name} has the shape {shape}; the model needs {wanted}.")
        if not torch.isfinite(weights[name]).all():
            raise InputError(f"{file}: the weight {name} holds a value that is not finite.")


def _check_identity(file: Path, written: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for name in sorted(written.keys() | wanted.keys()):
        old, new = written.get(name), json.loads(json.dumps(wanted.get(name)))
        if isinstance(old, dict) and isinstance(new, dict):
            name, old, new = next(
                (
                    (f"{name}.{key}", old.get(key), new.get(key))
                    for key in sorted(old.keys() | new.keys())
                    if old.get(key) != new.get(key)
                ),
                (name, None, None),
            )
        if old != new:
            raise InputError(
                f"{file} belongs to another training: its {name} is {_brief(old)}, that of this one {_brief(new)}; "
                "continue with the same, or choose another folder."
            )


def _brief(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 100 else text[:97] + "..."
