"""Options of a FlexiBERT study and its simulators; imported at every start, so this module imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from explorer.contracts.options import Flag
from explorer.contracts.skill import Source
from explorer.domains.transformer.parameters import ROBERTA_VOCABULARY
from explorer.domains.transformer.rules import Rule
from explorer.search.options import SearchSettings

if TYPE_CHECKING:
    from explorer.domains.transformer.training.config import TrainingConfig

NAME = "flexibert"
"""Name of the recipe and of the simulator of known accuracies, also used in messages."""
PRETRAINING = "flexibert-pretraining"
"""Name of the simulator that trains."""
TRAINED = "mlm_accuracy"
"""Target that is measured by training."""
KNOWN = ("qnli_accuracy", "sst2_accuracy")
"""Targets with published measurements, otherwise predicted by a surrogate."""
ALIASES: Mapping[str, str] = MappingProxyType(
    {target.replace("accuracy", "acc"): target for target in (*KNOWN, TRAINED)}
)
"""Short name of a target -> target."""
MOST_LEVELS = 3


def _target(value: object) -> object:
    target = ALIASES.get(value, value) if isinstance(value, str) else value
    if target not in ALIASES.values():
        shown = f"{value!r:.100}"
        raise ValueError(f"The setting target of {NAME} is {shown}; allowed: {', '.join(ALIASES.values())}.")
    return target


def space_of_text(text: str) -> Any:
    """The name of a space, or the content of a user's YAML file, so that the stored settings need no file.

    Raises:
        InputError: the file cannot be read, or is not YAML.
    """
    if Path(text).suffix not in (".yaml", ".yml"):
        return text
    from explorer.toolkit.yaml_file import read_yaml

    return read_yaml(Path(text), "space")


class FlexiBertSettings(SearchSettings):
    """The settings that the trials of a study depend on, besides its seed and the data in the database.

    Shares of the budget, head types and the settings of a training are filled in when a study is planned.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    target: Annotated[str, BeforeValidator(_target)] = Field(
        KNOWN[0],
        description=f"Target of the search: {', '.join(ALIASES)}. The last trains every model on your own text; the "
        "others use published measurements or, where there are none, predictions that are marked as such.",
    )
    space: Annotated[str | dict[str, Any], Flag(read=space_of_text, metavar="NAME|FILE")] = Field(
        "flexibert", description="Space of the models: a name, or a YAML file of your own."
    )
    heads: list[str] | None = Field(
        None,
        description="Head types to choose from. [default: all of the space if the target is trained, otherwise "
        "those of the measured models]",
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
        description="Trials before the next level begins; the last level continues. [default: equal shares of the "
        "budget]",
    )
    candidates: int = Field(
        10_000, ge=100, le=100_000, description="Largest number of models of a level; larger levels are sampled."
    )
    weights: dict[str, float] = Field(
        default_factory=dict,
        description="Weights of accuracy and parameters in the objective, which are divided by their sum.",
    )
    constraints: list[str] = Field(
        default_factory=list, description="Limits on measures: max:measure=value or min:measure=value."
    )
    transfer: Literal["none", Rule] = Field(
        "none",
        description="Rule by which a model inherits the weights of the most similar trained model before training.",
    )
    training: Annotated[dict[str, Any] | None, Flag(internal=True)] = Field(
        None, description="Corpus, tokenizer and all hyperparameters of a training."
    )


class KnownAccuracyRun(BaseModel):
    """Settings of a measurement whose accuracy is known in advance."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    task: str = Field(description="Task on which the accuracy was measured.")
    accuracy: float = Field(ge=0, le=1, description="Accuracy of the model, from 0 to 1.")
    accuracy_source: Source = Field(
        strict=False,
        description="Whether the accuracy was measured, is predicted, or is extrapolated for a model unlike the "
        "measured ones.",
    )


class TrainingSettings(BaseModel):
    """Settings of a measurement that trains the model."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    corpus: list[str] = Field(min_length=1, description="Text files, or a data set on the hub.")
    digest: Annotated[str | None, Flag(internal=True)] = Field(
        None, description="SHA-256 of the files; none for a data set on the hub."
    )
    tokenizer: str | None = Field(None, description="Folder or name on the hub. [default: one trained on the corpus]")
    vocabulary: int = Field(
        ROBERTA_VOCABULARY, ge=261, description="Largest number of tokens of a tokenizer trained on the corpus."
    )
    training: dict[str, Any] = Field(description="Hyperparameters that differ from their defaults.")
    parent: Annotated[str | None, Flag(internal=True)] = Field(
        None, description="Key of the measurement whose trained weights are inherited; none for random weights."
    )
    rule: Annotated[Rule | None, Flag(internal=True)] = Field(
        None, description="Rule by which weights are inherited; none without a parent."
    )

    @property
    def hyperparameters(self) -> TrainingConfig:
        """All hyperparameters, checked.

        Raises:
            InputError: a name is unknown, or a value is not allowed.
        """
        from explorer.domains.transformer.training import config

        return config.changed(config.recipe(BASE), self.training, "The setting training")


BASE = "flexibert2-pretraining"
"""Published recipe from which a training starts."""
