"""`explorer explore dataflow`: the energy and re-use of a matrix product under each order of its loops."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from explorer.contracts.table import Column, Findings, Table, number, words
from explorer.contracts.verb import Verb
from explorer.domains.accelerator.acceltran.findings.reuse import ReuseRule, dataflow_study, table_rows
from explorer.domains.accelerator.acceltran.settings.run import modules_of_file, run_settings
from graphdb.errors import InputError

if TYPE_CHECKING:
    from explorer.contracts.session import Session


class DataflowOptions(BaseModel):
    """Options of `explorer explore dataflow`."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)

    sizes: str = Field(description="Sizes m,n,p of the product (batch, m, n) by (batch, n, p).")
    batch: int = Field(default=4, description="Sequences.")
    tile: int = Field(default=16, description="Rows and columns of a tile.")
    lanes: int = Field(default=4, description="Number of MAC lanes, which take tiles in turn.")
    rule: ReuseRule = Field(
        default=ReuseRule.RIGHT,
        strict=False,
        description="Rule for re-use of the second operand: right, or published, which overlooks an axis.",
    )
    library: Path | None = Field(default=None, description="YAML file of user-defined modules.")


DATAFLOW = Verb(
    "dataflow",
    "Compare energy and re-use of a matrix product under all 24 orders of its loops; nothing is stored.",
    DataflowOptions,
    f"{__name__}:dataflow",
    group="explore",
    example="explorer explore dataflow --sizes 64,64,128 --rule published",
)


def dataflow(session: Session, options: DataflowOptions) -> Findings:
    """Study one product.

    Raises:
        InputError: the sizes are not three integers, or the study refuses its arguments.
    """
    del session
    m, n, p = _sizes(options.sizes)
    given = {} if options.library is None else {"library": modules_of_file(str(options.library))}
    batch, tile, lanes, rule = options.batch, options.tile, options.lanes, options.rule
    orders = table_rows(dataflow_study(m, n, p, batch, tile, lanes, rule=rule, overlay=run_settings(given).overlay))
    table = Table(
        f"({batch}, {m}, {n}) by ({batch}, {n}, {p}), rule {rule}",
        [words("order"), Column("energy (nJ)"), Column("reuse instances"), Column("energy ratio")],
        [[number(value) if isinstance(value, float) else str(value) for value in row.values()] for row in orders],
    )
    json = {"sizes": [m, n, p], "batch": batch, "tile": tile, "lanes": lanes, "rule": rule.value, "orders": orders}
    return Findings(json, [table])


def _sizes(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise InputError(f"--sizes is {text[:60]!r}; allowed: three integers from 1, such as 64,64,128.")
    return [int(part) for part in parts]
