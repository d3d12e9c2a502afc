"""Published simulations of accelerators in this package; tables/README.txt lists sources and omissions."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from importlib.resources import files

from explorer.contracts.published import Published
from explorer.domains.accelerator.acceltran.chip.constants import CLOCK_HZ
from explorer.domains.accelerator.elector.space import ElectorSpace
from explorer.domains.transformer.measured import elector_models
from graphdb.architecture import Architecture
from graphdb.measurement import Measurement

SIMULATOR = "elector-published"
VERSION = "2a05ddc"
SETTINGS = {
    "source": "transcode 2a05ddc, acceltran 7185747",
    "engine": "fast",
    "mode": "inference",
    "sequence_length": 128,
    "vocabulary": 30_522,
    "activation_sparsity": 0.5,
    "weight_sparsity": 0.5,
    "loop_order": "b_i_j_k",
}
_ENERGIES = {
    "e_buffer_nj": "energy_buffer_j",
    "e_main_memory_nj": "energy_main_memory_j",
    **{
        f"e_{unit}_{short}_nj": f"energy_{unit}_{kind}_j"
        for unit in ("mac", "softmax", "layernorm", "sparsity", "others")
        for short, kind in (("dyn", "dynamic"), ("leak", "leakage"))
    },
}


def accelerators() -> dict[str, Architecture]:
    """Published identifier -> accelerator, for all 16 of them."""
    return {identifier: architecture for identifier, (architecture, _) in _accelerators().items()}


def pairs() -> Iterator[tuple[Architecture, Architecture, Measurement]]:
    """The 242 published pairs: a model, an accelerator and the measurement of one batch.

    The measures are `cycles`, `latency_s`, `area_mm2`, energies in joules with their sums (`energy_dynamic_j`, which
    includes the memories, `energy_leakage_j`, `energy_j`), and `glue` (0 to 1), which was predicted.
    """
    models, simulated = elector_models(), _accelerators()
    for row in _rows("pairs.csv"):
        model, (accelerator, area_mm2) = models[row["txf_id"]], simulated[row["acc_id"]]
        roles = {"model": model.key, "accelerator": accelerator.key}
        measures = {**_measures(row), "area_mm2": area_mm2}
        yield (
            model,
            accelerator,
            Measurement(SIMULATOR, VERSION, roles, SETTINGS, measures, predicted=frozenset({"glue"})),
        )


def published() -> Published:
    """All published accelerators, the models of their pairs, and the simulations."""
    architectures = [*elector_models().values(), *accelerators().values()]
    return Published(architectures, [measurement for _, _, measurement in pairs()])


def _measures(row: Mapping[str, str]) -> dict[str, float]:
    energies = {name: float(row[column]) * 1e-9 for column, name in _ENERGIES.items()}
    leakage = sum(value for name, value in energies.items() if name.endswith("leakage_j"))
    total = sum(energies.values())
    cycles = int(row["cycles"])
    return {
        "cycles": cycles,
        "latency_s": cycles / CLOCK_HZ,
        **energies,
        "energy_dynamic_j": total - leakage,
        "energy_leakage_j": leakage,
        "energy_j": total,
        "glue": float(row["glue_score"]),
    }


def _accelerators() -> dict[str, tuple[Architecture, float]]:
    space = ElectorSpace()
    accelerators_by_id = {}
    for row in _rows("accelerators.csv"):
        numbers = {name: int(value) for name, value in row.items() if name not in ("acc_id", "memory", "area_mm2")}
        choices = {**numbers, "memory": row["memory"], "non_linearity": "gelu"}
        accelerators_by_id[row["acc_id"]] = space.build(choices), float(row["area_mm2"])
    return accelerators_by_id


def _rows(name: str) -> Iterator[dict[str, str]]:
    table = files("explorer.domains.accelerator.elector") / "tables" / name
    with table.open(encoding="utf-8") as lines:
        yield from csv.DictReader(lines)
