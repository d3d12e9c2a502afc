"""`explorer map`: the stored designs of a domain in the plane."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from explorer.cli.output import AsJson, console, emit, errors
from graphdb.connection import open_store
from graphdb.settings import Settings


def draw_map(
    domain: Annotated[str, typer.Argument(help="transformer or accelerator.")] = "transformer",
    measure: Annotated[str, typer.Option(help="Measure that colours the designs.")] = "qnli_accuracy",
    space: Annotated[str | None, typer.Option(help="Space whose designs alone are drawn.")] = None,
    study: Annotated[
        str | None, typer.Option(help="Study whose designs are joined in the order of its trials.")
    ] = None,
    plots: Annotated[Path, typer.Option(help="Folder for the picture.")] = Path("results"),
    json: AsJson = False,
) -> None:
    """Draw a map of a space: its stored designs by their embeddings, coloured by a measure, with a search's path.

    Example: explorer map transformer --space flexibert_early --measure qnli_accuracy --study transcode-1
    """
    from explorer.learning.mapping import space_map
    from explorer.report.space_map import plot

    with open_store(Settings.from_environment()) as store, errors.status("Reading the designs") as status:
        found = space_map(store, domain, measure, lambda phase: status.update(phase), space=space, study=study)
    known = int((~np.isnan(found.values)).sum())
    title = (
        f"{len(found.points):,} designs of the {f'space {space}' if space else f'domain {domain}'}, {known:,} measured"
    )
    files = plot(found, measure, title, plots / f"map-{space or domain}-{measure}")
    if json:
        shares = [float(share) for share in found.explained]
        emit(
            {
                "designs": len(found.points),
                "measured": known,
                "path": len(found.path),
                "explained": shares,
                "plots": [str(file) for file in files],
            }
        )
        return
    console.print(f"{title}, {sum(found.explained):.0%} of the variance: {', '.join(map(str, files))}", highlight=False)
