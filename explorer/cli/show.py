"""`explorer show`: one architecture, whether stored or not, with what is known of it."""

from __future__ import annotations

import json as json_format
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from explorer.cli.notes import noting, with_notes
from explorer.cli.output import AsJson, console, emit, errors, files_heading, print_table, say
from explorer.cli.store import opened
from explorer.contracts.fact import facts_json, facts_text
from explorer.contracts.measure import unlabelled
from explorer.contracts.reference import WAYS
from explorer.contracts.table import Table, architecture_json, keys, measurement_json, prose, short, words
from explorer.contracts.units import quantity

if TYPE_CHECKING:
    from graphdb.architecture import Architecture
    from graphdb.measurement import Measurement
    from graphdb.records import Relative, Twin
    from graphdb.store import Store

_RELATIVES = 100  # shown at most
_MEASUREMENTS = 20

Key = Annotated[str, typer.Argument(metavar="KEY", help=f"Architecture: {WAYS}.")]


@dataclass(frozen=True)
class Known:
    """An architecture, and what the database knows of it.

    Attributes:
        architecture: the architecture, which need not be stored.
        measurements: its measurements.
        twins: the stored architectures with the same graph, which have other keys as they are of other spaces.
        of_twins: key of a twin -> its measurements.
        parents: the designs that it came from.
        children: the designs that came from it.
    """

    architecture: Architecture
    measurements: Sequence[Measurement]
    twins: Sequence[Twin]
    of_twins: Mapping[str, Sequence[Measurement]]
    parents: Sequence[Relative]
    children: Sequence[Relative]


def show(
    key: Key,
    plot: Annotated[Path | None, typer.Option(help="Folder for a picture of the graph, as PNG and SVG.")] = None,
    json: AsJson = False,
) -> None:
    """Show an architecture: its choices, its graph and its measurements.

    Measurements of the same graph in other spaces, where it has other keys, are shown with their space.

    Example: explorer show 3f2a91c0 --plot figures
    """
    from explorer.services.references import resolve_architecture

    notes: list[str] = []
    with opened() as store:
        known = known_of(store, resolve_architecture(store, key, note=noting(notes)))
    architecture = known.architecture
    files = [] if plot is None else _pictures(architecture, plot)
    if json:
        emit(with_notes(document(known) | _plots_json(files), notes))
        return
    _show_architecture(architecture)
    _show_relatives("came from", known.parents)
    _show_relatives("gave rise to", known.children)
    for twin in known.twins:
        say(f"  the same graph is {short(twin.key)} in {twin.space}")
    _show_measurements(known)
    if files:
        say(f"{files_heading(files)}: {', '.join(map(str, files))}")


def known_of(store: Store, architecture: Architecture) -> Known:
    """What the database knows of an architecture."""
    key = architecture.key
    twins = store.architectures.twins([architecture])[key]
    measurements = store.measurements.of([key, *(twin.key for twin in twins)])
    return Known(
        architecture,
        measurements.pop(key),
        twins,
        measurements,
        store.architectures.parents([key], _RELATIVES).get(key, []),
        store.architectures.children([key], _RELATIVES).get(key, []),
    )


def document(known: Known) -> dict[str, Any]:
    """The JSON of `explorer show --json`."""
    from explorer import registry

    def measured(some: Sequence[Measurement]) -> list[dict[str, Any]]:
        return [measurement_json(one, registry.measures(one.simulator)) for one in some]

    architecture = known.architecture
    return architecture_json(architecture) | {
        "fingerprint": architecture.fingerprint,
        "facts": facts_json(registry.facts(architecture)),
        "reference_hashes": registry.reference_hashes(architecture),
        "blocks": [{"kind": block.kind, "attributes": dict(block.attributes)} for block in architecture.blocks],
        "edges": [
            {"source": edge.source, "target": edge.target, "attributes": dict(edge.attributes)}
            for edge in architecture.edges
        ],
        "measurements": measured(known.measurements),
        "twins": [
            {"key": twin.key, "space": twin.space, "measurements": measured(known.of_twins[twin.key])}
            for twin in known.twins
        ],
        "parents": [_relative_json(relative) for relative in known.parents],
        "children": [_relative_json(relative) for relative in known.children],
    }


def _plots_json(files: Sequence[Path]) -> dict[str, Any]:
    return {"plots": [str(file) for file in files]} if files else {}


def _pictures(architecture: Architecture, folder: Path) -> list[Path]:
    from explorer import registry
    from explorer.report import layered

    name = f"{architecture.domain}-{short(architecture.key)}"
    kinds = registry.domain(architecture.domain).kinds
    return layered.plot(architecture, f"{architecture.key}\n{architecture.space}", folder / name, kinds)


def _show_architecture(architecture: Architecture) -> None:
    from explorer import registry
    from explorer.report.drawing import draw

    console.print(f"[bold]{architecture.key}[/]  {architecture.domain} / {architecture.space}", highlight=False)
    for name, value in architecture.choices.items():
        say(f"  {name}: {json_format.dumps(value)}")
    facts = registry.facts(architecture)
    if facts:
        say(f"  {facts_text(facts)}")
    kinds = Counter(block.kind for block in architecture.blocks)
    say(
        f"  {len(architecture.blocks)} blocks ({', '.join(f'{n} {kind}' for kind, n in sorted(kinds.items()))}), "
        f"{len(architecture.edges)} edges, fingerprint {architecture.fingerprint}"
    )
    console.print(draw(architecture, width=min(console.width, 120)), highlight=False, markup=False, no_wrap=True)
    for source, name in registry.reference_hashes(architecture).items():
        say(f"  named {name} by the published code of {source}")


def _show_relatives(how: str, relatives: Sequence[Relative]) -> None:
    for relative in relatives:
        details = ", ".join(f"{name} {value}" for name, value in relative.properties.items())
        say(f"  {how} {short(relative.key)} by {relative.how}" + (f" ({details})" if details else ""))


def _relative_json(relative: Relative) -> dict[str, object]:
    return {"key": relative.key, "how": relative.how, "properties": dict(relative.properties)}


def _show_measurements(known: Known) -> None:
    from explorer.learning.trust import skill_of

    own = known.architecture.space
    every = [(own, one) for one in known.measurements]
    every += [(twin.space, one) for twin in known.twins for one in known.of_twins[twin.key]]
    if not every:
        say("No measurements yet.")
        return
    shown = every[:_MEASUREMENTS]
    itself = {known.architecture.key, *(twin.key for twin in known.twins)}
    partners = dict.fromkeys(role for _, one in shown for role, key in one.roles.items() if key not in itself)
    rows = [
        [
            one.key,
            one.simulator,
            "" if space == own else space,
            *("" if one.roles.get(role) in itself else one.roles.get(role, "") for role in partners),
            _measures(one),
        ]
        for space, one in shown
    ]
    columns = [
        keys("key", rank=2),
        words("simulator"),
        words("from space"),
        *(keys(f"with {role}") for role in partners),
        prose("measures"),
    ]
    print_table(Table(f"Measurements ({len(shown)} of {len(every)})", columns, rows))
    predicted = sorted({(space, name) for space, one in shown for name in one.predicted})
    if predicted:
        errors.print("~ predicted by a surrogate, not measured")
        for skill in dict.fromkeys(skill_of(space, name) for space, name in predicted):
            if skill is not None:
                errors.print(skill.sentence, highlight=False, soft_wrap=True)


def _measures(measurement: Measurement) -> str:
    """The measures that are not part of a whole, each of them kept on one line; the JSON has all."""
    from explorer import registry

    known = registry.measures(measurement.simulator)
    return ", ".join(
        f"{one.label} {'~' * (name in measurement.predicted)}{quantity(value, one.stored_unit)}".replace(" ", "\u00a0")
        for name, value in measurement.measures.items()
        if not (one := known.get(name) or unlabelled(name)).group
    )
