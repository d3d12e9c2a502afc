"""`explorer load / import / export / similar`: the contents of the database."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Annotated

import typer

from explorer.cli.notes import noting
from explorer.cli.output import AsJson, emit, print_table, say
from explorer.cli.progress import displayed, working
from explorer.cli.show import Key
from explorer.cli.store import opened
from explorer.contracts.metric import Likeness
from explorer.contracts.table import Column, Table, architecture_json, number, short, words
from graphdb.errors import InputError


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
    from explorer.services.references import resolve_architecture

    with opened() as store:
        architecture = resolve_architecture(store, key, note=noting([]))
        full = architecture.key
        chosen = by or similarity.default_likeness(architecture.domain)
        if rank_again and chosen is not Likeness.DISTANCE:
            raise InputError("--rank-again orders by edit distance; it needs --by distance.")
        store.architectures.add([architecture])
        with displayed("similar", at_once=False) as display:
            display.report("looking for the embedding")
            near = similarity.nearest(store, full, count, display.report, by=chosen, rank_again=rank_again)
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
    print_table(Table(f"Nearest to {short(full)} by {chosen.value}", columns, rows))
