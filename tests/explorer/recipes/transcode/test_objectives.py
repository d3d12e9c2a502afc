"""TransCODE's objectives: the published formula, and decades that hold the whole space."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from explorer import registry
from explorer.contracts.objective import Objective
from explorer.domains.accelerator.acceltran.engines.fit import fits
from explorer.recipes.transcode.objectives import OBJECTIVES, objective
from explorer.recipes.transcode.options import Scales
from graphdb.errors import InputError
from tests.explorer.recipes.transcode.costs import BOTH

MEASURES = registry.simulator("transcode").measures


def named(name: str, **weights: float) -> Objective:
    return objective(Scales(name), weights, (), MEASURES)


def test_published_is_the_convex_combination_of_the_paper() -> None:
    measures = {
        "accuracy": 0.8,
        "area_mm2": 3000.0,
        "energy_dynamic_j": 9.0,
        "energy_leakage_j": 2.0,
        "cycles": 4e8,
        "latency_s": 1.0,
    }
    # 0.5 * 0.8 + (0.1 + 0.2 + 0.1 + 0.1) * (1 - 0.1)
    assert named("published").value(measures) == pytest.approx(0.85)


def test_a_tenfold_cost_takes_the_same_everywhere() -> None:
    base = {"accuracy": 0.8, "area_mm2": 100.0, "energy_dynamic_j": 0.1, "energy_leakage_j": 0.01, "latency_s": 1e-3}
    value = named("decades").value(base)
    for measure, decades, weight in (
        ("area_mm2", 4, 0.1),
        ("energy_dynamic_j", 6, 0.2),
        ("energy_leakage_j", 7, 0.1),
        ("latency_s", 6, 0.1),
    ):
        dearer = base | {measure: 10 * base[measure]}
        assert value - named("decades").value(dearer) == pytest.approx(weight / decades)


@pytest.mark.parametrize("costs", BOTH.values(), ids=BOTH)
def test_the_decades_hold_every_inference_of_the_space(costs: Mapping[str, str]) -> None:
    """Random pairs, and the corners: the smallest and largest model on accelerators that differ in one decision."""
    generator = np.random.default_rng(0)
    models, accelerators = registry.space("flexibert_early"), registry.space("elector")
    low, high = accelerators.bounds
    pairs = [(models.sample(generator), accelerators.sample(generator)) for _ in range(300)]
    corners = [accelerators.from_vector(np.where(generator.random(len(low)) < 0.5, low, high)) for _ in range(300)]
    smallest, largest = models.from_vector(models.bounds[0]), models.from_vector(models.bounds[1])
    pairs += [(model, corner) for corner in corners for model in (smallest, largest)]
    settings = registry.simulator("acceltran").settings(costs)
    runnable = [
        {"model": models.build(model), "accelerator": accelerators.build(accelerator)}
        for model, accelerator in pairs
        if fits(model, accelerator, settings)
    ]
    measurements = registry.simulator("acceltran").run_batch(runnable, costs)
    terms = [(measure, scale) for measure, scale in OBJECTIVES[Scales.DECADES].values() if measure != "accuracy"]
    assert len(measurements) > 400
    for measurement in measurements:
        assert not isinstance(measurement, InputError)
        for measure, scale in terms:
            assert 0 <= scale.position(measurement.measures[measure]) <= 1, (measure, measurement.measures[measure])


@pytest.mark.parametrize("costs", BOTH.values(), ids=BOTH)
def test_under_the_published_objective_costs_hardly_count(costs: Mapping[str, str]) -> None:
    """The reason for the default: on each published term but area, a median pair is within 1 % of the best possible."""
    generator = np.random.default_rng(1)
    models, accelerators = registry.space("flexibert_early"), registry.space("elector")
    pairs = [
        {
            "model": models.build(models.sample(generator)),
            "accelerator": accelerators.build(accelerators.sample(generator)),
        }
        for _ in range(200)
    ]
    measurements = [m for m in registry.simulator("acceltran").run_batch(pairs, costs) if not isinstance(m, InputError)]
    for term in ("dynamic energy", "leakage energy", "latency"):
        measure, scale = OBJECTIVES[Scales.PUBLISHED][term]
        assert np.median([scale.position(m.measures[measure]) for m in measurements]) < 0.01


def test_weights_are_shares_of_their_sum() -> None:
    weighted = named("decades", accuracy=1.5)
    assert sum(term.weight for term in weighted.terms) == pytest.approx(1)
    assert weighted.terms[0].weight == pytest.approx(0.75)
    assert named("decades", dynamic_energy=0.0).terms[2].weight == 0


@pytest.mark.parametrize(
    ("weights", "constraints", "message"),
    [
        ({"beauty": 1.0}, (), "no weight for 'beauty'"),
        ({"accuracy": -1.0}, (), "at least 0"),
        (dict.fromkeys(("accuracy", "area", "latency", "dynamic_energy", "leakage_energy"), 0.0), (), "All"),
        ({}, ("max:beauty=1",), "no measure 'beauty'"),
        ({}, ("max:area_mm2",), "measure=number"),
        ({}, ("about:area_mm2=1",), "neither max"),
    ],
)
def test_what_cannot_be_an_objective_is_refused(
    weights: dict[str, float], constraints: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        objective(Scales.DECADES, weights, constraints, MEASURES)
