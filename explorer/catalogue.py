"""The checked domains and recipes: none is accepted that would hide another one, or fail later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields

from explorer.contracts.domain import Domain, RecipeEntry, SimulatorEntry
from explorer.contracts.options import options_of
from explorer.contracts.verb import RESERVED, Verb
from graphdb.errors import InputError


@dataclass
class Catalogue:
    """Domains and recipes, and the owner of every name.

    Attributes:
        domains, recipes, simulators: the accepted ones, by name.
        verbs: the verbs, by group and name.
        spaces, presets: name -> the domain that it belongs to.
        published: name of a source -> where it is loaded from.
        problems: the reasons why packages were left out.
    """

    domains: dict[str, Domain] = field(default_factory=dict)
    recipes: dict[str, RecipeEntry] = field(default_factory=dict)
    simulators: dict[str, SimulatorEntry] = field(default_factory=dict)
    verbs: dict[tuple[str, str], Verb] = field(default_factory=dict)
    spaces: dict[str, str] = field(default_factory=dict)
    presets: dict[str, str] = field(default_factory=dict)
    published: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    _owners: dict[tuple[str, str], str] = field(default_factory=dict)

    def take(self, source: str, load: Callable[[], object], kind: type[Domain] | type[RecipeEntry]) -> None:
        """Adds a domain or a recipe; one that cannot be used is added to the problems instead.

        Args:
            source: the folder or package that it comes from, for the message.
            load: imports and returns it.
            kind: the required type.
        """
        name = "DOMAIN" if kind is Domain else "ENTRY"
        try:
            brought = load()
        except Exception as error:  # an error in a foreign module must not stop the product
            self.problems.append(f"{_first(source)} is left out, as it cannot be imported: {_reason(error)}.")
            return
        if not isinstance(brought, kind):
            self.problems.append(
                f"{_first(source)} is left out: its {name} is a {type(brought).__name__}; allowed: a {kind.__name__}."
            )
            return
        try:
            self.add(source, brought)
        except InputError as error:
            self.problems.append(f"{_first(source)} is left out: {error}")

    def add(self, source: str, brought: Domain | RecipeEntry) -> None:
        """Adds a domain or a recipe.

        Args:
            source: the folder or package that it comes from.
            brought: the domain or recipe, which is checked here.

        Raises:
            InputError: it has a name that is taken, lacks a field, or has an option model with a type that cannot be a
                flag; then nothing of it is added.
        """
        _check(brought)
        names = list(_names(brought))
        for what, name in names:
            owner = self._owners.get((what, name))
            if owner is not None:
                raise InputError(f"it brings the {what} {name!r}, a name that {owner} has taken.")
        twice = [name for at, name in enumerate(names) if name in names[:at]]
        if twice:
            raise InputError(f"it brings the {twice[0][0]} {twice[0][1]!r} twice.")
        self._owners.update((name, source) for name in names)
        self.simulators.update((one.name, one) for one in brought.simulators)
        if isinstance(brought, RecipeEntry):
            self.recipes[brought.name] = brought
            return
        self.domains[brought.name] = brought
        self.verbs.update(((verb.group, verb.name), verb) for verb in brought.verbs)
        self.spaces.update((name, brought.name) for name in brought.spaces)
        self.presets.update((name, brought.name) for name in brought.presets)
        self.published.update(brought.published)


def _names(brought: Domain | RecipeEntry) -> Iterator[tuple[str, str]]:
    """All names that it uses, by kind."""
    for simulator in brought.simulators:
        yield "simulator", simulator.name
    if isinstance(brought, RecipeEntry):
        yield "recipe", brought.name
        return
    yield "domain", brought.name
    for what, names in (
        ("space", brought.spaces),
        ("preset", brought.presets),
        ("published source", brought.published),
    ):
        for name in names:
            yield what, name
    for verb in brought.verbs:
        yield "command", f"{verb.group} {verb.name}".strip()


def _check(brought: Domain | RecipeEntry) -> None:
    """Refuses a domain or recipe that would only fail when a user calls it."""
    for own in fields(brought):
        value = getattr(brought, own.name)
        if own.name in ("name", "spaces", "load") and not value:
            raise InputError(f"its field {own.name} is empty; it must be given.")
    if isinstance(brought, Domain):
        unknown = [name for name in brought.bare if name not in brought.spaces]
        if unknown:
            raise InputError(f"its field bare names {unknown[0]!r}; allowed: {', '.join(brought.spaces)}.")
        if brought.presets and not brought.preset:
            raise InputError("its field preset is empty; it must make the presets that it names.")
        for verb in brought.verbs:
            options_of(verb.options)
            if (verb.group or verb.name) in RESERVED:
                raise InputError(
                    f"its command {f'{verb.group} {verb.name}'.strip()!r} begins like one that every domain shares; "
                    f"allowed: anything but {', '.join(sorted(RESERVED))}."
                )
    else:
        options_of(brought.options)
    for simulator in brought.simulators:
        options_of(simulator.options)


def _first(source: str) -> str:
    return source[:1].upper() + source[1:]


def _reason(error: Exception) -> str:
    """The type of the error and the first line of its text."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:300].rstrip('.')}" if text else type(error).__name__
