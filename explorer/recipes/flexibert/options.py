"""What a FlexiBERT study and its simulators may be told; read at every start, so nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from explorer.contracts.options import Flag
from explorer.contracts.skill import Source
from explorer.domains.transformer.parameters import ROBERTA_VOCABULARY
from explorer.domains.transformer.rules import Rule

if TYPE_CHECKING:
    from explorer.domains.transformer.training.config import TrainingConfig

NAME = "flexibert"
"""Of the recipe and of the simulator of known accuracies, for messages too."""
PRETRAINING = "flexibert-pretraining"
"""Name of the simulator that trains."""
TRAINED = "mlm_accuracy"
"""The target that a training measures."""
KNOWN = ("qnli_accuracy", "sst2_accuracy")
"""Targets that somebody has measured, and a surrogate predicts."""
ALIASES: Mapping[str, str] = MappingProxyType(
    {target.replace("accuracy", "acc"): target for target in (*KNOWN, TRAINED)}
)
"""Short name of a target -> the target."""
MOST_LEVELS = 3


class SearchBy(StrEnum):
    """What chooses the models of a level."""

    BOSHNAS = "boshnas"
    EVOLUTION = "evolution"
    RANDOM = "random"


def _target(value: object) -> object:
    target = ALIASES.get(value, value) if isinstance(value, str) else value
    if target not in ALIASES.values():
        shown = f"{value!r:.100}"
        raise ValueError(f"The setting target of {NAME} is {shown}; allowed: {', '.join(ALIASES.values())}.")
    return target


def space_of_text(text: str) -> Any:
    """The name of a space, or what a YAML file of the user's own holds: the stored settings then need no file.

    Raises:
        InputError: the file cannot be read, or is no YAML.
    """
    if Path(text).suffix not in (".yaml", ".yml"):
        return text
    from explorer.toolkit.yaml_file import read_yaml

    return read_yaml(Path(text), "space")


class FlexiBertSettings(BaseModel):
    """All that the trials of a study depend on, besides its seed and the data in the database.

    Shares of the budget, types of heads and the settings of a training are filled in when a study is planned.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    target: Annotated[str, BeforeValidator(_target)] = Field(
        KNOWN[0],
        description=f"What the search looks for: {', '.join(ALIASES)}. The last trains every model on text of your "
        "own; the others are measured where somebody has done so, else predicted and marked so.",
    )
    space: Annotated[str | dict[str, Any], Flag(read=space_of_text, metavar="NAME|FILE")] = Field(
        "flexibert", description="Space of the models: a name, or a YAML file of your own."
    )
    heads: list[str] | None = Field(
        None,
        description="Types of heads that may be chosen. [default: for a target that is trained all of the space, for "
        "others those of the measured models]",
    )
    levels: int = Field(
        MOST_LEVELS,
        ge=1,
        le=MOST_LEVELS,
        description="Levels from coarse to fine: stacks of two layers, then single layers, then feed-forward widths "
        "that differ within a layer.",
    )
    trials_per_level: int | None = Field(
        None,
        ge=1,
        description="Trials before the next level begins; the last level goes on. [default: equal shares of the "
        "budget]",
    )
    candidates: int = Field(
        10_000, ge=100, le=100_000, description="Most models of a level; larger levels are sampled."
    )
    optimiser: SearchBy = Field(
        SearchBy.BOSHNAS,
        strict=False,
        description="What chooses the models of a level: boshnas, or evolution and random to compare with.",
    )
    batch: int = Field(4, ge=1, le=64, description="Proposals asked for at a time.")
    weights: dict[str, float] = Field(
        default_factory=dict,
        description="Weights of accuracy and parameters in the objective, which are divided by their sum.",
    )
    constraints: list[str] = Field(
        default_factory=list, description="Limits of measures: max:measure=value or min:measure=value."
    )
    transfer: Literal["none", Rule] = Field(
        "none",
        description="Rule by which a model that is trained begins with the weights of the trained model most like it.",
    )
    training: Annotated[dict[str, Any] | None, Flag(internal=True)] = Field(
        None, description="Corpus, tokenizer and hyperparameters of a training, all of them."
    )


class KnownAccuracyRun(BaseModel):
    """Settings of a measurement whose accuracy is known beforehand."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    task: str = Field(description="What the accuracy was measured on.")
    accuracy: float = Field(ge=0, le=1, description="Accuracy of the model, as a share of 1.")
    accuracy_source: Source = Field(
        strict=False,
        description="Whether that accuracy was measured, is predicted, or is extrapolated for a model unlike the "
        "measured ones.",
    )


class TrainingSettings(BaseModel):
    """Settings of a measurement that trains the model."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    corpus: list[str] = Field(min_length=1, description="Text files, or a data set of the hub.")
    digest: Annotated[str | None, Flag(internal=True)] = Field(
        None, description="SHA-256 of the files; none for a data set of the hub."
    )
    tokenizer: str | None = Field(None, description="Folder or name on the hub. [default: one made of the corpus]")
    vocabulary: int = Field(ROBERTA_VOCABULARY, ge=261, description="Most tokens of a tokenizer made of the corpus.")
    training: dict[str, Any] = Field(description="Hyperparameters that differ from their defaults.")
    parent: Annotated[str | None, Flag(internal=True)] = Field(
        None, description="Key of the measurement whose trained weights are taken over; none to begin anew."
    )
    rule: Annotated[Rule | None, Flag(internal=True)] = Field(
        None, description="Rule by which weights are taken over; none without a parent."
    )

    @property
    def hyperparameters(self) -> TrainingConfig:
        """All of them, checked.

        Raises:
            InputError: an unknown name, or a value that is not allowed.
        """
        from explorer.domains.transformer.training import config

        return config.changed(config.recipe(BASE), self.training, "The setting training")


BASE = "flexibert2-pretraining"
"""Published recipe that a training begins with."""
