"""The recipe: evolution over bridges, for less mass and less deflection at once, under constraints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.domain import BridgeSettings
from bridge.simulator import MEASURES, LoadingSimulator

from explorer import registry
from explorer.contracts.measure import Direction
from explorer.contracts.objective import Logarithmic, Objective, Term, parse_limit
from explorer.contracts.optimiser import Inputs
from explorer.contracts.recipe import Plan, Recipe
from explorer.contracts.session import Report
from explorer.search.baselines import RegularisedEvolution
from explorer.search.space_candidates import SpaceCandidates
from graphdb.records import StudyRecord
from graphdb.store import Store


class BridgeRecipe(Recipe[Inputs]):
    """The front between mass and deflection."""

    name = "bridge"
    options = BridgeSettings
    measures = MEASURES
    front = ("mass_kg", "deflection_m")
    columns = ("mass_kg", "deflection_m", "span_cost")

    def objective(self, settings: Mapping[str, Any]) -> Objective:
        terms = (
            Term("mass_kg", 0.5, Direction.MINIMISE, Logarithmic(1e3, 1e6)),
            Term("deflection_m", 0.5, Direction.MINIMISE, Logarithmic(1e-6, 1e1)),
        )
        limits = tuple(parse_limit(text, MEASURES) for text in settings["constraints"])
        return Objective(terms, limits, separate=True)

    def prepare(self, store: Store, record: StudyRecord, report: Report) -> Plan[Inputs]:
        candidates = SpaceCandidates(registry.space("beam_bridge"))
        loading = LoadingSimulator()
        given = {"traffic": record.settings["traffic"]}
        return Plan(
            simulator=loading.name,
            objective=self.objective(record.settings),
            optimiser=RegularisedEvolution(candidates, record.seed),
            batch=record.settings["batch"],
            architectures=lambda design: {"bridge": candidates.architecture(design)},
            design=lambda roles: candidates.design(roles["bridge"]),
            pending=lambda roles, done: loading.pending(roles, given),
        )


RECIPE = BridgeRecipe()
