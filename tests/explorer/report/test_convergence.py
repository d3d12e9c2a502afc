"""The convergence of studies: what is drawn where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from explorer.report.convergence import Mark, picture, picture_of_many, plot, plot_many

MARKS = [
    Mark(0, "initial", 0.4, True),
    Mark(1, "initial", 0.9, False),
    Mark(2, "initial", None, False),
    Mark(3, "optimise", 0.6, True),
    Mark(4, "random", 0.5, True),
    Mark(5, "optimise", 0.7, True),
]
VOLUMES = [0.0, 0.0, 0.0, 1.0, 1.0, 4.0]


def test_the_line_is_the_best_that_meets_the_constraints() -> None:
    upper, lower = picture(MARKS, VOLUMES, "a study").axes
    best = next(line for line in upper.lines if line.get_label() == "best so far")
    assert best.get_xdata().tolist() == list(range(6))
    assert list(best.get_ydata()) == [0.4, 0.4, 0.4, 0.6, 0.6, 0.7]
    points = {one.get_label(): one.get_offsets().tolist() for one in upper.collections}
    assert points == {
        "initial (1, 0 improvements)": [[0, 0.4]],
        "optimise (2, 2 improvements)": [[3, 0.6], [5, 0.7]],
        "random (1, 0 improvements)": [[4, 0.5]],
        "breaks a constraint (1)": [[1, 0.9]],
    }
    missing = next(line for line in upper.lines if line.get_label() == "not measured (1)")
    assert list(missing.get_xdata()) == [2]
    assert list(lower.lines[0].get_ydata()) == [0, 0, 0, 25, 25, 100]


def test_what_is_far_below_is_counted_at_the_rim() -> None:
    marks = [Mark(at, "random", 0.5 + at / 100, True) for at in range(20)]
    (axis,) = picture([*marks, Mark(20, "random", -40.0, True)], [], "a study").axes
    low, high = axis.get_ylim()
    assert -1 < low < 0.5 and high > 0.69
    assert "1 far below" in axis.get_ylabel()
    heights = axis.collections[0].get_offsets()[:, 1]
    assert heights.min() >= low


def test_nothing_that_meets_the_constraints_has_no_line() -> None:
    (axis,) = picture([Mark(0, "random", 0.5, False)], [0.0], "a study").axes
    assert np.isnan(axis.lines[0].get_ydata()).all()


def test_studies_share_a_plane() -> None:
    (axis,) = picture_of_many({"one": [None, 0.5, 0.6], "two": [0.4]}, "two studies").axes
    assert [line.get_label() for line in axis.lines] == ["one", "two"]
    first, second = (list(line.get_ydata()) for line in axis.lines)
    assert np.isnan(first[0]) and first[1:] == [0.5, 0.6] and second == [0.4]
    looks = {(line.get_color(), line.get_linestyle()) for line in axis.lines}
    assert len(looks) == 2
    many = picture_of_many({str(at): [float(at)] for at in range(15)}, "many").axes[0].lines
    assert len({(line.get_color(), line.get_linestyle()) for line in many}) == 15
    assert picture_of_many({"nothing": [None, None]}, "nothing").axes[0].lines


@pytest.mark.parametrize("several", [False, True])
def test_the_files_are_pictures_and_repeat(tmp_path: Path, several: bool) -> None:
    def files(folder: str) -> list[Path]:
        path = tmp_path / folder / "picture"
        return plot_many({"one": [0.5]}, "a study", path) if several else plot(MARKS, VOLUMES, "a study", path)

    first, second = files("one"), files("two")
    assert [file.name for file in first] == ["picture.png", "picture.svg"]
    assert first[0].read_bytes().startswith(b"\x89PNG")
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]
