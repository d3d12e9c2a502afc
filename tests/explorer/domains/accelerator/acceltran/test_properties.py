"""Whatever the configuration: no crash, time passes, parts sum, sparsity pays, area knows no model."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.domains.accelerator.acceltran.engines import analytic, detailed
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.domains.accelerator.acceltran.settings.switches import ALL, switches_text
from explorer.domains.accelerator.elector.hardware import PUBLISHED_MEMORIES
from graphdb.errors import InputError
from tests.explorer.domains.accelerator.acceltran.closing import unclosed

HEADS = ("sa_sdp", "sa_wma", "l_dft", "l_dct", "c_5", "c_9")


@st.composite
def models(draw: st.DrawFn) -> dict[str, Any]:
    depth = draw(st.integers(1, 2))
    head = st.tuples(st.sampled_from(HEADS), st.sampled_from([8, 16, 24])).map(lambda pair: f"{pair[0]}_{pair[1]}")
    return {
        "l": depth,
        "o": [draw(st.lists(head, min_size=1, max_size=3)) for _ in range(depth)],
        "h": [draw(st.sampled_from([16, 32, 40])) for _ in range(depth)],
        "f": [draw(st.lists(st.sampled_from([32, 64]), min_size=1, max_size=2)) for _ in range(depth)],
    }


@st.composite
def accelerators(draw: st.DrawFn) -> dict[str, Any]:
    tile = draw(st.sampled_from([8, 16, 32]))
    return {
        "tile_b": draw(st.sampled_from([1, 2])),
        "tile_x": tile,
        "tile_y": tile,
        "pe": draw(st.integers(1, 12)),
        "lanes_per_pe": draw(st.integers(1, 6)),
        "mac_per_lane": draw(st.sampled_from([1, 16])),
        "softmax_per_pe": draw(st.integers(1, 4)),
        "batch_size": draw(st.integers(2, 4)),
        "activation_buffer_mb": draw(st.sampled_from([0.01, 0.1, 4])),
        "weight_buffer_mb": draw(st.sampled_from([0.01, 0.1, 8])),
        "mask_buffer_mb": draw(st.sampled_from([0.005, 0.05, 1])),
        "memory": draw(st.sampled_from(PUBLISHED_MEMORIES)),
        "non_linearity": draw(st.sampled_from(["relu", "gelu"])),
        "issue_width": draw(st.integers(1, 40)),
        "loop_order": draw(st.permutations("bijk").map("_".join)),
    }


@st.composite
def runs(draw: st.DrawFn) -> RunSettings:
    return RunSettings(
        task=draw(st.sampled_from(["inference", "training"])),
        schedule=draw(st.sampled_from(["staggered", "equal"])),
        sequence_length=draw(st.integers(1, 40)),
        vocabulary=draw(st.integers(1, 300)),
        causal=draw(st.booleans()),
        optimiser=draw(st.sampled_from(["sgd", "adam"])),
        recompute=draw(st.booleans()),
        activation_sparsity=draw(st.floats(0, 0.95)),
        weight_sparsity=draw(st.floats(0, 0.95)),
    )


@given(models(), accelerators(), runs())
def test_any_legal_run_ends_and_adds_up(model: dict[str, Any], accelerator: dict[str, Any], run: RunSettings) -> None:
    detail = detailed.simulate(model, accelerator, run).measures
    estimate = analytic.estimate(model, accelerator, run)
    for measures in (detail, estimate):
        assert measures["cycles"] > 0 and measures["energy_j"] > 0
        assert not unclosed(measures)
    assert detail["peak_power_w"] >= detail["average_power_w"] * (1 - 1e-9)
    for name in ("mac", "softmax", "layer_norm"):
        assert 0 <= detail[f"utilisation_{name}"] <= 1
    bert = {"l": 1, "o": [["sa_sdp_16"]], "h": [16], "f": [[32]]}
    other = detailed.simulate(bert, accelerator, run).measures
    assert other["area_mm2"] == detail["area_mm2"] == estimate["area_mm2"]


@given(models(), accelerators(), runs(), st.sets(st.sampled_from(sorted(ALL))))
def test_any_corrections_give_a_result_or_one_sentence(
    model: dict[str, Any], accelerator: dict[str, Any], run: RunSettings, switches: set[str]
) -> None:
    chosen = run.model_copy(update={"correct": switches_text(switches)})
    try:
        assert not unclosed(detailed.simulate(model, accelerator, chosen).measures)
    except InputError as error:
        assert not {"refetch", "dropped-tiles", "backward", "effectual-pairs"} <= switches
        assert str(error).endswith(".") and "\n" not in str(error) and "allowed" in str(error)


@given(models(), accelerators(), runs(), st.floats(0, 0.95), st.sampled_from(["activation", "weight"]))
def test_more_sparsity_never_costs_more(
    model: dict[str, Any], accelerator: dict[str, Any], run: RunSettings, other: float, which: str
) -> None:
    """Of the work itself: a list schedule can take longer when its parts take less, which is not the rules' doing."""
    name = f"{which}_sparsity"
    low, high = sorted([getattr(run, name), other])
    dense, sparse = (
        analytic.estimate(model, accelerator, run.model_copy(update={name: value})) for value in (low, high)
    )
    for measure in ("cycles", "energy_j", "main_memory_traffic_bytes", "energy_mac_dynamic_j"):
        assert sparse[measure] <= dense[measure] * (1 + 1e-9), measure
    roomy = accelerator | {"activation_buffer_mb": 64, "weight_buffer_mb": 64, "mask_buffer_mb": 64}
    whole, thin = (
        detailed.simulate(model, roomy, run.model_copy(update={name: value})).measures for value in (low, high)
    )
    assert thin["energy_dynamic_j"] <= whole["energy_dynamic_j"] * (1 + 1e-3)
    assert (
        thin["energy_mac_dynamic_j"] == pytest.approx(whole["energy_mac_dynamic_j"])
        or thin["energy_mac_dynamic_j"] <= whole["energy_mac_dynamic_j"]
    )
