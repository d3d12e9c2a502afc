"""What pictures share."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.contracts.measure import Measure
from explorer.contracts.units import in_units
from explorer.report.figure import COLOURS, GREY, OTHERS, coloured, plotted, save, scale_of, styled, subplots
from graphdb.errors import InputError


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0 J"), (1.234, "1.23 J"), (0.0123, "12.3 mJ"), (4.5e-6, "4.5 µJ"), (1234.0, "1.23 kJ"), (2e-15, "2e-15 J")],
)
def test_amounts_carry_the_prefix_that_suits(value: float, text: str) -> None:
    assert in_units(value, "J") == text


def test_each_name_has_its_colour() -> None:
    found = coloured([*(str(n) for n in range(12)), OTHERS, "0"])
    assert len(set(found.values())) == len(COLOURS) + 1 == 11
    assert coloured(reversed(list(found))) == found  # whatever the order of occurrence
    assert set(found) == {*(str(n) for n in range(12)), OTHERS}
    assert found[OTHERS] == GREY


def test_a_share_is_shown_in_percent_and_costs_by_their_decades() -> None:
    share, cost = Measure("use", "use", "%"), Measure("mass_kg", "mass", "kg", logarithmic=True)
    assert plotted(share, [0.25]) == [25]
    assert plotted(cost, [0.25]) == [0.25]
    assert [scale_of(share, [0.25]), scale_of(cost, [0.25]), scale_of(cost, [0.0])] == ["linear", "log", "linear"]


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    figure, _ = subplots(1, 1, (2, 2))
    with pytest.raises(InputError, match="cannot be written"):
        save(figure, tmp_path / "file/picture")


def test_kinds_that_a_domain_lists_have_unique_styles_that_stay() -> None:
    known = tuple(f"kind {n}" for n in range(25))
    every = styled(known, known)
    assert len(set(every.values())) == 25
    assert all(styled([name], known)[name] == every[name] for name in known)  # whatever else is in the picture
    assert styled(known, (*known, "new")) == every
    mixed_in = styled(["kind 3", "unknown"], known)
    assert mixed_in["kind 3"] == every["kind 3"]
    assert mixed_in["unknown"] not in every.values()


def test_without_a_list_styles_come_from_names() -> None:
    assert styled(["a"])["a"].colour == coloured(["a"])["a"]
