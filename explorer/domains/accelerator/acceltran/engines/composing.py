"""The outline of a model, put together from those of its distinct parts, without its program.

The rules that build programs build the parts, each once: a kind of head with its gradients and updates, a feed-forward
block, a layer without these (its frame), the embeddings, and the output. Parts read tensors of each other, which stand
in their lists of given transfers, so that each part counts the readers that it has itself. Parts that are equal count
together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from explorer.domains.accelerator.acceltran.building.assembly import (
    build_program,
    checked_layers,
    footprint_elements,
    write_output,
)
from explorer.domains.accelerator.acceltran.building.backward import (
    AGAIN,
    after_block_gradients,
    before_block_gradients,
    block_gradients,
    embedding_gradients,
    head_gradient_lists,
    input_gradient,
    loss_gradient,
)
from explorer.domains.accelerator.acceltran.building.encoder import (
    BlockShape,
    Result,
    after_blocks,
    before_blocks,
    embeddings,
    feed_forward_block,
    head_lists,
    layer_blocks,
    projections,
)
from explorer.domains.accelerator.acceltran.building.head_gradients import GRADIENT, Parameter
from explorer.domains.accelerator.acceltran.building.layers import EncoderLayer, Head, head_named
from explorer.domains.accelerator.acceltran.building.optimiser import optimiser_step
from explorer.domains.accelerator.acceltran.building.options import ProgramOptions
from explorer.domains.accelerator.acceltran.building.published_backward import (
    published_block,
    published_head_gradients,
    repeat,
)
from explorer.domains.accelerator.acceltran.building.section import Lists, Section
from explorer.domains.accelerator.acceltran.engines.outline import (
    Numbers,
    Outline,
    Positions,
    counted,
    head_table,
    outline,
)
from explorer.domains.accelerator.acceltran.program import Heads, Operation, Program, TensorRole, Transfer, flat
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.domains.transformer.model import is_decoder

_INPUT, _OUTPUT, _BLOCK = "input", "head", "block"
"""Tensors that parts read of each other: the input of a layer or block, and the outputs of a head and of the blocks."""
_GRADIENT, _INPUT_GRADIENT, _BLOCK_GRADIENT = "gradient", "gradient of the input", "gradient of the blocks"
"""Their gradients: of a part's result, and of the inputs of heads and blocks."""
_NAME = "head"


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A part of a model.

    Attributes:
        operations, transfers: tables as in `Outline`.
        phases: pass in which heads run -> the rows of the operations and transfers of this head.
        weights, activations: elements of the weights that its forward pass loads, of the activations that it stores.
        result: transfer that makes the next layer's input.
    """

    operations: Numbers
    transfers: Numbers
    phases: Mapping[str, tuple[Positions, Positions]]
    weights: int = 0
    activations: int = 0
    result: Transfer | None = None


def model_outline(model: Mapping[str, Any], batch_size: int, settings: RunSettings) -> Outline:
    """The outline of a model's program for a batch of sequences.

    Args:
        model: model dictionary.
        batch_size: number of sequences.
        settings: settings of the run.

    Raises:
        InputError: as `build_program` does.
    """
    if is_decoder(model):
        return outline(build_program(model, batch_size, settings))
    return _composed(*checked_layers(model, batch_size, settings))


@lru_cache(maxsize=256)
def _composed(layers: tuple[EncoderLayer, ...], options: ProgramOptions) -> Outline:
    first = _embeddings(options, layers[0].hidden)
    parts: Counter[_Part] = Counter([first])
    groups: Counter[tuple[tuple[_Part, int], ...]] = Counter([((first, 1),)])
    given = first.result
    for layer in layers:
        heads: Counter[_Part] = Counter()
        for label, count in Counter(layer.labels).items():
            heads[_head(options, _plain(label), layer.hidden, given)] += count
        frame = _frame(options, _plain_layer(layer), len(layer.labels), given)
        blocks = [*layer_blocks(layer, options), *projections(layer, options)]
        made = [_block(options, block._replace(position="1")) for block in blocks]
        parts.update(heads)
        parts.update([frame, *made])
        groups[tuple(heads.items())] += 1
        given = made[-1].result if layer.projected else frame.result
    parts[_ends(options, layers[-1].output, given)] += 1
    weights, activations = (sum(getattr(part, name) * n for part, n in parts.items()) for name in _FORWARD)
    return _together(parts, groups, footprint_elements(options, weights, activations, layers[0].hidden))


_FORWARD = ("weights", "activations")


@lru_cache(maxsize=1024)
def _plain(label: str) -> Head:
    """The head without its label, which only names, and without a width that it ignores."""
    head = head_named(label)
    return head._replace(label="", width=head.width if head.family == "sa" else 0)


def _plain_layer(layer: EncoderLayer) -> EncoderLayer:
    """The layer with what its frame depends on: its width, and whether one of its heads is self-attention."""
    attends = any(head.family == "sa" for head in layer.heads)
    return EncoderLayer(("sa_sdp_1",) if attends else ("l_dft_1",), layer.hidden, (), 0)


def _together(
    parts: Mapping[_Part, int],
    groups: Mapping[tuple[tuple[_Part, int], ...], int],
    footprint: tuple[tuple[str, int], ...],
) -> Outline:
    """The outline of parts that occur so often, and of groups of heads with the number of heads like each."""
    times = list(parts.values())
    operations = np.concatenate([part.operations for part in parts])
    operations[:, 5:] *= np.repeat(times, [len(part.operations) for part in parts])[:, np.newaxis]
    transfers = np.concatenate([part.transfers for part in parts])
    transfers[:, 2:] *= np.repeat(times, [len(part.transfers) for part in parts])[:, np.newaxis]
    places: dict[_Part, tuple[int, int]] = {}
    before, before_transfers = 0, 0
    for part in parts:
        places[part] = before, before_transfers
        before, before_transfers = before + len(part.operations), before_transfers + len(part.transfers)
    table = []
    for group, count in groups.items():
        for phase in dict.fromkeys(phase for part, _ in group for phase in part.phases):
            heads = [
                (part.phases[phase][0] + places[part][0], part.phases[phase][1] + places[part][1], like_it)
                for part, like_it in group
                if phase in part.phases
            ]
            table.append((heads, count))
    return Outline(operations, transfers, head_table(table), footprint)


def _part(
    section: Section,
    phases: Mapping[str, Lists],
    given: Iterable[Transfer | None],
    size: Section | Lists,
    result: Transfer | None = None,
) -> _Part:
    """A part with the lists of a head in each of its phases, then the items of a section.

    Args:
        section: section that follows.
        phases: lists of a head in each pass.
        given: transfers of tensors that other parts bring; None where nothing is stored.
        size: forward pass of the part.
        result: transfer that makes the next layer's input.
    """
    busy = {phase: lists for phase, lists in phases.items() if lists.compute}
    program = Program(
        (*(Heads((lists.compute,)) for lists in busy.values()), *section.compute),
        (*(Heads((lists.memory,)) for lists in busy.values()), *section.memory),
    )
    items = counted(program, [transfer for transfer in given if transfer])
    rows = {
        phase: (np.array(operations, dtype=np.intp), np.array(transfers, dtype=np.intp))
        for phase, ((operations, transfers),) in zip(busy, items.groups, strict=True)
    }
    return _Part(items.operations, items.transfers, rows, size.weights, size.activations, result)


def _result(section: Section, tensors: Sequence[str]) -> Transfer | None:
    """The transfer that brings or stores a layer's input, which is `tensors` in the section; None if nothing does."""
    made = {transfer.tensor: transfer for transfer in flat(section.memory)}
    return replace(made[tensors[0]], tensor=_INPUT, made_by=None, pinned=False) if tensors else None


def _activation(name: str, options: ProgramOptions, width: int, role: TensorRole = GRADIENT) -> Transfer:
    return Transfer(name, "store", "activation", options.activations(width), role)


@lru_cache(maxsize=512)
def _embeddings(options: ProgramOptions, hidden: int) -> _Part:
    section = Section(options)
    result = _result(section, embeddings(section, hidden))
    forward = Lists((), (), section.weights, section.activations)
    alone = [item.lists[0] for item in section.compute if isinstance(item, Heads)]
    phases = {"forward": Lists(alone[0], (), 0, 0)} if alone else {}
    rest = Section(options, memory=section.memory)
    if options.gradients:
        optimiser_step(rest, embedding_gradients(rest, hidden, _GRADIENT))
    return _part(rest, phases, [_activation(_GRADIENT, options, hidden)], forward, result)


@lru_cache(maxsize=8192)
def _head(options: ProgramOptions, head: Head, hidden: int, given: Transfer | None) -> _Part:
    reads, section = (_INPUT,), Section(options)
    phases = {"forward": head_lists(options, "", head, _NAME, hidden, reads)[0]}
    if options.gradients:
        tag = AGAIN if options.recompute else ""
        if tag:
            phases["again"] = head_lists(options, tag, head, _NAME, hidden, reads)[0]
        backward = head_gradient_lists(options, head, _NAME, hidden, reads, tag, _GRADIENT)
        phases["backward"] = backward[0]
        optimiser_step(section, list(backward[2]))
    elif options.training:
        phases["backward"] = published_head_gradients(options, head, _NAME, hidden)
    return _part(section, phases, [given, _activation(_GRADIENT, options, hidden)], phases["forward"])


@lru_cache(maxsize=4096)
def _frame(options: ProgramOptions, layer: EncoderLayer, heads: int, given: Transfer | None) -> _Part:
    """A layer without its heads and feed-forward blocks."""
    section, outputs, hidden = Section(options), (_OUTPUT,) * heads, layer.hidden
    attended, summed, result = _forward_frame(section, layer, outputs)
    forward = Lists((), (), section.weights, section.activations)
    made = _result(section, result.tensors)
    if options.gradients:
        if options.recompute:
            again = Section(options, AGAIN)
            attended, summed, _ = _forward_frame(again, layer, outputs)
            section.extend(again.finished())
        parameters: list[Parameter] = []
        of_sum = before_block_gradients(section, layer, 0, summed, _GRADIENT, parameters)
        gradients = (_BLOCK_GRADIENT, of_sum)
        of_heads = after_block_gradients(section, layer, 0, attended, gradients, parameters)
        input_gradient(section, layer, 0, (_INPUT_GRADIENT,) * heads, of_heads)
        optimiser_step(section, parameters)
    elif options.training:
        norms = {item.name: item for item in section.compute if isinstance(item, Operation)}
        for name in ("ln_0_2", "ln_0_1"):
            repeat(section, norms, name)
    others = [
        _activation(_OUTPUT, options, hidden, TensorRole.ATTENTION_OUTPUT),
        _activation(_BLOCK, options, hidden, TensorRole.FEED_FORWARD_OUTPUT),
        *(_activation(name, options, hidden) for name in (_GRADIENT, _INPUT_GRADIENT, _BLOCK_GRADIENT)),
    ]
    return _part(section, {}, [given, *others], forward, made)


def _forward_frame(
    section: Section, layer: EncoderLayer, outputs: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...], Result]:
    """Append a frame's forward pass; return the inputs of its normalisations, and the result of the second."""
    attended, normalised = before_blocks(section, layer, 0, (_INPUT,), outputs)
    activated = not section.options.activation_shape
    blocks = Result(_BLOCK, () if activated and not section.options.keeps else (_BLOCK,))
    return attended, *after_blocks(section, layer, 0, normalised, blocks, _BLOCK)


@lru_cache(maxsize=8192)
def _block(options: ProgramOptions, shape: BlockShape) -> _Part:
    """A feed-forward block or projection."""
    section, source = Section(options), Result("", (_INPUT,) if options.keeps else ())
    block, result = feed_forward_block(section, shape, 0, source)
    forward = Lists((), (), section.weights, section.activations)
    made = _result(section, result.tensors)
    if options.gradients:
        if options.recompute:
            again = Section(options, AGAIN)
            block, _ = feed_forward_block(again, shape, 0, source)
            section.extend(again.finished())
        parameters: list[Parameter] = []
        block_gradients(section, block, _GRADIENT, parameters)
        optimiser_step(section, parameters)
    elif options.training:
        published_block(section, {item.name: item for item in section.compute if isinstance(item, Operation)}, 0, shape)
    given = _activation(_INPUT, options, shape.given, shape.role)
    return _part(section, {}, [given, _activation(_GRADIENT, options, shape.made)], forward, made)


@lru_cache(maxsize=512)
def _ends(options: ProgramOptions, width: int, given: Transfer | None) -> _Part:
    """The last layer's output, and the gradient of the loss."""
    section = Section(options)
    if options.write_back:
        write_output(section, width, Result("", (_INPUT,) if given else ()))
    forward = Lists((), (), section.weights, section.activations)
    if options.gradients:
        loss_gradient(section, width)
    return _part(section, {}, [given], forward)
