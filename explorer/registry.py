"""The one place that finds domains and recipes, and by their names all that they bring.

Domains are found by folder, each `explorer/domains/<x>/domain.py` with its `DOMAIN`, and in installed packages that
name theirs in the entry point group `explorer.domains`; recipes likewise, by `explorer/recipes/<x>/entry.py` with its
`ENTRY` and the group `explorer.recipes`. A package that cannot be used is left out, and `problems` says why. What a
domain brings is imported when it is first asked for, so that importing `explorer` stays light.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict

from explorer.catalogue import Catalogue
from explorer.contracts.domain import Domain, Overrides, Reader, RecipeEntry, SimulatorEntry, SpaceReader
from explorer.contracts.measure import Measure, Measures, unlabelled
from explorer.contracts.options import checked
from explorer.contracts.verb import Verb, resolved
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.measurement import Measurement

if TYPE_CHECKING:
    from explorer.contracts.learning_task import LearningTask
    from explorer.contracts.metric import Metric
    from explorer.contracts.published import Published
    from explorer.contracts.recipe import Recipe
    from explorer.contracts.simulator import Simulator
    from explorer.contracts.skill import Skill
    from explorer.contracts.space import DesignSpace

T = TypeVar("T")
DOMAIN_GROUP, RECIPE_GROUP = "explorer.domains", "explorer.recipes"


@cache
def catalogue() -> Catalogue:
    """All domains and recipes that were found, the product's own first."""
    filled = Catalogue()
    for package, group, module, attribute in (
        ("explorer.domains", DOMAIN_GROUP, "domain", "DOMAIN"),
        ("explorer.recipes", RECIPE_GROUP, "entry", "ENTRY"),
    ):
        for source, load in (*_folders(package, module, attribute), *_installed(group)):
            filled.take(source, load, Domain if attribute == "DOMAIN" else RecipeEntry)
    return filled


def refresh() -> None:
    """Look for domains and recipes again, such as after a package was installed."""
    for function in (catalogue, space, simulator, recipe, preset, measure):
        function.cache_clear()


def problems() -> tuple[str, ...]:
    """What is wrong with packages that were left out, a sentence each."""
    return tuple(catalogue().problems)


def domains() -> tuple[str, ...]:
    """Names of all domains."""
    return tuple(catalogue().domains)


def domain(name: str) -> Domain:
    """The domain of that name.

    Raises:
        InputError: no such domain.
    """
    return _named("domain", catalogue().domains, name)


def spaces(of: str | None = None) -> tuple[str, ...]:
    """Names of all spaces, or of those of one domain."""
    return tuple(name for name, owner in catalogue().spaces.items() if of in (None, owner))


@cache
def space(name: str) -> DesignSpace:
    """The design space of that name.

    Raises:
        InputError: no such space.
    """
    owner = domain(_named("space", catalogue().spaces, name))
    made: DesignSpace = _load(owner.spaces[name], f"The space {name}")()
    return made


def bare_spaces(of: str) -> tuple[str, ...]:
    """Names of the spaces of a domain in which choices without a space are tried, in order."""
    owner = domain(of)
    return owner.bare or tuple(owner.spaces)


def simulators(*, shown: bool = False) -> tuple[str, ...]:
    """Names of all simulators, or of those that users may run by themselves."""
    return tuple(name for name, entry in catalogue().simulators.items() if entry.shown or not shown)


def simulator_entry(name: str) -> SimulatorEntry:
    """What is known of a simulator before it is imported.

    Raises:
        InputError: no such simulator.
    """
    return _named("simulator", catalogue().simulators, name)


@cache
def simulator(name: str) -> Simulator:
    """The simulator of that name.

    Raises:
        InputError: no such simulator, or its module cannot be imported.
    """
    made: Simulator = _load(simulator_entry(name).load, f"The simulator {name}")()
    return made


def recipes() -> tuple[str, ...]:
    """Names of all recipes."""
    return tuple(catalogue().recipes)


def recipe_entry(name: str) -> RecipeEntry:
    """What is known of a recipe before it is imported.

    Raises:
        InputError: no such recipe.
    """
    return _named("recipe", catalogue().recipes, name)


@cache
def recipe(name: str) -> Recipe[Any]:
    """The recipe of that name.

    Raises:
        InputError: no such recipe, or its module cannot be imported.
    """
    loaded: Recipe[Any] = _load(recipe_entry(name).load, f"The recipe {name}")
    return loaded


def verbs() -> tuple[Verb, ...]:
    """What users can do besides what every domain offers."""
    return tuple(catalogue().verbs.values())


def presets(of: str | None = None) -> tuple[str, ...]:
    """Names of all designs that come along, or of those of one domain."""
    return tuple(name for name, owner in catalogue().presets.items() if of in (None, owner))


@cache
def preset(name: str) -> Architecture:
    """The design of that name.

    Raises:
        InputError: no such preset.
    """
    owner = domain(_named("preset", catalogue().presets, name))
    make: Callable[[str], Architecture] = _load(owner.preset, f"The preset {name}")
    return make(name)


def published(names: Iterable[str] | None = None) -> Published:
    """Measured architectures that come along, of the named sources (default: all); no key twice.

    Raises:
        InputError: no such source.
    """
    from explorer.contracts.published import Published

    sources = catalogue().published
    architectures: dict[str, Architecture] = {}
    measurements: dict[str, Measurement] = {}
    for name in sources if names is None else names:
        part: Published = _load(_named("published source", sources, name), f"The published source {name}")()
        architectures.update((one.key, one) for one in part.architectures)
        measurements.update((one.key, one) for one in part.measurements)
    return Published(list(architectures.values()), list(measurements.values()))


def metric(of: str) -> Metric | None:
    """The edit distance of a domain; None where it has none."""
    distance: Metric | None = _brought(of, "metric", None)
    return distance


def reference_hashes(architecture: Architecture) -> dict[str, str]:
    """Published source -> the hash by which it names an architecture; empty for a domain without such sources."""
    hashes = _brought(architecture.domain, "reference_hashes", None)
    return {} if hashes is None else dict(hashes(architecture.choices))


def learning_tasks() -> tuple[LearningTask, ...]:
    """What surrogates can learn, of all domains."""
    return tuple(task for name in domains() for task in _brought(name, "learning_tasks", ()))


def skills() -> tuple[Skill, ...]:
    """How far predictions can be trusted: all that was judged."""
    return tuple(skill for name in domains() for skill in _brought(name, "skills", ()))


def readers(of: str) -> tuple[Reader, ...]:
    """What reads the designs of other programs for a domain."""
    return tuple(_brought(of, "readers", ()))


def space_readers() -> tuple[SpaceReader, ...]:
    """What reads users' own spaces, of all domains."""
    return tuple(reader for name in domains() for reader in _brought(name, "space_readers", ()))


def overrides(of: str) -> Overrides | None:
    """How single decisions of a domain's designs are changed; None where it does not say."""
    by_name: Overrides | None = _brought(of, "overrides", None)
    return by_name


def headline() -> tuple[str, ...]:
    """The measures of all domains that stand for the others."""
    return tuple(dict.fromkeys(name for one in catalogue().domains.values() for name in one.headline))


def measures(simulator_name: str | None = None) -> Measures:
    """Measures by name: those of a simulator, or all that the domains declare.

    Args:
        simulator_name: of a simulator or a published source; one that is unknown has those of all domains.
    """
    if simulator_name in catalogue().simulators:
        return simulator(str(simulator_name)).measures
    declared: dict[str, Measure] = {}
    for owner in domains():
        for name, one in _brought(owner, "measures", {}).items():
            declared.setdefault(name, one)
    return MappingProxyType(declared)


@cache
def measure(name: str) -> Measure:
    """The measure of that name, as a domain declares it; where none does, with its name as label."""
    return measures().get(name) or unlabelled(name)


class _Given(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    domain: str
    space: str
    choices: dict[str, Any]


def architecture_from_json(value: object, place: str) -> Architecture:
    """The architecture that `{"domain": ..., "space": ..., "choices": {...}}` describes, built and checked.

    Args:
        value: any JSON value.
        place: where it stands (a file and line, an argument), for the message.

    Raises:
        InputError: the value is malformed, names an unknown space or the wrong domain, or its choices are illegal.
    """
    if not isinstance(value, Mapping):
        raise InputError(f"{place} holds no object; allowed: an object with the keys domain, space and choices.")
    try:
        given = checked(_Given, value, "an architecture")
        target = space(given.space)
        if given.domain != target.domain:
            raise InputError(f"The domain is {given.domain!r}; allowed: {target.domain}, that of {target.name}.")
        return target.build(given.choices)
    except InputError as error:
        raise InputError(f"{place}: {error}") from error


def _folders(package: str, module: str, attribute: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """The product's own: every folder of a package that has the module."""
    parent = import_module(package)
    for entry in iter_modules(parent.__path__):
        if not entry.ispkg:
            continue
        name = f"{package}.{entry.name}"

        def load(name: str = name) -> object:
            imported: ModuleType = import_module(f"{name}.{module}")
            return getattr(imported, attribute)

        yield name, load


def _installed(group: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Those of other packages, by the name of their entry points."""
    for entry in sorted(entry_points(group=group), key=lambda one: (one.name, one.value)):
        source = entry.dist.name if entry.dist is not None else entry.value
        yield f"the package {source}", entry.load


def _named(what: str, table: Mapping[str, T], name: str) -> T:
    if name not in table:
        raise InputError(f"There is no {what} {name[:100]!r}; allowed: {', '.join(sorted(table))}.")
    return table[name]


def _brought(of: str, what: str, otherwise: Any) -> Any:
    """What a domain brings beside its spaces, imported; `otherwise` where it brings none, or the domain is unknown."""
    owner = catalogue().domains.get(of)
    reference = "" if owner is None else getattr(owner, what)
    return _load(reference, f"The {what.replace('_', ' ')} of {of}") if reference else otherwise


def _load(reference: str, what: str) -> Any:
    try:
        return resolved(reference)
    except (ImportError, AttributeError) as error:
        raise InputError(f"{what} cannot be loaded from {reference}: {error}.") from error
