"""Transfer of weights from one encoder to another, by the rules of FlexiBERT 1 and 2.0.

Source: knowledge transfer in FlexiBERT (Tuli et al., 2023) and its code in txf_design-space. Its
faults are left out: without debugging it never copies queries, keys and values, and where it copies weighted attention
it uses an undefined variable.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from explorer.contracts.space import Choices
from explorer.domains.transformer.model import Layer, layers_of
from explorer.domains.transformer.parameters import ROBERTA_POSITIONS, ROBERTA_VOCABULARY
from explorer.domains.transformer.rules import RULES, Rule
from graphdb.errors import InputError

HOW = "weight transfer"
"""The relation of a model to the one from which it inherited weights."""

ENOUGH = 0.8
"""Smallest overlap with which FlexiBERT fine-tunes a transferred model without pre-training it."""

Shapes = dict[str, tuple[int, ...]]
State = Mapping[str, Tensor]
Span = tuple[int, int]  # first index and length


@dataclass(frozen=True)
class Copy:
    """A copy of a part of a source tensor to a part of the target tensor with the same name.

    Attributes:
        name: name of both tensors.
        target, source: first index and length along each axis; a longer source is cut or projected.
        kernel: axis along which a convolution's kernel is stretched; None if there is none.
        projectable: whether a random projection may replace cutting.
    """

    name: str
    target: tuple[Span, ...]
    source: tuple[Span, ...]
    kernel: int | None = None
    projectable: bool = False

    @property
    def elements(self) -> int:
        """Number of elements of the target that are set."""
        return math.prod(length for _, length in self.target)


@dataclass(frozen=True)
class Transferred:
    """A start for training: the `state` of the target, the share that was set, and the names of the tensors set."""

    state: dict[str, Tensor]
    ratio: float
    copied: tuple[str, ...]


def overlap(
    source: Choices,
    target: Choices,
    rule: Rule,
    vocabulary: int = ROBERTA_VOCABULARY,
    positions: int = ROBERTA_POSITIONS,
) -> float:
    """The share of a target that a source would set, from 0 to 1, computed from the model dictionaries alone.

    `flexibert` counts tensors of embeddings and encoder, as published; the others count weights, including the pooler.

    Args:
        source, target: legal model dictionaries.
        rule: one of `RULES`.
        vocabulary, positions: sizes of vocabulary and positions of both models.
    """
    given, wanted = (tensor_shapes(model, vocabulary, positions) for model in (source, target))
    return _ratio(_plan(source, target, given, wanted, rule), wanted, rule)


def best_source(target: Choices, sources: Mapping[str, Choices], rule: Rule) -> tuple[str, float] | None:
    """The source that sets the largest share of a target.

    Args:
        target: legal model dictionary.
        sources: key -> legal model dictionary.
        rule: one of `RULES`.

    Returns:
        Key and overlap of the source, the first one in a tie; None if there are no sources.
    """
    ratios = ((key, overlap(source, target, rule)) for key, source in sources.items())
    return max(ratios, key=lambda pair: pair[1], default=None)


def transfer(
    source_state: State,
    source: Choices,
    target_state: State,
    target: Choices,
    rule: Rule,
    generator: torch.Generator,
) -> Transferred:
    """The state of a target with the weights that a source can give it.

    Args:
        source_state, target_state: states of a `HeterogeneousEncoder`; they are not changed.
        source, target: model dictionaries.
        rule: one of `RULES`.
        generator: random generator for random projections.

    Raises:
        InputError: the rule is unknown, or a state does not belong to its model.
    """
    if rule not in RULES:
        raise InputError(f"There is no rule {rule!r} of weight transfer; allowed: {', '.join(RULES)}.")
    source_shapes = _checked(source_state, source, "source")
    target_shapes = _checked(target_state, target, "target")
    plan = _plan(source, target, source_shapes, target_shapes, rule)
    state = {name: tensor.clone() for name, tensor in target_state.items()}
    for copy in plan:
        block = source_state[copy.name][_slices(copy.source)]
        fitted = _fitted(block, copy, rule == "projected" and copy.projectable, generator)
        state[copy.name][_slices(copy.target)] = fitted.to(state[copy.name])
    copied = tuple(dict.fromkeys(copy.name for copy in plan))
    return Transferred(state, _ratio(plan, target_shapes, rule), copied)


def tensor_shapes(model: Choices, vocabulary: int, positions: int) -> Shapes:
    """Name -> shape of every tensor of a `HeterogeneousEncoder`.

    Args:
        model: legal model dictionary.
        vocabulary: number of tokens.
        positions: length of the longest sequence in tokens.
    """
    layers = layers_of(model)
    first, last = layers[0].hidden, layers[-1].hidden
    shapes: Shapes = {
        "words.weight": (vocabulary, first),
        "positions.weight": (positions, first),
        "token_types.weight": (1, first),
        **_norm("embedding_norm", first),
    }
    for index, (one, following) in enumerate(pairwise([*layers, layers[-1]])):
        shapes |= _layer_shapes(f"layers.{index}.", one, following.hidden, positions)
    return shapes | _linear("pooler", last, last)


def _layer_shapes(prefix: str, one: Layer, next_hidden: int, positions: int) -> Shapes:
    attended, width = len(one.heads) * one.head_dimension, one.head_dimension
    shapes: Shapes = {}
    for name in ("query", "key", "value"):
        shapes |= _linear(f"{prefix}attention.{name}", one.hidden, attended)
    shapes[f"{prefix}attention.relative.weight"] = (2 * positions - 1, width)
    for index, kind in enumerate(one.heads):
        head = f"{prefix}attention.heads.{index}."
        if kind == "sa_wma":
            shapes[f"{head}weight"] = (width, width)
        elif kind.startswith("c_"):
            kernel = int(kind.removeprefix("c_"))
            shapes[f"{head}depthwise.weight"] = (width, 1, kernel)
            shapes |= _linear(f"{head}pointwise", width, width) | _linear(f"{head}to_kernel", width, kernel)
            shapes |= _linear(f"{head}of_values", width, width)
    shapes |= _linear(f"{prefix}attention.output", attended, one.hidden) | _norm(f"{prefix}attention_norm", one.hidden)
    widths = (one.hidden, *one.feed_forward)
    for index, (inputs, outputs) in enumerate(pairwise(widths)):
        shapes |= _linear(f"{prefix}feed_forward.stack.{index}", inputs, outputs)
    shapes |= _linear(f"{prefix}feed_forward.output", widths[-1], one.hidden)
    shapes |= _norm(f"{prefix}feed_forward_norm", one.hidden)
    return shapes | (_linear(f"{prefix}projection", one.hidden, next_hidden) if next_hidden != one.hidden else {})


def _linear(name: str, inputs: int, outputs: int) -> Shapes:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _norm(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _plan(source: Choices, target: Choices, given: Shapes, wanted: Shapes, rule: Rule) -> list[Copy]:
    sources, targets = layers_of(source), layers_of(target)
    if rule == "flexibert":
        names = [name for name in _whole(sources, targets) if given.get(name) == wanted.get(name)]
        return [Copy(name, _all(wanted[name]), _all(given[name])) for name in names if name in wanted]
    copies = [
        copy
        for name in wanted
        if name in given and not name.startswith("layers.")
        for copy in [_leading(name, given[name], wanted[name], projectable=name.split(".")[0] in _EMBEDDINGS)]
    ]
    for index, (one, other) in enumerate(zip(sources, targets, strict=False)):
        copies += _layer_copies(f"layers.{index}.", one, other, given, wanted)
    return copies


_EMBEDDINGS = ("words", "positions", "token_types")


def _layer_copies(prefix: str, one: Layer, other: Layer, given: Shapes, wanted: Shapes) -> Iterator[Copy]:
    """Copies of a layer by the rules of 2.0.

    A head gives its weights to the head at the same place if both are self-attention, both linear or both convolutions.
    """
    alike = [i for i, (a, b) in enumerate(zip(one.heads, other.heads, strict=False)) if _family(a) == _family(b)]
    old, new = one.head_dimension, other.head_dimension
    for name in (name for name in wanted if name.startswith(prefix) and name in given):
        part = name.removeprefix(prefix)
        hidden = [(0, given[name][-1])], [(0, wanted[name][-1])]
        if part.startswith(("attention.query", "attention.key", "attention.value")):
            rest = hidden if part.endswith("weight") else ([], [])
            for i in alike:
                yield _copy(name, [(i * old, old), *rest[0]], [(i * new, new), *rest[1]], projectable=True)
        elif part == "attention.output.weight":
            for i in alike:
                rows = (0, given[name][0]), (0, wanted[name][0])
                yield _copy(name, [rows[0], (i * old, old)], [rows[1], (i * new, new)], projectable=True)
        elif part == "attention.relative.weight":
            middle, new_middle = given[name][0] // 2, wanted[name][0] // 2  # the middle, no distance
            reach = min(middle, new_middle)
            spans = (middle - reach, 2 * reach + 1), (new_middle - reach, 2 * reach + 1)
            yield _copy(name, [spans[0], *hidden[0]], [spans[1], *hidden[1]], projectable=True)
        elif part.startswith("attention.heads."):
            if int(part.split(".")[2]) in alike:
                kernel = 2 if "depthwise" in part else 0 if "to_kernel" in part else None
                wma = part.count(".") == 3
                yield _leading(name, given[name], wanted[name], kernel, projectable=wma)
        else:
            yield _leading(name, given[name], wanted[name])


def _family(kind: str) -> str:
    return kind.split("_")[0]


def _leading(
    name: str, given: tuple[int, ...], wanted: tuple[int, ...], kernel: int | None = None, projectable: bool = False
) -> Copy:
    return _copy(name, _all(given), _all(wanted), kernel, projectable)


def _all(shape: tuple[int, ...]) -> tuple[Span, ...]:
    return tuple((0, length) for length in shape)


def _copy(
    name: str, source: Iterable[Span], target: Iterable[Span], kernel: int | None = None, projectable: bool = False
) -> Copy:
    given, wanted = tuple(source), tuple(target)
    fitting = tuple(
        (start, length if axis == kernel else min(length, available))
        for axis, ((start, length), (_, available)) in enumerate(zip(wanted, given, strict=True))
    )
    return Copy(name, fitting, given, kernel, projectable)


def _whole(sources: tuple[Layer, ...], targets: tuple[Layer, ...]) -> Iterator[str]:
    """Names of tensors that FlexiBERT 1 copies; the caller leaves out those with different shapes."""
    if sources[0].hidden == targets[0].hidden:
        yield from ("words.weight", "positions.weight", "token_types.weight")
        yield from ("embedding_norm.weight", "embedding_norm.bias")
    ends = [(*layers[1:], None) for layers in (sources, targets)]
    for index, (one, other, *after) in enumerate(zip(sources, targets, *ends, strict=False)):
        prefix = f"layers.{index}."
        if {_family(kind) for kind in one.heads} != {_family(kind) for kind in other.heads}:
            return
        names = list(_layer_shapes(prefix, other, after[1].hidden if after[1] else other.hidden, 1))
        if (one.hidden, one.heads, one.head_dimension) != (other.hidden, other.heads, other.head_dimension):
            continue
        yield from (name for name in names if name.startswith(f"{prefix}attention"))
        if one.feed_forward != other.feed_forward:
            continue
        yield from (name for name in names if name.startswith(f"{prefix}feed_forward.stack"))
        following = [layer.hidden if layer else None for layer in after]
        if following[0] == following[1]:
            yield from (
                name
                for name in names
                if name.startswith(
                    (f"{prefix}feed_forward.output", f"{prefix}feed_forward_norm", f"{prefix}projection")
                )
            )


def _ratio(plan: list[Copy], shapes: Shapes, rule: Rule) -> float:
    if rule == "flexibert":
        return len(plan) / sum(not name.startswith("pooler") for name in shapes)
    return sum(copy.elements for copy in plan) / sum(map(math.prod, shapes.values()))


def _checked(state: State, model: Choices, what: str) -> Shapes:
    for name in ("words.weight", "positions.weight"):
        if name not in state or state[name].dim() != 2:
            raise InputError(f"The {what} has no tensor {name} of two axes; allowed: the state of an encoder.")
    shapes = tensor_shapes(model, state["words.weight"].shape[0], state["positions.weight"].shape[0])
    for name in dict.fromkeys([*shapes, *state]):
        shape, allowed = tuple(state[name].shape) if name in state else None, shapes.get(name)
        if shape != allowed:
            raise InputError(
                f"The tensor {name} of the {what} is {shape or 'missing'}; allowed: {allowed or 'none of that name'}, "
                "as its model dictionary says."
            )
    return shapes


def _slices(spans: tuple[Span, ...]) -> tuple[slice, ...]:
    return tuple(slice(start, start + length) for start, length in spans)


def _fitted(block: Tensor, copy: Copy, project: bool, generator: torch.Generator) -> Tensor:
    """The block of a source, fitted to its place: kernels are stretched, other axes projected or cut if too long."""
    for axis, (_, length) in enumerate(copy.target):
        available = block.shape[axis]
        if available == length:
            continue
        if axis == copy.kernel:
            moved = block.movedim(axis, -1)
            flat = moved.reshape(1, -1, available)
            stretched = torch.nn.functional.interpolate(flat, size=length, mode="linear", align_corners=True)
            block = stretched.reshape(*moved.shape[:-1], length).movedim(-1, axis)
        elif project:
            matrix = torch.randn(available, length, generator=generator, device=generator.device) / math.sqrt(length)
            block = (block.movedim(axis, -1) @ matrix.to(block)).movedim(-1, axis)
        else:
            block = block.narrow(axis, 0, length)
    return block
