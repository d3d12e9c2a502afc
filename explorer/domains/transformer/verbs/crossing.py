"""`explorer cross`: models between two parents."""

from __future__ import annotations

import numpy as np

from explorer.contracts.session import Session
from explorer.contracts.table import Cell, Column, Findings, Table, architecture_json, keys, prose, short
from explorer.contracts.verb import resolved
from explorer.domains.transformer import crossing
from explorer.domains.transformer.domain import DOMAIN
from explorer.domains.transformer.spaces.free import FreeTransformerSpace
from explorer.domains.transformer.verbs.options import CrossOptions
from graphdb.architecture import Architecture

_MOST_ROWS = 20


def cross(session: Session, options: CrossOptions) -> Findings:
    """Draw models between two Transformers and store them with their lineage."""
    first, second = (session.resolve(name, domain=DOMAIN.name) for name in (options.first, options.second))
    # Children stay in the space of their parents if both are in the same one.
    names = [first.space] if first.space == second.space else []
    spaces = [resolved(DOMAIN.spaces[name])() for name in (*names, FreeTransformerSpace.name)]
    between = crossing.cross(first, second, spaces, options.level, options.count, np.random.default_rng(options.seed))
    descents = list(between.descents())
    session.add([first, second])
    added = session.add(between.children)
    session.descend(descents)
    ratios: dict[str, list[float]] = {child.key: [] for child in between.children}
    for descent in descents:
        ratios[descent.child.key].append(float(descent.about["ratio"]))
    return Findings(
        json={
            "parents": [first.key, second.key],
            "size": between.size,
            "added": added,
            "children": [architecture_json(child) | {"overlaps": ratios[child.key]} for child in between.children],
        },
        shown=[
            f"{between.size:,} models of level {options.level} between {short(first.key)} and {short(second.key)}; "
            f"{len(between.children)} drawn, {added} new",
            _table(between, ratios),
        ],
    )


def _table(between: crossing.Crossing, ratios: dict[str, list[float]]) -> Table:
    def row(child: Architecture) -> list[Cell]:
        return [child.key, *(f"{ratio:.0%}" for ratio in ratios[child.key]), child.choices_json]

    shares = (Column(f"weights from {short(parent.key)}") for parent in between.parents)
    columns = (keys("key"), *shares, prose("choices"))
    return Table("Children", columns, [row(child) for child in between.children[:_MOST_ROWS]])
