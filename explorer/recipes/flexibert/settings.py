"""The settings of a FlexiBERT study, completed from a user's input."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from explorer import registry
from explorer.contracts.measure import Measures, directions
from explorer.contracts.objective import Linear, Logarithmic, Objective, Scale, Term, parse_limit, weight_shares
from explorer.contracts.options import checked, shown_names
from explorer.domains.transformer.hierarchy import LEVELS, library
from explorer.domains.transformer.spaces import own as own_space
from explorer.domains.transformer.spaces.layered import LayeredSpace
from explorer.domains.transformer.training.config import TrainingConfig
from explorer.domains.transformer.training.extras import extra
from explorer.recipes.flexibert.options import NAME, TRAINED, FlexiBertSettings, TrainingSettings, space_of_text
from explorer.recipes.flexibert.training import PretrainingSimulator, digest_of
from explorer.search.options import with_search
from graphdb.errors import InputError

SPACES = ("flexibert", "flexibert_small", "flexibert_large", "flexibert2")
MEASURED_HEADS = ("sa_sdp", "sa_wma")
"""Head types of the models whose accuracy was published."""

_SCALES: Mapping[str, Scale] = {"accuracy": Linear(1.0), "parameters": Logarithmic(1e6, 1e9)}
_OF_TRAINING = ("corpus", "tokenizer", "vocabulary")


def complete(given: Mapping[str, Any], budget: int) -> FlexiBertSettings:
    """The user's settings, with all defaults filled in.

    Args:
        given: names of `FlexiBertSettings`, of the corpus, and of `TrainingConfig`.
        budget: initial number of trials of the study.

    Raises:
        InputError: a name is unknown, or a value is not allowed.
    """
    known = with_search(given, FlexiBertSettings.model_fields, NAME)
    rest = {name: value for name, value in known.items() if name not in FlexiBertSettings.model_fields}
    own = {name: value for name, value in known.items() if name not in rest}
    if isinstance(own.get("space"), str):
        own["space"] = space_of_text(own["space"])
    if isinstance(own.get("heads"), str):
        own["heads"] = own["heads"].split(",")
    read = checked(FlexiBertSettings, own, NAME)
    if read.transfer != "none" and read.target != TRAINED:
        raise InputError(f"The setting transfer of {NAME} is {read.transfer!r}; it applies only to {TRAINED}.")
    library(space_of(read).options, LEVELS[0])  # refuses depths that have no stacks of two
    return read.model_copy(
        update={
            "heads": _heads(read),
            "trials_per_level": read.trials_per_level or math.ceil(budget / read.levels),
            "training": _training(rest, read),
        }
    )


def space_of(settings: FlexiBertSettings) -> LayeredSpace:
    """The space of the models.

    Raises:
        InputError: there is no space with that name, or its description is malformed.
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


def objective(settings: FlexiBertSettings, known: Measures) -> Objective:
    """The objective: accuracy alone, unless parameters have a weight; they count in decades, from 1e6 to 1e9.

    In a search for the front, both count.

    Args:
        settings: settings of the study.
        known: available measures.

    Raises:
        InputError: a weight is unknown or negative, all weights are 0, or a constraint is malformed.
    """
    usual = {"accuracy": 1.0, "parameters": 1.0 if settings.front else 0.0}
    shares = weight_shares(settings.weights, usual, _SCALES)
    towards = directions(known, shares)
    terms = tuple(Term(name, share, towards[name], _SCALES[name]) for name, share in shares.items() if share)
    limits = tuple(parse_limit(text, known) for text in settings.constraints)
    return Objective(terms, limits, separate=settings.front)


def _heads(settings: FlexiBertSettings) -> list[str]:
    there = space_of(settings).options.head_kinds
    if settings.heads is None:
        return [kind for kind in there if settings.target == TRAINED or kind in MEASURED_HEADS] or list(there)
    unknown = [kind for kind in settings.heads if kind not in there]
    if unknown or not settings.heads:
        shown = repr(unknown[0][:100]) if unknown else "empty"
        raise InputError(f"The setting heads of {NAME} is {shown}; allowed: some of {', '.join(there)}.")
    return [kind for kind in there if kind in settings.heads]


def _training(rest: Mapping[str, Any], settings: FlexiBertSettings) -> dict[str, Any] | None:
    names = (*_OF_TRAINING, *TrainingConfig.model_fields)
    for name in rest:
        if name not in names:
            allowed = ", ".join(shown_names(FlexiBertSettings))
            raise InputError(
                f"There is no setting {name[:100]!r} of {NAME}; allowed: {allowed}; and, for {TRAINED}, "
                f"{', '.join(names)}."
            )
    if settings.target != TRAINED:
        if rest:
            raise InputError(f"The setting {next(iter(rest))} of {NAME} applies only to the target {TRAINED}.")
        return None
    for package in ("datasets", "transformers", "accelerate"):
        extra(package)  # refuses before anything is stored
    if settings.training is not None:
        raise InputError(f"The setting training of {NAME} is made of its parts: corpus, steps and so on; give these.")
    if "corpus" not in rest:
        raise InputError(
            f"The target {TRAINED} trains every model: name the text by --set corpus=FILE, and most likely a length by "
            "--set steps=1000."
        )
    corpus = [rest["corpus"]] if isinstance(rest["corpus"], str) else rest["corpus"]
    given = {name: rest[name] for name in _OF_TRAINING[1:] if name in rest}
    hyperparameters = {name: value for name, value in rest.items() if name in TrainingConfig.model_fields}
    full = PretrainingSimulator().settings({"corpus": corpus, "training": hyperparameters, **given})
    return full | {"digest": digest_of(checked(TrainingSettings, full, NAME).corpus)}
