"""Tensors from safetensors bytes, checked against the shapes that they must have."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from graphdb.errors import InputError


def checked_tensors(weights: bytes, expected: Mapping[str, torch.Size], what: str) -> dict[str, Tensor]:
    """Returns the tensors in `weights`, which must have the expected names and shapes.

    Args:
        weights: safetensors bytes.
        expected: name -> shape.
        what: the owner of the weights, for the message.

    Raises:
        InputError: the bytes are damaged, a tensor is missing, left over or of another shape, or one is not finite.
    """
    try:
        tensors = load(weights)
    except SafetensorError as error:
        raise InputError(f"The weights of {what} are not safetensors: {error}.") from error
    if set(tensors) != set(expected):
        odd = min(set(tensors) ^ set(expected))
        raise InputError(f"The weights of {what} do not fit its settings: the tensor {odd} is missing or extra.")
    for name, shape in expected.items():
        if tensors[name].shape != shape:
            raise InputError(
                f"The weights of {what} do not fit its settings: {name} has shape {tuple(tensors[name].shape)}, "
                f"not {tuple(shape)}."
            )
        if not torch.isfinite(tensors[name]).all():
            raise InputError(f"The weights of {what} are damaged: {name} holds a value that is not finite.")
    return tensors
