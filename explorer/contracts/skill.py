"""How well a measure can be predicted in a space: what cross-validation showed, and one sentence to say so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where a value comes from."""

    MEASURED = "measured"
    PREDICTED = "predicted"
    """By the surrogate, for a model of the space whose models were measured."""
    EXTRAPOLATED = "extrapolated"
    """By the surrogate, for a model outside that space, where nothing says how good it is."""


@dataclass(frozen=True, slots=True)
class Skill:
    """What a predictor achieved on models that it had not seen.

    Attributes:
        space: of the models.
        measure: predicted.
        predictor: what was judged.
        designs: how many measured models there were.
        r_squared: out of sample; 0 or less is no better than predicting the mean.
        method: how it was judged.
    """

    space: str
    measure: str
    predictor: str
    designs: int
    r_squared: float
    method: str

    @property
    def demonstrated(self) -> bool:
        """Whether the predictor beat the mean of the values it had seen."""
        return self.r_squared > 0.0

    @property
    def sentence(self) -> str:
        """For people, in one sentence."""
        evidence = f"R² {self.r_squared:.2f} out of sample on {self.designs} measured models of {self.space}"
        if self.demonstrated:
            return f"Predictions of {self.measure} have shown skill: {evidence}."
        return f"Predictions of {self.measure} have no demonstrated skill: {evidence}; use them for no decision."
