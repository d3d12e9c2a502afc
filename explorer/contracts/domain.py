"""`Domain`: everything that a kind of architecture provides, by name, in one light module.

A domain is a package with a module `domain` that holds `DOMAIN = Domain(...)`: a folder under `explorer/domains`, or
any installed package that names it in the entry point group `explorer.domains`. The module is imported at every start,
so it imports nothing heavier than pydantic; everything else is named as `module:attribute` and imported at first use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from explorer.contracts.verb import Verb

if TYPE_CHECKING:
    from explorer.contracts.space import Choices, DesignSpace

Reference = str
"""`module:attribute`."""


@dataclass(frozen=True, slots=True)
class SimulatorEntry:
    """A simulator, before it is imported.

    Attributes:
        name: the registered name.
        help: one sentence in the imperative.
        load: `module:Class` of a `Simulator`.
        options: the simulator's option model: the settings of a run.
        title: the name as people write it, from which the API names the mutation; empty for the name itself.
        example: a complete `explorer simulate` command line; empty for one that is built from the presets.
        swift: default settings of sweeps over whole samples, if the simulator's own defaults take too long there; a
            single measurement always has the simulator's own.
        shown: whether users may run it by itself; False for a simulator that only a search uses.

    Example:
        >>> class Options(BaseModel):
        ...     wind_m_per_s: float = 10.0
        >>> SimulatorEntry("loading", "Load a bridge.", "bridge.simulator:Loading", Options).shown
        True
    """

    name: str
    help: str
    load: Reference
    options: type[BaseModel]
    title: str = ""
    example: str = ""
    swift: Mapping[str, Any] = field(default_factory=dict)
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Overrides:
    """Changes to single decisions of a design, by name.

    Attributes:
        names: the names that may be given.
        apply: takes choices and a mapping from names to values, and returns the changed choices; raises `InputError`
            for a value that is not allowed.

    Example:
        >>> widths = Overrides(("width",), lambda choices, changes: {**choices, **changes})
        >>> widths.apply({"width": 2, "depth": 1}, {"width": 3})
        {'width': 3, 'depth': 1}
    """

    names: tuple[str, ...]
    apply: Callable[[Choices, Mapping[str, Any]], Choices]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the designs of other programs.

    Attributes:
        what: the kind of input, for messages.
        matches: tells whether a JSON value is of this kind.
        read: converts such a value to choices of the domain; raises `InputError`.

    Example:
        >>> drawings = Reader("a drawing", lambda value: "scale" in value, lambda value: {"width": value["scale"]})
        >>> drawings.read({"scale": 3})
        {'width': 3}
    """

    what: str
    matches: Callable[[Any], bool]
    read: Callable[[Mapping[str, Any]], Choices]


@dataclass(frozen=True, slots=True)
class SpaceReader:
    """Reads a user-defined design space.

    Attributes:
        what: the kind of input, for messages.
        read: takes the content of a YAML file and its place for messages, and returns the space; raises `InputError`.
        matches: tells whether such a content is of this kind, so that no other reader is asked; None if only `read`
            can tell.

    Example:
        >>> def read(value, place):
        ...     raise ValueError(f"{place} holds no space of bridges.")
        >>> SpaceReader("options of bridges", read).what
        'options of bridges'
    """

    what: str
    read: Callable[[Any, str], DesignSpace]
    matches: Callable[[Any], bool] | None = None


@dataclass(frozen=True)
class Domain:
    """A kind of architecture. Only `name` and `spaces` are required.

    Attributes:
        name: the name of the domain.
        spaces: name -> `module:Class` of a `DesignSpace`.
        bare: the spaces in the order in which choices without a space are tried; the objections of the last one are
            reported. Empty for all spaces, in order.
        simulators: the domain's simulators.
        presets: the names of designs that come with the domain.
        preset: `module:function`, name of a preset -> `Architecture`.
        published: name of a source -> `module:function` that takes no arguments and returns `Published`.
        metric: `module:attribute`, the edit distance as a `Metric`; empty for none.
        reference_hashes: `module:function`, choices -> published source -> the hash by which it names a design.
        learning_tasks: `module:attribute`, the `LearningTask`s of the domain.
        skills: `module:attribute`, the `Skill`s that say how far predictions can be trusted.
        readers: `module:attribute`, `Reader`s of foreign files.
        space_readers: `module:attribute`, `SpaceReader`s of users' own spaces.
        overrides: `module:attribute`, the `Overrides` of single decisions.
        facts: `module:function`, `Architecture` -> name of a declared measure -> value, for what follows from a design
            without a simulation, such as its size; quick, as it is shown with every design.
        kinds: the kinds of blocks of the domain's graphs, in the order in which pictures give them colours: a kind
            keeps its colour as long as it keeps its place, and those that are not listed are coloured by their names.
        measures: `module:attribute`, name -> `Measure` for everything that is measured of such designs.
        headline: the most important measures: indexed by the database and shown first.
        verbs: the domain's own commands, besides those that every domain has.

    Example:
        >>> Domain("bridge", {"truss": "bridge.space:TrussSpace"}).spaces["truss"]
        'bridge.space:TrussSpace'
    """

    name: str
    spaces: Mapping[str, Reference]
    bare: tuple[str, ...] = ()
    simulators: tuple[SimulatorEntry, ...] = ()
    presets: tuple[str, ...] = ()
    preset: Reference = ""
    published: Mapping[str, Reference] = field(default_factory=dict)
    metric: Reference = ""
    reference_hashes: Reference = ""
    learning_tasks: Reference = ""
    skills: Reference = ""
    readers: Reference = ""
    space_readers: Reference = ""
    overrides: Reference = ""
    facts: Reference = ""
    kinds: tuple[str, ...] = ()
    measures: Reference = ""
    headline: tuple[str, ...] = ()
    verbs: tuple[Verb, ...] = ()


@dataclass(frozen=True, slots=True)
class RecipeEntry:
    """A recipe, before it is imported.

    Attributes:
        name: the registered name.
        help: one sentence in the imperative.
        load: `module:attribute`, the `Recipe`.
        options: the recipe's option model: the settings of a study.
        example: a complete `explorer search` command line.
        simulators: the simulators that only this recipe uses.
        title: the name as people write it, from which the API names the input type; empty for the name itself.
        arguments: the options that the API's mutation for all recipes takes by name.

    Example:
        >>> class Settings(BaseModel):
        ...     batch: int = 4
        >>> RecipeEntry("bridge", "Find a light bridge.", "bridge.recipe:RECIPE", Settings).name
        'bridge'
    """

    name: str
    help: str
    load: Reference
    options: type[BaseModel]
    example: str = ""
    simulators: tuple[SimulatorEntry, ...] = ()
    title: str = ""
    arguments: tuple[str, ...] = ()
