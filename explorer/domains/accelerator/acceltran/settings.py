"""`RunSettings`: what a simulation on AccelTran depends on besides the two architectures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError, field_validator

from explorer.domains.accelerator.acceltran.constants import Overlay
from explorer.domains.accelerator.acceltran.modules import OwnModules
from explorer.domains.accelerator.acceltran.switches import parse_switches, switches_text
from graphdb.errors import InputError

LONGEST_SEQUENCE = 1 << 16
LARGEST_VOCABULARY = 1 << 24


def _own_modules(value: object) -> object:
    return value if value is None or isinstance(value, OwnModules) else OwnModules.of(value)


# JSON outside, hashable inside.
Modules = Annotated[OwnModules, PlainSerializer(OwnModules.json)]


class RunSettings(BaseModel):
    """Settings of one run; the default numbers are those of the published simulator.

    `correct` names the corrections that are on in mode `corrected` (see `switches`). One of `dynatran_threshold`,
    `target_sparsity` and `target_accuracy` picks a point on the curve `dynatran_curve`, and so the activation sparsity;
    without any of them it is `activation_sparsity`. `library` holds figures of the user's own modules (see `modules`).
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    task: Literal["inference", "training"] = "inference"
    engine: Literal["fast", "detailed"] = "fast"
    mode: Literal["reference", "corrected"] = "reference"
    correct: str = "all"
    schedule: Literal["staggered", "equal"] = "staggered"
    activation_sparsity: float = Field(default=0.5, ge=0, lt=1)
    weight_sparsity: float = Field(default=0.5, ge=0, lt=1)
    gradient_sparsity: float = Field(default=0.9, ge=0, lt=1)
    dynatran_curve: str = ""
    dynatran_threshold: float | None = Field(default=None, ge=0)
    target_sparsity: float | None = Field(default=None, ge=0, lt=1)
    target_accuracy: float | None = Field(default=None, ge=0, le=1)
    dynaprop_threshold: float | None = Field(default=None, ge=0)
    sequence_length: int = Field(default=128, ge=1, le=LONGEST_SEQUENCE)
    vocabulary: int = Field(default=30522, ge=1, le=LARGEST_VOCABULARY)
    causal: bool = False
    first_layer_only: bool = False
    optimiser: Literal["sgd", "adam"] = "adam"
    recompute: bool = False
    library: Annotated[Modules | None, BeforeValidator(_own_modules)] = None

    @field_validator("correct")
    @classmethod
    def _canonical(cls, value: str) -> str:
        return switches_text(parse_switches(value))

    @property
    def switches(self) -> frozenset[str]:
        """The corrections that are on."""
        return parse_switches(self.correct) if self.mode == "corrected" else frozenset()

    @property
    def overlay(self) -> Overlay:
        """What the user's own modules change in the tables of constants."""
        return () if self.library is None else self.library.overlay

    @property
    def training(self) -> bool:
        """Whether the backward pass and the optimiser's step are simulated too."""
        return self.task == "training"


_SPARSITY = "a number from 0 to below 1"
_ALLOWED = {
    "task": "inference, training",
    "engine": "fast",
    "mode": "reference",
    "correct": "all, none, or names of corrections",
    "schedule": "staggered, equal",
    "activation_sparsity": _SPARSITY,
    "weight_sparsity": _SPARSITY,
    "gradient_sparsity": _SPARSITY,
    "dynatran_curve": "the name of a curve",
    "dynatran_threshold": "a number of at least 0",
    "target_sparsity": _SPARSITY,
    "target_accuracy": "a number from 0 to 1",
    "dynaprop_threshold": "a number of at least 0",
    "sequence_length": f"an integer from 1 to {LONGEST_SEQUENCE}",
    "vocabulary": f"an integer from 1 to {LARGEST_VOCABULARY}",
    "causal": "true, false",
    "first_layer_only": "true, false",
    "optimiser": "sgd, adam",
    "recompute": "true, false",
    "library": "modules of the user's own",
}


_PLANNED = {("engine", "detailed"), ("mode", "corrected")}


def run_settings(given: Mapping[str, Any]) -> RunSettings:
    """`given` checked, defaults filled in.

    Raises:
        InputError: an unknown name or a value that is not allowed.
    """
    for name, value in given.items():
        if isinstance(value, str) and (name, value) in _PLANNED:
            raise InputError(f"The {name} {value!r} of acceltran is not available yet; available: {_ALLOWED[name]}.")
    try:
        return RunSettings.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    name = str(first["loc"][0])
    if first["type"] == "value_error":  # an `InputError` of our own, which says more
        raise InputError(first["msg"].removeprefix("Value error, "))
    if name not in _ALLOWED:
        raise InputError(f"The setting {name!r:.80} of acceltran is unknown; allowed: {', '.join(_ALLOWED)}.")
    raise InputError(f"The setting {name} of acceltran is {given[name]!r:.80}; allowed: {_ALLOWED[name]}.")
