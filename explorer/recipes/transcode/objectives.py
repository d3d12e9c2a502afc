"""Objectives of TransCODE pairs: the published convex combination, and the default, which gives costs their weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from explorer.contracts.measure import Measures, directions
from explorer.contracts.objective import Linear, Logarithmic, Objective, Scale, Term, parse_limit, weight_shares
from explorer.recipes.transcode.options import Scales

WEIGHTS = {"accuracy": 0.5, "area": 0.1, "dynamic energy": 0.2, "leakage energy": 0.1, "latency": 0.1}
"""Weights of TransCODE's co-design driver, used in every objective here."""

_PUBLISHED: dict[str, tuple[str, Scale]] = {
    "accuracy": ("accuracy", Linear(1.0)),
    "area": ("area_mm2", Linear(30_000.0)),
    "dynamic energy": ("energy_dynamic_j", Linear(90.0)),
    "leakage energy": ("energy_leakage_j", Linear(20.0)),
    "latency": ("cycles", Linear(4e9)),
}
_DECADES: dict[str, tuple[str, Scale]] = {
    "accuracy": ("accuracy", Linear(1.0)),
    "area": ("area_mm2", Logarithmic(1e1, 1e5)),
    "dynamic energy": ("energy_dynamic_j", Logarithmic(1e-4, 1e2)),
    "leakage energy": ("energy_leakage_j", Logarithmic(1e-5, 1e2)),
    "latency": ("latency_s", Logarithmic(1e-5, 1e1)),
}
OBJECTIVES = {Scales.DECADES: _DECADES, Scales.PUBLISHED: _PUBLISHED}
"""Name -> term -> measure and scale.

`published` divides each cost of a batch by a constant far above what these models cost (a median pair scores 0.999 on
dynamic energy), so that only accuracy decides. `decades` counts powers of ten instead: each cost spans the smallest
range of whole decades that covers the inference of every early FlexiBERT model on every ELECTOR accelerator, with the
published costs; the corrected ones, which are lower, lie within it.
"""


def objective(
    scales: Scales,
    weights: Mapping[str, float],
    constraints: Sequence[str],
    known: Measures,
    front: bool = False,
) -> Objective:
    """The objective with given scales; the direction of each measure is its own.

    Args:
        scales: one of `OBJECTIVES`.
        weights: term -> weight that replaces the published one; all weights are then divided by their sum.
        constraints: `max:measure=value` or `min:measure=value`.
        known: available measures.
        front: whether to search for the Pareto front of the terms whose weight is not 0.

    Raises:
        InputError: a term or measure is unknown, a weight is negative, all weights are 0, or a constraint is malformed.
    """
    changed = {term.replace("_", " "): weight for term, weight in weights.items()}
    shares = weight_shares(changed, WEIGHTS, WEIGHTS)
    towards = directions(known, (measure for measure, _ in OBJECTIVES[scales].values()))
    terms = tuple(
        Term(measure, shares[term], towards[measure], scale)
        for term, (measure, scale) in OBJECTIVES[scales].items()
        if shares[term] or not front
    )
    return Objective(terms, tuple(parse_limit(text, known) for text in constraints), separate=front)
