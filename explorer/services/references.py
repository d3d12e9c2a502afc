"""Naming an architecture: a preset, a key of the database, a JSON file or a JSON value."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer import registry
from explorer.domains.accelerator.elector.overrides import OVERRIDES, overridden
from explorer.domains.transformer.hugging_face import from_configuration, is_configuration
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.store import Store

SPACES_OF = {
    "transformer": ("flexibert2", "flexibert", "transformer_free"),
    "accelerator": ("elector", "acceltran_free"),
}
"""Where bare choices belong: the first space that allows them; the last one's objections are the ones reported."""

LARGEST_FILE_BYTES = 4 << 20
_KEY = re.compile(r"[0-9a-f]{6,64}")


@dataclass(frozen=True)
class Overrides:
    """`--set` texts sorted into what they change: the accelerator, or the settings of the run."""

    architecture: dict[str, Any]
    settings: dict[str, Any]


def resolve_architecture(
    store: Store,
    reference: str | Mapping[str, Any],
    *,
    domain: str,
    overrides: Mapping[str, Any] | None = None,
) -> Architecture:
    """The architecture that a user means.

    Args:
        reference: name of a preset; key of the database or its first digits; path of a JSON file; or a JSON object,
            either `{"domain", "space", "choices"}` or bare choices.
        domain: what it must be.
        overrides: settings of an accelerator to be changed.

    Raises:
        InputError: nothing of that name, malformed or illegal JSON, or an architecture of another domain.
        NotFoundError: a key that the database does not hold.
    """
    architecture = _found(store, reference, domain)
    if architecture.domain != domain:
        raise InputError(f"{_named(reference)} is of the domain {architecture.domain}; a {domain} is needed.")
    if not overrides:
        return architecture
    return _of_choices(overridden(architecture.choices, overrides), domain, _named(reference))


def read_architecture(file: Path) -> Architecture:
    """The architecture in a JSON file, or on standard input where the file is `-`; a `config.json` of Hugging Face too.

    Raises:
        InputError: unreadable, malformed or illegal.
    """
    place = "standard input" if str(file) == "-" else str(file)
    value = read_json(file, place)
    if isinstance(value, dict):
        value.pop("key", None)  # `explorer show --json` and others print it
    if is_configuration(value):
        return _of_configuration(value, place)
    return registry.architecture_from_json(value, place)


def split_overrides(simulator: str, texts: Sequence[str]) -> Overrides:
    """Sort `name=value` texts by what they change.

    Raises:
        InputError: a text that is not `name=value`, or a name that is neither an accelerator's nor the simulator's.
    """
    given = parse_settings(texts)
    settings = {name: value for name, value in given.items() if name not in OVERRIDES}
    known = registry.simulator(simulator).settings({})
    for name in settings:
        if name not in known:
            allowed = ", ".join([*OVERRIDES, *known])
            raise InputError(f"--set {name}: there is no such setting; allowed: {allowed}.")
    return Overrides({name: value for name, value in given.items() if name in OVERRIDES}, settings)


def parse_settings(texts: Sequence[str], flag: str = "--set") -> dict[str, Any]:
    """`name=value` texts as a dictionary; values are read as JSON where they are JSON, and as text otherwise.

    Args:
        flag: by which they were given, for the message.

    Raises:
        InputError: a text without `=`, or a name given twice.
    """
    given: dict[str, Any] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise InputError(f"{flag} {text!r} is not name=value.")
        if name in given:
            raise InputError(f"{flag} {name} is given twice.")
        given[name] = _value(value)
    return given


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=lambda constant: constant)
    except (ValueError, RecursionError):
        return text


def _found(store: Store, reference: str | Mapping[str, Any], domain: str) -> Architecture:
    if not isinstance(reference, str):
        return _of_json(dict(reference), domain, "the given JSON")
    presets = registry.presets()
    if reference in presets:
        return presets[reference]
    if reference.endswith(".json") or reference == "-" or _is_file(reference):
        place = "standard input" if reference == "-" else reference
        return _of_json(read_json(Path(reference), place), domain, place)
    if _KEY.fullmatch(reference):
        return store.architectures.get(store.architectures.resolve(reference))
    allowed = ", ".join(name for name, preset in presets.items() if preset.domain == domain)
    raise InputError(
        f"{reference[:100]!r} is no {domain} preset ({allowed}), no key (6 to 64 hexadecimal digits) and no JSON file."
    )


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # too long for a file name
        return False


def _of_json(value: object, domain: str, place: str) -> Architecture:
    if isinstance(value, dict) and ({"domain", "space"} & value.keys()):
        return registry.architecture_from_json({k: v for k, v in value.items() if k != "key"}, place)
    if not isinstance(value, dict):
        raise InputError(f"{place} holds a JSON {type(value).__name__}; an object is needed.")
    if is_configuration(value):
        return _of_configuration(value, place)
    return _of_choices(value, domain, place)


def _of_configuration(value: Mapping[str, Any], place: str) -> Architecture:
    try:
        choices = from_configuration(value)
    except InputError as error:
        raise InputError(f"{place}: {error}") from error
    return _of_choices(choices, "transformer", place)


def _of_choices(choices: dict[str, Any], domain: str, place: str) -> Architecture:
    *exact, last = (registry.space(name) for name in SPACES_OF[domain])
    for space in exact:
        if not space.violations(choices):
            return space.build(choices)
    try:
        return last.build(choices)
    except InputError as error:
        raise InputError(f"{place}: {error}") from error


def read_json(file: Path, place: str, what: str = "one architecture") -> Any:
    """The JSON value in a file, or in standard input for `-`.

    Raises:
        InputError: it cannot be read, is no JSON, or too large.
    """
    try:
        if str(file) == "-":
            text = sys.stdin.read(LARGEST_FILE_BYTES + 1)
        else:
            with file.open(encoding="utf-8") as stream:
                text = stream.read(LARGEST_FILE_BYTES + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"{place} cannot be read: {reason}.") from error
    if len(text) > LARGEST_FILE_BYTES:
        raise InputError(f"{place} is larger than {LARGEST_FILE_BYTES >> 20} MiB; {what} is far smaller.")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{place}, line {error.lineno}, column {error.colno}: {error.msg}; JSON is needed.") from error
    except RecursionError as error:
        raise InputError(f"{place} is nested too deeply; {what} in JSON is needed.") from error
    except ValueError as error:  # Python reads no integer of more than 4,300 digits
        raise InputError(f"{place} holds a number of thousands of digits; {what} needs none.") from error


def _named(reference: str | Mapping[str, Any]) -> str:
    return reference[:100] if isinstance(reference, str) else "The given JSON"
