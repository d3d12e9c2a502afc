"""`LayeredSpace`: encoders in which every layer has its own width, heads and feed-forward stack."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from explorer.contracts.description import Entry, Nature
from explorer.contracts.space import Choices, DesignSpace, Vector
from explorer.domains.transformer.graph import block_graph
from explorer.domains.transformer.model import Layer, choices_of, layer, layers_of, model_violations, sorted_layers_of
from explorer.toolkit.counting import digits, uniform_below
from explorer.toolkit.reading import finite_vector, listed, refused
from graphdb.architecture import Architecture

Layers = tuple[Layer, ...]

_SHALLOW = 6  # more layers have more entries than a search can learn the relevance of, one by one


@dataclass(frozen=True)
class Options:
    """The options of a space, smallest first.

    Attributes:
        depths: numbers of layers.
        hidden: hidden widths.
        head_counts: numbers of heads of a layer.
        head_kinds: types of heads, in the order of `HEAD_KINDS`.
        mixed: whether the heads of a layer may be of different types.
        stacks: numbers of feed-forward widths of a layer.
        widths: feed-forward widths.
    """

    depths: tuple[int, ...]
    hidden: tuple[int, ...]
    head_counts: tuple[int, ...]
    head_kinds: tuple[str, ...]
    mixed: bool
    stacks: tuple[int, ...]
    widths: tuple[int, ...]

    @cached_property
    def feed_forwards(self) -> tuple[tuple[int, ...], ...]:
        """All feed-forward stacks, short ones first, and each size in the order of `widths`."""
        return tuple(itertools.chain.from_iterable(itertools.product(self.widths, repeat=n) for n in self.stacks))

    @cached_property
    def attentions(self) -> tuple[tuple[str, ...], ...]:
        """All multisets of heads, small ones first, and each size in the order of `head_kinds`."""
        if not self.mixed:
            return tuple((kind,) * n for n in self.head_counts for kind in self.head_kinds)
        return tuple(
            itertools.chain.from_iterable(
                itertools.combinations_with_replacement(self.head_kinds, n) for n in self.head_counts
            )
        )

    @cached_property
    def feed_forward_index(self) -> dict[tuple[int, ...], int]:
        """Position of each stack in `feed_forwards`."""
        return {stack: index for index, stack in enumerate(self.feed_forwards)}

    @cached_property
    def attention_index(self) -> dict[tuple[str, ...], int]:
        """Position of each multiset in `attentions`."""
        return {heads: index for index, heads in enumerate(self.attentions)}

    @cached_property
    def layer_radices(self) -> tuple[int, int, int]:
        """Number of choices of the hidden width, the feed-forward stack and the heads of one layer."""
        kinds = len(self.head_kinds)
        heads = sum(math.comb(kinds + n - 1, n) if self.mixed else kinds for n in self.head_counts)
        return len(self.hidden), sum(len(self.widths) ** n for n in self.stacks), heads


class LayeredSpace(DesignSpace):
    """Encoders built from given options.

    Choices are the model dictionary of FlexiBERT 2.0: the number of layers `l`, and for each layer the heads `o`
    (`<type>_<width>` in the order of the types, each of width floor(h / heads)), the hidden width `h` and the
    feed-forward widths `f`.

    The vector form has one index for the depth, then for each layer of the deepest design the indices of its hidden
    width, its feed-forward stack and its heads, with zeros after the last layer.
    """

    domain = "transformer"

    def __init__(self, options: Options) -> None:
        self.options = options
        per_layer = [radix - 1 for radix in self.options.layer_radices]
        highest = [len(self.options.depths) - 1] + per_layer * max(self.options.depths)
        self._bounds = np.zeros(len(highest)), np.array(highest, dtype=np.float64)

    @property
    def size(self) -> int:
        """Number of designs: the sum over depths l of (options for a layer)^l."""
        return sum(math.prod(self.options.layer_radices) ** depth for depth in self.options.depths)

    @property
    def bounds(self) -> tuple[Vector, Vector]:
        """Zeros as lower bounds, and the highest index of each entry as upper bounds."""
        return self._bounds

    @property
    def entries(self) -> Sequence[Entry]:
        """The depth; then for each layer of the deepest design its hidden width, the number and the types of its heads,
        and the number and the widths of its feed-forward products.

        The types are one category if the heads of a layer are alike, and otherwise the number of heads of each type.
        In spaces of deep designs an attribute counts equally in all layers. In shallow ones each layer counts by
        itself, since layers matter differently: among the measured models of the early space, one relevance for all
        layers hides the best model from most searches.
        """
        options = self.options
        deep = max(options.depths) > _SHALLOW
        attributes = [_ordered("hidden width", options.hidden), _ordered("number of heads", options.head_counts)]
        if options.mixed:
            most = max(options.head_counts)
            attributes += [Entry(f"heads {kind}", Nature.ORDERED, 0.0, most) for kind in options.head_kinds]
        else:
            attributes.append(Entry("head type", Nature.CATEGORICAL, 0.0, len(options.head_kinds) - 1.0))
        attributes.append(_ordered("number of feed-forwards", options.stacks))
        attributes += [_ordered(f"feed-forward width {i + 1}", options.widths) for i in range(max(options.stacks))]
        return [
            _ordered("number of layers", options.depths),
            *(
                replace(entry, name=f"layer {j + 1} {entry.name}", group=entry.name if deep else "")
                for j in range(max(options.depths))
                for entry in attributes
            ),
        ]

    def describe(self, choices: Choices) -> Vector:
        """The indices of the values and the numbers of heads; NaN after the last layer and its last feed-forward."""
        row: Vector = self.describe_vectors(self.to_vector(choices)[None, :])[0]
        return row

    def describe_vectors(self, vectors: Vector) -> Vector:
        """The same of n designs in vector form, shape `(n, e)`."""
        heads, feed_forwards = self._tables
        indices = vectors[:, 1:].astype(np.intp).reshape(len(vectors), -1, 3)
        layers = np.concatenate(
            [indices[:, :, :1].astype(np.float64), heads[indices[:, :, 2]], feed_forwards[indices[:, :, 1]]], axis=2
        )
        depths = np.array(self.options.depths)[vectors[:, 0].astype(np.intp)]
        layers[np.arange(layers.shape[1])[None, :] >= depths[:, None]] = np.nan
        return np.hstack([vectors[:, :1], layers.reshape(len(vectors), -1)])

    @cached_property
    def _tables(self) -> tuple[Vector, Vector]:
        """The description of each multiset of heads, and of each feed-forward stack."""
        options = self.options
        kinds = options.head_kinds
        heads = [
            [
                float(options.head_counts.index(len(some))),
                *([float(some.count(kind)) for kind in kinds] if options.mixed else [float(kinds.index(some[0]))]),
            ]
            for some in options.attentions
        ]
        most = max(options.stacks)
        feed_forwards = [
            [
                float(options.stacks.index(len(stack))),
                *(float(options.widths.index(width)) for width in stack),
                *[math.nan] * (most - len(stack)),
            ]
            for stack in options.feed_forwards
        ]
        return np.array(heads), np.array(feed_forwards)

    def sample_vectors(self, generator: np.random.Generator, count: int) -> Vector:
        """Random designs in vector form, shape `(count, d)`: first the depth, by its share of all designs."""
        options = self.options
        per_layer = math.prod(options.layer_radices)
        shares = [per_layer**depth / self.size for depth in options.depths]
        picked = generator.choice(len(shares), size=count, p=np.array(shares) / math.fsum(shares))
        layers = generator.integers(options.layer_radices, size=(count, max(options.depths), 3)).astype(np.float64)
        layers[np.arange(layers.shape[1])[None, :] >= np.array(options.depths)[picked][:, None]] = 0.0
        return np.hstack([picked[:, None].astype(np.float64), layers.reshape(count, -1)])

    def at(self, number: int) -> Choices:
        """The design with a number in [0, size); shallow ones come first."""
        per_layer = math.prod(self.options.layer_radices)
        for depth in self.options.depths:
            if number < per_layer**depth:
                break
            number -= per_layer**depth
        return choices_of(
            [self._layer_at(*digits(i, self.options.layer_radices)) for i in digits(number, [per_layer] * depth)]
        )

    def sample(self, generator: np.random.Generator) -> Choices:
        """A random legal design, each equally likely: with rich layers, nearly all have the greatest depth."""
        return self.at(uniform_below(generator, self.size))

    def violations(self, choices: Choices) -> list[str]:
        """The reasons why `choices`, which may be any JSON value, are illegal."""
        violations = model_violations(choices)
        if violations:
            return violations
        options = self.options
        if choices["l"] not in options.depths:
            violations.append(refused("l, the number of layers,", choices["l"], listed(options.depths)))
        for j, (labels, hidden, stack) in enumerate(zip(choices["o"], choices["h"], choices["f"], strict=True)):
            violations += self._layer_violations(j, labels, hidden, stack)
        return violations

    def normalise(self, choices: Choices) -> Choices:
        """The choices with heads in the order of the types."""
        return choices_of(sorted_layers_of(choices))

    def graph_of(self, choices: Choices) -> Architecture:
        """The block graph."""
        return Architecture.of(self.domain, self.name, choices, *block_graph(layers_of(choices)))

    def to_vector(self, choices: Choices) -> Vector:
        """The indices, of shape `(d,)`."""
        vector = np.zeros(self.dimensions)
        vector[0] = self.options.depths.index(choices["l"])
        for j, one in enumerate(layers_of(choices)):
            vector[1 + 3 * j : 4 + 3 * j] = (
                self.options.hidden.index(one.hidden),
                self.options.feed_forward_index[one.feed_forward],
                self.options.attention_index[one.heads],
            )
        return vector

    def from_vector(self, vector: Vector) -> Choices:
        """The design with the nearest entries; entries after the last layer are ignored, as in the published code."""
        entries = np.rint(finite_vector(vector, *self.bounds)).astype(int)
        depth = self.options.depths[entries[0]]
        return choices_of([self._layer_at(*entries[1 + 3 * j : 4 + 3 * j]) for j in range(depth)])

    def neighbours(self, choices: Choices) -> Iterator[Choices]:
        """All designs one elementary decision away.

        In one layer: another hidden width; a feed-forward added, removed or changed; another type for one head, or for
        all if they may not differ; or the next larger or smaller number of heads, by adding or removing any heads.
        Otherwise another depth: the next smaller by dropping the last layers, the next larger by repeating the last
        one. All steps except the repetition are reversible.
        """
        layers = layers_of(choices)
        seen = {layers}
        for changed in itertools.chain.from_iterable(self._moves(layers)):
            if changed not in seen:
                seen.add(changed)
                yield choices_of(changed)

    def mutate(self, choices: Choices, generator: np.random.Generator) -> Choices:
        """A random neighbour: the decision is drawn first, so that decisions with many alternatives do not dominate."""
        layers = layers_of(choices)
        moves = list(self._moves(layers))
        for index in generator.permutation(len(moves)):
            options = [changed for changed in moves[index] if changed != layers]
            if options:
                return choices_of(options[generator.integers(len(options))])
        return choices_of(layers)

    def crossover(self, first: Choices, second: Choices, generator: np.random.Generator) -> Choices:
        """The depth of one parent; a layer's hidden width, heads and feed-forward each come from a parent that has it.

        Args:
            first, second: canonical, legal choices.
            generator: random generator for the choice between the parents.
        """
        parents = (layers_of(first), layers_of(second))
        depth = len(parents[generator.integers(2)])
        return choices_of([_crossed([p[j] for p in parents if j < len(p)], generator) for j in range(depth)])

    def _layer_at(self, hidden: int, feed_forward: int, attention: int) -> Layer:
        options = self.options
        return layer(options.hidden[hidden], options.attentions[attention], options.feed_forwards[feed_forward])

    def _layer_violations(self, j: int, labels: Sequence[str], hidden: int, stack: Sequence[int]) -> list[str]:
        options, violations = self.options, []
        if hidden not in options.hidden:
            violations.append(refused(f"h[{j}]", hidden, listed(options.hidden)))
        if len(labels) not in options.head_counts:
            violations.append(f"o[{j}] has {len(labels)} heads; allowed: {listed(options.head_counts)}.")
        kinds = {label.rsplit("_", 1)[0] for label in labels} - set(options.head_kinds)
        if kinds:
            violations.append(
                f"o[{j}] has heads of the types {listed(sorted(kinds))}; allowed: {listed(options.head_kinds)}."
            )
        elif not options.mixed and len({label.rsplit("_", 1)[0] for label in labels}) > 1:
            violations.append(f"o[{j}] has heads of several types; allowed: one type for all heads of a layer.")
        width, fitting = int(labels[0].rsplit("_", 1)[1]), hidden // len(labels)
        if width != fitting:
            violations.append(
                f"o[{j}] has heads of the width {width}; allowed: {fitting}, "
                f"the hidden width {hidden} split by {len(labels)} heads and rounded down."
            )
        if len(stack) not in options.stacks:
            violations.append(f"f[{j}] has {len(stack)} feed-forward widths; allowed: {listed(options.stacks)}.")
        wrong = [width for width in stack if width not in options.widths]
        return violations + [refused(f"A width in f[{j}]", width, listed(options.widths)) for width in wrong]

    def _moves(self, layers: Layers) -> Iterator[Iterator[Layers]]:
        """One iterator for each decision: a depth, or one attribute of one layer."""
        yield self._depths(layers)
        for j, old in enumerate(layers):
            for changed in (self._hidden(old), self._stacks(old), self._kinds(old), self._head_counts(old)):
                yield _replaced(layers, j, changed)

    def _depths(self, layers: Layers) -> Iterator[Layers]:
        place = self.options.depths.index(len(layers))
        if place > 0:
            yield layers[: self.options.depths[place - 1]]
        if place + 1 < len(self.options.depths):
            yield layers + layers[-1:] * (self.options.depths[place + 1] - len(layers))

    def _hidden(self, old: Layer) -> Iterator[Layer]:
        return (layer(hidden, old.heads, old.feed_forward) for hidden in self.options.hidden)

    def _stacks(self, old: Layer) -> Iterator[Layer]:
        stack, widths = old.feed_forward, self.options.widths
        changed = [(*stack[:i], width, *stack[i + 1 :]) for i in range(len(stack)) for width in widths]
        shorter = [stack[:i] + stack[i + 1 :] for i in range(len(stack))]
        longer = [(*stack[:i], width, *stack[i:]) for i in range(len(stack) + 1) for width in widths]
        allowed = [other for other in changed + shorter + longer if len(other) in self.options.stacks]
        return (replace(old, feed_forward=other) for other in allowed)

    def _kinds(self, old: Layer) -> Iterator[Layer]:
        if not self.options.mixed:
            for kind in self.options.head_kinds:
                yield layer(old.hidden, (kind,) * len(old.heads), old.feed_forward)
            return
        for i, kind in itertools.product(range(len(old.heads)), self.options.head_kinds):
            yield layer(old.hidden, (*old.heads[:i], kind, *old.heads[i + 1 :]), old.feed_forward)

    def _head_counts(self, old: Layer) -> Iterator[Layer]:
        counts = self.options.head_counts
        place = counts.index(len(old.heads))
        if place > 0:
            for kept in dict.fromkeys(itertools.combinations(old.heads, counts[place - 1])):
                yield layer(old.hidden, kept, old.feed_forward)
        if place + 1 < len(counts):
            more = counts[place + 1] - len(old.heads)
            kinds = self.options.head_kinds if self.options.mixed else old.heads[:1]
            for added in itertools.combinations_with_replacement(kinds, more):
                yield layer(old.hidden, old.heads + added, old.feed_forward)


def _ordered(name: str, values: Sequence[int]) -> Entry:
    return Entry(name, Nature.ORDERED, 0.0, len(values) - 1.0)


def _replaced(layers: Layers, j: int, changed: Iterable[Layer]) -> Iterator[Layers]:
    for new in dict.fromkeys(changed):
        yield (*layers[:j], new, *layers[j + 1 :])


def _crossed(parents: Sequence[Layer], generator: np.random.Generator) -> Layer:
    hidden, heads, feed_forward = (parents[i] for i in generator.integers(len(parents), size=3))
    return layer(hidden.hidden, heads.heads, feed_forward.feed_forward)
