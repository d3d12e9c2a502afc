"""`Program`: a model as the operations and transfers that an accelerator's scheduler works through.

A program has two lists, in order: what the MAC lanes, softmax and layer-norm modules compute, and what moves between
main memory, buffers and modules. An entry of either is one item, or `Heads`: the lists of heads that run side by side.
Names of tensors tie the two lists together: an operation waits for the tensors that it needs, a store for the operation
that makes its tensor.

Source: the memory and compute operations of AccelTran's published `dict2ops.py` and `ops.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Literal, TypeVar

Buffer = Literal["weight", "activation"]
Item = TypeVar("Item")


class Kind(StrEnum):
    """What an operation computes, and what its sizes x, y, z are."""

    PRODUCT = "product"  # (x, y) times (y, z)
    CONVOLUTION = "convolution"  # over (x, y), kernel of length z
    SOFTMAX = "softmax"  # over (x, y)
    LAYER_NORM = "layer_norm"  # over (x, y)
    NON_LINEARITY = "non_linearity"  # over (x, y), on MAC lanes
    ELEMENTWISE = "elementwise"  # over (x, y), on MAC lanes: residual, bias, scaling, position, optimiser step


class TensorRole(StrEnum):
    """What a tensor is, which decides how sparse it is."""

    INPUT = "input"  # hidden state of a layer, after normalisation
    QUERY = "query"
    KEY = "key"
    VALUE = "value"
    SCORES = "scores"
    PROBABILITIES = "probabilities"
    CONTEXT = "context"
    ATTENTION_OUTPUT = "attention_output"
    FEED_FORWARD = "feed_forward"  # between the feed-forward products
    FEED_FORWARD_OUTPUT = "feed_forward_output"
    WEIGHT = "weight"
    EMBEDDING = "embedding"
    GRADIENT = "gradient"
    OPTIMISER_STATE = "optimiser_state"


@dataclass(frozen=True, slots=True)
class Operation:
    """One computation, done in tiles.

    Attributes:
        name: unique in the program.
        kind: what it computes.
        batch, x, y, z: sizes in elements; z is 0 where the kind has none.
        left, right: roles of its operands; the same where there is one.
        backward: whether it belongs to the backward pass.
        needs: tensors that a buffer must hold when a tile starts.
        after: operations whose last tile must have finished before the first tile starts.
        density: share of its output tiles that are computed: below 1 under a causal mask.
    """

    name: str
    kind: Kind
    batch: int
    x: int
    y: int
    z: int = 0
    left: TensorRole = TensorRole.INPUT
    right: TensorRole = TensorRole.WEIGHT
    backward: bool = False
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    density: float = 1.0


@dataclass(frozen=True, slots=True)
class Transfer:
    """One tensor on its way.

    Attributes:
        tensor: its name. Two transfers may have the same one: the later finds it in the buffer or brings it again.
        action: `load` from main memory into a buffer, `store` from the modules into a buffer, `write_back` from a
            buffer to main memory.
        buffer: which.
        elements: its size, batch included; 0 for a tensor that takes the place of another one.
        role: what it is.
        made_by: the operation whose last tile must have finished before a store or write-back starts.
        pinned: whether it stays in the buffer until the program ends.
    """

    tensor: str
    action: Literal["load", "store", "write_back"]
    buffer: Buffer
    elements: int
    role: TensorRole
    made_by: str | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Heads(Generic[Item]):
    """Lists that run side by side; in each the items follow one another."""

    lists: tuple[tuple[Item, ...], ...]


def flat(items: Iterable[Item | Heads[Item]]) -> Iterator[Item]:
    """The items of a program's list, heads one after the other."""
    for item in items:
        if isinstance(item, Heads):
            for head in item.lists:
                yield from head
        else:
            yield item


@dataclass(frozen=True, slots=True)
class Program:
    """What the scheduler works through.

    Attributes:
        compute: operations in order, the first of them `Heads`.
        memory: transfers in order.
        footprint_elements: elements of `weights`, `activations` and `embeddings` that the model has.
    """

    compute: tuple[Operation | Heads[Operation], ...]
    memory: tuple[Transfer | Heads[Transfer], ...]
    footprint_elements: tuple[tuple[str, int], ...] = ()
