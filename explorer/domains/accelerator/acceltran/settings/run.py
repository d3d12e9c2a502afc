"""`RunSettings`: what a simulation on AccelTran depends on besides the two architectures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError, field_validator

from explorer.domains.accelerator.acceltran.chip.constants import Overlay
from explorer.domains.accelerator.acceltran.chip.modules import OwnModules
from explorer.domains.accelerator.acceltran.program import Role
from explorer.domains.accelerator.acceltran.settings.curves import DEFAULT_CURVE, Curve, Point, find_curve
from explorer.domains.accelerator.acceltran.settings.switches import parse_switches, switches_text
from graphdb.errors import InputError

LONGEST_SEQUENCE = 1 << 16
LARGEST_VOCABULARY = 1 << 24


def _own_modules(value: object) -> object:
    return value if value is None or isinstance(value, OwnModules) else OwnModules.of(value)


def _curve(value: object) -> object:
    """Another curve than the default one, which has no name so that a run has one form."""
    if value == "" or isinstance(value, Curve):
        return value
    found = find_curve(value)
    return "" if found.name == DEFAULT_CURVE else found.name or found


# JSON outside, hashable inside.
Modules = Annotated[OwnModules, PlainSerializer(OwnModules.json)]
OwnCurve = Annotated[Curve, PlainSerializer(Curve.json)]


class RunSettings(BaseModel):
    """Settings of one run; the default numbers are those of the published simulator.

    `correct` names the corrections that are on in mode `corrected` (see `switches`). One of `dynatran_threshold`,
    `target_sparsity` and `target_accuracy` picks a point on the curve `dynatran_curve`, a name or a user's profile (see
    `curves`), and so the sparsity of activations; without any of them it is `activation_sparsity`. `dynaprop_threshold`
    picks that of gradients from a profile. `library` holds figures of the user's own modules (see `modules`).
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    task: Literal["inference", "training"] = "inference"
    engine: Literal["fast", "detailed"] = "detailed"
    mode: Literal["reference", "corrected"] = "corrected"
    correct: str = "all"
    schedule: Literal["staggered", "equal"] = "staggered"
    activation_sparsity: float = Field(default=0.5, ge=0, lt=1)
    weight_sparsity: float = Field(default=0.5, ge=0, lt=1)
    gradient_sparsity: float = Field(default=0.9, ge=0, lt=1)
    dynatran_curve: Annotated[str | OwnCurve, BeforeValidator(_curve)] = ""
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
    def curve(self) -> Curve:
        """The curve that thresholds and targets are looked up on."""
        return self.dynatran_curve if isinstance(self.dynatran_curve, Curve) else find_curve(self.dynatran_curve)

    @property
    def dynatran_point(self) -> Point | None:
        """The point at which DynaTran prunes activations; None where none is chosen.

        Raises:
            InputError: the curve does not cover it.
        """
        return self.curve.choose(self.dynatran_threshold, self.target_sparsity, self.target_accuracy)

    @property
    def dynaprop_point(self) -> Point | None:
        """The point at which DynaProp prunes gradients; None where none is chosen.

        Raises:
            InputError: the curve has no sparsity of gradients, or does not cover it.
        """
        if self.dynaprop_threshold is None:
            return None
        if Role.GRADIENT not in self.curve.roles:
            raise InputError(
                f"The setting dynaprop_threshold of acceltran is {self.dynaprop_threshold:g} with a curve that has no "
                "sparsity of gradients; allowed: a profile of the user's own with the role gradient."
            )
        return self.curve.at_threshold(self.dynaprop_threshold)

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
    "engine": "fast, detailed",
    "mode": "reference, corrected",
    "correct": "all, none, or names of corrections",
    "schedule": "staggered, equal",
    "activation_sparsity": _SPARSITY,
    "weight_sparsity": _SPARSITY,
    "gradient_sparsity": _SPARSITY,
    "dynatran_curve": "the name of a curve, or a profile",
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


_PROGRAM_ONLY = ("schedule", "causal", "first_layer_only", "recompute", "optimiser")
"""Settings that the published fast simulator, which knows no program, cannot follow."""

_TRAINING_ONLY = ("optimiser", "recompute", "gradient_sparsity")


def run_settings(given: Mapping[str, Any]) -> RunSettings:
    """`given` checked, defaults filled in.

    Raises:
        InputError: an unknown name or a value that is not allowed.
    """
    try:
        return _with_effect(RunSettings.model_validate(dict(given)))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    name = str(first["loc"][0])
    if first["type"] == "value_error":  # an `InputError` of our own, which says more
        raise InputError(first["msg"].removeprefix("Value error, "))
    if name not in _ALLOWED:
        raise InputError(f"The setting {name!r:.80} of acceltran is unknown; allowed: {', '.join(_ALLOWED)}.")
    raise InputError(f"The setting {name} of acceltran is {given[name]!r:.80}; allowed: {_ALLOWED[name]}.")


def _with_effect(settings: RunSettings) -> RunSettings:
    """Refuses what would be ignored, so that no measurement is stored under a setting that it does not depend on."""
    changed = _given(settings, *_PROGRAM_ONLY)
    if settings.mode == "reference" and settings.engine == "fast" and changed:
        raise InputError(
            f"The setting {changed[0]} of acceltran has no effect on the engine fast in mode reference; allowed: the "
            "engine detailed, or the mode corrected."
        )
    if settings.mode == "reference" and settings.correct != "all":
        raise InputError("The setting correct of acceltran has no effect in mode reference; allowed: mode corrected.")
    changed = _given(settings, *_TRAINING_ONLY)
    if changed and not settings.training:
        raise _without_effect(changed[0], "a backward pass", "task training")
    _check_pruning(settings)
    return settings


def _given(settings: RunSettings, *names: str) -> list[str]:
    """Those that differ from their defaults."""
    return [name for name in names if getattr(settings, name) != RunSettings.model_fields[name].default]


_TARGETS = ("dynatran_threshold", "target_sparsity", "target_accuracy")


def _check_pruning(settings: RunSettings) -> None:
    """Refuses settings of DynaTran and DynaProp that contradict each other, have no effect, or leave their curve."""
    targets, gradients = _given(settings, *_TARGETS), _given(settings, "dynaprop_threshold")
    if len(targets) > 1:
        raise InputError(f"The settings {' and '.join(targets)} of acceltran are given; allowed: one of them.")
    chosen = [*targets, *gradients, *_given(settings, "dynatran_curve")]
    if chosen and "operation-sparsity" not in settings.switches:
        raise _without_effect(chosen[0], "the correction operation-sparsity", "mode corrected with that correction")
    if chosen == ["dynatran_curve"]:
        raise _without_effect("dynatran_curve", "a threshold or target", f"one of {', '.join(_TARGETS)} beside it")
    if gradients and not settings.training:
        raise _without_effect("dynaprop_threshold", "gradients", "task training")
    if targets and _given(settings, "activation_sparsity"):
        raise InputError(
            f"The settings activation_sparsity and {targets[0]} of acceltran are given; allowed: one of them."
        )
    if gradients and _given(settings, "gradient_sparsity"):
        raise InputError(
            "The settings gradient_sparsity and dynaprop_threshold of acceltran are given; allowed: one of them."
        )
    _ = settings.dynatran_point, settings.dynaprop_point  # each refuses what its curve does not cover


def _without_effect(name: str, lacking: str, allowed: str) -> InputError:
    return InputError(f"The setting {name} of acceltran has no effect without {lacking}; allowed: {allowed}.")
