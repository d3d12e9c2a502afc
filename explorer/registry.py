"""The registry: finds domains and recipes, and everything that they provide by name.

Domains are found by folder, each `explorer/domains/<x>/domain.py` with its `DOMAIN`, and in installed packages that
name theirs in the entry point group `explorer.domains`; recipes likewise, by `explorer/recipes/<x>/entry.py` with its
`ENTRY` and the group `explorer.recipes`. A package that cannot be used is left out, and `problems` says why. The parts
of a domain are imported at first use, so that importing `explorer` stays light.
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
from explorer.contracts.fact import Fact
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
    """Looks for domains and recipes again, for example after a package was installed."""
    for function in (catalogue, space, simulator, recipe, preset, measure):
        function.cache_clear()


def problems() -> tuple[str, ...]:
    """The reasons why packages were left out, one sentence each."""
    return tuple(catalogue().problems)


def domains() -> tuple[str, ...]:
    """The names of all domains."""
    return tuple(catalogue().domains)


def domain(name: str) -> Domain:
    """The domain with this name.

    Raises:
        InputError: no such domain.
    """
    return _named("domain", catalogue().domains, name)


def spaces(of: str | None = None) -> tuple[str, ...]:
    """The names of all spaces, or of those of one domain."""
    return tuple(name for name, owner in catalogue().spaces.items() if of in (None, owner))


@cache
def space(name: str) -> DesignSpace:
    """The design space with this name.

    Raises:
        InputError: no such space.
    """
    owner = domain(_named("space", catalogue().spaces, name))
    made: DesignSpace = _load(owner.spaces[name], f"The space {name}")()
    return made


def bare_spaces(of: str) -> tuple[str, ...]:
    """The names of a domain's spaces in the order in which choices without a space are tried."""
    owner = domain(of)
    return owner.bare or tuple(owner.spaces)


def simulators(*, shown: bool = False) -> tuple[str, ...]:
    """The names of all simulators, or of those that users may run by themselves."""
    return tuple(name for name, entry in catalogue().simulators.items() if entry.shown or not shown)


def simulator_entry(name: str) -> SimulatorEntry:
    """The entry of a simulator, which needs no import of the simulator.

    Raises:
        InputError: no such simulator.
    """
    return _named("simulator", catalogue().simulators, name)


@cache
def simulator(name: str) -> Simulator:
    """The simulator with this name.

    Raises:
        InputError: no such simulator, or its module cannot be imported.
    """
    made: Simulator = _load(simulator_entry(name).load, f"The simulator {name}")()
    return made


def recipes() -> tuple[str, ...]:
    """The names of all recipes."""
    return tuple(catalogue().recipes)


def recipe_entry(name: str) -> RecipeEntry:
    """The entry of a recipe, which needs no import of the recipe.

    Raises:
        InputError: no such recipe.
    """
    return _named("recipe", catalogue().recipes, name)


@cache
def recipe(name: str) -> Recipe[Any]:
    """The recipe with this name.

    Raises:
        InputError: no such recipe, or its module cannot be imported.
    """
    loaded: Recipe[Any] = _load(recipe_entry(name).load, f"The recipe {name}")
    return loaded


def verbs() -> tuple[Verb, ...]:
    """The domains' own commands, besides those that every domain has."""
    return tuple(catalogue().verbs.values())


def presets(of: str | None = None) -> tuple[str, ...]:
    """The names of all presets, or of those of one domain."""
    return tuple(name for name, owner in catalogue().presets.items() if of in (None, owner))


@cache
def preset(name: str) -> Architecture:
    """The preset with this name.

    Raises:
        InputError: no such preset.
    """
    owner = domain(_named("preset", catalogue().presets, name))
    make: Callable[[str], Architecture] = _load(owner.preset, f"The preset {name}")
    return make(name)


def published(names: Iterable[str] | None = None) -> Published:
    """The published architectures and measurements of the named sources (default: all), each key once.

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
    """The edit distance of a domain, or None."""
    distance: Metric | None = _brought(of, "metric", None)
    return distance


def reference_hashes(architecture: Architecture) -> dict[str, str]:
    """Published source -> the hash by which it names an architecture; empty for a domain without such sources."""
    hashes = _brought(architecture.domain, "reference_hashes", None)
    return {} if hashes is None else dict(hashes(architecture.choices))


def facts(architecture: Architecture) -> tuple[Fact, ...]:
    """What follows from a design without a simulation; empty if its domain says nothing."""
    derived = _brought(architecture.domain, "facts", None)
    return () if derived is None else tuple(Fact(measure(name), value) for name, value in derived(architecture).items())


def learning_tasks() -> tuple[LearningTask, ...]:
    """The learning tasks of all domains."""
    return tuple(task for name in domains() for task in _brought(name, "learning_tasks", ()))


def skills() -> tuple[Skill, ...]:
    """The skills of all domains, which say how far predictions can be trusted."""
    return tuple(skill for name in domains() for skill in _brought(name, "skills", ()))


def readers(of: str) -> tuple[Reader, ...]:
    """The readers of other programs' designs for a domain."""
    return tuple(_brought(of, "readers", ()))


def space_readers() -> tuple[SpaceReader, ...]:
    """The readers of user-defined spaces, of all domains."""
    return tuple(reader for name in domains() for reader in _brought(name, "space_readers", ()))


def overrides(of: str) -> Overrides | None:
    """The overrides of single decisions of a domain's designs, or None."""
    by_name: Overrides | None = _brought(of, "overrides", None)
    return by_name


def headline() -> tuple[str, ...]:
    """The headline measures of all domains."""
    return tuple(dict.fromkeys(name for one in catalogue().domains.values() for name in one.headline))


def measures(simulator_name: str | None = None) -> Measures:
    """Measures by name: those of a simulator, or all that the domains declare.

    Args:
        simulator_name: the name of a simulator or a published source; an unknown name gives those of all domains.
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
    """The measure with this name as a domain declares it; an undeclared one has its name as label."""
    return measures().get(name) or unlabelled(name)


class _Given(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    domain: str
    space: str
    choices: dict[str, Any]


def architecture_from_json(value: object, place: str) -> Architecture:
    """Builds and checks the architecture that `{"domain": ..., "space": ..., "choices": {...}}` describes.

    Args:
        value: any JSON value.
        place: the origin of the value (a file and line, an argument), for the message.

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
    """The product's own packages: every folder of a package that contains the module."""
    parent = import_module(package)
    for entry in iter_modules(parent.__path__):
        if not entry.ispkg:
            continue
        name = f"{package}.{entry.name}"

        def load(name: str = name) -> object:
            imported: ModuleType = import_module(f"{name}.{module}")
            return getattr(imported, attribute)

        yield f"the package {name}", load


def _installed(group: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """The packages of others, by the names of their entry points."""
    for entry in sorted(entry_points(group=group), key=lambda one: (one.name, one.value)):
        source = entry.dist.name if entry.dist is not None else entry.value
        yield f"the package {source}", entry.load


def _named(what: str, table: Mapping[str, T], name: str) -> T:
    if name not in table:
        raise InputError(f"There is no {what} {name[:100]!r}; allowed: {', '.join(sorted(table))}.")
    return table[name]


def _brought(of: str, what: str, otherwise: Any) -> Any:
    """Imports an attribute of a domain; `otherwise` if the domain does not have it, or is unknown."""
    owner = catalogue().domains.get(of)
    reference = "" if owner is None else getattr(owner, what)
    return _load(reference, f"The {what.replace('_', ' ')} of {of}") if reference else otherwise


def _load(reference: str, what: str) -> Any:
    try:
        return resolved(reference)
    except (ImportError, AttributeError) as error:
        raise InputError(f"{what} cannot be loaded from {reference}: {error}.") from error
