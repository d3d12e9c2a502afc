"""The distinct operations and transfers of a model's program with their counts, without building the program.

What an operation or transfer costs does not depend on its name, nor on what it needs or waits for. A head therefore
counts the same in every layer of a width, and the rest of a layer wherever it stands: each is counted once and kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from typing import Any

from explorer.domains.accelerator.acceltran.building.assembly import checked, shape_of, write_output
from explorer.domains.accelerator.acceltran.building.backward import (
    embedding_gradients,
    head_gradient_lists,
    layer_gradients,
    loss_gradient,
)
from explorer.domains.accelerator.acceltran.building.encoder import Result, embeddings, forward_layer, head_lists
from explorer.domains.accelerator.acceltran.building.head_gradients import Parameter
from explorer.domains.accelerator.acceltran.building.layers import Head, Layer
from explorer.domains.accelerator.acceltran.building.optimiser import optimiser_step
from explorer.domains.accelerator.acceltran.building.published_backward import (
    published_backward,
    published_head_gradients,
)
from explorer.domains.accelerator.acceltran.building.section import Recipe, Section
from explorer.domains.accelerator.acceltran.program import Heads, Operation, Transfer
from explorer.domains.accelerator.acceltran.settings.run import RunSettings

Counted = tuple[Operation | Transfer, int]
Group = tuple[tuple[object, ...], Operation | Transfer, int]  # shape, the object that stands for it, count
_ANY = "any"  # stands for a tensor: names do not count
_TRANSFORM = Head("l_dft_1", "l", False, 0, 1)
_ATTENTION = Head("sa_sdp_1", "sa", False, 0, 1)


def counted(model: Mapping[str, Any], batch_size: int, settings: RunSettings) -> list[Counted]:
    """The distinct operations and transfers of `build_program(model, batch_size, settings)`, each with its count.

    They are those of `grouped`, in another order and without names. Equal ones are always the same object, so that
    their costs can be kept.

    Raises:
        InputError: the dictionary is malformed, or the batch size is below 1.
    """
    layers, recipe = checked(model, batch_size, settings)
    counts: dict[tuple[object, ...], Counted] = {}
    last = layers[-1]
    stored = recipe.keeps or (recipe.activation_shape and bool(last.projected))
    _add(counts, _ends(recipe, layers[0].hidden, last.output, stored))
    for layer in layers:
        attention = any(head.family == "sa" for head in layer.heads)
        _add(counts, _without_heads(recipe, layer.hidden, layer.widths, layer.projected, len(layer.heads), attention))
        for head in layer.heads:
            _add(counts, _head(recipe, head, layer.hidden))
    return list(counts.values())


def _add(counts: dict[tuple[object, ...], Counted], groups: tuple[Group, ...]) -> None:
    for shape, item, count in groups:
        found = counts.get(shape)
        counts[shape] = (item, count if found is None else found[1] + count)


@lru_cache(maxsize=1024)
def _ends(recipe: Recipe, first: int, last: int, stored: bool) -> tuple[Group, ...]:
    """Embeddings and output, and in training their gradients."""
    section = Section(recipe)
    embeddings(section, first)
    if recipe.write_back:
        write_output(section, last, Result(_ANY, (_ANY,) if stored else ()))
    if recipe.gradients:
        loss_gradient(section, last)
        optimiser_step(section, embedding_gradients(section, first, _ANY))
    return _groups(_items(section, heads=True))


@lru_cache(maxsize=16384)
def _without_heads(
    recipe: Recipe, hidden: int, widths: tuple[int, ...], projected: int, heads: int, attention: bool
) -> tuple[Group, ...]:
    """A layer but for its heads, whose number counts where their outputs and gradients are added."""
    layer = Layer((_ATTENTION if attention else _TRANSFORM,) * heads, hidden, widths, projected)
    section = Section(recipe)
    record = forward_layer(section, layer, 0, (_ANY,))
    if recipe.gradients:
        parameters: list[Parameter] = []
        layer_gradients(section, layer, 0, record, _ANY, parameters)
        optimiser_step(section, [p for p in parameters if not p.tensor.startswith(_ATTENTION.label)])
    elif recipe.training:
        published_backward(section, (layer,))
    return _groups(_items(section, heads=False))


@lru_cache(maxsize=16384)
def _head(recipe: Recipe, head: Head, hidden: int) -> tuple[Group, ...]:
    lists = [head_lists(recipe, "", head, _ANY, hidden, (_ANY,))[0]]
    if recipe.gradients:
        gradients, _, parameters = head_gradient_lists(recipe, head, _ANY, hidden, (_ANY,), "", _ANY)
        section = Section(recipe)
        optimiser_step(section, list(parameters))
        lists += [*lists * recipe.recompute, gradients, section.finished()]
    elif recipe.training:
        lists.append(published_head_gradients(recipe, head, _ANY, hidden))
    items: list[Operation | Transfer] = []
    for part in lists:
        items += part.compute
        items += part.memory
    return _groups(items)


def _items(section: Section, heads: bool) -> list[Operation | Transfer]:
    """What a section has outside its heads, and inside them where that is asked for."""
    found: list[Operation | Transfer] = []
    items: list[Operation | Transfer | Heads[Operation] | Heads[Transfer]] = []
    items += section.compute
    items += section.memory
    for item in items:
        if not isinstance(item, Heads):
            found.append(item)
        elif heads:
            found.extend(chain.from_iterable(item.lists))
    return found


def _groups(items: Sequence[Operation | Transfer]) -> tuple[Group, ...]:
    counts: dict[tuple[object, ...], int] = {}
    first: dict[tuple[object, ...], Operation | Transfer] = {}
    for item in items:
        shape = shape_of(item)
        counts[shape] = counts.get(shape, 0) + 1
        first.setdefault(shape, item)
    return tuple((shape, _same(_nameless(first[shape])), count) for shape, count in counts.items())


def _nameless(item: Operation | Transfer) -> Operation | Transfer:
    if isinstance(item, Operation):
        return replace(item, name="", needs=(), after=())
    return replace(item, tensor="", made_by=None)


@lru_cache(maxsize=65536)
def _same(item: Operation | Transfer) -> Operation | Transfer:
    """The one object that stands for all equal ones."""
    return item
