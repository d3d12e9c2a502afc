"""What every `Recipe` must hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from explorer import registry
from explorer.contracts.measure import Direction
from explorer.contracts.objective import Objective
from explorer.contracts.options import checked, options_of
from explorer.contracts.recipe import Recipe
from graphdb.errors import InputError

BUDGET = 20


class RecipeContract:
    """Subclass and supply the fixture `recipe`; override `given` where defaults do not do."""

    @pytest.fixture
    def recipe(self) -> Recipe[Any]:
        raise NotImplementedError

    @pytest.fixture
    def given(self) -> Mapping[str, Any]:
        """Settings of a study."""
        return {}

    def test_it_is_found_by_its_name(self, recipe: Recipe[Any]) -> None:
        entry = registry.recipe_entry(recipe.name)
        assert registry.recipe(recipe.name) is recipe
        assert entry.options is recipe.options
        assert set(entry.arguments) <= recipe.options.model_fields.keys()
        assert {simulator.name for simulator in entry.simulators} <= set(registry.simulators())
        assert entry.help.endswith(".")

    def test_every_option_is_explained(self, recipe: Recipe[Any]) -> None:
        assert all(option.help for option in options_of(recipe.options))

    def test_settings_are_complete_plain_json(self, recipe: Recipe[Any], given: Mapping[str, Any]) -> None:
        full = recipe.settings(given, BUDGET)
        assert recipe.options.model_fields.keys() <= full.keys()
        assert json.loads(json.dumps(full, allow_nan=False)) == full
        assert checked(recipe.options, full, recipe.name).model_dump(mode="json") == full

    def test_the_same_settings_give_the_same_study(self, recipe: Recipe[Any], given: Mapping[str, Any]) -> None:
        assert recipe.settings(given, BUDGET) == recipe.settings(dict(given), BUDGET)

    def test_an_unknown_setting_is_refused_by_name(self, recipe: Recipe[Any], given: Mapping[str, Any]) -> None:
        with pytest.raises(InputError, match=r"no_such_setting.*\.$"):
            recipe.settings({**given, "no_such_setting": 1}, BUDGET)

    def test_what_is_shown_and_compared_is_declared(self, recipe: Recipe[Any]) -> None:
        assert all(measure.name == name for name, measure in recipe.measures.items())
        assert set(recipe.columns) <= recipe.measures.keys()
        assert recipe.front
        assert list(recipe.directions) == list(recipe.front)
        assert all(isinstance(direction, Direction) for direction in recipe.directions.values())
        assert recipe.worst.keys() <= set(recipe.front)

    def test_the_objective_of_stored_settings_is_read(self, recipe: Recipe[Any], given: Mapping[str, Any]) -> None:
        objective = recipe.objective(json.loads(json.dumps(recipe.settings(given, BUDGET))))
        assert objective.measures <= recipe.measures.keys()
        assert isinstance(objective, Objective)

    def test_every_objective_can_be_asked_for(self, recipe: Recipe[Any], given: Mapping[str, Any]) -> None:
        for position, name in enumerate(recipe.objectives):
            full = recipe.settings({**given, "objective": name}, BUDGET)
            assert full["objective"] == name
            assert (full == recipe.settings(given, BUDGET)) is (position == 0)

    def test_constraints_are_kept_and_name_known_measures(self, recipe: Recipe[Any], given: Mapping[str, Any]) -> None:
        if "constraints" not in recipe.options.model_fields:
            return
        name = recipe.front[0]
        full = recipe.settings({**given, "constraints": [f"max:{name}=1.5", f"min:{name}=0.5"]}, BUDGET)
        (above, below) = recipe.objective(full).constraints
        assert (above.measure, above.maximum, below.measure, below.minimum) == (name, 1.5, name, 0.5)
        with pytest.raises(InputError, match="no_such_measure"):
            recipe.settings({**given, "constraints": ["max:no_such_measure=1"]}, BUDGET)
