"""Elements that all plots share: colours, axes, and the writing of files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from explorer.contracts.measure import Measure
from explorer.toolkit.replacing import replacing

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#332288", "#882255", "#117733", "#999933")
"""Colours for colour-blind readers: Okabe and Ito (2008) without yellow, then the darkest of Paul Tol's `muted`."""
MARKERS = ("o", "s", "^", "D", "v", "P", "<", ">", "p", "h")
OTHERS = "others"
GREY = "#999999"
_WIDE = 100.0
BLUE = COLOURS[0]


class Style(NamedTuple):
    """How a box is drawn: the colour of its line, whether the ground is tinted with it, and the style of the line."""

    colour: str
    tinted: bool
    line: str


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
        InputError, StorageFullError: the folder cannot be written to.
    """
    from matplotlib import pyplot

    files = [path.with_name(path.name + suffix) for suffix in (".png", ".svg")]
    try:
        for file in files:
            with replacing(file, "picture") as part:
                figure.savefig(part, dpi=150, metadata={"Date": None} if file.suffix == ".svg" else {"Software": None})
    finally:
        pyplot.close(figure)
    return files


def plotted(measure: Measure, values: Sequence[float]) -> list[float]:
    """The values as drawn on an axis: shares in percent."""
    return [100 * value for value in values] if measure.unit == "%" else list(values)


def scale_of(measure: Measure, values: Sequence[float]) -> str:
    """`log` for a logarithmic measure and for values that span two decades, unless a value has no logarithm."""
    if not values or min(values) <= 0:
        return "linear"
    wide = measure.unit != "%" and max(values) > _WIDE * min(values)
    return "log" if measure.logarithmic or wide else "linear"


def styled(names: Iterable[str], known: Sequence[str] = ()) -> Mapping[str, Style]:
    """Name -> style, a different one for each known name.

    The style of a known name follows from its place in that list: ten colours on tinted ground, then the same on white,
    then with dashed lines. All others have the colours of `coloured`, with dotted lines where some names are known.

    Args:
        names: the names of the picture.
        known: the names that all such pictures may have.
    """
    looks = ((True, "-"), (False, "-"), (False, "--"))
    styles = [Style(colour, tinted, line) for tinted, line in looks for colour in COLOURS]
    own = dict(zip(known, styles, strict=False))
    named = set(names)
    others = coloured(named - set(own))
    rest = {name: Style(others[name], not known, ":" if known else "-") for name in named - set(own)}
    return {name: own[name] for name in named & set(own)} | rest


def mixed(colour: str, share: float) -> str:
    """A colour thinned with white to a share of itself."""
    parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - share * (255 - part)):02x}" for part in parts)


def coloured(names: Iterable[str]) -> Mapping[str, str]:
    """Name -> colour, with grey for `OTHERS`.

    The colour comes from the name, so that a name has the same one in every picture; only where two names of a picture
    would have the same one, the later one in the alphabet has the next that is free. Colours repeat after ten names.
    """
    kept = sorted(set(names) - {OTHERS})
    free = [0] * len(COLOURS)
    colours: dict[str, str] = {}
    for name in kept:
        first = int.from_bytes(sha256(name.encode()).digest()[:4], "big") % len(COLOURS)
        turns = [(first + step) % len(COLOURS) for step in range(len(COLOURS))]
        at = min(turns, key=free.__getitem__)  # the first of the least used
        free[at] += 1
        colours[name] = COLOURS[at]
    return colours | {OTHERS: GREY}


def pointed(names: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
    """Name -> the colour and the marker of its points, in the order of the names; markers repeat after ten names."""
    ordered = list(dict.fromkeys(names))
    colours = coloured(ordered)
    return {name: {"color": colours[name], "marker": MARKERS[at % len(MARKERS)]} for at, name in enumerate(ordered)}
