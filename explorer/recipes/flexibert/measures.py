"""Measures of a trial of FlexiBERT's search, whether its accuracy is known or comes from a training."""

from __future__ import annotations

from explorer.contracts.measure import Direction, Measure, catalogue
from explorer.domains.transformer.measures import MLM_ACCURACY, MLM_LOSS, PARAMETERS

ACCURACY = Measure(
    "accuracy",
    "accuracy",
    "%",
    Direction.MAXIMISE,
    description="accuracy on the task, or share of masked tokens that are predicted correctly",
)
MEASURES = catalogue(ACCURACY, PARAMETERS)
"""Measures of every trial, whatever the target."""
TRAINED_MEASURES = catalogue(ACCURACY, MLM_ACCURACY, MLM_LOSS, PARAMETERS)
"""Measures of a trial that trains."""
