"""Several studies side by side; `explorer study compare` prints them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from explorer.cli.output import print_table, say
from explorer.cli.study_findings import StudyFindings
from explorer.contracts.table import Cell, Column, Table, words

_STRIDE, _MOST_COLUMNS, _LONGEST = 20, 8, 120
_UNLIKE = (
    "These studies differ in their objective or their constraints: their performances are not on one scale, so only "
    "the shape of their convergence compares."
)


def checkpoints(studies: Sequence[StudyFindings]) -> list[int]:
    """The numbers of trials at which studies are compared: 20, 40, 60 and so on, up to those of the longest.

    The stride is a larger multiple of 20 where they would be more than eight.
    """
    longest = max(len(study.trials) for study in studies)
    stride = _STRIDE * max(1, -(-longest // (_STRIDE * _MOST_COLUMNS)))
    return list(range(stride, longest + 1, stride))


def comparison_json(studies: Sequence[StudyFindings]) -> dict[str, Any]:
    """The JSON of a comparison."""
    from explorer.services.course import best_after, first_best

    counts = checkpoints(studies)
    return {
        "comparable": alike(studies),
        "studies": [
            {
                "study": study.record.name,
                "recipe": study.record.recipe,
                "state": study.state,
                "seed": study.record.seed,
                "trials": len(study.trials),
                "best_after": dict(zip(map(str, counts), best_after(study.steps, counts), strict=True)),
                "best": study.steps[-1].incumbent if study.steps else None,
                "best_trial": first_best(study.steps),
                "incumbents": [step.incumbent for step in study.steps],
            }
            for study in studies
        ],
    }


def print_comparison(studies: Sequence[StudyFindings]) -> None:
    """Prints the best performance of each study after the same numbers of trials."""
    print_table(comparison_table(studies))
    if not alike(studies):
        say(_UNLIKE)


def comparison_table(studies: Sequence[StudyFindings]) -> Table:
    """A row for each study."""
    from explorer.services.course import best_after, first_best

    counts = checkpoints(studies)
    columns = [
        words("study"),
        Column("seed", rank=2),
        Column("trials"),
        *(Column(f"after {count}", rank=1) for count in counts),
        Column("best"),
        Column("at trial", rank=2),
    ]
    rows: list[list[Cell]] = [
        [
            study.record.name,
            study.record.seed,
            len(study.trials),
            *best_after(study.steps, counts),
            study.steps[-1].incumbent if study.steps else None,
            first_best(study.steps),
        ]
        for study in studies
    ]
    return Table("Best performance after numbers of trials", columns, rows)


def alike(studies: Sequence[StudyFindings]) -> bool:
    """Whether the performances of studies are on one scale: same recipe, same objective, same constraints."""
    first = studies[0]
    objective = first.recipe.objective(first.record.settings)
    return all(
        one.record.recipe == first.record.recipe and one.recipe.objective(one.record.settings) == objective
        for one in studies[1:]
    )


def write_comparison(studies: Sequence[StudyFindings], folder: Path) -> list[Path]:
    """Writes the convergence of all studies in one plot; nothing without a design that meets the constraints.

    Args:
        studies: the studies.
        folder: the folder, which is created.

    Returns:
        The files written.

    Raises:
        InputError, StorageFullError: the folder cannot be written to.
    """
    from explorer.report import convergence

    best = {study.record.name: [step.incumbent for step in study.steps] for study in studies if study.best is not None}
    if not best:
        return []
    title = f"Best performance of {len(best)} studies"
    name = "-".join(["convergence", *best])
    if len(name) > _LONGEST:  # file names have a limit, too
        name = f"convergence-{next(iter(best))}-and-{len(best) - 1}-others"
    return convergence.plot_many(best, title, folder / name)
