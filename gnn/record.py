"""The weights of a surrogate as safetensors bytes, which hold nothing executable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor

from gnn.bagging import BaggedTrees
from gnn.network import Member
from gnn.projection import Projection
from gnn.tensors import checked_tensors

Shapes = Mapping[str, tuple[int, ...]]


def pack(
    members: Sequence[Member], projections: Mapping[str, Projection], trees: Sequence[BaggedTrees | None]
) -> bytes:
    """Packs the weights of all members, the projections of all roles and the trees of all measures as safetensors.

    Args:
        members: the networks.
        projections: role -> projection.
        trees: one per measure; None for networks alone.
    """
    tensors = {
        f"member.{i}.{name}": value.detach().cpu().contiguous()
        for i, member in enumerate(members)
        for name, value in member.state_dict().items()
    }
    for role, projection in projections.items():
        tensors[f"projection.{role}.mean"] = torch.from_numpy(projection.mean)
        tensors[f"projection.{role}.components"] = torch.from_numpy(projection.components).contiguous()
    for number, own in enumerate(trees):
        for name, value in (own.to_tensors() if own else {}).items():
            tensors[f"trees.{number}.{name}"] = torch.from_numpy(value)
    return save(tensors)


def unpack(
    weights: bytes, members: Sequence[Member], roles: Sequence[str], width: int, trees: Mapping[int, Shapes]
) -> tuple[dict[str, Projection], dict[int, dict[str, NDArray[Any]]]]:
    """Fills `members` with their weights, and returns the projections and the tensors of the trees.

    Args:
        weights: the bytes that `pack` returned.
        members: the networks to fill.
        roles: the roles that have a projection.
        width: the width of an embedding.
        trees: index of the measure -> shapes of the tensors of its trees.

    Raises:
        InputError: the bytes are damaged, a tensor is missing, left over or of another shape, or one is not finite.
    """
    tensors = checked_tensors(weights, _shapes(members, roles, width, trees), "the surrogate")
    for i, member in enumerate(members):
        member.load_state_dict({name: tensors[f"member.{i}.{name}"] for name in member.state_dict()})
    of_trees = {
        number: {name: tensors[f"trees.{number}.{name}"].numpy() for name in shapes} for number, shapes in trees.items()
    }
    return {role: _projection(tensors, role) for role in roles}, of_trees


def _shapes(
    members: Sequence[Member], roles: Sequence[str], width: int, trees: Mapping[int, Shapes]
) -> dict[str, torch.Size]:
    shapes = {
        f"member.{i}.{name}": value.shape
        for i, member in enumerate(members)
        for name, value in member.state_dict().items()
    }
    inputs = len(members) * width
    for role in roles:
        shapes[f"projection.{role}.mean"] = torch.Size([inputs])
        shapes[f"projection.{role}.components"] = torch.Size([inputs, width])
    for number, own in trees.items():
        shapes |= {f"trees.{number}.{name}": torch.Size(shape) for name, shape in own.items()}
    return shapes


def _projection(tensors: Mapping[str, Tensor], role: str) -> Projection:
    return Projection(
        tensors[f"projection.{role}.mean"].double().numpy(), tensors[f"projection.{role}.components"].double().numpy()
    )
