"""`TrainingConfig`: every hyperparameter of a training, and the published recipes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from explorer.contracts.options import checked
from explorer.toolkit.json_file import read_json
from explorer.toolkit.yaml_file import read_yaml
from graphdb.errors import InputError


class TrainingConfig(BaseModel):
    """The settings that the result of a training depends on, besides model, data and initial weights.

    Attributes:
        steps: total number of updates of the weights; None if `epochs` is given.
        epochs: number of passes over the training data; None if `steps` is given.
        batch_size: number of sequences in one update, over all devices.
        micro_batch_size: number of sequences that a device holds at once, by gradient accumulation; None for its whole
            share.
        sequence_length: length of the longest sequence in tokens, and number of positions of a new model.
        learning_rate: peak of the learning rate, which rises from 0 during the warm-up and then falls linearly to 0.
        warmup_steps: number of updates in the warm-up.
        warmup_ratio: warm-up as a share of all steps; used if `warmup_steps` is 0.
        weight_decay: weight decay of AdamW, on all weights except biases and layer norms.
        adam_beta1, adam_beta2, adam_epsilon: the other constants of AdamW.
        largest_gradient_norm: norm to which longer gradients are clipped; 0 for no clipping.
        dropout: share of activations that training sets to zero.
        masked_share: share of tokens to be predicted; of these, `replaced_share` become the mask token, `random_share`
            become any token, and the rest stay.
        held_out_sequences: largest number of sequences held out to evaluate the training if the data have no validation
            set; never above a tenth.
        evaluation_batch_size: number of sequences in one batch of an evaluation.
        precision: precision of products on a device: float32, or bfloat16 where that is safe (automatic mixed
            precision).
        seed: seed for initial weights, order, masking and dropout.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    steps: int | None = Field(default=None, ge=1)
    epochs: int | None = Field(default=None, ge=1)
    batch_size: int = Field(default=256, ge=1)
    micro_batch_size: int | None = Field(default=None, ge=1)
    sequence_length: int = Field(default=512, ge=3, le=1 << 16)
    learning_rate: float = Field(default=1e-4, gt=0, allow_inf_nan=False)
    warmup_steps: int = Field(default=0, ge=0)
    warmup_ratio: float = Field(default=0.0, ge=0, lt=1)
    weight_decay: float = Field(default=0.01, ge=0, allow_inf_nan=False)
    adam_beta1: float = Field(default=0.9, ge=0, lt=1)
    adam_beta2: float = Field(default=0.999, ge=0, lt=1)
    adam_epsilon: float = Field(default=1e-8, gt=0, allow_inf_nan=False)
    largest_gradient_norm: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    masked_share: float = Field(default=0.15, gt=0, lt=1)
    replaced_share: float = Field(default=0.8, ge=0, le=1)
    random_share: float = Field(default=0.1, ge=0, le=1)
    held_out_sequences: int = Field(default=1000, ge=1)
    evaluation_batch_size: int = Field(default=64, ge=1)
    precision: Literal["float32", "bfloat16"] = "float32"
    seed: int = Field(default=0, ge=0, lt=1 << 63)

    @model_validator(mode="after")
    def _consistent(self) -> TrainingConfig:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("One of steps and epochs must be given, and the other must be null.")
        if self.replaced_share + self.random_share > 1:
            raise ValueError("replaced_share and random_share add up to more than 1.")
        if self.warmup_steps and self.warmup_ratio:
            raise ValueError("One of warmup_steps and warmup_ratio must be 0.")
        if self.steps is not None and self.warmup_steps > self.steps:
            raise ValueError(f"warmup_steps is {self.warmup_steps}, above the {self.steps} steps in all.")
        return self

    def total_steps(self, examples: int) -> int:
        """Number of updates of the weights with `examples` training sequences."""
        return self.steps if self.steps is not None else (self.epochs or 0) * -(-examples // self.batch_size)

    def learning_rate_at(self, step: int, steps: int) -> float:
        """The learning rate of update number `step` (from 0) of `steps`: linear warm-up, then linear decay to 0."""
        warmup = self.warmup_steps or math.ceil(self.warmup_ratio * steps)
        if step < warmup:
            return self.learning_rate * step / warmup
        return self.learning_rate * max(0.0, (steps - step) / max(1, steps - warmup))


RECIPES: Mapping[str, TrainingConfig] = {
    "flexibert2-pretraining": TrainingConfig(steps=1_000_000, warmup_steps=10_000),
    "flexibert2-finetuning": TrainingConfig(
        epochs=10, batch_size=16, micro_batch_size=8, learning_rate=2e-5, warmup_ratio=0.06
    ),
    "flexibert1-finetuning": TrainingConfig(epochs=5, batch_size=64, learning_rate=2e-5),
}
"""The published recipes by name. Constants that the publications leave out are the defaults of Hugging Face's Trainer
and of RoBERTa (dropout 0.1, gradients of norm 1 at most)."""


def recipe(name: str) -> TrainingConfig:
    """A published recipe.

    Raises:
        InputError: there is no recipe with that name.
    """
    if name not in RECIPES:
        raise InputError(f"There is no training recipe {name[:100]!r}; allowed: {', '.join(RECIPES)}.")
    return RECIPES[name]


def changed(config: TrainingConfig, changes: Mapping[str, object], place: str) -> TrainingConfig:
    """`config` with some values changed; `steps` replaces `epochs` and vice versa.

    Args:
        config: configuration to start from.
        changes: name -> value.
        place: origin of the changes, for the message.

    Raises:
        InputError: a name is unknown, or a value is not allowed.
    """
    values = config.model_dump()
    for length, other in (("steps", "epochs"), ("epochs", "steps")):
        if changes.get(length) is not None and other not in changes:
            values[other] = None
    for warmup, other in (("warmup_steps", "warmup_ratio"), ("warmup_ratio", "warmup_steps")):
        if changes.get(warmup) and other not in changes:
            values[other] = type(values[other])(0)
    try:
        return checked(TrainingConfig, values | dict(changes), "a training")
    except InputError as error:
        raise InputError(f"{place}: {error}") from error


def read_config(file: Path, base: TrainingConfig) -> TrainingConfig:
    """`base` with the changes in a JSON or YAML file.

    Raises:
        InputError: the file cannot be read, is malformed, or contains a name that is unknown or given twice, or a value
            that is not allowed.
    """
    json_file = file.suffix.lower() == ".json"
    value: Any = read_json(file, f"The configuration {file}", "it") if json_file else read_yaml(file, "configuration")
    if not isinstance(value, dict):
        raise InputError(f"The configuration {file} holds a {type(value).__name__}; an object of settings is needed.")
    return changed(base, _numbers({str(name): entry for name, entry in value.items()}), f"The configuration {file}")


def _numbers(values: dict[str, Any]) -> dict[str, Any]:
    """The values with texts such as 1e-4 read as numbers: YAML 1.1 treats them as text, JSON does not."""
    return {name: _number(value) if isinstance(value, str) else value for name, value in values.items()}


def _number(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
