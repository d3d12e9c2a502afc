"""The inputs of clients, and their conversion to values of the packages below."""

# graphene has no types.
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import graphene

from api.schema.scalars import JSON
from explorer import registry
from explorer.services.references import is_key, resolve_architecture
from graphdb.architecture import Architecture, Scalar
from graphdb.errors import InputError
from graphdb.records import ArchitectureFilter, Range
from graphdb.store import Store

WAYS = "A preset, a key, the beginning of a key (6 digits or more), or JSON as text."


class ChoiceInput(graphene.InputObjectType):
    """A condition on one choice: equal to `value`, or between `min` and `max`. A list matches if any entry does."""

    name = graphene.String(required=True)
    value = JSON()
    min = graphene.Float()
    max = graphene.Float()


class MeasureInput(graphene.InputObjectType):
    """An interval that contains the measure in some measurement of the architecture; `min` or `max` may be omitted."""

    name = graphene.String(required=True)
    min = graphene.Float()
    max = graphene.Float()


class ArchitectureFilterInput(graphene.InputObjectType):
    """Conditions that must all hold."""

    class Meta:
        name = "ArchitectureFilter"

    domain = graphene.String()
    space = graphene.String()
    choices = graphene.List(graphene.NonNull(ChoiceInput))
    measures = graphene.List(graphene.NonNull(MeasureInput))
    block_kind = graphene.String(description="A kind of block that the architecture contains.")
    measured = graphene.Boolean(description="Whether there are measurements of the architecture.")


class ArchitectureInput(graphene.InputObjectType):
    """An architecture, given in exactly one way: by the name of a preset, by key, or by its choices."""

    preset = graphene.String(description="Name of a preset; `domains` lists them.")
    key = graphene.String(description=WAYS)
    choices = JSON(description="The design decisions, or another program's description that the domain can read.")
    domain = graphene.String(description="Domain of the `choices`; give it together with `space`, or neither.")
    space = graphene.String(description="Space of the `choices`; by default the first one that allows them.")


class ConstraintInput(graphene.InputObjectType):
    """Bounds on a measure that feasible trials satisfy: `min`, `max` or both."""

    measure = graphene.String(required=True)
    min = graphene.Float()
    max = graphene.Float()


class FixedRole(graphene.InputObjectType):
    """An architecture that a search holds fixed in one of the roles of its recipe."""

    role = graphene.String(required=True)
    architecture = graphene.Field(ArchitectureInput, required=True)


def filter_of(given: Mapping[str, Any] | None) -> ArchitectureFilter:
    """The filter that an `ArchitectureFilter` input describes.

    Raises:
        InputError: a condition is empty or contradictory, or its value is not a plain one.
    """
    given = given or {}
    choices: dict[str, Scalar] = {}
    ranges: list[Range] = []
    for condition in given.get("choices") or ():
        name, value = condition["name"], condition.get("value")
        interval = _range(name, condition)
        if (value is None) == (interval is None):
            raise InputError(f"The condition on the choice {name} needs either a value, or min, max or both.")
        if interval is not None:
            ranges.append(interval)
        elif not isinstance(value, bool | int | float | str):
            raise InputError(f"The value of the choice {name} is not a boolean, number or text.")
        elif name in choices:
            raise InputError(f"The choice {name} is given two values.")
        else:
            choices[name] = value
    return ArchitectureFilter(
        domain=given.get("domain"),
        space=given.get("space"),
        choices=choices,
        choice_ranges=tuple(ranges),
        measure_ranges=tuple(_measure_range(condition) for condition in given.get("measures") or ()),
        block_kind=given.get("block_kind"),
        measured=given.get("measured"),
    )


def named(
    store: Store, reference: str, argument: str, domain: str | None = None, note: Callable[[str], None] | None = None
) -> Architecture:
    """The architecture that a text names: a preset, a key, the beginning of a key, or JSON.

    Files, which the command line can read by name, stay out of reach: a preset must be a known name, a key hexadecimal.

    Args:
        store: the database.
        reference: the client's text.
        argument: the name of the argument, for messages.
        domain: the required domain of the architecture; None for any.
        note: called with one sentence when reading changed what was given.

    Returns:
        The architecture, which need not be stored.

    Raises:
        InputError: the text names nothing, its JSON is malformed or illegal, or the architecture is of another domain.
        NotFoundError: the key is not in the database.
    """
    if reference in registry.presets() or reference.lstrip().startswith("{"):
        return resolve_architecture(store, reference, domain=domain, note=note)
    if not is_key(reference):
        presets = ", ".join(registry.presets(domain)) or "none"
        ways = f"no preset ({presets}), no key (6 to 64 hexadecimal digits) and no JSON object"
        raise InputError(f"{argument}: {reference[:100]!r} is {ways}.")
    architecture = store.architectures.get(store.architectures.resolve(reference))
    if domain is not None and architecture.domain != domain:
        raise InputError(f"{argument}: {reference[:64]} is of the domain {architecture.domain}; allowed: {domain}.")
    return architecture


def architecture_of(
    store: Store, given: Mapping[str, Any], argument: str, domain: str, note: Callable[[str], None] | None = None
) -> Architecture:
    """The architecture that an `ArchitectureInput` describes.

    Args:
        store: the database.
        given: the input.
        argument: the name of the argument, for messages.
        domain: the required domain of the architecture.
        note: called with one sentence when reading changed what was given.

    Raises:
        InputError: the architecture was not given in exactly one way, or is malformed, illegal or of another domain.
        NotFoundError: the key is not in the database.
    """
    ways = [way for way in ("preset", "key", "choices") if given.get(way) is not None]
    described = [name for name in ("domain", "space") if given.get(name) is not None]
    if len(ways) != 1:
        raise InputError(
            f"{argument} has {' and '.join(ways) or 'none'} of preset, key and choices; allowed: exactly one of them."
        )
    if described and ways != ["choices"]:
        raise InputError(f"{argument} has {' and '.join(described)}, which belong to choices only.")
    if ways == ["preset"]:
        return _preset(store, given["preset"], argument, domain)
    if ways == ["key"]:
        return named(store, given["key"], argument, domain, note)
    if not isinstance(given["choices"], Mapping):
        raise InputError(f"The choices of {argument} are not a JSON object; allowed: an object with the decisions.")
    if len(described) == 1:
        raise InputError(f"{argument} has {described[0]} alone; domain and space belong together.")
    if described:
        return resolve_architecture(
            store, {name: given[name] for name in ("domain", "space", "choices")}, domain=domain, note=note
        )
    return resolve_architecture(store, given["choices"], domain=domain, note=note)


def _preset(store: Store, name: str, argument: str, domain: str) -> Architecture:
    presets = registry.presets(domain)
    if name not in presets:
        allowed = ", ".join(presets) or "none"
        raise InputError(f"{argument}: {name[:100]!r} is no preset of the domain {domain}; allowed: {allowed}.")
    return resolve_architecture(store, name, domain=domain)


def constraint_texts(given: Sequence[Mapping[str, Any]] | None) -> list[str]:
    """Constraints as `explorer.services.studies.plan_study` reads them: `max:area_mm2=200`.

    Raises:
        InputError: a constraint has no bound.
    """
    texts = []
    for constraint in given or ():
        name = constraint["measure"]
        interval = _range(name, constraint)
        if interval is None:
            raise InputError(f"The constraint on {name} has neither min nor max.")
        for side, value in (("min", interval.minimum), ("max", interval.maximum)):
            if value is not None:
                texts.append(f"{side}:{name}={value!r}")
    return texts


def _measure_range(given: Mapping[str, Any]) -> Range:
    interval = _range(given["name"], given)
    if interval is None:
        raise InputError(f"The condition on the measure {given['name']} has neither min nor max.")
    return interval


def _range(name: str, given: Mapping[str, Any]) -> Range | None:
    low, high = given.get("min"), given.get("max")
    if low is None and high is None:
        return None
    for value in (low, high):
        if value is not None and not math.isfinite(value):
            raise InputError(f"A bound on {name} is {value!r}; only finite numbers are allowed.")
    if low is not None and high is not None and low > high:
        raise InputError(f"The interval of {name} is empty: min {low!r} is larger than max {high!r}.")
    return Range(name, low, high)
