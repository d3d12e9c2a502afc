"""Models of a large space: legal steps, lazily known accuracies, and a mixture with the models of a small space."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from explorer import registry
from explorer.domains.transformer.measures import QNLI_ACCURACY
from explorer.domains.transformer.spaces.early import EarlyFlexiBertSpace
from explorer.domains.transformer.spaces.flexibert2 import FlexiBert2Space
from explorer.domains.transformer.spaces.layered import LayeredSpace
from explorer.domains.transformer.spaces.steps import Steps
from explorer.learning.known import KnownValues
from explorer.recipes.transcode.areas import Areas
from explorer.recipes.transcode.candidates import PairCandidates
from explorer.recipes.transcode.space_models import SpaceModels
from explorer.toolkit.option_space import OptionSpace
from graphdb.architecture import Architecture
from tests.explorer.recipes.transcode.costs import COSTS

EARLY = EarlyFlexiBertSpace()


class Counted:
    """In place of a trained surrogate: deeper is better; counts what it is asked for."""

    measures = (QNLI_ACCURACY.name,)

    def __init__(self) -> None:
        self.asked: list[str] = []

    def predict(self, designs: Sequence[Architecture]) -> Any:
        self.asked += [design.key for design in designs]
        return SimpleNamespace(mean=np.array([[0.6 + 0.01 * design.choices["l"]] for design in designs]))


def known(measured: dict[str, float] | None = None) -> tuple[KnownValues, Counted]:
    counted = Counted()
    return KnownValues(QNLI_ACCURACY, measured or {}, cast(Any, counted), EARLY, "none"), counted


@pytest.mark.parametrize("name", ["flexibert2", "flexibert", "flexibert_large"])
def test_steps_are_legal_new_distinct_and_no_more_than_asked_for(name: str) -> None:
    space = registry.space(name)
    assert isinstance(space, LayeredSpace)
    steps = Steps(space)
    for vector in space.sample_vectors(np.random.default_rng(0), 20):
        near = steps.near(vector, 30)
        assert 10 < len(near) <= 30
        assert len({other.tobytes() for other in near}) == len(near)
        assert vector.tobytes() not in {other.tobytes() for other in near}
        for other in near:
            np.testing.assert_array_equal(space.to_vector(space.from_vector(other)), other)


def test_all_layers_can_step_together_and_models_grow_and_shrink() -> None:
    space = FlexiBert2Space()
    vector = space.sample_vectors(np.random.default_rng(1), 1)[0]
    vector[0] = 2  # six layers
    vector[1 + 3 * 6 :] = 0
    old = space.from_vector(vector)
    near = [space.from_vector(other) for other in Steps(space).near(vector, 40)]
    assert {4, 6, 8} == {choices["l"] for choices in near}
    assert any(
        choices["l"] == 6
        and all(a >= b for a, b in zip(choices["h"], old["h"], strict=True))
        and choices["h"] != old["h"]
        for choices in near
    )
    assert any(sum(map(len, choices["f"])) > sum(map(len, old["f"])) for choices in near if choices["l"] == 6)


def test_accuracies_of_measured_models_and_of_the_small_space_are_known_and_others_are_not() -> None:
    twin = EARLY.at(5)
    accuracies, counted = known({EARLY.graph_of(twin).choices_json: 0.93})
    space = FlexiBert2Space()
    whole = SpaceModels(space, accuracies)
    drawn = whole.sample(np.random.default_rng(2), 6)
    values = whole.accuracy([*drawn, space.to_vector(twin), space.to_vector(EARLY.at(6))])
    assert values[-2] == 0.93
    assert np.isnan(values[[*range(6), -1]]).all()
    assert counted.asked == []
    mixed = SpaceModels(space, accuracies, EARLY)
    again = mixed.accuracy([*drawn, space.to_vector(twin), space.to_vector(EARLY.at(6))])
    assert again[-2:] == pytest.approx([0.93, 0.6 + 0.01 * EARLY.at(6)["l"]])
    assert np.isnan(again[:6]).all()
    assert len(counted.asked) == EARLY.size - 1


def test_a_mixture_draws_from_both_spaces_and_stores_each_model_once() -> None:
    models = SpaceModels(FlexiBert2Space(), known()[0], EARLY)
    drawn = [models.architecture(vector) for vector in models.sample(np.random.default_rng(3), 60)]
    spaces = [model.space for model in drawn]
    assert 15 < spaces.count(EARLY.name) < 45
    assert spaces.count(EARLY.name) + spaces.count("flexibert2") == 60
    for model in drawn[:10]:
        assert models.architecture(models.vector(model)).key == model.key
    twin = FlexiBert2Space().build(EARLY.at(7))
    with pytest.raises(KeyError):  # it is stored as a design of the early space
        models.vector(twin)
    with pytest.raises(KeyError):
        models.vector(registry.preset("edge"))


def test_descriptions_have_no_number_for_layers_that_a_model_lacks() -> None:
    models = SpaceModels(FlexiBert2Space(), known()[0], EARLY)
    drawn = models.sample(np.random.default_rng(4), 40)
    rows = models.describe(drawn)
    assert rows.shape == (40, len(models.entries))
    for vector, row in zip(drawn, rows, strict=True):
        model = models.architecture(vector).choices
        absent = np.isnan(row[2:]).reshape(12, -1).all(axis=1)
        assert int((~absent).sum()) == model["l"]
        layers = list(zip(model["h"], model["f"], strict=True))
        weights = sum(4 * h * h + h * (f[0] + f[-1]) + sum(a * b for a, b in pairwise(f)) for h, f in layers)
        assert row[0] == pytest.approx(np.log10(weights))
    assert ((rows[:, 0] >= models.entries[0].low) & (rows[:, 0] <= models.entries[0].high)).all()


def test_pairs_of_a_large_space_are_searched() -> None:
    accelerators = registry.space("elector")
    assert isinstance(accelerators, OptionSpace)
    settings = registry.simulator("acceltran").settings(COSTS)
    models = SpaceModels(FlexiBert2Space(), known()[0], EARLY)
    pairs = PairCandidates(models, accelerators, lambda width: 0.0, Areas(accelerators, settings))
    first, second = pairs.sample(np.random.default_rng(5), 2)
    near = pairs.neighbours(first)
    assert pairs.describe(near).shape == (len(near), len(pairs.entries))
    assert set(pairs.known(near)) == {"accuracy", "area_mm2"}
    child = pairs.crossover(first, second, np.random.default_rng(6))
    point = tuple((low + high) / 2 for low, high in pairs.bounds())
    (snapped,) = pairs.snap([point])
    for design in [first, near[0], near[-1], snapped, *([child] if child else [])]:
        assert pairs.key(pairs.design_of(pairs.architectures_of(design))) == pairs.key(design)
