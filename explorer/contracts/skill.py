"""`Skill`: how well a measure can be predicted in a space, and a sentence about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """The origin of a value.

    Example:
        >>> str(Source.MEASURED)
        'measured'
    """

    MEASURED = "measured"
    PREDICTED = "predicted"
    """Predicted by the surrogate, for a design of the space whose designs were measured."""
    EXTRAPOLATED = "extrapolated"
    """Predicted by the surrogate, for a design outside that space, where its quality is unknown."""


@dataclass(frozen=True, slots=True)
class Skill:
    """The accuracy of a predictor on designs that it had not seen.

    Attributes:
        space: the space of the designs.
        measure: the predicted measure.
        predictor: the predictor that was evaluated.
        designs: the number of measured designs.
        r_squared: the coefficient of determination out of sample; 0 or less is no better than predicting the mean.
        method: the method of evaluation.

    Example:
        >>> skill = Skill("truss", "mass_kg", "trees", designs=40, r_squared=0.83, method="leave one out")
        >>> skill.sentence
        'Predictions of mass_kg have shown skill: R² 0.83 out of sample on 40 measured designs of truss.'
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
        """A sentence for users."""
        evidence = f"R² {self.r_squared:.2f} out of sample on {self.designs} measured designs of {self.space}"
        if self.demonstrated:
            return f"Predictions of {self.measure} have shown skill: {evidence}."
        return f"Predictions of {self.measure} have no demonstrated skill: {evidence}; use them for no decision."
