"""What measures a trial of FlexiBERT's search: an accuracy known beforehand, or a training."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from explorer.contracts.simulator import Simulator
from explorer.contracts.skill import Source
from explorer.domains.transformer.parameters import parameter_count
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.measurement import Measurement

PARAMETERS = "trainable weights of encoder, embeddings and pooler, for RoBERTa's vocabulary"


class KnownAccuracySimulator(Simulator):
    """The accuracy that the settings give, and the number of parameters.

    Nothing computes such an accuracy here: a fine-tuning measured it once, or a surrogate predicts it.
    `accuracy_source` says which and, of a prediction, whether it is for a model of the space that was measured; every
    prediction is marked as such in the measurement.
    """

    name = "flexibert"
    version = "1"
    roles = MappingProxyType({"model": "transformer"})
    measures = MappingProxyType({"accuracy": "accuracy of the task, 0 to 1", "parameters": PARAMETERS})

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """`task`, `accuracy` and `accuracy_source`, all checked."""
        accuracy, source, task = (given.get(name) for name in ("accuracy", "accuracy_source", "task"))
        unknown = sorted(given.keys() - {"accuracy", "accuracy_source", "task"})
        if unknown:
            raise InputError(f"There is no setting {unknown[0]!r}; allowed: accuracy, accuracy_source, task.")
        if not isinstance(accuracy, int | float) or isinstance(accuracy, bool) or not 0 <= accuracy <= 1:
            raise InputError(f"The setting accuracy is {accuracy!r}; a number from 0 to 1 is needed.")
        if source not in list(Source):
            raise InputError(f"The setting accuracy_source is {source!r}; allowed: {', '.join(Source)}.")
        if not isinstance(task, str):
            raise InputError(f"The setting task is {task!r}; the name of what the accuracy is of is needed.")
        return {"task": task, "accuracy": accuracy, "accuracy_source": source}

    def pending(self, architectures: Mapping[str, Architecture], given: Mapping[str, Any]) -> Measurement:
        """The measurement that `run` will give, its measures still empty."""
        return self._measurement(architectures, self.settings(given), {})

    def run(self, architectures: Mapping[str, Architecture], settings: Mapping[str, Any]) -> Measurement:
        """One trial.

        Raises:
            InputError: a setting is not allowed.
        """
        full = self.settings(settings)
        parameters = parameter_count(architectures["model"].choices)
        return self._measurement(architectures, full, {"accuracy": full["accuracy"], "parameters": float(parameters)})

    def _measurement(
        self, architectures: Mapping[str, Architecture], settings: Mapping[str, Any], measures: Mapping[str, float]
    ) -> Measurement:
        return Measurement(
            simulator=self.name,
            version=self.version,
            roles={"model": architectures["model"].key},
            settings=settings,
            measures=measures,
            predicted=frozenset(() if settings["accuracy_source"] == Source.MEASURED else {"accuracy"}),
        )
