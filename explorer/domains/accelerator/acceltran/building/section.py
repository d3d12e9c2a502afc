"""`Section`: a part of a program while it is built, operations and transfers in order.

A section is filled in one order: what an operation needs is brought before it, what it makes is stored after it. Its
two lists, worked through in order side by side, can therefore never wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from explorer.domains.accelerator.acceltran.building.options import ProgramOptions
from explorer.domains.accelerator.acceltran.program import Buffer, Heads, Kind, Operation, TensorRole, Transfer


def stored(name: str, tag: str) -> str:
    """Name of the tensor that the store of `name` makes, in a section with that tag."""
    return f"{name}{tag}-s"


class Lists(NamedTuple):
    """A finished section, which can be kept and used again.

    Attributes:
        compute, memory: its two lists.
        weights, activations: elements of the weights that it loads and of the activations that it stores.
    """

    compute: tuple[Operation, ...]
    memory: tuple[Transfer, ...]
    weights: int
    activations: int


@dataclass(slots=True)
class Section:
    """Operations and transfers in the order in which they are made.

    Attributes:
        options: what they depend on.
        tag: ends the names of operations and of the tensors that they make; a forward pass that is run again has one.
        compute, memory: the two lists of a program.
        weights, activations: elements of the weights that it loads and of the activations that it stores.
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
            tensor: its name.
            elements: its size.
            role: what it is.
            buffer: where it goes.

        Returns:
            Its name.
        """
        self.memory.append(Transfer(tensor, "load", buffer, elements, role))
        if role is TensorRole.WEIGHT:
            self.weights += elements
        return tensor

    def store(self, name: str, elements: int, role: TensorRole, made_by: str, buffer: Buffer = "activation") -> str:
        """Store what an operation made.

        Args:
            name: of the tensor, without the section's tag.
            elements: its size.
            role: what it is.
            made_by: name of the operation.
            buffer: where it goes.

        Returns:
            The whole name of the tensor.
        """
        tensor = stored(name, self.tag)
        self.memory.append(Transfer(tensor, "store", buffer, elements, role, made_by))
        self.activations += elements
        return tensor

    def write_back(self, tensor: str, elements: int, role: TensorRole, made_by: str, buffer: Buffer) -> None:
        """Write a tensor from a buffer to main memory.

        Args:
            tensor: its whole name.
            elements: its size.
            role: what it is.
            made_by: name of the operation that made it.
            buffer: that holds it.
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
        """Compute something.

        Args:
            name: of the operation, without the section's tag.
            kind: what it computes.
            x, y, z: its sizes, as `Kind` says.
            roles: of its two operands.
            needs: tensors that it reads.
            after: operations that it waits for.
            density: share of its output tiles that are computed.
            batch: number of matrices; 0 for that of the sequences.
            backward: whether it belongs to the backward pass.

        Returns:
            The whole name of the operation.
        """
        made = name + self.tag
        batch = batch or self.options.batch
        self.compute.append(Operation(made, kind, batch, x, y, z, *roles, backward, needs, after, density))
        return made

    def biased(self, product: str, name: str, width: int, role: TensorRole) -> str:
        """Add a bias to what a product makes, before it is stored.

        Args:
            product: the operation.
            name: of what it makes.
            width: of that.
            role: of that.

        Returns:
            The operation that makes the result: the sum, or the product where no bias is added.
        """
        if not self.options.elementwise:
            return product
        length = self.options.length
        return self.run(
            f"{name}_bias", Kind.ELEMENTWISE, length, width, roles=(role, TensorRole.WEIGHT), after=(product,)
        )

    def finished(self) -> Lists:
        """The lists of a section that has no heads."""
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
        """Append sections whose lists run side by side; a section that has none of a kind has no list of it."""
        compute = tuple(head.compute for head in heads if head.compute)
        memory = tuple(head.memory for head in heads if head.memory)
        if compute:
            self.compute.append(Heads(compute))
        if memory:
            self.memory.append(Heads(memory))
        self.weights += sum(head.weights for head in heads)
        self.activations += sum(head.activations for head in heads)
