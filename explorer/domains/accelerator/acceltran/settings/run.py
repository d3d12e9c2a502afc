"""`RunSettings`: the settings of a simulation on AccelTran, besides the two architectures."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)

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
"""Name of the simulator, also used in messages."""
LONGEST_SEQUENCE = 1 << 16
LARGEST_VOCABULARY = 1 << 24


class Task(StrEnum):
    """Task of the accelerator."""

    INFERENCE = "inference"
    TRAINING = "training"


class Engine(StrEnum):
    """Method by which a run is simulated."""

    FAST = "fast"
    DETAILED = "detailed"


class Mode(StrEnum):
    """Whether the faults of the published simulator are reproduced or corrected."""

    REFERENCE = "reference"
    CORRECTED = "corrected"


class Schedule(StrEnum):
    """Order in which heads that run side by side are issued."""

    STAGGERED = "staggered"
    EQUAL = "equal"


class Phase(StrEnum):
    """What a decoder does: read a prompt, or generate a token after `sequence_length` tokens."""

    PROMPT = "prompt"
    TOKEN = "token"  # noqa: S105  (a token of text, no password)


class TrainingRule(StrEnum):
    """Rule by which training changes the weights."""

    SGD = "sgd"
    ADAM = "adam"


def _own_modules(value: object) -> object:
    return value if value is None or isinstance(value, OwnModules) else OwnModules.of(value)


def modules_of_file(path: str) -> dict[str, Any]:
    """The modules in a user's YAML file, as JSON.

    Raises:
        InputError: the file is malformed, or holds only memories.
    """
    from explorer.domains.accelerator.acceltran.chip.library import read_library

    library = read_library(Path(path))
    if library.modules is None:
        raise InputError(f"{path} holds no modules; memories are selected by the accelerator's setting memory.")
    return library.modules.json()


def _curve(value: object) -> object:
    """A curve other than the default, whose name is dropped so that a run has only one form."""
    if value == "" or isinstance(value, Curve):
        return value
    curve = find_curve(value)
    return "" if curve.name == DEFAULT_CURVE else curve.name or curve


def _curve_of_text(text: str) -> Any:
    """The name of a curve, or the profile in a JSON file, so that the stored settings need no file."""
    return read_json(Path(text), f"The profile {text}", "a profile of DynaTran") if text.endswith(".json") else text


# JSON outside, a hashable value inside.
_Modules = Annotated[OwnModules, PlainSerializer(OwnModules.json)]
_OwnCurve = Annotated[Curve, PlainSerializer(Curve.json)]


class RunOptions(BaseModel):
    """The options of a run, except the user's modules; the defaults are the published numbers.

    `correct` names the corrections that are on in mode `corrected` (see `switches`). One of `dynatran_threshold`,
    `target_sparsity` and `target_accuracy` selects a point on the curve `dynatran_curve`, a name or a user's profile
    (see `curves`), and with it the sparsity of activations; without any of them this is `activation_sparsity`.
    `dynaprop_threshold` selects the sparsity of gradients from a profile.
    """

    # Built when first used: this module is imported at every start.
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)

    task: Task = Field(default=Task.INFERENCE, strict=False, description="Task of the accelerator.")
    engine: Engine = Field(
        default=Engine.DETAILED,
        strict=False,
        description="Simulation method: fast uses formulas, detailed simulates event by event.",
    )
    mode: Mode = Field(
        default=Mode.CORRECTED,
        strict=False,
        description="Whether the faults of the published simulators are corrected or, for reference, reproduced.",
    )
    correct: str = Field(
        default="all",
        description="Corrections that are on in mode corrected: all, none, a list such as bandwidth,residual, or all "
        "except some, such as -residual.",
    )
    schedule: Schedule = Field(
        default=Schedule.STAGGERED,
        strict=False,
        description="Order of a layer's heads: staggered keeps their order, equal prefers the one furthest behind.",
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
        description=f"Measured DynaTran curve for thresholds and targets: {DEFAULT_CURVE} (the default), "
        f"{DEFAULT_CURVE}-pruned-weights, or a profile in a JSON file.",
    )
    dynatran_threshold: float | None = Field(
        default=None,
        ge=0,
        description="Magnitude up to which DynaTran sets activations to zero; by default it prunes nothing.",
    )
    target_sparsity: float | None = Field(
        default=None, ge=0, lt=1, description="Share of zeros for which DynaTran's threshold is chosen."
    )
    target_accuracy: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Accuracy, from 0 to 1, that the model must keep with DynaTran's threshold.",
    )
    dynaprop_threshold: float | None = Field(
        default=None,
        ge=0,
        description="Magnitude up to which DynaProp sets gradients to zero; needs a profile with gradients.",
    )
    phase: Phase = Field(
        default=Phase.PROMPT,
        strict=False,
        description="What a decoder does, beyond the published simulator: prompt reads sequence_length tokens, token "
        "generates one after them, with their keys and values in main memory.",
    )
    sequence_length: int = Field(default=128, ge=1, le=LONGEST_SEQUENCE, description="Number of tokens in a sequence.")
    vocabulary: int = Field(
        default=30522, ge=1, le=LARGEST_VOCABULARY, description="Size of the model's vocabulary in tokens."
    )
    causal: bool = Field(
        default=False, description="Let each token attend only to itself and earlier tokens, as in a decoder."
    )
    first_layer_only: bool = Field(default=False, description="Simulate the first layer only.")
    optimiser: TrainingRule = Field(
        default=TrainingRule.ADAM, strict=False, description="Rule by which training changes the weights."
    )
    recompute: bool = Field(
        default=False, description="Compute activations again in the backward pass instead of storing them."
    )

    @field_validator("correct")
    @classmethod
    def _canonical(cls, value: str) -> str:
        return switches_text(parse_switches(value))

    @model_serializer(mode="wrap")
    def _without_the_default_phase(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The settings as they were before decoders came, so that what is stored keeps its key."""
        settings: dict[str, Any] = serialise(self)
        if self.phase is Phase.PROMPT:
            settings.pop("phase", None)
        return settings

    @property
    def switches(self) -> frozenset[str]:
        """The corrections that are on."""
        return parse_switches(self.correct) if self.mode is Mode.CORRECTED else frozenset()

    @property
    def curve(self) -> Curve:
        """The curve on which thresholds and targets are looked up."""
        return self.dynatran_curve if isinstance(self.dynatran_curve, Curve) else find_curve(self.dynatran_curve)

    @property
    def dynatran_point(self) -> Point | None:
        """The point at which DynaTran prunes activations; None if no point is chosen.

        Raises:
            InputError: the curve does not cover it.
        """
        return self.curve.choose(self.dynatran_threshold, self.target_sparsity, self.target_accuracy)

    @property
    def dynaprop_point(self) -> Point | None:
        """The point at which DynaProp prunes gradients; None if no point is chosen.

        Raises:
            InputError: the curve has no sparsity of gradients, or does not cover it.
        """
        if self.dynaprop_threshold is None:
            return None
        if TensorRole.GRADIENT not in self.curve.roles:
            raise InputError(
                f"The setting dynaprop_threshold of acceltran is {self.dynaprop_threshold:g} with a curve that has no "
                "sparsity of gradients; allowed: a profile with the role gradient."
            )
        return self.curve.at_threshold(self.dynaprop_threshold)

    @property
    def training(self) -> bool:
        """Whether the backward pass and the optimiser step are simulated too."""
        return self.task is Task.TRAINING


class RunSettings(RunOptions):
    """Settings of one run. `library` holds figures of the user's modules that replace published ones."""

    library: Annotated[_Modules | None, BeforeValidator(_own_modules), Flag(read=modules_of_file, metavar="FILE")] = (
        Field(default=None, description="User-defined modules, in a YAML file.")
    )

    @property
    def overlay(self) -> Overlay:
        """The changes of the user's modules to the tables of constants."""
        return () if self.library is None else self.library.overlay


_PROGRAM_ONLY = ("schedule", "causal", "first_layer_only", "recompute", "optimiser")
"""Settings that the published fast simulator cannot follow, because it has no program."""

_TRAINING_ONLY = ("optimiser", "recompute", "gradient_sparsity")


def run_settings(given: Mapping[str, Any]) -> RunSettings:
    """The checked settings, with defaults filled in.

    Raises:
        InputError: a name is unknown, a value is not allowed, or a setting would be ignored.
    """
    return _with_effect(checked(RunSettings, given, NAME))


def _with_effect(settings: RunSettings) -> RunSettings:
    """Refuse settings that would be ignored, so that no measurement is stored under a setting without effect."""
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
    if _given(settings, "phase"):
        if settings.mode is Mode.REFERENCE:
            raise _without_effect("phase", "a decoder, which the published simulator does not know", "mode corrected")
        if settings.training:
            raise _without_effect("phase", "inference", "task inference")
    _check_pruning(settings)
    return settings


def _given(settings: RunSettings, *names: str) -> list[str]:
    """The settings among `names` that differ from their defaults."""
    return [name for name in names if getattr(settings, name) != RunSettings.model_fields[name].default]


_TARGETS = ("dynatran_threshold", "target_sparsity", "target_accuracy")


def _check_pruning(settings: RunSettings) -> None:
    """Refuse settings of DynaTran and DynaProp that conflict, have no effect, or are outside their curve."""
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
    _ = settings.dynatran_point, settings.dynaprop_point  # each refuses values outside its curve


def _without_effect(name: str, lacking: str, allowed: str) -> InputError:
    return InputError(f"The setting {name} of acceltran has no effect without {lacking}; allowed: {allowed}.")
