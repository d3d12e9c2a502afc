"""What the verbs of Transformers may be told; read at every start, so nothing heavy is imported here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from explorer.contracts.options import Flag
from explorer.domains.transformer.parameters import ROBERTA_VOCABULARY
from explorer.domains.transformer.rules import Rule


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_Config = Annotated[Path | None, Field(description="JSON or YAML file of hyperparameters.")]
_Changes = Annotated[
    list[str],
    Flag(names=("--set",), metavar="NAME=VALUE"),
    Field(default_factory=list, description="name=value, a hyperparameter such as steps=1000; repeatable."),
]
_ReportEvery = Annotated[int, Field(description="Updates between two lines of metrics.jsonl.")]
_CheckpointEvery = Annotated[int, Field(description="Updates between two checkpoints.")]


class PretrainOptions(_Options):
    """A pre-training."""

    model: Annotated[str, Flag(argument=True), Field(description="Preset, key of the database, or JSON file.")]
    corpus: list[str] = Field(
        description="Text, Markdown, CSV, JSON or JSONL file, repeatable; or a data set of the hub, name[:part]."
    )
    out: Path = Field(description="Folder for checkpoint, metrics and model; training goes on from what it holds.")
    recipe: str = Field("flexibert2-pretraining", description="Published recipe to begin with.")
    config: _Config = None
    changes: _Changes
    tokenizer: str | None = Field(
        None, description="Folder or name on the hub. [default: byte-level BPE of the corpus]"
    )
    vocabulary: int = Field(ROBERTA_VOCABULARY, description="Most tokens of a tokenizer made of the corpus.")
    source: Annotated[
        Path | None,
        Flag(names=("--from",)),
        Field(description="Folder of a trained model to begin with, whose tokenizer is then the default."),
    ] = None
    rule: Rule | None = Field(None, description="How its weights are taken over. [default: ordered]")
    report_every: _ReportEvery = 100
    checkpoint_every: _CheckpointEvery = 1000


class FinetuneOptions(_Options):
    """A fine-tuning."""

    pretrained: Annotated[Path, Flag(argument=True), Field(description="Folder of a trained model.")]
    task: str | None = Field(None, description="Task of GLUE: cola, sst2, mrpc, stsb, qqp, mnli ...")
    data: list[Path] = Field(
        default_factory=list,
        description="CSV, JSON or JSONL file with the columns text, text_pair if need be, label; repeatable.",
    )
    validation: list[Path] = Field(
        default_factory=list, description="File to measure on, repeatable. [default: a tenth of the data at most]"
    )
    out: Path | None = Field(None, description="Folder for the result. [default: the task in PRETRAINED]")
    recipe: str = Field(
        "flexibert2-finetuning", description="Published recipe to begin with: this one, or flexibert1-finetuning."
    )
    config: _Config = None
    changes: _Changes
    report_every: _ReportEvery = 100
    checkpoint_every: _CheckpointEvery = 1000


class OnnxOptions(_Options):
    """An export to ONNX."""

    folder: Annotated[Path, Flag(argument=True), Field(description="Folder of a trained model.")]
    file: Annotated[Path, Flag(argument=True), Field(description="ONNX file to write.")]


class CrossOptions(_Options):
    """A crossing of two models."""

    first: Annotated[
        str, Flag(argument=True), Field(description="Preset, key of the database, or JSON file: a Transformer.")
    ]
    second: Annotated[str, Flag(argument=True), Field(description="The Transformer to cross it with.")]
    level: int = Field(
        2, description="Level of the children: 2, single layers; 3, feed-forward widths that differ in a layer."
    )
    count: Annotated[int, Flag(names=("-n",)), Field(ge=1, le=10_000, description="How many children to draw.")] = 10
    seed: int = Field(0, ge=0, description="Seed of the draw.")
