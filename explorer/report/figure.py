"""Elements that all plots share: colours, axes, and the writing of files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from explorer.contracts.measure import Measure
from graphdb.errors import InputError

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#332288", "#882255", "#117733", "#999933")
"""Colours for colour-blind readers: Okabe and Ito (2008) without yellow, then the darkest of Paul Tol's `muted`."""
OTHERS = "others"
GREY = "#999999"
BLUE = COLOURS[0]
_PREFIXES = (
    (1e12, "T"),
    (1e9, "G"),
    (1e6, "M"),
    (1e3, "k"),
    (1.0, ""),
    (1e-3, "m"),
    (1e-6, "µ"),
    (1e-9, "n"),
    (1e-12, "p"),
)


def subplots(rows: int, columns: int, size: tuple[float, float], **options: Any) -> tuple[Any, Any]:
    """A figure and its axes, drawn without a screen.

    Args:
        rows: the rows of axes.
        columns: the columns of axes.
        size: the width and height in inches.
        options: options of matplotlib's `subplots`.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "explorer"  # element names that are the same every time
    from matplotlib import pyplot

    return pyplot.subplots(rows, columns, figsize=size, layout="constrained", **options)


def save(figure: Any, path: Path) -> list[Path]:
    """Writes PNG and SVG; the same figure gives the same bytes.

    Args:
        figure: the figure, which is closed.
        path: the file name without suffix; its folder is created.

    Raises:
        InputError: the folder cannot be written to.
    """
    from matplotlib import pyplot

    files = [path.with_name(path.name + suffix) for suffix in (".png", ".svg")]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for file in files:
            figure.savefig(file, dpi=150, metadata={"Date": None} if file.suffix == ".svg" else {"Software": None})
    except OSError as error:
        raise InputError(f"The picture {path} cannot be written: {error.strerror or error}.") from error
    finally:
        pyplot.close(figure)
    return files


def in_units(value: float, unit: str) -> str:
    """A value with three significant digits and a suitable SI prefix: `1.23 mJ`."""
    factor, prefixed = prefix(value, unit)
    return f"{value / factor:.3g} {prefixed}"


def prefix(value: float, unit: str) -> tuple[float, str]:
    """The factor of the SI prefix that suits a value, and the unit with this prefix."""
    for factor, letter in _PREFIXES:
        if abs(value) >= factor:
            return factor, letter + unit
    return 1.0, unit


def plotted(measure: Measure, values: Sequence[float]) -> list[float]:
    """The values as drawn on an axis: shares in percent."""
    return [100 * value for value in values] if measure.unit == "%" else list(values)


def scale_of(measure: Measure, values: Sequence[float]) -> str:
    """`log` for a logarithmic measure, unless a value has no logarithm; `linear` otherwise."""
    return "log" if measure.logarithmic and all(value > 0 for value in values) else "linear"


def coloured(names: Iterable[str]) -> Mapping[str, str]:
    """Name -> colour, with grey for `OTHERS`; colours repeat after ten names."""
    kept = [name for name in dict.fromkeys(names) if name != OTHERS]
    return {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(kept)} | {OTHERS: GREY}
