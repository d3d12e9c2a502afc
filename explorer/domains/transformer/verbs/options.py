"""Options of the verbs of Transformers; imported at every start, so this module imports nothing heavy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from explorer.contracts.options import Flag
from explorer.contracts.reference import WAYS
from explorer.domains.transformer.parameters import ROBERTA_VOCABULARY
from explorer.domains.transformer.rules import Rule


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_Config = Annotated[Path | None, Field(description="JSON or YAML file of hyperparameters.")]
_Changes = Annotated[
    list[str],
    Flag(names=("--set",), metavar="NAME=VALUE"),
    Field(default_factory=list, description="Hyperparameter as name=value, such as steps=1000; repeatable."),
]
_ReportEvery = Annotated[int, Field(description="Number of updates between two lines of metrics.jsonl.")]
_CheckpointEvery = Annotated[int, Field(description="Number of updates between two checkpoints.")]


class PretrainOptions(_Options):
    """Options of a pre-training."""

    model: Annotated[str, Flag(argument=True), Field(description=f"Transformer: {WAYS}.")]
    corpus: list[str] = Field(
        description="Text, Markdown, CSV, JSON or JSONL file, repeatable; or a data set on the hub, name[:part]."
    )
    out: Path = Field(
        description="Folder for checkpoint, metrics and model; training continues from an existing checkpoint."
    )
    recipe: str = Field("flexibert2-pretraining", description="Published recipe to start from.")
    config: _Config = None
    changes: _Changes
    tokenizer: str | None = Field(
        None, description="Tokenizer: a folder or a name on the hub. [default: byte-level BPE of the corpus]"
    )
    vocabulary: int = Field(
        ROBERTA_VOCABULARY, description="Largest number of tokens of a tokenizer trained on the corpus."
    )
    source: Annotated[
        Path | None,
        Flag(names=("--from",)),
        Field(description="Folder of a trained model to inherit weights from; its tokenizer becomes the default."),
    ] = None
    rule: Rule | None = Field(None, description="Rule by which the weights are inherited. [default: ordered]")
    report_every: _ReportEvery = 100
    checkpoint_every: _CheckpointEvery = 1000


class FinetuneOptions(_Options):
    """Options of a fine-tuning."""

    pretrained: Annotated[Path, Flag(argument=True), Field(description="Folder of a trained model.")]
    task: str | None = Field(None, description="GLUE task: cola, sst2, mrpc, stsb, qqp, mnli ...")
    data: list[Path] = Field(
        default_factory=list,
        description="CSV, JSON or JSONL file with the columns text, label and optionally text_pair; repeatable.",
    )
    validation: list[Path] = Field(
        default_factory=list, description="File to evaluate on; repeatable. [default: at most a tenth of the data]"
    )
    out: Path | None = Field(None, description="Folder for the result. [default: the task in PRETRAINED]")
    recipe: str = Field(
        "flexibert2-finetuning", description="Published recipe to start from: this one, or flexibert1-finetuning."
    )
    config: _Config = None
    changes: _Changes
    report_every: _ReportEvery = 100
    checkpoint_every: _CheckpointEvery = 1000


class OnnxOptions(_Options):
    """Options of an export to ONNX."""

    folder: Annotated[Path, Flag(argument=True), Field(description="Folder of a trained model.")]
    file: Annotated[Path, Flag(argument=True), Field(description="ONNX file to write.")]


class CrossOptions(_Options):
    """Options of a crossing of two models."""

    first: Annotated[str, Flag(argument=True), Field(description=f"Transformer: {WAYS}.")]
    second: Annotated[str, Flag(argument=True), Field(description=f"Transformer to cross it with: {WAYS}.")]
    level: int = Field(
        2, description="Level of the children: 2 for single layers, 3 for feed-forward widths that differ in a layer."
    )
    count: Annotated[int, Flag(names=("-n",)), Field(ge=1, le=10_000, description="Number of children to draw.")] = 10
    seed: int = Field(0, ge=0, description="Seed of the random draw.")
