"""`explorer map`: the stored designs of a domain, drawn in the plane."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from explorer.cli.listing import known_measures
from explorer.cli.output import AsJson, emit, say
from explorer.cli.progress import displayed
from explorer.cli.store import opened
from graphdb.errors import InputError


def draw_map(
    domain: Annotated[
        str | None,
        typer.Argument(help="Domain to draw; by default the first whose designs a surrogate learns by themselves."),
    ] = None,
    measure: Annotated[
        str | None,
        typer.Option(help="Measure that colours the designs; by default the first that a surrogate learns."),
    ] = None,
    space: Annotated[str | None, typer.Option(help="Draw only designs of this space.")] = None,
    study: Annotated[
        str | None, typer.Option(help="Study whose designs are connected in the order of its trials.")
    ] = None,
    plots: Annotated[Path, typer.Option(help="Folder for the picture.")] = Path("results"),
    json: AsJson = False,
) -> None:
    """Draw a map of stored designs by their embeddings, coloured by a measure, with the path of a search.

    Example: explorer map --study my-study --plots figures
    """
    import numpy as np

    from explorer import registry
    from explorer.learning.mapping import space_map
    from explorer.report.space_map import plot

    domain, measure = defaults(domain, measure, space)
    known_measures(measure, "--measure")
    with opened() as store, displayed("map", at_once=False) as display:
        display.report("reading the designs")
        drawn = space_map(store, domain, measure, display.report, space=space, study=study)
    known = int((~np.isnan(drawn.values)).sum())
    where = f"space {space}" if space else f"domain {domain}"
    title = f"{len(drawn.points):,} designs of the {where}, {known:,} measured"
    name = "-".join(["map", space or domain, measure, *([study] if study else [])])
    files = plot(drawn, registry.measure(measure), title, plots / name)
    if json:
        emit(
            {
                "designs": len(drawn.points),
                "measured": known,
                "path": len(drawn.path),
                "explained": [float(share) for share in drawn.explained],
                "plots": [str(file) for file in files],
            }
        )
        return
    say(f"{title}, {sum(drawn.explained):.0%} of the variance: {', '.join(map(str, files))}")


def defaults(domain: str | None, measure: str | None, space: str | None) -> tuple[str, str]:
    """The domain and the measure of a map, with defaults from the surrogates' tasks.

    Domains whose designs are measured by themselves come before those whose designs are measured together with others,
    and of these the ones that come with published designs.

    Args:
        domain: the given domain; None for that of the space, or the first that is learnt.
        measure: the given measure; None for the first that is learnt of the domain.
        space: the given space, if any.

    Raises:
        InputError: one is not given, and no surrogate provides a default.
    """
    from explorer import registry

    stocked = {name for name in registry.domains() if registry.domain(name).published}
    tasks = sorted(  # a stable sort
        registry.learning_tasks(), key=lambda task: (len(task.roles), stocked.isdisjoint(task.embeds))
    )
    learnt = [(embedded, task.measures[0].name) for task in tasks if task.measures for embedded in task.embeds]
    chosen = domain
    if chosen is None and space in registry.spaces():
        chosen = registry.space(str(space)).domain
    if chosen is None:
        chosen = next((name for name, _ in learnt), None)
    if chosen is None:
        raise InputError("No domain was given, and no surrogate learns one; name a domain.")
    if measure is None:
        of_domain = [name for embedded, name in learnt if embedded == chosen] or [name for _, name in learnt]
        if not of_domain:
            raise InputError("No measure was given, and no surrogate learns one; give --measure.")
        measure = of_domain[0]
    return chosen, measure
