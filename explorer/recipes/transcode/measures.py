"""Measures of a trial of TransCODE's search: those of AccelTran, and the accuracy of the model."""

from __future__ import annotations

from explorer.contracts.measure import Direction, Measure, catalogue
from explorer.domains.accelerator.acceltran.measures import MEASURES as COSTS

ACCURACY = Measure(
    "accuracy", "accuracy", "%", Direction.MAXIMISE, description="QNLI accuracy of the model, measured or predicted"
)
MEASURES = catalogue(ACCURACY, COSTS.values())
