"""A trust region: how far from the best design a local choice looks in continuous entries."""

from __future__ import annotations

from collections.abc import Sequence

_FIRST, _LEAST, _MOST = 0.8, 2.0**-9, 1.6
_SUCCESSES = 3


def side(improved: Sequence[bool], dimensions: int) -> float:
    """The side of the region as a share of the box, after trials that did or did not improve the best.

    It doubles after three improvements in a row, halves after as many failures as there are dimensions (at least
    four), and starts afresh when it has become too small: TuRBO (Eriksson and others 2019, "Scalable Global
    Optimization via Local Bayesian Optimization"). It follows from the trials alone, so an interrupted search finds it
    again.

    Args:
        improved: for each trial in order, whether it was better than all before.
        dimensions: the number of continuous entries.
    """
    length, successes, failures = _FIRST, 0, 0
    patience = max(4, dimensions)
    for better in improved:
        successes, failures = (successes + 1, 0) if better else (0, failures + 1)
        if successes == _SUCCESSES:
            length, successes = min(2.0 * length, _MOST), 0
        elif failures == patience:
            length, failures = length / 2.0, 0
        if length < _LEAST:
            length, successes, failures = _FIRST, 0, 0
    return length
