"""Counts of a model's operations and transfers: those of its program."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from explorer.domains.accelerator.acceltran.building.assembly import build_program, grouped, shape_of
from explorer.domains.accelerator.acceltran.counting import counted
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from graphdb.errors import InputError
from tests.explorer.domains.accelerator.acceltran.executing import PROGRAM_SWITCHES, models


@given(models(), st.sets(st.sampled_from(PROGRAM_SWITCHES)), st.data())
@hypothesis_settings(max_examples=150, deadline=None)
def test_counts_are_those_of_the_program(model: dict[str, Any], switches: set[str], data: st.DataObject) -> None:
    settings = RunSettings(
        engine="detailed",
        mode="corrected",
        correct=",".join(switches) or "none",
        task=data.draw(st.sampled_from(["inference", "training"])),
        causal=data.draw(st.booleans()),
        recompute=data.draw(st.booleans()),
        first_layer_only=data.draw(st.booleans()),
        optimiser=data.draw(st.sampled_from(["sgd", "adam"])),
        sequence_length=data.draw(st.integers(1, 40)),
    )
    found = {shape_of(item): count for item, count in counted(model, 3, settings)}
    expected = {shape_of(item): count for item, count in grouped(build_program(model, 3, settings))}
    assert found == expected


def test_equal_shapes_are_one_object() -> None:
    settings = RunSettings(engine="detailed")
    first = {"l": 1, "o": [["sa_sdp_16"]], "h": [32], "f": [[64]]}
    second = {"l": 2, "o": [["sa_sdp_16"], ["l_dft_16"]], "h": [32, 32], "f": [[64], [24]]}
    ones = {id(item) for item, _ in counted(first, 2, settings)}
    assert ones <= {id(item) for item, _ in counted(second, 2, settings)}


def test_a_malformed_model_is_refused() -> None:
    with pytest.raises(InputError, match="no model dictionary"):
        counted({"l": 1}, 2, RunSettings(engine="detailed"))
