"""`AccelTranSimulator`: a Transformer on an AccelTran accelerator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from explorer.domains.accelerator.acceltran.fast import Figures, evaluate
from explorer.domains.accelerator.acceltran.settings import RunSettings, run_settings
from explorer.simulator import Simulator
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.measurement import Measurement

_PARTS = {
    "mac": "the MAC lanes",
    "softmax": "the softmax modules",
    "layer_norm": "the layer-norm modules",
    "sparsity": "the pre- and post-sparsity modules",
    "others": "the DMA, FIFO and dataflow modules (in training stochastic rounding too)",
}
MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "cycles": "clock cycles of one batch",
        "latency_s": "time of one batch, in s",
        "area_mm2": "area of processing elements and buffers, without main memory, interconnect and control, in mm2",
        "energy_j": "energy of one batch, in J: the sum of all parts",
        "energy_buffer_j": "energy of writing to the on-chip buffers, in J",
        "energy_main_memory_j": "energy of reading weights from main memory, without the embeddings, in J",
        **{
            f"energy_{part}_{sort}_j": f"{sort} energy of {text}, in J"
            for part, text in _PARTS.items()
            for sort in ("dynamic", "leakage")
        },
        "energy_dynamic_j": "energy of buffers and main memory and dynamic energy of all modules, in J",
        "energy_leakage_j": "leakage energy of all modules, in J",
        "energy_per_sequence_j": "energy of one batch by the sequences in it, in J",
        "average_power_w": "energy of one batch by its time, in W",
        "sequences_per_s": "sequences of one batch by its time, in 1/s",
    }
)


class AccelTranSimulator(Simulator):
    """Area, time and energy of one batch of a Transformer on an AccelTran accelerator.

    The engine `fast` in mode `reference` reproduces the published fast simulator of AccelTran (commit ea7ba165) for
    inference and for training, faults included; docs/acceltran.md lists them. Deterministic, so that no seed is taken.
    """

    name = "acceltran"
    version = "1"
    roles = MappingProxyType({"model": "transformer", "accelerator": "accelerator"})
    measures = MEASURES

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All settings of a run, defaults filled in.

        Raises:
            InputError: an unknown name or a value that is not allowed.
        """
        return run_settings(given).model_dump()

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
        figures = evaluate([(pair["model"].choices, pair["accelerator"].choices) for pair in pairs], checked)
        return [
            found if isinstance(found, InputError) else self._measurement(pair, checked, found)
            for pair, found in zip(pairs, figures, strict=True)
        ]

    def _measurement(
        self, architectures: Mapping[str, Architecture], settings: RunSettings, figures: Figures
    ) -> Measurement:
        return Measurement(
            simulator=self.name,
            version=self.version,
            roles={role: architectures[role].key for role in self.roles},
            settings=settings.model_dump(),
            measures={name: figures[name] for name in self.measures},
        )

    def _require_roles(self, architectures: Mapping[str, Architecture]) -> None:
        domains = {role: architecture.domain for role, architecture in architectures.items()}
        if domains != dict(self.roles):
            raise InputError(
                f"The architectures given to acceltran are {domains!r:.200}; allowed: {dict(self.roles)} "
                "(role: domain)."
            )
