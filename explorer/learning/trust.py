"""How far the prediction of a measure can be trusted: what the domains have judged, and one sentence to say so."""

from __future__ import annotations

from explorer import registry
from explorer.contracts.skill import Skill


def skill_of(space: str, measure: str) -> Skill | None:
    """What was shown for a measure in a space; None where nobody has judged it."""
    return next((skill for skill in registry.skills() if (skill.space, skill.measure) == (space, measure)), None)


def caveat(space: str, measure: str) -> str:
    """What to say beside a prediction of a measure in a space, in one sentence."""
    skill = skill_of(space, measure)
    if skill is None:
        return f"Predictions of {measure} for designs of {space} have no demonstrated skill: nobody has judged them."
    return skill.sentence
