"""The simulator for trials of FlexiBERT's search whose accuracy is known in advance."""

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
    """The accuracy given in the settings, and the number of parameters.

    The accuracy is not computed here: it was measured by an earlier fine-tuning, or is predicted by a surrogate.
    `accuracy_source` states which and, for a prediction, whether it is for a model of the measured space; every
    prediction is marked as such in the measurement.
    """

    name = NAME
    version = "1"
    roles = ROLES
    measures = MEASURES
    options = KnownAccuracyRun

    def measured(self, architectures: Roles, settings: Mapping[str, Any]) -> Mapping[str, float]:
        """The accuracy and the number of parameters.

        Args:
            architectures: role -> architecture, with the model.
            settings: complete and checked.
        """
        parameters = parameter_count(architectures["model"].choices)
        return {ACCURACY.name: settings["accuracy"], PARAMETERS.name: float(parameters)}

    def predicted(self, settings: Mapping[str, Any]) -> frozenset[str]:
        """The name of the accuracy if it was not measured."""
        return frozenset(() if settings["accuracy_source"] == Source.MEASURED else {ACCURACY.name})
