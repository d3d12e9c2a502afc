"""How far predictions of a measure can be trusted: the skills that domains declare, and a sentence for each."""

from __future__ import annotations

from explorer import registry
from explorer.contracts.skill import Skill


def skill_of(space: str, measure: str) -> Skill | None:
    """The skill of predictions of a measure in a space; None if nobody has evaluated it."""
    return next((skill for skill in registry.skills() if (skill.space, skill.measure) == (space, measure)), None)


def caveat(space: str, measure: str) -> str:
    """The sentence to show beside a prediction of a measure in a space."""
    skill = skill_of(space, measure)
    if skill is None:
        return f"Predictions of {measure} for designs of {space} have no demonstrated skill: nobody has judged them."
    return skill.sentence
