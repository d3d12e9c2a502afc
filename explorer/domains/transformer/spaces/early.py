"""The early design space of FlexiBERT: 2,037 attention-only encoders that never narrow from input to output.

Source: the rows of `dataset_small_sst2.json` and `dataset_small_qnli.json` in the history of txf_design-space. The
rule is inferred from them: number of heads, hidden width, similarity (sdp before wma) and feed-forward width never
decrease from layer to layer. It gives 162 models of 2 layers and 1,875 of 4 layers, which add up to the published
total, and all 818 rows obey it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from explorer.contracts.description import Entry, Nature
from explorer.contracts.space import Choices, DesignSpace, Vector
from explorer.domains.transformer.graph import block_graph
from explorer.domains.transformer.model import Layer, choices_of, layer, layers_of, model_violations, sorted_layers_of
from explorer.toolkit.counting import digits, uniform_below
from explorer.toolkit.reading import finite_vector, refused
from graphdb.architecture import Architecture

DEPTHS = (2, 4)
ATTRIBUTES: tuple[tuple[str, tuple[int | str, ...]], ...] = (
    ("number of heads", (2, 4)),
    ("hidden width", (128, 256)),
    ("head type", ("sa_sdp", "sa_wma")),
    ("feed-forward width", (512, 1024, 2048)),
)
"""The attributes of a layer; the indices never decrease from layer to layer."""

Indices = tuple[int, ...]
Design = tuple[Indices, ...]
"""The index of each attribute in each layer."""

SEQUENCES: dict[int, tuple[tuple[Indices, ...], ...]] = {
    depth: tuple(tuple(itertools.combinations_with_replacement(range(len(v)), depth)) for _, v in ATTRIBUTES)
    for depth in DEPTHS
}
"""Depth -> all sequences of each attribute: 3, 3, 3 and 6 for 2 layers, 5, 5, 5 and 15 for 4."""

_HIGHEST = np.array([len(DEPTHS) - 1.0] + [len(values) - 1.0 for _, values in ATTRIBUTES] * max(DEPTHS))


class EarlyFlexiBertSpace(DesignSpace):
    """2,037 encoders of 2 or 4 layers, in which all heads of a layer are alike.

    Choices are the same model dictionary as in FlexiBERT 2.0, so the same simulators apply.

    The vector form has 17 entries: the index of the depth, then for each of 4 layers the indices of its number of
    heads, hidden width, head type and feed-forward width, with zeros after the last layer. Options are in ascending
    order, so that near vectors mean similar designs.
    """

    name = "flexibert_early"
    domain = "transformer"

    @property
    def size(self) -> int:
        """2,037."""
        return sum(math.prod(map(len, SEQUENCES[depth])) for depth in DEPTHS)

    @property
    def bounds(self) -> tuple[Vector, Vector]:
        """Zeros as lower bounds, and the highest index of each entry as upper bounds."""
        return np.zeros_like(_HIGHEST), _HIGHEST.copy()

    @property
    def entries(self) -> Sequence[Entry]:
        """The depth, and each attribute of each layer; the type of the heads has no order."""
        return [
            Entry("number of layers", Nature.ORDERED, 0.0, len(DEPTHS) - 1.0),
            *(
                Entry(
                    f"layer {j + 1} {name}",
                    Nature.CATEGORICAL if name == "head type" else Nature.ORDERED,
                    0.0,
                    len(values) - 1.0,
                )
                for j in range(max(DEPTHS))
                for name, values in ATTRIBUTES
            ),
        ]

    def describe(self, choices: Choices) -> Vector:
        """The vector form, with NaN after the last layer."""
        vector = self.to_vector(choices)
        vector[1 + choices["l"] * len(ATTRIBUTES) :] = np.nan
        return vector

    def at(self, number: int) -> Choices:
        """The design with a number in [0, size); those of 2 layers come first."""
        for depth in DEPTHS:
            count = math.prod(map(len, SEQUENCES[depth]))
            if number < count:
                break
            number -= count
        picked = digits(number, [len(options) for options in SEQUENCES[depth]])
        return _choices(tuple(options[i] for options, i in zip(SEQUENCES[depth], picked, strict=True)))

    def enumerate(self) -> Iterator[Choices]:
        """All designs."""
        return (self.at(number) for number in range(self.size))

    def sample(self, generator: np.random.Generator) -> Choices:
        """A random legal design, each equally likely."""
        return self.at(uniform_below(generator, self.size))

    def violations(self, choices: Choices) -> list[str]:
        """The reasons why `choices`, which may be any JSON value, are illegal."""
        violations = model_violations(choices)
        if violations:
            return violations
        if choices["l"] not in DEPTHS:
            return [refused("l, the number of layers,", choices["l"], "2, 4")]
        layers = layers_of(choices)
        for j, read in enumerate(layers):
            violations += _layer_violations(j, read)
        return violations or _order_violations(_design(layers))

    def normalise(self, choices: Choices) -> Choices:
        """The choices themselves, as legal choices have only one form."""
        return choices_of(sorted_layers_of(choices))

    def graph_of(self, choices: Choices) -> Architecture:
        """The block graph."""
        return Architecture.of(self.domain, self.name, choices, *block_graph(layers_of(choices)))

    def to_vector(self, choices: Choices) -> Vector:
        """The 17 indices, shape `(17,)`."""
        design = np.array(_design(layers_of(choices)))
        vector = np.zeros_like(_HIGHEST)
        vector[0] = DEPTHS.index(choices["l"])
        vector[1 : 1 + design.size] = design.T.ravel()
        return vector

    def from_vector(self, vector: Vector) -> Choices:
        """The depth whose index is nearest; then, for each attribute, the legal sequence nearest to its entries."""
        entries = finite_vector(vector, *self.bounds)
        depth = DEPTHS[int(np.rint(entries[0]))]
        wanted = entries[1 : 1 + depth * len(ATTRIBUTES)].reshape(depth, len(ATTRIBUTES)).T
        return _choices(
            tuple(_nearest(options, values) for options, values in zip(SEQUENCES[depth], wanted, strict=True))
        )

    def neighbours(self, choices: Choices) -> Iterator[Choices]:
        """All designs one step away.

        Either one attribute of one layer moves to the next lower or higher value, or the depth changes: to 2 by
        dropping the last two layers, to 4 by repeating the last one. All steps except the repetition are reversible.
        """
        design = _design(layers_of(choices))
        for changed in itertools.chain(_steps(design), _other_depth(design)):
            yield _choices(changed)

    def mutate(self, choices: Choices, generator: np.random.Generator) -> Choices:
        """A random neighbour, each equally likely."""
        neighbours = list(self.neighbours(choices))
        return neighbours[generator.integers(len(neighbours))]

    def crossover(self, first: Choices, second: Choices, generator: np.random.Generator) -> Choices:
        """The depth of one parent, and each attribute's whole sequence from either, its last value repeated if needed.

        Args:
            first, second: canonical, legal choices.
            generator: random generator for the choice between the parents.
        """
        parents = (_design(layers_of(first)), _design(layers_of(second)))
        depth = len(parents[generator.integers(2)][0])
        origins = generator.integers(2, size=len(ATTRIBUTES))
        return _choices(tuple(_resized(parents[origin][i], depth) for i, origin in enumerate(origins)))


def _choices(design: Design) -> Choices:
    return choices_of([_layer(*indices) for indices in zip(*design, strict=True)])


def _layer(heads: int, hidden: int, kind: int, feed_forward: int) -> Layer:
    count, width, name, inner = (
        values[i] for (_, values), i in zip(ATTRIBUTES, (heads, hidden, kind, feed_forward), strict=True)
    )
    return layer(int(width), [str(name)] * int(count), [int(inner)])


def _design(layers: Sequence[Layer]) -> Design:
    read = [(len(layer.heads), layer.hidden, layer.heads[0], layer.feed_forward[0]) for layer in layers]
    return tuple(
        tuple(values.index(value) for value in column)
        for (_, values), column in zip(ATTRIBUTES, zip(*read, strict=True), strict=True)
    )


def _resized(sequence: Indices, depth: int) -> Indices:
    return (sequence + sequence[-1:] * depth)[:depth]


def _nearest(options: Sequence[Indices], values: Vector) -> Indices:
    distances = ((np.array(options) - values) ** 2).sum(axis=1)
    return options[int(distances.argmin())]


def _steps(design: Design) -> Iterator[Design]:
    for attribute, sequence in enumerate(design):
        legal = SEQUENCES[len(sequence)][attribute]
        for j, step in itertools.product(range(len(sequence)), (-1, 1)):
            moved = (*sequence[:j], sequence[j] + step, *sequence[j + 1 :])
            if moved in legal:
                yield (*design[:attribute], moved, *design[attribute + 1 :])


def _other_depth(design: Design) -> Iterator[Design]:
    other = {2: 4, 4: 2}[len(design[0])]
    yield tuple(_resized(sequence, other) for sequence in design)


def _layer_violations(j: int, read: Layer) -> list[str]:
    values: tuple[int | str, ...] = (len(read.heads), read.hidden, read.heads[0], read.feed_forward[0])
    violations = [
        refused(f"The {name} of layer {j}", value, ", ".join(map(str, allowed)))
        for (name, allowed), value in zip(ATTRIBUTES, values, strict=True)
        if value not in allowed
    ]
    if len(set(read.heads)) > 1:
        violations.append(f"o[{j}] has heads of more than one type; allowed: one type in a layer.")
    if read.head_dimension != read.hidden // len(read.heads):
        fitting = read.hidden // len(read.heads)
        violations.append(
            refused(f"The head width of layer {j}", read.head_dimension, f"{fitting}, hidden width / heads")
        )
    if len(read.feed_forward) > 1:
        violations.append(f"f[{j}] has {len(read.feed_forward)} feed-forward widths; allowed: 1.")
    return violations


def _order_violations(design: Design) -> list[str]:
    return [
        f"The {name} falls from layer {j} to layer {j + 1}; allowed: values that never decrease"
        + (" (sa_sdp before sa_wma)." if name == "head type" else ".")
        for (name, _), sequence in zip(ATTRIBUTES, design, strict=True)
        for j in range(len(sequence) - 1)
        if sequence[j] > sequence[j + 1]
    ]
