"""`Section`: a part of a program under construction, with its operations and transfers in order.

A section is always filled in the same order: an operation's operands are brought before it, and its result is stored
after it. Its two lists, worked through in order side by side, can therefore never deadlock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from explorer.domains.accelerator.acceltran.building.options import ProgramOptions
from explorer.domains.accelerator.acceltran.program import Buffer, Heads, Kind, Operation, TensorRole, Transfer


def stored(name: str, tag: str) -> str:
    """Name of the tensor that the store of `name` makes in a section with that tag."""
    return f"{name}{tag}-s"


class Lists(NamedTuple):
    """A finished section, which can be kept and reused.

    Attributes:
        compute, memory: lists of operations and of transfers.
        weights, activations: numbers of elements of the weights that it loads and of the activations that it stores.
    """

    compute: tuple[Operation, ...]
    memory: tuple[Transfer, ...]
    weights: int
    activations: int


@dataclass(slots=True)
class Section:
    """Operations and transfers, in the order in which they are added.

    Attributes:
        options: options of the program.
        tag: suffix of the names of operations and of their tensors; used by a forward pass that is run again.
        compute, memory: the two lists of a program.
        weights, activations: numbers of elements of the weights that it loads and of the activations that it stores.
    """

    options: ProgramOptions
    tag: str = ""
    compute: list[Operation | Heads[Operation]] = field(default_factory=list)
    memory: list[Transfer | Heads[Transfer]] = field(default_factory=list)
    weights: int = 0
    activations: int = 0

    def load(self, tensor: str, elements: int, role: TensorRole = TensorRole.WEIGHT, buffer: Buffer = "weight") -> str:
        """Load a tensor from main memory.

        Args:
            tensor: name of the tensor.
            elements: size of the tensor.
            role: role of the tensor.
            buffer: buffer that receives it.

        Returns:
            The name of the tensor.
        """
        self.memory.append(Transfer(tensor, "load", buffer, elements, role))
        if role is TensorRole.WEIGHT:
            self.weights += elements
        return tensor

    def store(self, name: str, elements: int, role: TensorRole, made_by: str, buffer: Buffer = "activation") -> str:
        """Store the result of an operation.

        Args:
            name: name of the tensor, without the section's tag.
            elements: size of the tensor.
            role: role of the tensor.
            made_by: name of the operation.
            buffer: buffer that receives it.

        Returns:
            The full name of the tensor.
        """
        tensor = stored(name, self.tag)
        self.memory.append(Transfer(tensor, "store", buffer, elements, role, made_by))
        self.activations += elements
        return tensor

    def write_back(self, tensor: str, elements: int, role: TensorRole, made_by: str, buffer: Buffer) -> None:
        """Write a tensor from a buffer to main memory.

        Args:
            tensor: full name of the tensor.
            elements: size of the tensor.
            role: role of the tensor.
            made_by: name of the operation that made it.
            buffer: buffer that holds it.
        """
        self.memory.append(Transfer(tensor, "write_back", buffer, elements, role, made_by))

    def run(
        self,
        name: str,
        kind: Kind,
        x: int,
        y: int,
        z: int = 0,
        *,
        roles: tuple[TensorRole, TensorRole] = (TensorRole.INPUT, TensorRole.WEIGHT),
        needs: tuple[str, ...] = (),
        after: tuple[str, ...] = (),
        density: float = 1.0,
        batch: int = 0,
        backward: bool = False,
    ) -> str:
        """Append an operation.

        Args:
            name: name of the operation, without the section's tag.
            kind: kind of computation.
            x, y, z: sizes of the operation, as `Kind` defines them.
            roles: roles of its two operands.
            needs: tensors that it reads.
            after: operations that it waits for.
            density: share of its output tiles that are computed.
            batch: number of matrices; 0 for the number of sequences.
            backward: whether it belongs to the backward pass.

        Returns:
            The full name of the operation.
        """
        made = name + self.tag
        batch = batch or self.options.batch
        self.compute.append(Operation(made, kind, batch, x, y, z, *roles, backward, needs, after, density))
        return made

    def biased(self, product: str, name: str, width: int, role: TensorRole) -> str:
        """Add a bias to the result of a product before it is stored.

        Args:
            product: operation that computes the product.
            name: name of the result.
            width: width of the result.
            role: role of the result.

        Returns:
            The operation that makes the result: the sum, or the product itself where no bias is added.
        """
        if not self.options.elementwise:
            return product
        length = self.options.length
        return self.run(
            f"{name}_bias", Kind.ELEMENTWISE, length, width, roles=(role, TensorRole.WEIGHT), after=(product,)
        )

    def finished(self) -> Lists:
        """The lists of this section, which must have no heads."""
        compute = tuple(item for item in self.compute if isinstance(item, Operation))
        memory = tuple(item for item in self.memory if isinstance(item, Transfer))
        return Lists(compute, memory, self.weights, self.activations)

    def extend(self, lists: Lists) -> None:
        """Append a finished section."""
        self.compute.extend(lists.compute)
        self.memory.extend(lists.memory)
        self.weights += lists.weights
        self.activations += lists.activations

    def side_by_side(self, heads: Sequence[Lists]) -> None:
        """Append sections whose lists run side by side; an empty list of a section is left out."""
        compute = tuple(head.compute for head in heads if head.compute)
        memory = tuple(head.memory for head in heads if head.memory)
        if compute:
            self.compute.append(Heads(compute))
        if memory:
            self.memory.append(Heads(memory))
        self.weights += sum(head.weights for head in heads)
        self.activations += sum(head.activations for head in heads)
