"""`explorer cross`: models between two parents."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer

from explorer.cli.output import AsJson, architecture_json, console, emit, short, table
from graphdb.connection import open_store
from graphdb.settings import Settings


def cross(
    first: Annotated[str, typer.Argument(help="Preset, key of the database, or JSON file: a Transformer.")],
    second: Annotated[str, typer.Argument(help="Another.")],
    level: Annotated[
        int, typer.Option(help="Of the children: 2, single layers; 3, feed-forward widths that differ in a layer.")
    ] = 2,
    count: Annotated[int, typer.Option("-n", min=1, max=10_000, help="How many children to draw.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw.")] = 0,
    json: AsJson = False,
) -> None:
    """Draw models between two Transformers, as FlexiBERT's hierarchical search does, and store them with their lineage.

    Example: explorer cross bert-tiny bert-mini --level 2 -n 20
    """
    from explorer.domains.transformer import crossing
    from explorer.services.references import resolve_architecture

    with open_store(Settings.from_environment()) as store:
        parents = [resolve_architecture(store, name, domain="transformer") for name in (first, second)]
        found = crossing.cross(parents[0], parents[1], level, count, np.random.default_rng(seed))
        store.architectures.add(parents)
        added = crossing.store_crossing(store, found)
    if json:
        emit(
            {
                "parents": list(found.parents),
                "size": found.size,
                "added": added,
                "children": [
                    architecture_json(child) | {"overlaps": list(found.overlaps[child.key])} for child in found.children
                ],
            }
        )
        return
    console.print(
        f"{found.size:,} models of level {level} between {short(found.parents[0])} and {short(found.parents[1])}; "
        f"{len(found.children)} drawn, {added} new",
        highlight=False,
    )
    rows = table("Children", "key", *(f"weights from {short(parent)}" for parent in found.parents), "choices")
    for child in found.children[:20]:
        rows.add_row(short(child.key), *(f"{share:.0%}" for share in found.overlaps[child.key]), child.choices_json)
    console.print(rows)
