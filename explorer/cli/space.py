"""`explorer space`: the size of a design space, and random designs of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli.output import AsJson, emit, print_table, say
from explorer.cli.store import opened
from explorer.contracts.table import Cell, Column, Table, architecture_json, keys, prose
from graphdb.errors import InputError

if TYPE_CHECKING:
    from explorer.contracts.space import DesignSpace
    from graphdb.architecture import Architecture

_LONGEST_TABLE = 20
_COUNTED = 10**6
"""The smallest size that is also shown as a power of ten."""


def space(
    name: Annotated[str, typer.Argument(help="Name of a space, or a YAML file that describes one.")],
    sample: Annotated[int, typer.Option(min=0, max=100_000, help="Number of random designs to draw.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the sample.")] = 0,
    store: Annotated[bool, typer.Option("--store", help="Add the sample to the database.")] = False,
    json: AsJson = False,
) -> None:
    """Show the size of a design space, and draw and store random designs of it.

    Example: explorer space my_space.yaml --sample 1000 --seed 0 --store
    """
    chosen = named_space(name)
    size = chosen.size
    if sample > size:
        raise InputError(f"--sample is {sample}; allowed: up to {size}, the size of the space.")
    designs = _sampled(chosen, sample, seed)
    added = None
    if store:
        with opened() as database:
            added = database.architectures.add(designs)
    if json:
        emit(
            {
                "space": name,
                "domain": chosen.domain,
                "size": size,
                "dimensions": chosen.dimensions,
                "sample": [architecture_json(design) for design in designs],
                "added": added,
            }
        )
        return
    about = f" (about 10^{math.log10(size):.1f})" if size >= _COUNTED else ""
    say(f"{name}: {size:,} designs{about}, {chosen.domain}, {chosen.dimensions} entries")
    if designs:
        shown = designs[:_LONGEST_TABLE]
        rows: list[list[Cell]] = [[one.key, len(one.blocks), one.choices_json] for one in shown]
        title = f"{len(shown)} of {len(designs)} random designs"
        print_table(Table(title, [keys("key"), Column("blocks"), prose("choices")], rows))
    if added is not None:
        say(f"{added} added, {len(designs) - added} already stored")


def named_space(name: str) -> DesignSpace:
    """The space with this name, or the space that a user's YAML file describes.

    Raises:
        InputError: there is no such space, or no domain can read the file.
    """
    from explorer import registry

    if Path(name).suffix not in (".yaml", ".yml"):
        return registry.space(name)
    from explorer.toolkit.yaml_file import read_yaml

    readers = registry.space_readers()
    value = read_yaml(Path(name), " or ".join(reader.what for reader in readers) or "space")
    matching = [reader for reader in readers if reader.matches is not None and reader.matches(value)]
    refusals = []
    for reader in matching or [reader for reader in readers if reader.matches is None]:
        try:
            return reader.read(value, name)
        except InputError as error:
            refusals.append(str(error))
    raise InputError(" ".join(refusals) or f"No domain reads a space from {name}.")


def _sampled(space: DesignSpace, count: int, seed: int) -> Sequence[Architecture]:
    import numpy as np

    from explorer.running.sweep import draw

    if not count:
        return []
    return [space.graph_of(choices) for choices in draw(space, count, np.random.default_rng(seed))]
