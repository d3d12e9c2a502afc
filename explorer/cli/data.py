"""`explorer load / import / export / similar`: the contents of the database."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from explorer.cli.notes import noting, with_notes
from explorer.cli.output import AsJson, emit, print_table, say
from explorer.cli.progress import displayed, working
from explorer.cli.show import Key
from explorer.cli.store import opened
from explorer.contracts.metric import Likeness
from explorer.contracts.table import Column, Table, architecture_json, keys, number, prose, short, words
from graphdb.errors import InputError

if TYPE_CHECKING:
    from explorer.learning.similarity import Neighbour
    from graphdb.architecture import Architecture


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
    file: Annotated[Path, typer.Argument(help="JSON or YAML file with one architecture, or - for standard input.")],
    json: AsJson = False,
) -> None:
    """Read one architecture from JSON and store it: {"domain": ..., "space": ..., "choices": {...}}.

    Example: explorer import my_model.json
    """
    from explorer.services import references

    notes: list[str] = []
    architecture = references.read_architecture(file, note=noting(notes))
    with opened() as store:
        added = store.architectures.add([architecture])
    if json:
        emit(with_notes({"key": architecture.key, "added": bool(added)}, notes))
    else:
        say(f"{architecture.key} {'added' if added else 'already stored'}")


def export(key: Key, json: AsJson = True) -> None:
    """Print one architecture as JSON, as `explorer import` reads it; with or without --json.

    Example: explorer export 3f2a91c0 > my_model.json
    """
    from explorer.services.references import resolve_architecture

    with opened() as store:
        architecture = resolve_architecture(store, key, note=noting([]))
    document = architecture_json(architecture)
    del document["key"]
    typer.echo(json_format.dumps(document, ensure_ascii=False))


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
        bool | None,
        typer.Option(
            "--rank-again/--estimate",
            help="By distance: order by bounds of the edit distance, which is the default, or be content with the "
            "estimates of a graph neural network.",
            show_default=False,
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Find the nearest architectures.

    By distance: bounds of the edit distance, of all designs of a domain or, if they are more than 1,000, of the nearest
    1,000 by the estimate of a graph neural network. By behaviour: the embedding of the surrogate that predicts
    measures. By beginning: first those that share the most blocks from the input on, and so inherit the most weights.

    Example: explorer similar 3f2a91c0 -k 10
    """
    from explorer.learning import similarity
    from explorer.services.references import resolve_architecture

    with opened() as store:
        architecture = resolve_architecture(store, key, note=noting([]))
        full = architecture.key
        chosen = by or similarity.default_likeness(architecture.domain)
        if rank_again is not None and chosen is not Likeness.DISTANCE:
            flag = "--rank-again" if rank_again else "--estimate"
            raise InputError(f"{flag} is about the edit distance; it needs --by distance.")
        store.architectures.add([architecture])
        with displayed("similar", at_once=False) as display:
            display.report("looking for the embedding")
            near = similarity.nearest(store, full, count, display.report, by=chosen, rank_again=rank_again)
        architectures = store.architectures.get_many([one.key for one in near])
    if json:
        emit([_neighbour_json(one, architectures[one.key]) for one in near])
        return
    rows = [[one.key, _value(one), architectures[one.key].space, architectures[one.key].choices_json] for one in near]
    if chosen is Likeness.BEHAVIOUR:
        heading = "score"
    else:
        heading = "estimated distance" if any(one.estimated for one in near) else "distance"
    columns = [keys("key"), Column(heading), words("space", rank=1), prose("choices", rank=2)]
    print_table(Table(f"Nearest to {short(full)} by {chosen.value}", columns, rows))


def _value(neighbour: Neighbour) -> str:
    """The score, the distance, its estimate, or its bounds."""
    if neighbour.distance is None:
        return number(neighbour.score)
    if neighbour.estimated or neighbour.exact:
        return number(neighbour.distance)
    return f"{number(neighbour.at_least)} to {number(neighbour.distance)}"


def _neighbour_json(neighbour: Neighbour, architecture: Architecture) -> dict[str, Any]:
    if neighbour.distance is None:
        measured: dict[str, Any] = {"score": neighbour.score}
    elif neighbour.estimated:
        measured = {"distance": neighbour.distance, "estimated": True}
    else:
        measured = {"distance": neighbour.distance, "estimated": False, "at_least": neighbour.at_least}
    return {"key": neighbour.key, **measured, "space": architecture.space, "choices": architecture.choices}
