"""User-defined spaces of Transformers, read from YAML.

A file such as

    layers: [2, 4]
    hidden: [128, 256]
    heads: [2, 4]                       # per layer
    head_types: [sa_sdp, l_dct, c_5]
    mixed_heads: true                   # whether the heads of a layer may be of different types
    feed_forwards: [1, 2]               # per layer
    feed_forward_widths: [512, 1024]

allows every combination. Designs are stored as designs of `transformer_free`, so that the database needs no file to
read them back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, ValidationError

from explorer.contracts.domain import SpaceReader
from explorer.contracts.space import Choices
from explorer.domains.transformer.graph import block_graph
from explorer.domains.transformer.model import HEAD_KINDS, MOST_HEADS, MOST_LAYERS, MOST_STACKS, MOST_WIDTH, layers_of
from explorer.domains.transformer.spaces.free import FreeTransformerSpace
from explorer.domains.transformer.spaces.layered import LayeredSpace, Options
from explorer.toolkit.reading import listed, shown
from explorer.toolkit.yaml_file import read_yaml
from graphdb.architecture import Architecture
from graphdb.errors import InputError

MOST_OPTIONS = 1_000_000
"""Largest number of feed-forward stacks, or sets of heads, per layer: they are listed in memory."""


_Size = Annotated[StrictInt, Field(ge=1)]
_Sizes = Annotated[list[_Size], Field(min_length=1, max_length=64)]


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    layers: _Sizes
    hidden: _Sizes
    heads: _Sizes
    head_types: Annotated[list[str], Field(min_length=1, max_length=len(HEAD_KINDS))]
    mixed_heads: StrictBool = False
    feed_forwards: _Sizes
    feed_forward_widths: _Sizes


_LARGEST = {
    "layers": MOST_LAYERS,
    "hidden": MOST_WIDTH,
    "heads": MOST_HEADS,
    "feed_forwards": MOST_STACKS,
    "feed_forward_widths": MOST_WIDTH,
}


class OwnTransformerSpace(LayeredSpace):
    """The space described by a file."""

    name = FreeTransformerSpace.name

    def graph_of(self, choices: Choices) -> Architecture:
        """The block graph, as a design of `transformer_free`."""
        return Architecture.of(self.domain, self.name, choices, *block_graph(layers_of(choices)))


def read_space(file: Path) -> OwnTransformerSpace:
    """Read the space in a YAML file.

    Raises:
        InputError: the file is unreadable or malformed; a key is missing, unknown or out of range; there are more heads
            than elements of a hidden width; or a layer has too many options to list. The message names file and key,
            and says what is allowed.
    """
    return space_of(read_yaml(file, "space"), str(file))


def space_of(content: object, place: str) -> OwnTransformerSpace:
    """The space described by the content of such a file.

    Args:
        content: any JSON value.
        place: place of the content, for messages.

    Raises:
        InputError: as for `read_space`.
    """
    given = _checked(place, content)
    for kind in given.head_types:
        if kind not in HEAD_KINDS:
            raise InputError(f"{place}: head_types has {shown(kind)}; allowed: {listed(HEAD_KINDS)}.")
    for name, most in _LARGEST.items():
        if max(getattr(given, name)) > most:
            raise InputError(f"{place}: {name} has {shown(max(getattr(given, name)))}; allowed: 1 to {most}.")
    for name in (*_LARGEST, "head_types"):
        values = getattr(given, name)
        if len(set(values)) < len(values):
            twice = next(value for value in values if values.count(value) > 1)
            raise InputError(f"{place}: {name} has {shown(twice)} twice; each option counts once.")
    if max(given.heads) > min(given.hidden):
        raise InputError(
            f"{place}: heads has {max(given.heads)} and hidden {min(given.hidden)}; a head needs a width of at least 1."
        )
    options = Options(
        depths=tuple(sorted(given.layers)),
        hidden=tuple(sorted(given.hidden)),
        head_counts=tuple(sorted(given.heads)),
        head_kinds=tuple(sorted(given.head_types, key=HEAD_KINDS.index)),
        mixed=given.mixed_heads,
        stacks=tuple(sorted(given.feed_forwards)),
        widths=tuple(sorted(given.feed_forward_widths)),
    )
    _, stacks, heads = options.layer_radices
    for what, count in (("feed-forward stacks", stacks), ("sets of heads", heads)):
        if count > MOST_OPTIONS:
            raise InputError(f"{place}: a layer has {shown(count)} {what} to choose from; allowed: {MOST_OPTIONS}.")
    return OwnTransformerSpace(options)


def _checked(place: str, content: object) -> _Given:
    allowed = listed(_Given.model_fields)
    if not isinstance(content, dict):
        raise InputError(f"{place} holds {shown(content)}; allowed: a mapping with the keys {allowed}.")
    try:
        return _Given.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
    key = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        raise InputError(f"{place}: the key {shown(key)} is unknown; allowed: {allowed}.")
    if first["type"] == "missing":
        needed = listed(name for name, field in _Given.model_fields.items() if field.is_required())
        raise InputError(f"{place}: the key {key} is missing; needed: {needed}.")
    wanted = {"mixed_heads": "true or false", "head_types": f"a list of some of {listed(HEAD_KINDS)}"}.get(
        key, f"a list of 1 to 64 whole numbers from 1 to {_LARGEST.get(key)}"
    )
    raise InputError(f"{place}: {key} is {shown(content[key])}; allowed: {wanted}.")


READERS = (SpaceReader("options of Transformers", space_of),)
