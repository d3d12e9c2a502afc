"""Headings of measures."""

from __future__ import annotations

from explorer.contracts.measure import Measure


def test_a_share_is_plotted_in_percent_and_tabulated_as_the_fraction_that_is_stored() -> None:
    share = Measure("share", "share", "%")
    assert (share.heading, share.stored_heading, share.stored_unit) == ("share (%)", "share", "")


def test_other_units_stand_in_both_headings() -> None:
    mass = Measure("mass_kg", "mass", "kg")
    assert mass.heading == mass.stored_heading == "mass (kg)"
    assert Measure("count", "count").stored_heading == "count"
