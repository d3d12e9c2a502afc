"""The recipe for trained networks: every trial is a look-up, so that a search takes seconds and can be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explorer.contracts.objective import Objective
from explorer.contracts.optimiser import Inputs
from explorer.contracts.options import checked
from explorer.contracts.recipe import Plan, Recipe
from explorer.contracts.session import Report
from explorer.domains.cnn.measures import ACCURACY, LATENCY, MEASURES, MULTIPLICATIONS, PARAMETERS
from explorer.domains.cnn.nasbench.options import NAME
from explorer.domains.cnn.nasbench.simulator import NasBenchSimulator
from explorer.recipes.nasbench.candidates import candidates
from explorer.recipes.nasbench.objectives import objective
from explorer.recipes.nasbench.options import NasBenchSettings
from explorer.running.earlier import keep_earlier, kept_earlier
from explorer.search.making import make
from explorer.search.options import with_search
from graphdb.records import StudyRecord
from graphdb.store import Store

_EARLIER = "earlier"


class NasBench(Recipe[Inputs]):
    """Networks of NAS-Bench-201 or NAS-Bench-Macro by accuracy, or by accuracy, latency and size."""

    name = NAME
    options = NasBenchSettings
    measures = MEASURES
    front = (ACCURACY.name, MULTIPLICATIONS.name)
    columns = (ACCURACY.name, LATENCY.name, PARAMETERS.name, MULTIPLICATIONS.name)

    def settings(self, given: Mapping[str, Any], budget: int) -> dict[str, Any]:
        """Settings with defaults filled in; options of the optimiser go into `search`."""
        return super().settings(with_search(given, NasBenchSettings.model_fields, self.name), budget)

    def objective(self, settings: Mapping[str, Any]) -> Objective:
        """The objective that stored settings describe."""
        return objective(checked(NasBenchSettings, settings, self.name))

    def front_under(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Accuracy and latency on the device; without a device, accuracy and multiplications."""
        return self.front if settings["device"] is None else (ACCURACY.name, LATENCY.name)

    def basis(self, store: Store, record: StudyRecord, report: Report) -> Mapping[str, str]:
        """Keeps which networks had been measured on the device before; nothing for a cold study.

        Args:
            store: the database.
            record: the stored study.
            report: called with a few words about the current work.
        """
        del report
        settings = checked(NasBenchSettings, record.settings, self.name)
        if not settings.recalls:
            return {}
        spaces = {"network": (settings.space.value,)}
        return {_EARLIER: keep_earlier(store, NAME, _of_simulator(settings), spaces=spaces)}

    def prepare(self, store: Store, record: StudyRecord, report: Report) -> Plan[Inputs]:
        """Sets up the search.

        Args:
            store: the database.
            record: the stored study.
            report: called with a few words about the current work.
        """
        del report
        settings = checked(NasBenchSettings, record.settings, self.name)
        known, aim = candidates(settings.space), objective(settings)
        simulator, given = NasBenchSimulator(), _of_simulator(settings)
        key = record.basis.get(_EARLIER)
        earlier = [] if key is None else kept_earlier(store, key)
        return Plan(
            simulator=NAME,
            objective=aim,
            optimiser=make(settings.optimiser, settings.search, known, record.seed, aim.goal),
            batch=settings.batch,
            architectures=lambda design: {"network": known.architecture(design)},
            design=lambda roles: known.design(roles["network"]),
            pending=lambda roles, done: simulator.pending(roles, given),
            ahead=settings.ahead,
            earlier=[(known.design(roles["network"]), aim.outcome(one.measures)) for roles, one in earlier],
        )


def _of_simulator(settings: NasBenchSettings) -> dict[str, Any]:
    return NasBenchSimulator().settings({"device": settings.device})


RECIPE = NasBench()
