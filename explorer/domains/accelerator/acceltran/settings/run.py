"""`RunSettings`: what a simulation on AccelTran depends on besides the two architectures."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, field_validator

from explorer.contracts.options import Flag, checked
from explorer.domains.accelerator.acceltran.chip.modules import OwnModules
from explorer.domains.accelerator.acceltran.program import TensorRole
from explorer.domains.accelerator.acceltran.settings.curves import DEFAULT_CURVE, Curve, Point, find_curve
from explorer.domains.accelerator.acceltran.settings.switches import parse_switches, switches_text
from explorer.toolkit.json_file import read_json
from graphdb.errors import InputError

if TYPE_CHECKING:
    from explorer.domains.accelerator.acceltran.chip.constants import Overlay

NAME = "acceltran"
"""Of the simulator, for messages too."""
LONGEST_SEQUENCE = 1 << 16
LARGEST_VOCABULARY = 1 << 24


class Task(StrEnum):
    """What the accelerator is to do with the model."""

    INFERENCE = "inference"
    TRAINING = "training"


class Engine(StrEnum):
    """How an accelerator is simulated."""

    FAST = "fast"
    DETAILED = "detailed"


class Mode(StrEnum):
    """Whether the faults of the published simulator are corrected."""

    REFERENCE = "reference"
    CORRECTED = "corrected"


class Schedule(StrEnum):
    """Which of the heads that run side by side goes first."""

    STAGGERED = "staggered"
    EQUAL = "equal"


class TrainingRule(StrEnum):
    """How training changes the weights."""

    SGD = "sgd"
    ADAM = "adam"


def _own_modules(value: object) -> object:
    return value if value is None or isinstance(value, OwnModules) else OwnModules.of(value)


def modules_of_file(path: str) -> dict[str, Any]:
    """The modules that a user's YAML file holds, as JSON.

    Raises:
        InputError: the file is malformed, or holds memories alone.
    """
    from explorer.domains.accelerator.acceltran.chip.library import read_library

    library = read_library(Path(path))
    if library.modules is None:
        raise InputError(f"{path} holds no modules; memories of the user's own are named by an accelerator.")
    return library.modules.json()


def _curve(value: object) -> object:
    """Another curve than the default one, which has no name so that a run has one form."""
    if value == "" or isinstance(value, Curve):
        return value
    curve = find_curve(value)
    return "" if curve.name == DEFAULT_CURVE else curve.name or curve


def _curve_of_text(text: str) -> Any:
    """The name of a curve, or the profile that a JSON file holds: the stored settings then need no file."""
    return read_json(Path(text), f"The profile {text}", "a profile of DynaTran") if text.endswith(".json") else text


# JSON outside, hashable inside.
_Modules = Annotated[OwnModules, PlainSerializer(OwnModules.json)]
_OwnCurve = Annotated[Curve, PlainSerializer(Curve.json)]


class RunOptions(BaseModel):
    """What a user may say about a run besides the modules of the accelerator; the defaults are the published numbers.

    `correct` names the corrections that are on in mode `corrected` (see `switches`). One of `dynatran_threshold`,
    `target_sparsity` and `target_accuracy` picks a point on the curve `dynatran_curve`, a name or a user's profile (see
    `curves`), and so the sparsity of activations; without any of them it is `activation_sparsity`. `dynaprop_threshold`
    picks that of gradients from a profile.
    """

    # Built when first used: this module is imported at every start.
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)

    task: Task = Field(default=Task.INFERENCE, strict=False, description="What the accelerator does with the model.")
    engine: Engine = Field(
        default=Engine.DETAILED,
        strict=False,
        description="How the run is simulated: fast by formulas, detailed event by event.",
    )
    mode: Mode = Field(
        default=Mode.CORRECTED,
        strict=False,
        description="Whether the faults of the published simulators are corrected, or reproduced for reference.",
    )
    correct: str = Field(
        default="all",
        description="Corrections that are on in mode corrected: all, none, a list such as bandwidth,residual, or all "
        "but some, such as -residual.",
    )
    schedule: Schedule = Field(
        default=Schedule.STAGGERED,
        strict=False,
        description="Which head of a layer goes first: staggered in their order, equal the one furthest behind.",
    )
    activation_sparsity: float = Field(default=0.5, ge=0, lt=1, description="Share of zeros among the activations.")
    weight_sparsity: float = Field(default=0.5, ge=0, lt=1, description="Share of zeros among the weights.")
    gradient_sparsity: float = Field(
        default=0.9, ge=0, lt=1, description="Share of zeros among the gradients, in training."
    )
    dynatran_curve: Annotated[
        str | _OwnCurve, BeforeValidator(_curve), Flag(read=_curve_of_text, metavar="NAME|FILE")
    ] = Field(
        default="",
        description=f"Measured curve of DynaTran that thresholds and targets are looked up on: {DEFAULT_CURVE} (the "
        f"default), {DEFAULT_CURVE}-pruned-weights, or a profile in a JSON file.",
    )
    dynatran_threshold: float | None = Field(
        default=None,
        ge=0,
        description="Magnitude up to which DynaTran sets activations to zero; none for no such pruning.",
    )
    target_sparsity: float | None = Field(
        default=None, ge=0, lt=1, description="Share of zeros for which DynaTran's threshold is chosen."
    )
    target_accuracy: float | None = Field(
        default=None, ge=0, le=1, description="Accuracy that DynaTran's threshold must keep, as a share of 1."
    )
    dynaprop_threshold: float | None = Field(
        default=None,
        ge=0,
        description="Magnitude up to which DynaProp sets gradients to zero, on a profile that measured it.",
    )
    sequence_length: int = Field(default=128, ge=1, le=LONGEST_SEQUENCE, description="Tokens of a sequence.")
    vocabulary: int = Field(default=30522, ge=1, le=LARGEST_VOCABULARY, description="Tokens that the model knows.")
    causal: bool = Field(
        default=False, description="Let a token attend only to itself and those before it, as in a decoder."
    )
    first_layer_only: bool = Field(default=False, description="Simulate the first layer only.")
    optimiser: TrainingRule = Field(
        default=TrainingRule.ADAM, strict=False, description="Rule by which training changes the weights."
    )
    recompute: bool = Field(
        default=False, description="Compute activations again in the backward pass, in place of storing them."
    )

    @field_validator("correct")
    @classmethod
    def _canonical(cls, value: str) -> str:
        return switches_text(parse_switches(value))

    @property
    def switches(self) -> frozenset[str]:
        """The corrections that are on."""
        return parse_switches(self.correct) if self.mode is Mode.CORRECTED else frozenset()

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
        if TensorRole.GRADIENT not in self.curve.roles:
            raise InputError(
                f"The setting dynaprop_threshold of acceltran is {self.dynaprop_threshold:g} with a curve that has no "
                "sparsity of gradients; allowed: a profile of the user's own with the role gradient."
            )
        return self.curve.at_threshold(self.dynaprop_threshold)

    @property
    def training(self) -> bool:
        """Whether the backward pass and the optimiser's step are simulated too."""
        return self.task is Task.TRAINING


class RunSettings(RunOptions):
    """Settings of one run. `library` holds figures of the user's own modules in place of the published ones."""

    library: Annotated[_Modules | None, BeforeValidator(_own_modules), Flag(read=modules_of_file, metavar="FILE")] = (
        Field(default=None, description="Modules of the user's own, in a YAML file.")
    )

    @property
    def overlay(self) -> Overlay:
        """What the user's own modules change in the tables of constants."""
        return () if self.library is None else self.library.overlay


_PROGRAM_ONLY = ("schedule", "causal", "first_layer_only", "recompute", "optimiser")
"""Settings that the published fast simulator, which knows no program, cannot follow."""

_TRAINING_ONLY = ("optimiser", "recompute", "gradient_sparsity")


def run_settings(given: Mapping[str, Any]) -> RunSettings:
    """`given` checked, defaults filled in.

    Raises:
        InputError: an unknown name, a value that is not allowed, or one that would be ignored.
    """
    return _with_effect(checked(RunSettings, given, NAME))


def _with_effect(settings: RunSettings) -> RunSettings:
    """Refuses what would be ignored, so that no measurement is stored under a setting that it does not depend on."""
    changed = _given(settings, *_PROGRAM_ONLY)
    if settings.mode is Mode.REFERENCE and settings.engine is Engine.FAST and changed:
        raise InputError(
            f"The setting {changed[0]} of acceltran has no effect on the engine fast in mode reference; allowed: the "
            "engine detailed, or the mode corrected."
        )
    if settings.mode is Mode.REFERENCE and settings.correct != "all":
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
