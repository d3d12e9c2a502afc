"""`explorer load / import / export / show / similar`: what is in the database."""

from __future__ import annotations

import json as json_format
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from explorer.cli.output import (
    AsJson,
    architecture_json,
    console,
    emit,
    errors,
    measurement_json,
    number,
    short,
    table,
    working,
)
from graphdb.architecture import Architecture
from graphdb.connection import open_store
from graphdb.errors import InputError
from graphdb.measurement import Measurement
from graphdb.records import Relative
from graphdb.settings import Settings

_RELATIVES = 100  # shown at most

Key = Annotated[str, typer.Argument(help="Key of an architecture, or its first six digits or more.")]


def load(json: AsJson = False) -> None:
    """Load the published architectures and measurements; a second time changes nothing.

    Example: explorer load
    """
    from explorer.services import studies

    with open_store(Settings.from_environment()) as store:
        with working("Loading the published data"):
            found = studies.load_published(store)
        counts = store.architectures.counts()
    if json:
        emit({what: {"added": new, "present": old} for what, (new, old) in found.items()} | {"spaces": counts})
        return
    for what, (new, old) in found.items():
        console.print(f"{what}: {new:,} added, {old:,} there already", highlight=False)


def import_file(
    file: Annotated[Path, typer.Argument(help="JSON file of one architecture, or - for standard input.")],
    json: AsJson = False,
) -> None:
    """Read one architecture from JSON and store it: {"domain": ..., "space": ..., "choices": {...}}.

    Example: explorer import my_model.json
    """
    from explorer.services import references

    architecture = references.read_architecture(file)
    with open_store(Settings.from_environment()) as store:
        added = store.architectures.add([architecture])
    if json:
        emit({"key": architecture.key, "added": bool(added)})
    else:
        console.print(f"{architecture.key} {'added' if added else 'was there already'}", highlight=False)


def export(key: Key, json: AsJson = True) -> None:
    """Print one architecture as JSON, as `explorer import` reads it; with or without --json.

    Example: explorer export 3f2a91c0 > my_model.json
    """
    with open_store(Settings.from_environment()) as store:
        architecture = store.architectures.get(store.architectures.resolve(key))
    document = architecture_json(architecture)
    del document["key"]
    typer.echo(json_format.dumps(document, ensure_ascii=False))


def show(
    key: Key,
    plot: Annotated[Path | None, typer.Option(help="Folder for a picture of the graph, as PNG and SVG.")] = None,
    json: AsJson = False,
) -> None:
    """Show an architecture: its choices, its graph, its measurements.

    Example: explorer show 3f2a91c0 --plot figures
    """
    from explorer import registry

    with open_store(Settings.from_environment()) as store:
        architecture = store.architectures.get(store.architectures.resolve(key))
        measurements = store.measurements.of([architecture.key]).get(architecture.key, [])
        parents = store.architectures.parents([architecture.key], _RELATIVES).get(architecture.key, [])
        children = store.architectures.children([architecture.key], _RELATIVES).get(architecture.key, [])
    files = [] if plot is None else _pictures(architecture, plot)
    if json:
        document = architecture_json(architecture) | {
            "fingerprint": architecture.fingerprint,
            "reference_hashes": registry.reference_hashes(architecture),
            "blocks": [{"kind": block.kind, "attributes": dict(block.attributes)} for block in architecture.blocks],
            "edges": [
                {"source": edge.source, "target": edge.target, "attributes": dict(edge.attributes)}
                for edge in architecture.edges
            ],
            "measurements": [measurement_json(measurement) for measurement in measurements],
            "parents": [_relative_json(relative) for relative in parents],
            "children": [_relative_json(relative) for relative in children],
        }
        emit(document | ({"plots": [str(file) for file in files]} if files else {}))
        return
    _show_architecture(architecture)
    for source, name in registry.reference_hashes(architecture).items():
        console.print(f"  named {name} by the published code of {source}", highlight=False, soft_wrap=True)
    _show_relatives("came from", parents)
    _show_relatives("gave rise to", children)
    _show_measurements(measurements, architecture.space)
    if files:
        console.print(f"Picture: {', '.join(map(str, files))}", highlight=False, soft_wrap=True)


class By(StrEnum):
    """What makes architectures alike."""

    distance = "distance"
    beginning = "beginning"
    behaviour = "behaviour"


def similar(
    key: Key,
    count: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many.")] = 10,
    by: Annotated[
        By | None,
        typer.Option(help="Edit distance; what is the same from the input on; or what a surrogate of measures sees."),
    ] = None,
    rank_again: Annotated[
        bool, typer.Option("--rank-again", help="Order the nearest 200 by a bound of their edit distance.")
    ] = False,
    json: AsJson = False,
) -> None:
    """The nearest architectures, through Neo4j's vector indexes.

    By edit distance: a graph neural network estimates it. By behaviour: the embedding of the surrogate that predicts
    measures. The first is the default in domains that have an edit distance (Transformers). By beginning: of the
    nearest 200, those first that share the most blocks from the input on, and so inherit the most weights.

    Example: explorer similar 3f2a91c0 -k 10 --rank-again
    """
    from explorer import registry
    from explorer.learning import similarity, surrogates

    with open_store(Settings.from_environment()) as store:
        full = store.architectures.resolve(key)
        chosen = by or (By.distance if registry.metric(store.architectures.get(full).domain) else By.behaviour)
        if rank_again and chosen is not By.distance:
            raise InputError("--rank-again orders by edit distance; it needs --by distance.")
        with errors.status("Looking for the embedding") as status:
            if chosen is not By.behaviour:
                bound = similarity.Order.BOUND if rank_again else similarity.Order.ESTIMATE
                order = similarity.Order.BEGINNING if chosen is By.beginning else bound
                near = similarity.nearest(store, full, count, status.update, order=order)
                found = [(neighbour.key, neighbour.distance) for neighbour in near]
            else:
                surrogates.ensure_embedding(store, full, status.update)
                found = store.embeddings.similar(full, count)
        architectures = store.architectures.get_many([other for other, _ in found])
    value = "score" if chosen is By.behaviour else "distance"
    if json:
        emit([{"key": other, value: score} for other, score in found])
        return
    rows = table(f"Nearest to {short(full)} by {chosen.value}", "key", value, "space", "choices")
    for other, score in found:
        rows.add_row(short(other), f"{score:.4g}", architectures[other].space, architectures[other].choices_json)
    console.print(rows)


def _pictures(architecture: Architecture, folder: Path) -> list[Path]:
    from explorer.report import layered

    name = f"{architecture.domain}-{short(architecture.key)}"
    return layered.plot(architecture, f"{architecture.key}\n{architecture.space}", folder / name)


def _show_architecture(architecture: Architecture) -> None:
    from explorer.report.drawing import draw

    console.print(f"[bold]{architecture.key}[/]  {architecture.domain} / {architecture.space}", highlight=False)
    for name, value in architecture.choices.items():
        console.print(f"  {name}: {json_format.dumps(value)}", highlight=False, soft_wrap=True)
    kinds = Counter(block.kind for block in architecture.blocks)
    console.print(
        f"  {len(architecture.blocks)} blocks ({', '.join(f'{n} {kind}' for kind, n in sorted(kinds.items()))}), "
        f"{len(architecture.edges)} edges, fingerprint {architecture.fingerprint}",
        highlight=False,
    )
    console.print(draw(architecture, width=min(console.width, 120)), highlight=False, markup=False, no_wrap=True)


def _show_relatives(how: str, relatives: list[Relative]) -> None:
    for relative in relatives:
        details = ", ".join(f"{name} {value}" for name, value in relative.properties.items())
        line = f"  {how} {short(relative.key)} by {relative.how}" + (f" ({details})" if details else "")
        console.print(line, highlight=False, markup=False)


def _relative_json(relative: Relative) -> dict[str, object]:
    return {"key": relative.key, "how": relative.how, "properties": dict(relative.properties)}


def _show_measurements(measurements: list[Measurement], space: str) -> None:
    from explorer.contracts.skill import skill_of

    if not measurements:
        console.print("No measurements yet.")
        return
    shown = measurements[:20]
    rows = table(f"Measurements ({len(shown)} of {len(measurements)})", "key", "simulator", "with", "measures")
    for measurement in shown:
        measures = ", ".join(
            f"{name}={number(value, name in measurement.predicted)}"
            for name, value in measurement.measures.items()
            if not name.startswith("energy_") or name == "energy_j"
        )
        partners = ", ".join(f"{role} {short(key)}" for role, key in measurement.roles.items())
        rows.add_row(short(measurement.key), measurement.simulator, partners, measures)
    console.print(rows)
    predicted = sorted({name for measurement in shown for name in measurement.predicted})
    if predicted:
        errors.print("~ predicted by a surrogate, not measured")
        for skill in (skill_of(space, name) for name in predicted):
            if skill is not None:
                errors.print(skill.sentence, highlight=False, soft_wrap=True)
