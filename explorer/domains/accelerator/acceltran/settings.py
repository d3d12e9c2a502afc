"""`RunSettings`: what a simulation on AccelTran depends on besides the two architectures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graphdb.errors import InputError

LONGEST_SEQUENCE = 1 << 16
LARGEST_VOCABULARY = 1 << 24


class RunSettings(BaseModel):
    """Settings of one run; defaults are those of the published simulator."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    task: Literal["inference", "training"] = "inference"
    engine: Literal["fast"] = "fast"
    mode: Literal["reference"] = "reference"
    activation_sparsity: float = Field(default=0.5, ge=0, lt=1)
    weight_sparsity: float = Field(default=0.5, ge=0, lt=1)
    gradient_sparsity: float = Field(default=0.9, ge=0, lt=1)
    sequence_length: int = Field(default=128, ge=1, le=LONGEST_SEQUENCE)
    vocabulary: int = Field(default=30522, ge=1, le=LARGEST_VOCABULARY)


_ALLOWED = {
    "task": "inference, training",
    "engine": "fast",
    "mode": "reference",
    "activation_sparsity": "a number from 0 to below 1",
    "weight_sparsity": "a number from 0 to below 1",
    "gradient_sparsity": "a number from 0 to below 1",
    "sequence_length": f"an integer from 1 to {LONGEST_SEQUENCE}",
    "vocabulary": f"an integer from 1 to {LARGEST_VOCABULARY}",
}
_PLANNED = {("engine", "detailed"), ("mode", "corrected")}


def run_settings(given: Mapping[str, Any]) -> RunSettings:
    """`given` checked, defaults filled in.

    Raises:
        InputError: an unknown name or a value that is not allowed.
    """
    try:
        return RunSettings.model_validate(dict(given))
    except ValidationError as error:
        name = str(error.errors(include_url=False, include_input=False)[0]["loc"][0])
    if name not in _ALLOWED:
        raise InputError(f"The setting {name!r:.80} of acceltran is unknown; allowed: {', '.join(_ALLOWED)}.")
    value = given[name]
    if isinstance(value, str) and (name, value) in _PLANNED:
        raise InputError(f"The {name} {value!r} of acceltran is not available yet; available: {_ALLOWED[name]}.")
    raise InputError(f"The setting {name} of acceltran is {value!r:.80}; allowed: {_ALLOWED[name]}.")
