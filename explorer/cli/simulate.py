"""`explorer simulate`: take one measurement with any simulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field

from explorer.cli.generated import command, session_of, verb_groups
from explorer.cli.lazy import Command, Entry
from explorer.cli.notes import noted
from explorer.cli.parameters import Parameter, parameters_of, taken
from explorer.cli.progress import displayed
from explorer.contracts.fact import facts_json, facts_text
from explorer.contracts.options import Flag
from explorer.contracts.reference import WAYS
from explorer.contracts.table import Column, Findings, Table, architecture_json, short, words
from explorer.contracts.units import quantity
from graphdb.errors import InputError

if TYPE_CHECKING:
    from explorer.contracts.simulator import Roles
    from graphdb.measurement import Measurement


class Assigned(BaseModel):
    """The values that are set by name."""

    assignments: Annotated[dict[str, Any], Flag(names=("--set",), metavar="NAME=VALUE")] = Field(
        default_factory=dict,
        description="Setting of the run, or changed decision of an architecture; repeatable.",
    )


def entries() -> Mapping[str, Entry]:
    """A command for each simulator that users may run; a verb with its name replaces it."""
    from explorer import registry

    made = {name: _entry(name) for name in registry.simulators(shown=True)}
    return {**made, **verb_groups(registry.verbs()).get("simulate", {})}


def role_parameter(role: str, domain: str) -> Parameter:
    """The flag for the architecture that plays a role.

    Args:
        role: the role in the simulator.
        domain: the domain of the architecture.
    """
    from explorer import registry

    presets = ", ".join(registry.presets(domain))
    allowed = f" Presets: {presets}." if presets else ""
    return Parameter(role, (_flag(role),), f"Architecture of the domain {domain}: {WAYS}.{allowed}", required=True)


def joined(flags: Mapping[str, Any], assigned: Mapping[str, Any]) -> dict[str, Any]:
    """The settings given by their own flags and those given by `--set`.

    Args:
        flags: name -> value.
        assigned: name -> value given by `--set`.

    Raises:
        InputError: a setting is given in both ways.
    """
    for name in assigned:
        if name in flags:
            raise InputError(f"{_flag(name)} and --set {name} say the same; give one of them.")
    return {**flags, **assigned}


def _entry(name: str) -> Entry:
    from explorer import registry

    return Entry(lambda: registry.simulator_entry(name).help, lambda arguments: _command(name))


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _command(name: str) -> Command:
    from explorer import registry

    entry = registry.simulator_entry(name)
    shared = [
        *(role_parameter(role, who.domain) for role, who in registry.simulator(name).roles.items()),
        *parameters_of(Assigned),
    ]
    own = parameters_of(entry.options, without=taken(shared))
    example = entry.example or _example(name)
    return command(name, entry.help, [*shared[:-1], *own, shared[-1]], lambda given: _run(name, given), example)


def _example(name: str) -> str:
    """An example command line with the first preset of each role."""
    from explorer import registry

    roles = registry.simulator(name).roles.items()
    players = (f"{_flag(role)} {next(iter(registry.presets(who.domain)), 'KEY')}" for role, who in roles)
    return " ".join([f"explorer simulate {name}", *players])


def _run(name: str, given: dict[str, Any]) -> Findings:
    from explorer import registry
    from explorer.services.references import sorted_assignments

    simulator = registry.simulator(name)
    references = {role: given.pop(role) for role in simulator.roles}
    assigned = sorted_assignments(name, given.pop("assignments", {}))
    settings = simulator.settings(joined(given, assigned.settings))
    notes: list[str] = []
    with displayed(name, at_once=False) as display, session_of(display, notes) as session:
        architectures = {
            role: session.resolve(references[role], domain=who.domain, overrides=assigned.decisions.get(role))
            for role, who in simulator.roles.items()
        }
        session.report("simulating")
        return noted(_findings(architectures, session.measure(name, architectures, settings)), notes)


def _findings(architectures: Roles, measurement: Measurement) -> Findings:
    from explorer import registry
    from explorer.contracts.measure import nested

    known = registry.simulator(measurement.simulator).measures
    facts = {role: registry.facts(one) for role, one in architectures.items()}
    document = {
        "key": measurement.key,
        **{role: architecture_json(one) for role, one in architectures.items()},
        "settings": dict(measurement.settings),
        "measures": nested(measurement.measures, known),
        "facts": {role: facts_json(some) for role, some in facts.items()},
    }
    rows = [
        [known[name].label, "~" * (name in measurement.predicted) + quantity(value, known[name].stored_unit)]
        for name, value in measurement.measures.items()
    ]
    columns = [words("measure"), Column("value")]
    players = ", ".join(f"{role} {short(one.key)}" for role, one in architectures.items())
    settings = ", ".join(f"{name}={value}" for name, value in measurement.settings.items())
    follows = "".join(f"{role}: {facts_text(some)}\n" for role, some in facts.items() if some)
    about = f"{follows}{players}\nsettings: {settings}\nstored as {short(measurement.key)}"
    return Findings(document, [Table(measurement.simulator, columns, rows), about])
