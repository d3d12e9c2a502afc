"""`AccelTranSimulator`: a Transformer on an AccelTran accelerator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from explorer.contracts.simulator import Role, Roles, Simulator
from explorer.domains.accelerator.acceltran.building.decoder import BEYOND
from explorer.domains.accelerator.acceltran.engines import analytic, detailed, fast
from explorer.domains.accelerator.acceltran.measures import MEASURES
from explorer.domains.accelerator.acceltran.settings.run import NAME, Engine, Mode, RunSettings, run_settings
from explorer.domains.transformer.model import is_decoder
from graphdb.errors import InputError
from graphdb.measurement import Measurement

_CHUNKS = {Engine.FAST: 64, Engine.DETAILED: 4}
"""The fast engine measures dozens to thousands of pairs per second, the detailed engine only a few."""


class AccelTranSimulator(Simulator):
    """Area, time and energy of one batch of a Transformer on an AccelTran accelerator.

    The engine `detailed` schedules the tiles of every operation; the engine `fast` estimates the same measures for many
    pairs at once. In mode `reference` both reproduce the published simulators of AccelTran (commit ea7ba165), faults
    included; in mode `corrected` each fault has a switch (docs/acceltran.md). A run gives those of the `measures` that
    its engine supports. The simulator is deterministic, so it takes no seed.
    """

    name = NAME
    version = "2"
    roles = MappingProxyType(
        {"model": Role("transformer"), "accelerator": Role("accelerator", ("elector", "acceltran_free"))}
    )
    measures = MEASURES
    options = RunSettings
    front = ("area_mm2", "energy_j", "latency_s")

    def remarks(self, architectures: Roles) -> Sequence[str]:
        """That decoders are beyond the published simulator, if the model is one."""
        model = architectures.get("model")
        return () if model is None or not is_decoder(model.choices) else (BEYOND,)

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All settings of a run as plain JSON, with defaults filled in.

        Raises:
            InputError: a name is unknown, a value is not allowed, or a setting would be ignored.
        """
        return run_settings(given).model_dump(mode="json")

    def measured(self, architectures: Roles, settings: Mapping[str, Any]) -> Mapping[str, float]:
        """The measures of one batch.

        Args:
            architectures: model and accelerator.
            settings: complete and checked.

        Raises:
            InputError: the model does not fit the accelerator.
        """
        (figures,) = _evaluate([_choices(architectures)], run_settings(settings))
        if isinstance(figures, InputError):
            raise figures
        return figures

    def run_batch(self, pairs: Sequence[Roles], settings: Mapping[str, Any]) -> list[Measurement | InputError]:
        """Measure many pairs at once, each exactly as `run` does; a pair that cannot run gives an error in its place.

        Args:
            pairs: model and accelerator of each measurement.
            settings: settings of all measurements.

        Raises:
            InputError: a setting is not allowed, or an architecture is missing.
        """
        run = run_settings(settings)
        for architectures in pairs:
            self.check_roles(architectures)
        full = run.model_dump(mode="json")
        return [
            figures if isinstance(figures, InputError) else self.measurement(architectures, full, figures)
            for architectures, figures in zip(pairs, _evaluate([_choices(pair) for pair in pairs], run), strict=True)
        ]

    def chunk(self, settings: Mapping[str, Any]) -> int:
        """Number of measurements that a worker is given at once."""
        return _CHUNKS[Engine(settings["engine"])]


_Pair = tuple[Mapping[str, Any], Mapping[str, Any]]


def _choices(architectures: Roles) -> _Pair:
    return architectures["model"].choices, architectures["accelerator"].choices


def _evaluate(pairs: Sequence[_Pair], settings: RunSettings) -> Sequence[Mapping[str, float] | InputError]:
    """Figures of each pair of choices; an error in place of a pair that cannot run."""
    if settings.engine is Engine.FAST:
        evaluate = fast.evaluate if settings.mode is Mode.REFERENCE else analytic.evaluate
        return evaluate(pairs, settings)
    return [_detailed(model, accelerator, settings) for model, accelerator in pairs]


def _detailed(
    model: Mapping[str, Any], accelerator: Mapping[str, Any], settings: RunSettings
) -> Mapping[str, float] | InputError:
    try:
        return detailed.simulate(model, accelerator, settings).measures
    except InputError as error:
        return error
