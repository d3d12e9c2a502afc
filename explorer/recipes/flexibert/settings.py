"""The settings of a FlexiBERT study, from what a user gives."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from explorer import registry
from explorer.contracts.objective import Direction, Linear, Logarithmic, Objective, Scale, Term, parse_limit
from explorer.contracts.recipe import checked
from explorer.domains.transformer.hierarchy import LEVELS, library
from explorer.domains.transformer.spaces import own as own_space
from explorer.domains.transformer.spaces.layered import LayeredSpace
from explorer.domains.transformer.training.config import TrainingConfig
from explorer.domains.transformer.training.extras import extra
from explorer.recipes.flexibert.training import PretrainingSimulator, TrainingSettings, digest_of
from explorer.toolkit.yaml_file import read_yaml
from graphdb.errors import InputError

ALIASES = MappingProxyType({"qnli_acc": "qnli_accuracy", "sst2_acc": "sst2_accuracy", "mlm_acc": "mlm_accuracy"})
SPACES = ("flexibert", "flexibert_small", "flexibert_large", "flexibert2")
KNOWN = ("qnli_accuracy", "sst2_accuracy")
"""Targets that somebody has measured, and a surrogate predicts."""
TRAINED = "mlm_accuracy"
"""The target that a training finds."""
MEASURED_HEADS = ("sa_sdp", "sa_wma")
"""The types of heads of the models whose accuracy was published."""

_SCALES: Mapping[str, tuple[Direction, Scale]] = {
    "accuracy": (Direction.MAXIMISE, Linear(1.0)),
    "parameters": (Direction.MINIMISE, Logarithmic(1e6, 1e9)),
}
_OF_TRAINING = ("corpus", "tokenizer", "vocabulary")


class FlexiBertSettings(BaseModel):
    """All that the trials of a study depend on, besides its seed and the data in the database.

    Attributes:
        target: `qnli_accuracy` or `sst2_accuracy`, measured where somebody has, else predicted and marked so; or
            `mlm_accuracy`, for which every model is trained on the user's text.
        space: of the models: a name, a YAML file of one's own, or what such a file holds; the last is what is stored.
        heads: types of heads that may be chosen; None for those of the space that the target knows: all for
            `mlm_accuracy`, the measured ones for the others.
        levels: how many: stacks of two layers, then single layers, then feed-forward widths that differ in a layer.
        trials_per_level: before the next level begins; the last level goes on. None for equal shares of the budget.
        candidates: most models of a level; larger ones are sampled.
        optimiser: of each level; all but `boshnas` to compare with.
        batch: proposals asked for at a time.
        weights: of `accuracy` and `parameters`; they are divided by their sum.
        constraints: `max:measure=value`, `min:measure=value`.
        transfer: rule by which a model that is trained begins with the weights of the trained model of largest overlap.
        training: corpus, tokenizer and hyperparameters, for `mlm_accuracy`.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    target: str = "qnli_accuracy"
    space: str | dict[str, Any] = "flexibert"
    heads: list[str] | None = None
    levels: int = Field(default=len(LEVELS), ge=1, le=len(LEVELS))
    trials_per_level: int | None = Field(default=None, ge=1)
    candidates: int = Field(default=10_000, ge=100, le=100_000)
    optimiser: Literal["boshnas", "evolution", "random"] = "boshnas"
    batch: int = Field(default=4, ge=1, le=64)
    weights: dict[str, float] = Field(default_factory=dict)
    constraints: list[str] = Field(default_factory=list)
    transfer: Literal["none", "flexibert", "ordered", "projected"] = "none"
    training: dict[str, Any] | None = None


def complete(given: Mapping[str, Any], budget: int, recipe: str) -> FlexiBertSettings:
    """What a user gave, with all defaults filled in.

    Args:
        given: names of `FlexiBertSettings`, of the corpus, and of `TrainingConfig`.
        budget: trials that the study begins with.
        recipe: name, for messages.

    Raises:
        InputError: an unknown name or a value that is not allowed.
    """
    rest = {name: value for name, value in given.items() if name not in FlexiBertSettings.model_fields}
    own = {name: value for name, value in given.items() if name not in rest}
    target = own.get("target", FlexiBertSettings().target)
    own["target"] = ALIASES.get(target, target) if isinstance(target, str) else target
    space = own.get("space")
    if isinstance(space, str) and Path(space).suffix in (".yaml", ".yml"):
        own["space"] = read_yaml(Path(space), "space")
    if isinstance(own.get("heads"), str):
        own["heads"] = own["heads"].split(",")
    read = checked(FlexiBertSettings, own, recipe)
    allowed = [*KNOWN, TRAINED]
    if read.target not in allowed:
        raise InputError(f"The setting target of {recipe} is {read.target[:100]!r}; allowed: {', '.join(allowed)}.")
    if read.transfer != "none" and read.target != TRAINED:
        raise InputError(f"The setting transfer of {recipe} is {read.transfer!r}; it counts for {TRAINED} alone.")
    library(space_of(read).options, LEVELS[0])  # refuses depths without stacks of two
    return read.model_copy(
        update={
            "heads": _heads(read, recipe),
            "trials_per_level": read.trials_per_level or math.ceil(budget / read.levels),
            "training": _training(rest, read, recipe),
        }
    )


def space_of(settings: FlexiBertSettings) -> LayeredSpace:
    """The space of the models.

    Raises:
        InputError: there is none of that name, or its description is malformed.
    """
    if isinstance(settings.space, dict):
        return own_space.space_of(settings.space, "The setting space")
    if settings.space not in SPACES:
        raise InputError(
            f"The setting space is {settings.space[:100]!r}; allowed: {', '.join(SPACES)}, or a YAML file of your own."
        )
    space = registry.space(settings.space)
    assert isinstance(space, LayeredSpace)
    return space


def objective(settings: FlexiBertSettings, known: Mapping[str, str]) -> Objective:
    """Accuracy alone, unless parameters have a weight; they count by their decades, from 1e6 to 1e9.

    Args:
        known: the measures that there are.

    Raises:
        InputError: an unknown weight or one that is negative, all weights 0, or a malformed constraint.
    """
    weights = {"accuracy": 1.0, "parameters": 0.0} | settings.weights
    for name, weight in weights.items():
        if name not in _SCALES:
            raise InputError(f"There is no weight of {name[:100]!r}; allowed: {', '.join(_SCALES)}.")
        if not (math.isfinite(weight) and weight >= 0):
            raise InputError(f"The weight of {name} is {weight!r}; a number of at least 0 is needed.")
    total = math.fsum(weights.values())
    if total == 0:
        raise InputError("All weights are 0; at least one must be larger.")
    terms = tuple(Term(name, weight / total, *_SCALES[name]) for name, weight in weights.items() if weight)
    return Objective(terms, tuple(parse_limit(text, known) for text in settings.constraints))


def _heads(settings: FlexiBertSettings, recipe: str) -> list[str]:
    there = space_of(settings).options.head_kinds
    if settings.heads is None:
        return [kind for kind in there if settings.target == TRAINED or kind in MEASURED_HEADS] or list(there)
    unknown = [kind for kind in settings.heads if kind not in there]
    if unknown or not settings.heads:
        found = repr(unknown[0][:100]) if unknown else "empty"
        raise InputError(f"The setting heads of {recipe} is {found}; allowed: some of {', '.join(there)}.")
    return [kind for kind in there if kind in settings.heads]


def _training(rest: Mapping[str, Any], settings: FlexiBertSettings, recipe: str) -> dict[str, Any] | None:
    names = (*_OF_TRAINING, *TrainingConfig.model_fields)
    for name in rest:
        if name not in names:
            allowed = ", ".join(FlexiBertSettings.model_fields)
            raise InputError(
                f"There is no setting {name[:100]!r} of {recipe}; allowed: {allowed}; and, for {TRAINED}, "
                f"{', '.join(names)}."
            )
    if settings.target != TRAINED:
        if rest:
            raise InputError(f"The setting {next(iter(rest))} of {recipe} counts for the target {TRAINED} alone.")
        return None
    for package in ("datasets", "transformers", "accelerate"):
        extra(package)  # refuses before anything is stored
    if settings.training is not None:
        raise InputError(f"The setting training of {recipe} is made of its parts: corpus, steps and so on; give these.")
    if "corpus" not in rest:
        raise InputError(
            f"The target {TRAINED} trains every model: name the text by --set corpus=FILE, and most likely a length by "
            "--set steps=1000."
        )
    corpus = [rest["corpus"]] if isinstance(rest["corpus"], str) else rest["corpus"]
    given = {name: rest[name] for name in _OF_TRAINING[1:] if name in rest}
    hyperparameters = {name: value for name, value in rest.items() if name in TrainingConfig.model_fields}
    full = PretrainingSimulator().settings({"corpus": corpus, "training": hyperparameters, **given})
    return full | {"digest": digest_of(TrainingSettings.model_validate(full).corpus)}
