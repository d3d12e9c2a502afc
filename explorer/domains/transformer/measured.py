"""Published measurements of Transformers in this package; tables/README.txt lists sources and defects."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

from explorer.contracts.published import Published
from explorer.domains.transformer.model import choices_of, layer
from explorer.domains.transformer.spaces.early import EarlyFlexiBertSpace
from explorer.domains.transformer.spaces.flexibert2 import FlexiBert2Space
from graphdb.architecture import Architecture
from graphdb.measurement import Measurement

SIMULATOR = "flexibert-published"
GLUE_FACTOR = 1.5
"""Factor by which the published code multiplied the GLUE score before storing it."""

Pair = tuple[Architecture, Measurement]


def early_models() -> Iterator[Pair]:
    """The 818 published models of the early space, with `sst2_accuracy`, `qnli_accuracy` (0 to 1) or both."""
    space = EarlyFlexiBertSpace()
    with (_tables() / "flexibert_early.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            architecture = space.build(_early_choices(row))
            measures = {
                f"{task}_accuracy": float(row[f"{task}_acc"]) for task in ("sst2", "qnli") if row[f"{task}_acc"]
            }
            settings = {"source": "txf_design-space c633572, d732b67", "hash": row["hash"]}
            yield architecture, _measurement(architecture, "2021-05", settings, measures)


def trained_models() -> Iterator[Pair]:
    """The 16 published FlexiBERT 2.0 models with `mlm_loss` (nats) and, for 13 of them, `glue` (0 to 1, unscaled)."""
    space = FlexiBert2Space()
    for row in _rows("flexibert2_trained.json"):
        architecture = space.build(row["model"])
        settings = {
            "source": "edgetran 5707260",
            "hash": row["hash"],
            "model_type": row["model_type"],
            "pretrain_steps": row["pretrain_steps"],
            "glue_as_stored": row["glue_as_stored"],
        }
        measures = {"mlm_loss": float(row["mlm_loss"])}
        if row["glue_as_stored"] is not None:
            measures["glue"] = row["glue_as_stored"] / GLUE_FACTOR
        yield architecture, _measurement(architecture, "2022-08", settings, measures)


def elector_models() -> dict[str, Architecture]:
    """Published hash -> model, for the 16 models that ELECTOR's accelerators were simulated with."""
    space = FlexiBert2Space()
    return {row["hash"]: space.build(row["model"]) for row in _rows("elector_models.json")}


def published() -> Published:
    """All published models and their measurements."""
    pairs = [*early_models(), *trained_models()]
    models = [architecture for architecture, _ in pairs]
    return Published([*models, *elector_models().values()], [measurement for _, measurement in pairs])


def _early_choices(row: Mapping[str, str]) -> dict[str, Any]:
    heads, hidden, similarity, widths = (row[name].split("-") for name in ("heads", "hidden", "similarity", "ff"))
    return choices_of(
        [
            layer(int(width), [f"sa_{kind}"] * int(count), [int(inner)])
            for count, width, kind, inner in zip(heads, hidden, similarity, widths, strict=True)
        ]
    )


def _measurement(
    architecture: Architecture, version: str, settings: Mapping[str, Any], measures: Mapping[str, float]
) -> Measurement:
    return Measurement(SIMULATOR, version, {"model": architecture.key}, settings, measures)


def _rows(name: str) -> Sequence[Mapping[str, Any]]:
    rows: Sequence[Mapping[str, Any]] = json.loads((_tables() / name).read_text(encoding="utf-8"))
    return rows


def _tables() -> Any:
    return files("explorer.domains.transformer") / "tables"
