"""The importance of decisions: the most important at the top."""

from __future__ import annotations

from pathlib import Path

from explorer.report.importance import MOST, picture, plot


def test_bars_are_ordered_and_the_rest_is_one() -> None:
    shares = {f"decision {at}": at / 400 for at in range(MOST + 5)}
    figure = picture(shares, "share", "a study")
    (axis,) = figure.axes
    widths = [bar.get_width() for bar in axis.patches]
    assert len(widths) == MOST + 1
    assert widths[:MOST] == sorted(widths[:MOST], reverse=True)
    assert widths[0] == 100 * (MOST + 4) / 400 and widths[-1] == 100 * 4 / 400
    labels = [text.get_text() for text in axis.get_yticklabels()]
    assert (labels[0], labels[-1]) == (f"decision {MOST + 4}", "each of 5 others, at most")
    assert axis.yaxis_inverted()
    assert figure.get_supxlabel() == "share (%)"


def test_a_single_decision_has_its_files(tmp_path: Path) -> None:
    files = plot({"width": 1.0}, "share", "a study", tmp_path / "new/importance")
    assert [file.name for file in files] == ["importance.png", "importance.svg"]
    assert "width" in files[1].read_text()
