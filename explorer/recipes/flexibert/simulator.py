"""What measures a trial of FlexiBERT's search whose accuracy is known beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from explorer.contracts.simulator import Role, Roles, Simulator
from explorer.contracts.skill import Source
from explorer.domains.transformer.measures import PARAMETERS
from explorer.domains.transformer.parameters import parameter_count
from explorer.recipes.flexibert.measures import ACCURACY, MEASURES
from explorer.recipes.flexibert.options import NAME, KnownAccuracyRun

ROLES: Mapping[str, Role] = MappingProxyType({"model": Role("transformer")})


class KnownAccuracySimulator(Simulator):
    """The accuracy that the settings give, and the number of parameters.

    Nothing computes such an accuracy here: a fine-tuning measured it once, or a surrogate predicts it.
    `accuracy_source` says which and, for a prediction, whether it is for a model of the space that was measured; every
    prediction is marked as such in the measurement.
    """

    name = NAME
    version = "1"
    roles = ROLES
    measures = MEASURES
    options = KnownAccuracyRun

    def measured(self, architectures: Roles, settings: Mapping[str, Any]) -> Mapping[str, float]:
        """Accuracy and number of parameters.

        Args:
            architectures: of the model.
            settings: complete and checked.
        """
        parameters = parameter_count(architectures["model"].choices)
        return {ACCURACY.name: settings["accuracy"], PARAMETERS.name: float(parameters)}

    def predicted(self, settings: Mapping[str, Any]) -> frozenset[str]:
        """The accuracy, where it was not measured."""
        return frozenset(() if settings["accuracy_source"] == Source.MEASURED else {ACCURACY.name})
