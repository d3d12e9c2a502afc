"""The simulator for TransCODE trials: AccelTran's costs, and an accuracy that is known or predicted in advance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.contracts.options import checked
from explorer.contracts.simulator import Roles, Simulator
from explorer.contracts.skill import Source
from explorer.domains.accelerator.acceltran.simulator import AccelTranSimulator
from explorer.recipes.transcode.measures import ACCURACY, MEASURES
from explorer.recipes.transcode.options import NAME, TransCodeRun

_OWN = TransCodeRun.model_fields.keys() - AccelTranSimulator.options.model_fields.keys()


class TransCodeSimulator(Simulator):
    """AccelTran's measures, and `accuracy` as given in the settings.

    The accuracy is a setting because it is not computed here: it was measured by an earlier fine-tuning, or is
    predicted by a surrogate. `accuracy_source` states which, and a prediction is marked as such in the measurement.
    """

    name = NAME
    version = f"1+acceltran.{AccelTranSimulator.version}"
    roles = AccelTranSimulator.roles
    measures = MEASURES
    options = TransCodeRun

    def __init__(self) -> None:
        self._acceltran = AccelTranSimulator()

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """AccelTran's settings, `accuracy` and `accuracy_source`, all checked."""
        full = checked(TransCodeRun, given, self.name).model_dump(mode="json")
        own = {name: value for name, value in full.items() if name in _OWN}
        return {**self._acceltran.settings(_of_acceltran(given)), **own}

    def measured(self, architectures: Roles, settings: Mapping[str, Any]) -> Mapping[str, float]:
        """The accuracy and costs of one pair.

        Args:
            architectures: model and accelerator.
            settings: complete and checked.

        Raises:
            InputError: the model does not fit the accelerator.
        """
        costs = self._acceltran.measured(architectures, _of_acceltran(settings))
        return {ACCURACY.name: settings["accuracy"], **costs}

    def predicted(self, settings: Mapping[str, Any]) -> frozenset[str]:
        """The name of the accuracy if it was not measured."""
        return frozenset({ACCURACY.name} if settings["accuracy_source"] != Source.MEASURED else ())

    def chunk(self, settings: Mapping[str, Any]) -> int:
        """Number of measurements that a worker is given at once."""
        return self._acceltran.chunk(settings)


def _of_acceltran(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in _OWN}
