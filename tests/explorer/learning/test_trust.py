"""What the product says beside a prediction."""

from __future__ import annotations

import pytest

from explorer import registry
from explorer.contracts.skill import Skill
from explorer.domains.transformer.learning import MODELS
from explorer.domains.transformer.spaces.early import EarlyFlexiBertSpace
from explorer.domains.transformer.spaces.flexibert2 import FlexiBert2Space
from explorer.learning.trust import caveat, skill_of

ACCURACIES = [measure.name for measure in MODELS.measures]


@pytest.mark.parametrize("measure", ["glue", "mlm_loss", *ACCURACIES])
def test_no_skill_is_claimed_for_flexibert2(measure: str) -> None:
    skill = skill_of(FlexiBert2Space.name, measure)
    assert skill is None or not skill.demonstrated
    assert "no demonstrated skill" in caveat(FlexiBert2Space.name, measure)


@pytest.mark.parametrize("measure", ACCURACIES)
def test_the_early_space_says_how_good_its_predictions_are(measure: str) -> None:
    skill = skill_of(EarlyFlexiBertSpace.name, measure)
    assert skill is not None and skill.demonstrated
    assert f"R² {skill.r_squared:.2f}" in caveat(EarlyFlexiBertSpace.name, measure)


def test_every_measure_of_a_space_is_judged_once() -> None:
    judged = [(skill.space, skill.measure) for skill in registry.skills()]
    assert judged and len(set(judged)) == len(judged)


def test_a_space_that_nobody_has_judged_is_said_to_be_so() -> None:
    assert skill_of("somewhere", "glue") is None
    assert "nobody has judged" in caveat("somewhere", "glue")


def test_a_predictor_no_better_than_the_mean_is_for_no_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    poor = Skill("somewhere", "mass_kg", "trees", designs=9, r_squared=0.0, method="leave one out")
    monkeypatch.setattr(registry, "skills", lambda: (poor,))
    assert caveat("somewhere", "mass_kg").endswith("use them for no decision.")
