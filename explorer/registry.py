"""The one place that finds spaces, simulators, recipes and published data by name.

A new domain is one line here. Everything is resolved when first asked for, so that importing `explorer` stays light.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from explorer.contracts.metric import Metric
from explorer.contracts.published import Published
from explorer.contracts.simulator import Simulator
from explorer.contracts.space import DesignSpace
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.measurement import Measurement

# Name -> `module:attribute`: classes of spaces and simulators, recipes, and functions without arguments.
SPACES: dict[str, str] = {
    "flexibert2": "explorer.domains.transformer.spaces.flexibert2:FlexiBert2Space",
    "flexibert": "explorer.domains.transformer.spaces.flexibert1:FlexiBert1Space",
    "flexibert_small": "explorer.domains.transformer.spaces.flexibert1:SmallFlexiBert1Space",
    "flexibert_large": "explorer.domains.transformer.spaces.flexibert1:LargeFlexiBert1Space",
    "flexibert_early": "explorer.domains.transformer.spaces.early:EarlyFlexiBertSpace",
    "transformer_free": "explorer.domains.transformer.spaces.free:FreeTransformerSpace",
    "elector": "explorer.domains.accelerator.elector.space:ElectorSpace",
    "acceltran_free": "explorer.domains.accelerator.elector.free:FreeAccelTranSpace",
}
SIMULATORS: dict[str, str] = {
    "acceltran": "explorer.domains.accelerator.acceltran.simulator:AccelTranSimulator",
    "transcode": "explorer.recipes.transcode.simulator:TransCodeSimulator",
    "flexibert": "explorer.recipes.flexibert.simulator:KnownAccuracySimulator",
    "flexibert-pretraining": "explorer.recipes.flexibert.training:PretrainingSimulator",
}
RECIPES: dict[str, str] = {
    "transcode": "explorer.recipes.transcode.recipe:RECIPE",
    "flexibert": "explorer.recipes.flexibert.recipe:RECIPE",
}
PRESETS: dict[str, str] = {
    "transformer": "explorer.domains.transformer.presets:presets",
    "accelerator": "explorer.domains.accelerator.elector.presets:presets",
}
PUBLISHED: dict[str, str] = {
    "flexibert": "explorer.domains.transformer.measured:published",
    "elector": "explorer.domains.accelerator.elector.measured:published",
}
REFERENCES: dict[str, str] = {
    "transformer": "explorer.domains.transformer.graph:reference_hashes",
}
METRICS: dict[str, str] = {
    "transformer": "explorer.domains.transformer.edit_costs:METRIC",
}


class _Given(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    domain: str
    space: str
    choices: dict[str, Any]


@cache
def space(name: str) -> DesignSpace:
    """The design space of that name.

    Raises:
        InputError: no such space.
    """
    found: DesignSpace = _resolved("space", SPACES, name)()
    return found


@cache
def simulator(name: str) -> Simulator:
    """The simulator of that name.

    Raises:
        InputError: no such simulator.
    """
    found: Simulator = _resolved("simulator", SIMULATORS, name)()
    return found


def recipe(name: str) -> Any:
    """The recipe of that name.

    Raises:
        InputError: no such recipe.
    """
    return _resolved("recipe", RECIPES, name)


def spaces() -> tuple[str, ...]:
    """Names of all spaces."""
    return tuple(SPACES)


def simulators() -> tuple[str, ...]:
    """Names of all simulators."""
    return tuple(SIMULATORS)


def recipes() -> tuple[str, ...]:
    """Names of all recipes."""
    return tuple(RECIPES)


def metric(domain: str) -> Metric | None:
    """The edit distance of a domain; None where it has none."""
    found: Metric | None = _resolved("metric", METRICS, domain) if domain in METRICS else None
    return found


def reference_hashes(architecture: Architecture) -> dict[str, str]:
    """Published source -> the hash by which it names an architecture; empty for a domain without such sources."""
    if architecture.domain not in REFERENCES:
        return {}
    hashes: Callable[[Mapping[str, Any]], dict[str, str]] = _resolved("reference", REFERENCES, architecture.domain)
    return hashes(architecture.choices)


def presets() -> dict[str, Architecture]:
    """Name -> architecture, of all domains (bert-tiny, edge, ...)."""
    found: dict[str, Architecture] = {}
    for domain in PRESETS:
        make: Callable[[], Mapping[str, Architecture]] = _resolved("domain with presets", PRESETS, domain)
        found.update(make())
    return found


def published(names: Iterable[str] | None = None) -> Published:
    """Measured architectures that come with the package, of the named sources (default: all); no key twice.

    Raises:
        InputError: no such source.
    """
    architectures: dict[str, Architecture] = {}
    measurements: dict[str, Measurement] = {}
    for name in PUBLISHED if names is None else names:
        part: Published = _resolved("published source", PUBLISHED, name)()
        architectures.update((found.key, found) for found in part.architectures)
        measurements.update((found.key, found) for found in part.measurements)
    return Published(list(architectures.values()), list(measurements.values()))


def architecture_from_json(value: object, place: str) -> Architecture:
    """The architecture that `{"domain": ..., "space": ..., "choices": {...}}` describes, built and checked.

    Args:
        value: any JSON value.
        place: where it stands (a file and line, an argument), for the message.

    Raises:
        InputError: the value is malformed, names an unknown space or the wrong domain, or its choices are illegal.
    """
    try:
        given = _Given.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the value"
        raise InputError(
            f"{place}: {where}: {first['msg']}; allowed: an object with the keys domain, space and choices."
        ) from None
    try:
        target = space(given.space)
        if given.domain != target.domain:
            raise InputError(f"The domain is {given.domain!r}; allowed: {target.domain}, that of {target.name}.")
        return target.build(given.choices)
    except InputError as error:
        raise InputError(f"{place}: {error}") from error


def _resolved(what: str, table: Mapping[str, str], name: str) -> Any:
    if name not in table:
        raise InputError(f"There is no {what} {name!r}; allowed: {', '.join(sorted(table))}.")
    module, attribute = table[name].split(":")
    return getattr(import_module(module), attribute)
