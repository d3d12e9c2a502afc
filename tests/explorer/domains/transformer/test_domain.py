"""What the domain of Transformers brings, by name."""

from __future__ import annotations

import pytest

from explorer import registry
from explorer.contracts.domain import Domain
from explorer.contracts.measure import Direction
from explorer.domains.transformer import domain as module
from explorer.domains.transformer.learning import MODELS
from explorer.domains.transformer.measures import MEASURES
from explorer.domains.transformer.skills import SKILLS
from explorer.domains.transformer.training.glue import TASKS
from tests.explorer.contracts.domain import DomainContract


class TestTransformers(DomainContract):
    module = module.__name__

    @pytest.fixture
    def domain(self) -> Domain:
        return module.DOMAIN


def test_choices_without_a_space_are_tried_in_the_published_spaces_first() -> None:
    assert registry.bare_spaces("transformer") == ("flexibert2", "flexibert", "transformer_free")


def test_every_measure_has_a_direction_and_shares_are_shown_in_percent() -> None:
    assert all(measure.direction is not None for measure in MEASURES.values())
    assert MEASURES["mlm_loss"].direction is Direction.MINIMISE
    assert MEASURES["mlm_loss"].heading == "masked-language-model loss (nat)"
    assert all(measure.unit == "%" for name, measure in MEASURES.items() if name.endswith("accuracy"))
    assert MEASURES["qnli_accuracy"].heading == "QNLI accuracy (%)"
    assert MEASURES["mnli_mismatched_accuracy"].heading == "MNLI mismatched accuracy (%)"
    assert {f"{task}_{metric}" for task, about in TASKS.items() for metric in about.metrics} <= MEASURES.keys()


def test_a_surrogate_learns_accuracies_and_sees_what_has_a_loss_alone() -> None:
    assert [measure.name for measure in MODELS.measures] == ["qnli_accuracy", "sst2_accuracy"]
    assert (MODELS.name, MODELS.seen, MODELS.embeds) == (
        "accuracy of Transformers",
        ("mlm_loss",),
        {"transformer": "model"},
    )


def test_every_measure_of_a_space_is_judged_once() -> None:
    assert len({(skill.space, skill.measure) for skill in SKILLS}) == len(SKILLS)
    assert {skill.space for skill in SKILLS} <= set(module.DOMAIN.spaces)
    assert {skill.measure for skill in SKILLS} <= MEASURES.keys()
    assert {skill.demonstrated for skill in SKILLS if skill.space == "flexibert2"} == {False}
