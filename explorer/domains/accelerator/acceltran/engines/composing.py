"""The outline of a model, put together from those of its distinct heads and layers, without its program.

The rules that build programs build the parts, each once: a kind of head with its gradients and updates, a layer without
its heads, the embeddings, and the output. Parts read tensors of each other, which stand in their lists of given
transfers, so that each part counts the readers that it has itself. Layers and heads that are equal count together.
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
    before_heads,
    embedding_gradients,
    head_gradient_lists,
    input_gradient,
    loss_gradient,
)
from explorer.domains.accelerator.acceltran.building.encoder import Result, after_heads, embeddings, head_lists
from explorer.domains.accelerator.acceltran.building.head_gradients import GRADIENT, Parameter
from explorer.domains.accelerator.acceltran.building.layers import EncoderLayer, Head
from explorer.domains.accelerator.acceltran.building.optimiser import optimiser_step
from explorer.domains.accelerator.acceltran.building.options import ProgramOptions
from explorer.domains.accelerator.acceltran.building.published_backward import (
    published_before_heads,
    published_head_gradients,
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

_INPUT, _OUTPUT, _GRADIENT, _INPUT_GRADIENT = "input", "output", "gradient", "input gradient"
"""Tensors that parts read of each other: a layer's input, a head's output, and the gradients of either."""
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
    parts = Counter([first])
    groups = Counter([((first, 1),)])
    given = first.result
    for layer in layers:
        heads = Counter(_head(options, _plain(head), layer.hidden, given) for head in layer.heads)
        rest = _rest(options, _plain_layer(layer), len(layer.heads), given)
        parts[rest] += 1
        parts.update(heads)
        groups[tuple(heads.items())] += 1
        given = rest.result
    parts[_ends(options, layers[-1].output, given)] += 1
    weights, activations = (sum(getattr(part, name) * n for part, n in parts.items()) for name in _FORWARD)
    return _together(parts, groups, footprint_elements(options, weights, activations, layers[0].hidden))


_FORWARD = ("weights", "activations")


def _plain(head: Head) -> Head:
    """The head without its label, which only names, and without a width that it ignores."""
    return head._replace(label="", width=head.width if head.family == "sa" else 0)


def _plain_layer(layer: EncoderLayer) -> EncoderLayer:
    """The layer with one head, as a layer without its heads depends only on whether one of them is self-attention."""
    attends = any(head.family == "sa" for head in layer.heads)
    return layer._replace(labels=("sa_sdp_1",) if attends else ("l_dft_1",))


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
                (*(rows + at for rows, at in zip(part.phases[phase], places[part], strict=True)), like_it)
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


@lru_cache(maxsize=8192)
def _rest(options: ProgramOptions, layer: EncoderLayer, heads: int, given: Transfer | None) -> _Part:
    """A layer without its heads."""
    section, outputs = Section(options), (_OUTPUT,) * heads
    record = after_heads(section, layer, 0, (_INPUT,), outputs)
    forward = Lists((), (), section.weights, section.activations)
    result = _result(section, record.result.tensors)
    if options.gradients:
        if options.recompute:
            again = Section(options, AGAIN)
            record = after_heads(again, layer, 0, (_INPUT,), outputs)
            section.extend(again.finished())
        parameters: list[Parameter] = []
        attended = before_heads(section, layer, 0, record, _GRADIENT, parameters)
        input_gradient(section, layer, 0, (_INPUT_GRADIENT,) * heads, attended)
        optimiser_step(section, parameters)
    elif options.training:
        again_by_name = {item.name: item for item in section.compute if isinstance(item, Operation)}
        published_before_heads(section, again_by_name, layer, 0)
    others = (
        _activation(_OUTPUT, options, layer.hidden, TensorRole.ATTENTION_OUTPUT),
        _activation(_GRADIENT, options, layer.output),
        _activation(_INPUT_GRADIENT, options, layer.hidden),
    )
    return _part(section, {}, [given, *others], forward, result)


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
