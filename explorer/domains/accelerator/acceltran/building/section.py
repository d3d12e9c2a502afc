"""`Recipe`: what a program depends on besides the model; `Section`: operations and transfers, in order.

A section is filled in one order: what an operation needs is brought before it, what it makes is stored after it. Its
two lists, worked through in order side by side, can therefore never wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

from explorer.domains.accelerator.acceltran.program import Buffer, Heads, Kind, Operation, Role, Transfer
from explorer.domains.accelerator.acceltran.settings.run import RunSettings


class Recipe(NamedTuple):
    """What a program depends on besides the model; the last nine are corrections.

    Attributes:
        batch: sequences.
        length: tokens of a sequence.
        vocabulary: rows of the embedding table.
        training, causal, first_layer_only, recompute, optimiser: as in `RunSettings`.
        weights_once, embedding_rows, residual, head_merge, elementwise, activation_shape, dependencies, write_back,
        backward: the corrections of a program in `switches`.
    """

    batch: int
    length: int
    vocabulary: int
    training: bool
    causal: bool
    first_layer_only: bool
    recompute: bool
    optimiser: Literal["sgd", "adam"]
    weights_once: bool
    embedding_rows: bool
    residual: bool
    head_merge: bool
    elementwise: bool
    activation_shape: bool
    dependencies: bool
    write_back: bool
    backward: bool

    @property
    def gradients(self) -> bool:
        """Whether the right backward graph follows, which reads what the forward pass made."""
        return self.training and self.backward

    @property
    def keeps(self) -> bool:
        """Whether the results of normalisations, non-linearities and the position's sum are stored."""
        return self.dependencies or self.gradients

    @property
    def density(self) -> float:
        """Share of the entries of a score matrix that a mask leaves, counted by element."""
        return (self.length + 1) / (2 * self.length) if self.causal else 1.0

    @property
    def scores(self) -> int:
        """Elements of the scores of one head that a mask leaves."""
        length = self.length
        return self.batch * (length * (length + 1) // 2 if self.causal else length * length)

    def weights(self, elements: int) -> int:
        """Elements that a transfer of a weight of `elements` has."""
        return elements if self.weights_once else self.batch * elements

    def activations(self, width: int) -> int:
        """Elements of an activation of a width."""
        return self.batch * self.length * width


@lru_cache(maxsize=256)
def recipe_of(batch_size: int, settings: RunSettings) -> Recipe:
    """The recipe that settings stand for."""
    on = settings.switches
    return Recipe(
        batch_size,
        settings.sequence_length,
        settings.vocabulary,
        settings.training,
        settings.causal,
        settings.first_layer_only,
        settings.recompute,
        settings.optimiser,
        *(
            name in on
            for name in (
                "weights-once",
                "embedding-rows",
                "residual",
                "head-merge",
                "elementwise",
                "activation-shape",
                "dependencies",
                "write-back",
                "backward",
            )
        ),
    )


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
        recipe: what they depend on.
        tag: ends the names of operations and of the tensors that they make: a forward pass that is run again has one.
        compute, memory: the two lists of a program.
        weights, activations: elements of the weights that it loads and of the activations that it stores.
    """

    recipe: Recipe
    tag: str = ""
    compute: list[Operation | Heads[Operation]] = field(default_factory=list)
    memory: list[Transfer | Heads[Transfer]] = field(default_factory=list)
    weights: int = 0
    activations: int = 0

    def load(self, tensor: str, elements: int, role: Role = Role.WEIGHT, buffer: Buffer = "weight") -> str:
        """Load a tensor from main memory; its name."""
        self.memory.append(Transfer(tensor, "load", buffer, elements, role))
        if role is Role.WEIGHT:
            self.weights += elements
        return tensor

    def store(self, name: str, elements: int, role: Role, made_by: str, buffer: Buffer = "activation") -> str:
        """Store what the operation `made_by` made as tensor of `name`; its name."""
        tensor = stored(name, self.tag)
        self.memory.append(Transfer(tensor, "store", buffer, elements, role, made_by))
        self.activations += elements
        return tensor

    def write_back(self, tensor: str, elements: int, role: Role, made_by: str, buffer: Buffer) -> None:
        """Write a tensor in a buffer to main memory."""
        self.memory.append(Transfer(tensor, "write_back", buffer, elements, role, made_by))

    def run(
        self,
        name: str,
        kind: Kind,
        x: int,
        y: int,
        z: int = 0,
        roles: tuple[Role, Role] = (Role.INPUT, Role.WEIGHT),
        needs: tuple[str, ...] = (),
        after: tuple[str, ...] = (),
        density: float = 1.0,
        batch: int = 0,
        backward: bool = False,
    ) -> str:
        """Compute something over the batch, or over another number of matrices; the operation's name."""
        made = name + self.tag
        batch = batch or self.recipe.batch
        self.compute.append(Operation(made, kind, batch, x, y, z, *roles, backward, needs, after, density))
        return made

    def biased(self, product: str, name: str, width: int, role: Role) -> str:
        """Add a bias to what an operation makes, before it is stored; the operation that makes the result."""
        if not self.recipe.elementwise:
            return product
        length = self.recipe.length
        return self.run(f"{name}_bias", Kind.ELEMENTWISE, length, width, roles=(role, Role.WEIGHT), after=(product,))

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
