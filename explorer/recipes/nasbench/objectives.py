"""Objectives of a search among trained networks."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from explorer.contracts.measure import Measures, directions
from explorer.contracts.objective import Linear, Logarithmic, Objective, Scale, Term, parse_limit, weight_shares
from explorer.domains.cnn.measures import ACCURACY, LATENCY, MEASURES, MULTIPLICATIONS, PARAMETERS
from explorer.domains.cnn.nasbench.options import NAME
from explorer.recipes.nasbench.options import NasBenchSettings, Space
from graphdb.errors import InputError

TERMS: Mapping[str, tuple[str, Scale]] = MappingProxyType(
    {
        "accuracy": (ACCURACY.name, Linear(1.0)),
        "latency": (LATENCY.name, Logarithmic(1e-3, 1e-1)),
        "parameters": (PARAMETERS.name, Logarithmic(1e5, 1e7)),
        "multiplications": (MULTIPLICATIONS.name, Logarithmic(1e7, 1e9)),
    }
)
"""Term -> measure and scale: costs count in powers of ten, from the smallest to the largest of these networks."""
_WITH_DEVICE = MappingProxyType({"accuracy": 0.95, "latency": 0.05})
_WITHOUT = MappingProxyType({"accuracy": 1.0})
_FRONT_WITHOUT = MappingProxyType({"accuracy": 0.5, "multiplications": 0.5})
_EVERYWHERE = (ACCURACY.name, PARAMETERS.name, MULTIPLICATIONS.name)


def objective(settings: NasBenchSettings) -> Objective:
    """The objective of a study.

    Without weights it is the accuracy, with 0.05 for latency if there is a device: then 1 percentage point of accuracy
    is worth as much as 2.4 times the speed. A front without weights is that of accuracy and latency or, without a
    device, multiplications.

    Args:
        settings: the settings of the study.

    Raises:
        InputError: a weight is unknown or negative, all weights are 0, a constraint is malformed, or a measure is not
            known of networks of this space or without a device.
    """
    shares = _shares(settings)
    towards = directions(MEASURES, (TERMS[term][0] for term in shares))
    terms = tuple(Term(TERMS[t][0], share, towards[TERMS[t][0]], TERMS[t][1]) for t, share in shares.items())
    limits = tuple(parse_limit(text, MEASURES) for text in settings.constraints)
    made = Objective(terms, limits, separate=settings.front)
    known = measured(settings)
    for name in sorted(made.measures - known.keys()):
        raise InputError(_missing(name, settings))
    return made


def measured(settings: NasBenchSettings) -> Measures:
    """The measures that trials of a study have."""
    if settings.space is Space.NASBENCH_MACRO:
        return {name: MEASURES[name] for name in _EVERYWHERE}
    return {name: one for name, one in MEASURES.items() if settings.device is not None or name != LATENCY.name}


def _missing(name: str, settings: NasBenchSettings) -> str:
    if name == LATENCY.name and settings.space is Space.NASBENCH201:
        return f"The objective of {NAME} reads {name}, and there is no device; allowed: a --device, or no {name}."
    return (
        f"The objective of {NAME} reads {name}, which was not measured of {settings.space}; allowed: "
        f"{', '.join(measured(settings))}."
    )


def _shares(settings: NasBenchSettings) -> dict[str, float]:
    """Term -> its share of all weights, for those whose weight is not 0."""
    alone = _FRONT_WITHOUT if settings.front else _WITHOUT
    usual = alone if settings.device is None else _WITH_DEVICE
    shares = weight_shares(settings.weights, usual, TERMS)
    return {term: share for term, share in shares.items() if share}
