"""References to architectures: a preset, a key in the database, a JSON file or a JSON value."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer import registry
from explorer.toolkit.json_file import parsed_json, read_json
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.store import Store

if TYPE_CHECKING:
    from explorer.contracts.space import DesignSpace

Note = Callable[[str], None]
"""Takes a sentence for the user."""

_KEY = re.compile(r"[0-9a-f]{6,64}")

_DESCRIPTIONS = ("config.json", "model.json")
"""Files that describe the model of a folder, in the order in which they are looked for."""

_YAML = (".yaml", ".yml")

_PRINTED = {
    *("key", "fingerprint", "facts", "reference_hashes", "blocks", "edges", "measurements", "twins", "parents"),
    *("children", "notes", "plots"),
}
"""What `explorer show --json` prints of a design that follows from its choices, or is stored elsewhere."""


@dataclass(frozen=True)
class Assignments:
    """Values that a user set by name, sorted by what they change.

    Attributes:
        decisions: role -> name of a decision -> value; every role with a changed decision has an entry.
        settings: the settings of the run.
    """

    decisions: Mapping[str, Mapping[str, Any]]
    settings: Mapping[str, Any]


def resolve_architecture(
    store: Store,
    reference: str | Mapping[str, Any],
    *,
    domain: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    note: Note | None = None,
) -> Architecture:
    """The architecture that a user refers to.

    Args:
        store: the database, in which keys are looked up.
        reference: the name of a preset; a key or its first digits; the path of a JSON file, or of a folder with a
            `config.json` or a `model.json`; or a JSON object, as a value or a text, either
            `{"domain", "space", "choices"}` or bare choices.
        domain: the required domain; None allows any, and bare choices that only one domain allows.
        overrides: decisions to change, if the domain supports it.
        note: called with one sentence when reading changed what was given.

    Returns:
        The architecture, which need not be stored.

    Raises:
        InputError: the name is unknown, the JSON malformed or illegal, or the architecture of another domain.
        NotFoundError: the key is not in the database.
    """
    architecture = _referred(store, reference, domain, note or _silent)
    if domain is not None and architecture.domain != domain:
        raise InputError(f"{_named(reference)} is of the domain {architecture.domain}; a {domain} is needed.")
    if not overrides:
        return architecture
    known = registry.overrides(architecture.domain)
    if known is None:
        raise InputError(f"The domain {architecture.domain} has no decisions that can be set one by one.")
    changed = known.apply(architecture.choices, overrides)
    return _built(changed, architecture.domain, _named(reference), note or _silent)


def read_architecture(file: Path, *, note: Note | None = None) -> Architecture:
    """The architecture in a JSON file, which may be one of another program, or on standard input if the file is `-`.

    Args:
        file: the file, or a folder with a `config.json` or a `model.json`.
        note: called with one sentence when reading changed what was given.

    Raises:
        InputError: the file is unreadable, malformed or illegal.
    """
    file = described_in(file) or file
    place = "standard input" if str(file) == "-" else str(file)
    return _read(_value_in(file, place), None, place, note or _silent)


def sorted_assignments(simulator: str, given: Mapping[str, Any], *, role: str | None = None) -> Assignments:
    """Sorts values by what they change: an architecture that plays a role, or the settings of the run.

    Args:
        simulator: the registered name of the simulator.
        given: name -> value.
        role: a role played by designs of a space that checks its own decisions: if its domain names none, names that
            are otherwise unknown count as decisions of this role.

    Returns:
        The same values, sorted.

    Raises:
        InputError: a name is neither a decision in one role's domain nor a setting, or is a decision in several.
    """
    made = registry.simulator(simulator)
    decisions: dict[str, dict[str, Any]] = {}
    settings: dict[str, Any] = {}
    names = {player: known.names for player, who in made.roles.items() if (known := registry.overrides(who.domain))}
    for name, value in given.items():
        able = [player for player, known in names.items() if name in known]
        if len(able) > 1:
            raise InputError(f"--set {name}: {' and '.join(able)} both have such a decision; give a JSON file instead.")
        if able:
            decisions.setdefault(able[0], {})[name] = value
        elif name in made.options.model_fields:
            settings[name] = value
        elif role is not None and role not in names:
            decisions.setdefault(role, {})[name] = value
        else:
            allowed = ", ".join([*(name for known in names.values() for name in known), *made.options.model_fields])
            raise InputError(f"--set {name[:100]}: there is no such setting; allowed: {allowed}.")
    return Assignments(decisions, settings)


def _silent(sentence: str) -> None:
    """A note that nobody asked for."""


def _referred(store: Store, reference: str | Mapping[str, Any], domain: str | None, note: Note) -> Architecture:
    if not isinstance(reference, str):
        return _read(dict(reference), domain, "the given JSON", note)
    if reference in registry.presets():
        return registry.preset(reference)
    if reference.lstrip().startswith("{"):
        return _read(parsed_json(reference, "the given JSON"), domain, "the given JSON", note)
    if Path(reference).suffix in (".json", *_YAML) or reference == "-" or _is_file(reference):
        place = "standard input" if reference == "-" else reference
        return _read(_value_in(Path(reference), place), domain, place, note)
    described = described_in(Path(reference))
    if is_key(reference) and described is None:
        return store.architectures.get(store.architectures.resolve(reference))
    if described is not None:
        return _read(read_json(described, str(described)), domain, str(described), note)
    kind = f"{domain} preset" if domain else "preset"
    allowed = ", ".join(registry.presets(domain))
    raise InputError(
        f"{reference[:100]!r} is no {kind} ({allowed}), no key (6 to 64 hexadecimal digits) and no JSON file or object."
    )


def _value_in(file: Path, place: str) -> Any:
    """The content of a JSON or YAML file, or of standard input."""
    if file.suffix not in _YAML:
        return read_json(file, place)
    from explorer.toolkit.yaml_file import read_yaml

    return read_yaml(file, "design")


def is_key(text: str) -> bool:
    """Whether a text has the form of a key, or of the beginning of one."""
    return _KEY.fullmatch(text) is not None


def described_in(folder: Path) -> Path | None:
    """The file that describes the model of a folder; None if there is no such file, or no folder."""
    files = (folder / name for name in _DESCRIPTIONS)
    return next((file for file in files if _is_file(str(file))), None)


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # the text is too long for a file name
        return False


def _read(value: object, domain: str | None, place: str, note: Note) -> Architecture:
    if not isinstance(value, dict):
        kind = type(value).__name__
        raise InputError(f"{place} holds a {kind}; allowed: an object with the keys domain, space and choices.")
    if {"domain", "space"} & value.keys():
        return _placed(value, place, note)
    foreign = _foreign(value, domain, place, note)
    if foreign is not None:
        return foreign
    return _built(value, domain or _domain_of(value, place), place, note)


def _domain_of(choices: Mapping[str, Any], place: str) -> str:
    """The only domain that allows bare choices."""
    able = [
        owner
        for owner in registry.domains()
        if any(not registry.space(name).violations(dict(choices)) for name in registry.bare_spaces(owner))
    ]
    if len(able) == 1:
        return able[0]
    why = f"and its choices are legal in {' and '.join(able)}" if able else "and its choices are legal in none"
    raise InputError(f"{place} names no domain, {why}; allowed: an object with the keys domain, space and choices.")


def _placed(value: Mapping[str, Any], place: str, note: Note) -> Architecture:
    """The architecture of an object that names its space, in the form of that space."""
    given = {name: entry for name, entry in value.items() if name not in _PRINTED}
    architecture = registry.architecture_from_json(given, place)
    if value.get("key", architecture.key) != architecture.key:
        raise InputError(
            f"{place} has the key {value['key']!r:.100}, but its choices have {architecture.key}; allowed: that key, "
            "or none."
        )
    _say_changes(registry.space(architecture.space), value["choices"], place, note)
    return architecture


def _foreign(value: Mapping[str, Any], domain: str | None, place: str, note: Note) -> Architecture | None:
    """The architecture that another program's file describes; None if no reader recognises the file."""
    for owner in registry.domains() if domain is None else (domain,):
        for reader in registry.readers(owner):
            if not reader.matches(value):
                continue
            try:
                choices = reader.read(value)
            except InputError as error:
                raise InputError(f"{place}: {error}") from error
            return _built(choices, owner, place, note)
    return None


def _built(choices: dict[str, Any], domain: str, place: str, note: Note) -> Architecture:
    """Builds bare choices as they are given, in the first space that has them in this form.

    If none has, the last space that allows them puts them into its own form; if none does, the objections are those of
    the last one.
    """
    able = [space for space in map(registry.space, registry.bare_spaces(domain)) if not space.violations(choices)]
    for space in able:
        if not _changes(space, choices):
            return space.build(choices)
    if able:
        _say_changes(able[-1], choices, place, note)
        return able[-1].build(choices)
    try:
        return registry.space(registry.bare_spaces(domain)[-1]).build(choices)
    except InputError as error:
        raise InputError(f"{place}: {error}") from error


def _changes(space: DesignSpace, choices: Mapping[str, Any]) -> list[str]:
    """The names of the given legal choices that the form of a space changes; what it only adds does not count.

    The widest space of the domain knows other ways of writing the same choices: what is the same to it is the same.
    """
    normal = space.normalise(dict(choices))
    changed = [name for name, value in choices.items() if name not in normal or _json(normal[name]) != _json(value)]
    widest = registry.space(registry.bare_spaces(space.domain)[-1])
    if not changed or space is widest or widest.violations(dict(choices)) or widest.violations(normal):
        return changed
    return changed if _json(widest.normalise(dict(choices))) != _json(widest.normalise(normal)) else []


def _say_changes(space: DesignSpace, choices: Mapping[str, Any], place: str, note: Note) -> None:
    changed = _changes(space, choices)
    if changed:
        one_form = f"the one form that the space {space.name} has for each design"
        note(f"{place}: {', '.join(changed)} {'was' if len(changed) == 1 else 'were'} put into {one_form}.")


def _json(value: object) -> str:
    """A text that is the same for equal JSON values: 1 is neither true nor 1.0, and keys have no order."""
    return json.dumps(value, sort_keys=True)


def _named(reference: str | Mapping[str, Any]) -> str:
    return reference[:100] if isinstance(reference, str) else "The given JSON"
