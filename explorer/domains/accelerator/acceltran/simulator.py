"""`AccelTranSimulator`: a Transformer on an AccelTran accelerator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from explorer.contracts.simulator import Simulator
from explorer.domains.accelerator.acceltran.engines import analytic, detailed, fast
from explorer.domains.accelerator.acceltran.findings.measures import MEASURES
from explorer.domains.accelerator.acceltran.settings.run import RunSettings, run_settings
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.measurement import Measurement


class AccelTranSimulator(Simulator):
    """Area, time and energy of one batch of a Transformer on an AccelTran accelerator.

    The engine `detailed` schedules the tiles of every operation, the engine `fast` estimates the same in arrays of many
    pairs. In mode `reference` both reproduce the published simulators of AccelTran (commit ea7ba165), faults included;
    in mode `corrected` each fault has a switch (docs/acceltran.md). Which of the `measures` there are depends on the
    engine. Deterministic, so that no seed is taken.
    """

    name = "acceltran"
    version = "2"
    roles = MappingProxyType({"model": "transformer", "accelerator": "accelerator"})
    measures = MEASURES

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All settings of a run, defaults filled in.

        Raises:
            InputError: an unknown name or a value that is not allowed.
        """
        return run_settings(given).model_dump(mode="json")

    def run(self, architectures: Mapping[str, Architecture], settings: Mapping[str, Any]) -> Measurement:
        """One measurement.

        Raises:
            InputError: a setting is not allowed, an architecture is missing, or the model does not fit.
        """
        (found,) = self.run_batch([architectures], settings)
        if isinstance(found, InputError):
            raise found
        return found

    def run_batch(
        self, pairs: Sequence[Mapping[str, Architecture]], settings: Mapping[str, Any]
    ) -> list[Measurement | InputError]:
        """Many measurements at once, each exactly that of `run`; a pair that cannot run gives its error in its place.

        Raises:
            InputError: a setting is not allowed, or an architecture is missing.
        """
        checked = run_settings(settings)
        for architectures in pairs:
            self._require_roles(architectures)
        figures = _evaluate([(pair["model"].choices, pair["accelerator"].choices) for pair in pairs], checked)
        return [
            found if isinstance(found, InputError) else self._measurement(pair, checked, found)
            for pair, found in zip(pairs, figures, strict=True)
        ]

    def _measurement(
        self, architectures: Mapping[str, Architecture], settings: RunSettings, figures: Mapping[str, float]
    ) -> Measurement:
        return Measurement(
            simulator=self.name,
            version=self.version,
            roles={role: architectures[role].key for role in self.roles},
            settings=settings.model_dump(mode="json"),
            measures={name: figures[name] for name in self.measures if name in figures},
        )

    def _require_roles(self, architectures: Mapping[str, Architecture]) -> None:
        domains = {role: architecture.domain for role, architecture in architectures.items()}
        if domains != dict(self.roles):
            raise InputError(
                f"The architectures given to acceltran are {domains!r:.200}; allowed: {dict(self.roles)} "
                "(role: domain)."
            )


def _evaluate(
    pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], settings: RunSettings
) -> Sequence[Mapping[str, float] | InputError]:
    """Figures of each (model dictionary, accelerator choices); an error in the place of a pair that cannot run."""
    if settings.engine == "fast":
        return fast.evaluate(pairs, settings) if settings.mode == "reference" else analytic.evaluate(pairs, settings)
    return [_detailed(model, accelerator, settings) for model, accelerator in pairs]


def _detailed(
    model: Mapping[str, Any], accelerator: Mapping[str, Any], settings: RunSettings
) -> Mapping[str, float] | InputError:
    try:
        return detailed.simulate(model, accelerator, settings).measures
    except InputError as error:
        return error
