"""`explorer load / import / export / show / similar`: the contents of the database."""

from __future__ import annotations

import json as json_format
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from explorer.cli.output import AsJson, console, drawn, emit, errors, files_heading, say, working
from explorer.cli.store import opened
from explorer.contracts.metric import Likeness
from explorer.contracts.table import Column, Table, architecture_json, measurement_json, number, short, words
from graphdb.errors import InputError

if TYPE_CHECKING:
    from graphdb.architecture import Architecture
    from graphdb.measurement import Measurement
    from graphdb.records import Relative

_RELATIVES = 100  # shown at most
_MEASUREMENTS = 20

Key = Annotated[str, typer.Argument(help="Key of an architecture, or at least its first six digits.")]


def load(json: AsJson = False) -> None:
    """Load the published architectures and measurements; repeating it changes nothing.

    Example: explorer load
    """
    from explorer.services.loading import load_published

    with opened() as store:
        with working("Loading the published data"):
            loaded = load_published(store)
        counts = store.architectures.counts()
    if json:
        emit({what: {"added": new, "present": old} for what, (new, old) in loaded.items()} | {"spaces": counts})
        return
    for what, (new, old) in loaded.items():
        say(f"{what}: {new:,} added, {old:,} already stored")


def import_file(
    file: Annotated[Path, typer.Argument(help="JSON file with one architecture, or - for standard input.")],
    json: AsJson = False,
) -> None:
    """Read one architecture from JSON and store it: {"domain": ..., "space": ..., "choices": {...}}.

    Example: explorer import my_model.json
    """
    from explorer.services import references

    architecture = references.read_architecture(file)
    with opened() as store:
        added = store.architectures.add([architecture])
    if json:
        emit({"key": architecture.key, "added": bool(added)})
    else:
        say(f"{architecture.key} {'added' if added else 'already stored'}")


def export(key: Key, json: AsJson = True) -> None:
    """Print one architecture as JSON, as `explorer import` reads it; with or without --json.

    Example: explorer export 3f2a91c0 > my_model.json
    """
    with opened() as store:
        architecture = store.architectures.get(store.architectures.resolve(key))
    document = architecture_json(architecture)
    del document["key"]
    typer.echo(json_format.dumps(document, ensure_ascii=False))


def show(
    key: Key,
    plot: Annotated[Path | None, typer.Option(help="Folder for a picture of the graph, as PNG and SVG.")] = None,
    json: AsJson = False,
) -> None:
    """Show an architecture: its choices, its graph and its measurements.

    Example: explorer show 3f2a91c0 --plot figures
    """
    from explorer import registry

    with opened() as store:
        architecture = store.architectures.get(store.architectures.resolve(key))
        measurements = store.measurements.of([architecture.key]).get(architecture.key, [])
        parents = store.architectures.parents([architecture.key], _RELATIVES).get(architecture.key, [])
        children = store.architectures.children([architecture.key], _RELATIVES).get(architecture.key, [])
    files = [] if plot is None else _pictures(architecture, plot)
    if json:
        emit(_document(architecture, measurements, parents, children) | _plots_json(files))
        return
    _show_architecture(architecture)
    for source, name in registry.reference_hashes(architecture).items():
        say(f"  named {name} by the published code of {source}")
    _show_relatives("came from", parents)
    _show_relatives("gave rise to", children)
    _show_measurements(measurements, architecture.space)
    if files:
        say(f"{files_heading(files)}: {', '.join(map(str, files))}")


def similar(
    key: Key,
    count: Annotated[int, typer.Option("-k", min=1, max=1000, help="Number of architectures.")] = 10,
    by: Annotated[
        Likeness | None,
        typer.Option(
            help="Criterion for similarity: the edit distance, how much is the same from the input on, or the "
            "embedding of a surrogate of measures. By default the edit distance, if the domain has one."
        ),
    ] = None,
    rank_again: Annotated[
        bool, typer.Option("--rank-again", help="Order the nearest 200 by a bound of their edit distance.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Find the nearest architectures with Neo4j's vector indexes.

    By distance: the edit distance, which a graph neural network estimates. By behaviour: the embedding of the surrogate
    that predicts measures. By beginning: the nearest 200, first those that share the most blocks from the input on, and
    so inherit the most weights.

    Example: explorer similar 3f2a91c0 -k 10 --rank-again
    """
    from explorer.learning import similarity

    with opened() as store:
        full = store.architectures.resolve(key)
        chosen = by or similarity.default_likeness(store.architectures.get(full).domain)
        if rank_again and chosen is not Likeness.DISTANCE:
            raise InputError("--rank-again orders by edit distance; it needs --by distance.")
        with errors.status("Looking for the embedding") as status:
            near = similarity.nearest(store, full, count, status.update, by=chosen, rank_again=rank_again)
        architectures = store.architectures.get_many([one.key for one in near])
    value = "score" if chosen is Likeness.BEHAVIOUR else "distance"
    values = {one.key: one.score if one.distance is None else one.distance for one in near}
    if json:
        emit([{"key": other, value: score} for other, score in values.items()])
        return
    rows = [
        [short(other), number(score), architectures[other].space, architectures[other].choices_json]
        for other, score in values.items()
    ]
    columns = [words("key"), Column(value), words("space"), words("choices")]
    console.print(drawn(Table(f"Nearest to {short(full)} by {chosen.value}", columns, rows)))


def _document(
    architecture: Architecture,
    measurements: Sequence[Measurement],
    parents: Sequence[Relative],
    children: Sequence[Relative],
) -> dict[str, Any]:
    """The JSON of `explorer show --json`.

    Args:
        architecture: the architecture.
        measurements: its measurements.
        parents: the designs that it came from.
        children: the designs that came from it.
    """
    from explorer import registry

    return architecture_json(architecture) | {
        "fingerprint": architecture.fingerprint,
        "reference_hashes": registry.reference_hashes(architecture),
        "blocks": [{"kind": block.kind, "attributes": dict(block.attributes)} for block in architecture.blocks],
        "edges": [
            {"source": edge.source, "target": edge.target, "attributes": dict(edge.attributes)}
            for edge in architecture.edges
        ],
        "measurements": [measurement_json(one, registry.measures(one.simulator)) for one in measurements],
        "parents": [_relative_json(relative) for relative in parents],
        "children": [_relative_json(relative) for relative in children],
    }


def _plots_json(files: Sequence[Path]) -> dict[str, Any]:
    return {"plots": [str(file) for file in files]} if files else {}


def _pictures(architecture: Architecture, folder: Path) -> list[Path]:
    from explorer.report import layered

    name = f"{architecture.domain}-{short(architecture.key)}"
    return layered.plot(architecture, f"{architecture.key}\n{architecture.space}", folder / name)


def _show_architecture(architecture: Architecture) -> None:
    from explorer.report.drawing import draw

    console.print(f"[bold]{architecture.key}[/]  {architecture.domain} / {architecture.space}", highlight=False)
    for name, value in architecture.choices.items():
        say(f"  {name}: {json_format.dumps(value)}")
    kinds = Counter(block.kind for block in architecture.blocks)
    say(
        f"  {len(architecture.blocks)} blocks ({', '.join(f'{n} {kind}' for kind, n in sorted(kinds.items()))}), "
        f"{len(architecture.edges)} edges, fingerprint {architecture.fingerprint}"
    )
    console.print(draw(architecture, width=min(console.width, 120)), highlight=False, markup=False, no_wrap=True)


def _show_relatives(how: str, relatives: Sequence[Relative]) -> None:
    for relative in relatives:
        details = ", ".join(f"{name} {value}" for name, value in relative.properties.items())
        say(f"  {how} {short(relative.key)} by {relative.how}" + (f" ({details})" if details else ""))


def _relative_json(relative: Relative) -> dict[str, object]:
    return {"key": relative.key, "how": relative.how, "properties": dict(relative.properties)}


def _show_measurements(measurements: Sequence[Measurement], space: str) -> None:
    from explorer.learning.trust import skill_of

    if not measurements:
        say("No measurements yet.")
        return
    shown = measurements[:_MEASUREMENTS]
    rows = [
        [
            short(one.key),
            one.simulator,
            ", ".join(f"{role} {short(key)}" for role, key in one.roles.items()),
            _measures(one),
        ]
        for one in shown
    ]
    title = f"Measurements ({len(shown)} of {len(measurements)})"
    console.print(drawn(Table(title, [words(name) for name in ("key", "simulator", "with", "measures")], rows)))
    predicted = sorted({name for one in shown for name in one.predicted})
    if predicted:
        errors.print("~ predicted by a surrogate, not measured")
        for skill in (skill_of(space, name) for name in predicted):
            if skill is not None:
                errors.print(skill.sentence, highlight=False, soft_wrap=True)


def _measures(measurement: Measurement) -> str:
    """The measures that are not part of a whole; the JSON has all."""
    from explorer import registry

    known = registry.measures(measurement.simulator)
    return ", ".join(
        f"{name}={number(value, name in measurement.predicted)}"
        for name, value in measurement.measures.items()
        if name not in known or not known[name].group
    )
