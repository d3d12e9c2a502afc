"""Objectives: worth, constraints, JSON, fronts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from explorer.contracts.objective import (
    Constraint,
    Direction,
    Linear,
    Logarithmic,
    Objective,
    Term,
    hypervolume,
    pareto_front,
    parse_constraint,
)
from graphdb.errors import InputError

MEASURES = ("accuracy", "latency_s", "area_mm2", "dynamic_energy_j", "leakage_energy_j")
CODEBENCH = Objective(
    (
        Term("accuracy", 0.2, Direction.MAXIMISE, Linear(1.0)),
        Term("latency_s", 0.2, Direction.MINIMISE, Linear(1.0)),
        Term("area_mm2", 0.1, Direction.MINIMISE, Linear(1000.0)),
        Term("dynamic_energy_j", 0.2, Direction.MINIMISE, Linear(10.0)),
        Term("leakage_energy_j", 0.3, Direction.MINIMISE, Linear(10.0)),
    ),
    (Constraint("area_mm2", maximum=160.0), Constraint("accuracy", minimum=0.8)),
)
POINT = dict(zip(MEASURES, (0.9, 0.1, 200.0, 1.0, 2.0), strict=True))


def test_value_is_the_published_convex_combination() -> None:
    assert CODEBENCH.value(POINT) == pytest.approx(0.86, abs=1e-12)


def test_violation_is_relative_and_adds_up() -> None:
    assert CODEBENCH.violation(POINT) == pytest.approx(0.25)
    assert CODEBENCH.violation({**POINT, "accuracy": 0.6}) == pytest.approx(0.25 + 0.25)
    assert not CODEBENCH.feasible(POINT)
    assert CODEBENCH.feasible({**POINT, "area_mm2": 160.0, "accuracy": 0.8})
    assert Constraint("net", maximum=0.0).violation({"net": 3.0}) == 3.0
    assert Constraint("net", minimum=-2.0).violation({"net": -3.0}) == 0.5


def test_terms_go_on_beyond_their_scale() -> None:
    latency = Term("latency_s", 1.0, Direction.MINIMISE, Linear(1.0))
    assert latency.score({"latency_s": 3.0}) == -2.0
    decades = Term("latency_s", 1.0, Direction.MINIMISE, Logarithmic(1e-3, 1.0))
    assert decades.score({"latency_s": 1e-3}) == pytest.approx(1.0)
    assert decades.score({"latency_s": 1e-2}) == pytest.approx(2 / 3)
    assert decades.score({"latency_s": 10.0}) == pytest.approx(-1 / 3)
    assert Term("gain", 1.0, Direction.MAXIMISE, Logarithmic(1, 100)).score({"gain": 10.0}) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Term("accuracy", 2.0, Direction.MAXIMISE, Linear(1.0)), "within 0 to 1"),
        (lambda: Term("accuracy", float("nan"), Direction.MAXIMISE, Linear(1.0)), "weight"),
        (lambda: Term("accuracy", 1.0, "up", Linear(1.0)), "direction"),  # type: ignore[arg-type]
        (lambda: Linear(0.0), "maximum"),
        (lambda: Logarithmic(2.0, 1.0), "low"),
    ],
)
def test_what_cannot_be_a_term_is_refused_by_its_place(make: Callable[[], object], named: str) -> None:
    with pytest.raises(InputError, match=named):
        make()


def test_weights_must_sum_to_one() -> None:
    with pytest.raises(InputError, match=r"0\.5"):
        Objective((Term("accuracy", 0.5, Direction.MAXIMISE, Linear(1.0)),))
    with pytest.raises(InputError):
        Objective(())


def test_missing_and_infinite_measures_are_refused() -> None:
    with pytest.raises(InputError, match="latency_s is missing"):
        CODEBENCH.value({"accuracy": 0.9})
    with pytest.raises(InputError, match="finite"):
        CODEBENCH.value({**POINT, "latency_s": float("nan")})
    with pytest.raises(InputError, match="positive"):
        Logarithmic(1.0, 2.0).position(0.0)


def test_parse_constraint() -> None:
    assert parse_constraint("area_mm2=200", "max", MEASURES) == Constraint("area_mm2", maximum=200.0)
    assert parse_constraint(" accuracy = 0.8", "min") == Constraint("accuracy", minimum=0.8)
    for text in ("area_mm2", "=3", "area_mm2=big", "area_mm2=nan", "area_mm2="):
        with pytest.raises(InputError, match="measure=number"):
            parse_constraint(text, "max")
    with pytest.raises(InputError, match="allowed: accuracy"):
        parse_constraint("volume=3", "max", MEASURES)
    with pytest.raises(InputError, match="above"):
        Constraint("accuracy", 0.9, 0.8)


def test_pareto_front_agrees_with_its_definition() -> None:
    generator = np.random.default_rng(3)
    points = [
        {"accuracy": float(a), "latency_s": float(t), "area_mm2": 1.0} for a, t in generator.integers(0, 6, (40, 2))
    ]
    directions = {"accuracy": "maximise", "latency_s": "minimise"}

    def dominated(point: dict[str, float]) -> bool:
        return any(
            q["accuracy"] >= point["accuracy"]
            and q["latency_s"] <= point["latency_s"]
            and (q["accuracy"], q["latency_s"]) != (point["accuracy"], point["latency_s"])
            for q in points
        )

    assert pareto_front(points, directions) == [i for i, point in enumerate(points) if not dominated(point)]
    assert pareto_front([], directions) == []
    with pytest.raises(InputError, match="maximise or minimise"):
        pareto_front(points, {"accuracy": "up"})
    with pytest.raises(InputError, match="at least one"):
        pareto_front(points, {})


def test_hypervolume_of_two_steps() -> None:
    directions = {"accuracy": "maximise", "latency_s": "minimise"}
    points = [
        {"accuracy": 0.9, "latency_s": 2.0},
        {"accuracy": 0.5, "latency_s": 1.0},
        {"accuracy": 0.4, "latency_s": 2.0},
    ]
    reference = {"accuracy": 0.0, "latency_s": 3.0}
    assert hypervolume(points, directions, reference) == pytest.approx(0.9 * 1 + 0.5 * 1)
    assert hypervolume([], directions, reference) == 0.0


def test_separate_scores_are_told_one_by_one_and_those_that_are_lacking_as_nan() -> None:
    terms = (
        Term("accuracy", 0.5, Direction.MAXIMISE, Linear(1.0)),
        Term("area_mm2", 0.5, Direction.MINIMISE, Linear(1000.0)),
    )
    objective = Objective(terms, (Constraint("area_mm2", maximum=200.0),), separate=True)
    outcome = objective.outcome({"accuracy": 0.9, "area_mm2": 250.0})
    assert outcome.values == pytest.approx((0.9, 0.75)) and outcome.violations == pytest.approx((0.25,))
    assert Objective(terms).outcome({"accuracy": 0.9, "area_mm2": 250.0}).values == pytest.approx((0.825,))
    lacking = Objective(terms, separate=True).outcome({"accuracy": 0.9})
    assert lacking.values[0] == 0.9 and not lacking.measured
    assert (len(objective.failed().values), len(Objective(terms).failed().values)) == (2, 1)
