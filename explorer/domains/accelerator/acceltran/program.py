"""`Program`: a model as the operations and transfers that an accelerator's scheduler works through.

A program has two ordered lists: the operations of the MAC lanes, softmax and layer-norm modules, and the transfers
between main memory, buffers and modules. An entry of either is one item, or `Heads`: the lists of heads that run side
by side. Names of tensors tie the two lists together: an operation waits for the tensors that it needs, a store for the
operation that makes its tensor.

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
    """Kind of computation of an operation, which defines its sizes x, y, z."""

    PRODUCT = "product"  # (x, y) times (y, z)
    CONVOLUTION = "convolution"  # over (x, y), kernel of length z
    SOFTMAX = "softmax"  # over (x, y)
    LAYER_NORM = "layer_norm"  # over (x, y)
    NON_LINEARITY = "non_linearity"  # over (x, y), on MAC lanes
    ELEMENTWISE = "elementwise"  # over (x, y), on MAC lanes: residual, bias, scaling, position, optimiser step


class TensorRole(StrEnum):
    """Role of a tensor in the model, which determines its sparsity."""

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
        kind: kind of computation.
        batch, x, y, z: sizes in elements; z is 0 if the kind has none.
        left, right: roles of its operands; equal if there is only one.
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
    """The transfer of one tensor.

    Attributes:
        tensor: name of the tensor. Two transfers may have the same one: the later finds it in the buffer or brings it
            again.
        action: `load` from main memory into a buffer, `store` from the modules into a buffer, `write_back` from a
            buffer to main memory.
        buffer: buffer that takes part.
        elements: size of the tensor, batch included; 0 for a tensor that takes the place of another.
        role: role of the tensor.
        made_by: operation whose last tile must have finished before a store or write-back starts.
        pinned: whether the tensor stays in the buffer until the program ends.
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
    """Lists that run side by side; the items of each list run one after the other."""

    lists: tuple[tuple[Item, ...], ...]


def flat(items: Iterable[Item | Heads[Item]]) -> Iterator[Item]:
    """The items of a program's list, with heads one after the other."""
    for item in items:
        if isinstance(item, Heads):
            for head in item.lists:
                yield from head
        else:
            yield item


@dataclass(frozen=True, slots=True)
class Program:
    """The operations and transfers of a model, as the scheduler works through them.

    Attributes:
        compute: operations in order; the first entry is `Heads`.
        memory: transfers in order.
        footprint_elements: numbers of elements of the model's `weights`, `activations` and `embeddings`.
    """

    compute: tuple[Operation | Heads[Operation], ...]
    memory: tuple[Transfer | Heads[Transfer], ...]
    footprint_elements: tuple[tuple[str, int], ...] = ()
