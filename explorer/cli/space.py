"""`explorer space`: what a design space holds, and random designs of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from explorer.cli.output import AsJson, architecture_json, console, emit, short, table
from explorer.contracts.space import DesignSpace
from graphdb.architecture import Architecture
from graphdb.connection import open_store
from graphdb.errors import InputError
from graphdb.settings import Settings


def space(
    name: Annotated[str, typer.Argument(help="Name of a space, or a YAML file with options of Transformers.")],
    sample: Annotated[int, typer.Option(min=0, max=100_000, help="How many random designs to draw.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of the sample.")] = 0,
    store: Annotated[bool, typer.Option("--store", help="Add the sample to the database.")] = False,
    json: AsJson = False,
) -> None:
    """Show the size of a design space, draw random designs of it, and store them.

    Example: explorer space my_space.yaml --sample 1000 --seed 0 --store
    """
    found = _named(name)
    size = found.size
    if sample > size:
        raise InputError(f"--sample is {sample}; allowed: up to {size}, the size of the space.")
    designs = _sampled(found, sample, seed)
    added = None
    if store:
        with open_store(Settings.from_environment()) as opened:
            added = opened.architectures.add(designs)
    if json:
        emit(
            {
                "space": name,
                "domain": found.domain,
                "size": size,
                "dimensions": found.dimensions,
                "sample": [architecture_json(design) for design in designs],
                "added": added,
            }
        )
        return
    about = f" (about 10^{math.log10(size):.1f})" if size >= 10**6 else ""
    console.print(f"{name}: {size:,} designs{about}, {found.domain}, {found.dimensions} entries", highlight=False)
    if designs:
        rows = table(f"{min(len(designs), 20)} of {len(designs)} random designs", "key", "blocks", "choices")
        for design in designs[:20]:
            rows.add_row(short(design.key), str(len(design.blocks)), design.choices_json)
        console.print(rows)
    if added is not None:
        console.print(f"{added} added, {len(designs) - added} were there already", highlight=False)


def _named(name: str) -> DesignSpace:
    from explorer import registry
    from explorer.domains.transformer.spaces.own import read_space

    if Path(name).suffix in (".yaml", ".yml"):
        return read_space(Path(name))
    return registry.space(name)


def _sampled(space: DesignSpace, count: int, seed: int) -> Sequence[Architecture]:
    from explorer.running.sweep import draw

    if not count:
        return []
    return [space.graph_of(choices) for choices in draw(space, count, np.random.default_rng(seed))]
