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


_FOLDS = "scripts/bench surrogates --seeds 5 --only default: 10 folds, mean of seeds 0 to 4"
_LEAVE_ONE_OUT = "leave one out over the published models, 50 trees of depth 3 and learning rate 0.01"
SKILLS = (
    Skill("flexibert_early", "qnli_accuracy", "networks and trees", 660, 0.89, _FOLDS),
    Skill("flexibert_early", "sst2_accuracy", "networks and trees", 620, 0.63, _FOLDS),
    Skill("flexibert2", "glue", "published gradient boosting", 13, -0.22, _LEAVE_ONE_OUT),
    Skill("flexibert2", "mlm_loss", "published gradient boosting", 16, -0.31, _LEAVE_ONE_OUT),
)
"""All that was judged. A fit on more measurements has to be judged anew."""


def skill_of(space: str, measure: str) -> Skill | None:
    """What was shown for this measure in this space; None where nobody has judged it."""
    return next((skill for skill in SKILLS if (skill.space, skill.measure) == (space, measure)), None)


def caveat(space: str, measure: str) -> str:
    """What to say beside a prediction, in one sentence."""
    skill = skill_of(space, measure)
    if skill is None:
        return f"Predictions of {measure} for models of {space} have no demonstrated skill: nobody has judged them."
    return skill.sentence
