"""What measures a TransCODE trial: AccelTran's costs beside an accuracy that is known or predicted beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from explorer.contracts.simulator import Simulator
from explorer.domains.accelerator.acceltran.simulator import AccelTranSimulator
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.measurement import Measurement

SOURCES = ("measured", "predicted")


class TransCodeSimulator(Simulator):
    """AccelTran's measures, and `accuracy` as given in the settings.

    The accuracy is a setting because nothing computes it here: a fine-tuning run measured it once, or a surrogate
    predicts it. `accuracy_source` says which, and a prediction is marked as such in the measurement.
    """

    name = "transcode"
    version = "1"
    roles = MappingProxyType({"model": "transformer", "accelerator": "accelerator"})
    measures = MappingProxyType({"accuracy": "QNLI accuracy, 0 to 1", **AccelTranSimulator.measures})

    def __init__(self) -> None:
        self._acceltran = AccelTranSimulator()

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """AccelTran's settings, `accuracy` and `accuracy_source`, all checked."""
        rest = dict(given)
        accuracy, source = rest.pop("accuracy", None), rest.pop("accuracy_source", None)
        if not isinstance(accuracy, int | float) or isinstance(accuracy, bool) or not 0 <= accuracy <= 1:
            raise InputError(f"The setting accuracy is {accuracy!r}; a number from 0 to 1 is needed.")
        if source not in SOURCES:
            raise InputError(f"The setting accuracy_source is {source!r}; allowed: {', '.join(SOURCES)}.")
        return {**self._acceltran.settings(rest), "accuracy": accuracy, "accuracy_source": source}

    def pending(self, architectures: Mapping[str, Architecture], given: Mapping[str, Any]) -> Measurement:
        """The measurement that `run` will give, its measures still empty."""
        return self._measurement(architectures, self.settings(given), {})

    def run(self, architectures: Mapping[str, Architecture], settings: Mapping[str, Any]) -> Measurement:
        """One trial.

        Raises:
            InputError: the model does not fit the accelerator, or a setting is not allowed.
        """
        full = self.settings(settings)
        costs = {name: value for name, value in full.items() if name not in {"accuracy", "accuracy_source"}}
        measures = self._acceltran.run(architectures, costs).measures
        return self._measurement(architectures, full, {"accuracy": full["accuracy"], **measures})

    def _measurement(
        self, architectures: Mapping[str, Architecture], settings: Mapping[str, Any], measures: Mapping[str, float]
    ) -> Measurement:
        return Measurement(
            simulator=self.name,
            version=f"{self.version}+acceltran.{self._acceltran.version}",
            roles={role: architectures[role].key for role in self.roles},
            settings=settings,
            measures=measures,
            predicted=frozenset({"accuracy"} if settings["accuracy_source"] == "predicted" else ()),
        )
