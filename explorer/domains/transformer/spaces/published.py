"""The YAML files that FlexiBERT publishes its design spaces in.

Those of FlexiBERT 1 have their options under `architecture`, beside the names of data sets, and all heads of a layer
are of one type; those of FlexiBERT 2.0 have them alone, and heads may differ.
"""

from __future__ import annotations

from typing import Any

from explorer.contracts.domain import SpaceReader
from explorer.domains.transformer.spaces import own
from explorer.domains.transformer.spaces.flexibert1 import FlexiBert1Space, LargeFlexiBert1Space, SmallFlexiBert1Space
from explorer.domains.transformer.spaces.flexibert2 import FlexiBert2Space
from explorer.domains.transformer.spaces.layered import LayeredSpace
from explorer.toolkit.reading import key_violations, refused
from graphdb.errors import InputError

_NAMES = {
    "layers": "encoder_layers",
    "hidden": "hidden_size",
    "heads": "num_heads",
    "feed_forwards": "number_of_feed-forward_stacks",
    "feed_forward_widths": "feed-forward_hidden",
}
"""Key of a user's own space -> its published name."""

_OPERATIONS = ("operation_types", "operation_parameters")
_SPACES = (FlexiBert2Space, FlexiBert1Space, SmallFlexiBert1Space, LargeFlexiBert1Space)


def is_published(value: object) -> bool:
    """Whether a value has the form of a published file."""
    return isinstance(value, dict) and ("architecture" in value or "encoder_layers" in value)


def published_space(value: Any, place: str) -> LayeredSpace:
    """The space of such a file: the published one with these options, or a space of its own.

    Args:
        value: content of the file.
        place: name of the file, for messages.

    Raises:
        InputError: a key is missing or unknown, or a value is not allowed.
    """
    first = "architecture" in value
    if first and key_violations(value, ("architecture",), ("datasets",)):
        raise InputError(f"{place}: {key_violations(value, ('architecture',), ('datasets',))[0]}")
    options = value["architecture"] if first else value
    faults = key_violations(options, (*_NAMES.values(), *_OPERATIONS))
    if faults:
        raise InputError(f"{place}: {faults[0]}")
    given = {ours: options[theirs] for ours, theirs in _NAMES.items()}
    read = own.space_of({**given, "head_types": _head_types(options, place), "mixed_heads": not first}, place)
    return next((known for known in (make() for make in _SPACES) if known.options == read.options), read)


def _head_types(options: dict[str, Any], place: str) -> list[str]:
    operations, parameters = (options[name] for name in _OPERATIONS)
    if not isinstance(operations, list) or not all(isinstance(one, str) for one in operations):
        raise InputError(f"{place}: {refused('operation_types', operations, 'a list of some of sa, l, c')}")
    if not isinstance(parameters, dict) or not all(isinstance(parameters.get(one), list) for one in operations):
        allowed = "a list of parameters for each of operation_types"
        raise InputError(f"{place}: {refused('operation_parameters', parameters, allowed)}")
    return [f"{operation}_{parameter}" for operation in operations for parameter in parameters[operation]]


READERS = (
    *own.READERS,
    SpaceReader("a published design space of Transformers", published_space, is_published),
)
