"""`profile`: the sparsity that DynaTran reaches on a user's model at each threshold, and the score of the model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, ClassVar

import torch
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from torch import Tensor, nn

from explorer.domains.transformer.pruning.dynatran import dynatran
from explorer.toolkit.reading import refused
from graphdb.errors import InputError

Batch = tuple[Tensor, Tensor | None]
"""Tokens (B, S), and their attention mask (B, S) or None without padding."""
Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(max_length=200)]


@dataclass(frozen=True)
class ProfilePoint:
    """The figures for one threshold.

    Attributes:
        threshold: magnitude up to which activations are set to zero.
        sparsity: share of zeros among all pruned activations, padding included.
        score: score of the model on its task, from 0 to 1.
        roles: role of an activation (such as `query`) -> share of zeros in it.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    threshold: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    sparsity: Share
    score: Share
    roles: dict[str, Share] = field(default_factory=dict)


@dataclass(frozen=True)
class Profile:
    """Points in order of threshold; the simulator accepts the JSON form as a curve.

    Attributes:
        model, task: model and task that were measured.
        score: meaning of the score of a point, such as accuracy.
        points: two or more.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    model: Name
    task: Name
    score: Name
    points: Annotated[tuple[ProfilePoint, ...], Field(min_length=2, max_length=1000)]

    def to_json(self) -> dict[str, Any]:
        """An object with `model`, `task`, `score` and `points`."""
        return asdict(self) | {"points": [asdict(point) for point in self.points]}

    @classmethod
    def from_json(cls, value: object) -> Profile:
        """The profile from an object that `to_json` returned.

        Raises:
            InputError: a part is missing, unknown or not allowed.
        """
        try:
            return _ADAPTER.validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            place = ".".join(f"{part:.60}" if isinstance(part, str) else str(part) for part in first["loc"])
            raise InputError(f"The profile{' at ' * bool(place)}{place}: {first['msg']}.") from error
        except (TypeError, ValueError, RecursionError) as error:
            raise InputError(
                f"The profile is not a JSON value ({error}); allowed: an object that to_json returned."
            ) from error


_ADAPTER = TypeAdapter(Profile)


class Pruner:
    """DynaTran with one threshold, as the `prune` of an encoder; it counts zeros and elements."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self._zeros: dict[str, int] = {}
        self._elements: dict[str, int] = {}

    def __call__(self, role: str, activation: Tensor) -> Tensor:
        """`activation`, pruned."""
        pruned, kept = dynatran(activation, self.threshold)
        self._zeros[role] = self._zeros.get(role, 0) + kept.numel() - int(kept.sum())
        self._elements[role] = self._elements.get(role, 0) + kept.numel()
        return pruned

    @property
    def sparsities(self) -> Mapping[str, float]:
        """Role -> share of zeros in its activations so far."""
        return {role: self._zeros[role] / elements for role, elements in self._elements.items()}

    @property
    def sparsity(self) -> float:
        """Share of zeros among all activations so far; 0 before the first."""
        return sum(self._zeros.values()) / max(1, sum(self._elements.values()))


def profile(
    encoder: nn.Module,
    batches: Sequence[Batch],
    thresholds: Iterable[float],
    score: Callable[[Iterator[Tensor]], float],
    *,
    model: str = "",
    task: str = "",
    score_name: str = "accuracy",
) -> Profile:
    """Run `encoder` on all batches once per threshold, without gradients and in evaluation mode.

    Args:
        encoder: a `HeterogeneousEncoder`, or any module with the same `forward(token_ids, attention_mask, prune)`.
        batches: batches to run it on.
        thresholds: two or more different ones.
        score: function from the outputs of the encoder, batch by batch in order, to a score from 0 to 1. The outputs
            arrive as they are computed, so none has to be kept.
        model, task, score_name: descriptions stored in the profile.

    Raises:
        InputError: there are too few thresholds or batches, a score is out of range, or the encoder prunes nothing.
    """
    ordered = sorted({float(threshold) for threshold in thresholds})
    if len(ordered) < 2 or not batches:
        given = f"{len(ordered)} thresholds and {len(batches)} batches"
        raise InputError(
            f"A profile of {given} was requested; allowed: at least two different thresholds and one batch."
        )
    modes = [(module, module.training) for module in encoder.modules()]
    encoder.eval()
    try:
        points = tuple(_point(encoder, batches, threshold, score) for threshold in ordered)
    finally:
        for module, training in modes:
            module.training = training
    return Profile(model, task, score_name, points)


@torch.no_grad()
def _point(
    encoder: nn.Module, batches: Sequence[Batch], threshold: float, score: Callable[[Iterator[Tensor]], float]
) -> ProfilePoint:
    pruner = Pruner(threshold)
    outputs = (encoder(tokens, mask, pruner) for tokens, mask in batches)
    reached = float(score(outputs))
    for _ in outputs:  # A score may stop early; the sparsity covers all batches.
        pass
    if not pruner.sparsities:
        raise InputError("The encoder never called prune; allowed: one that calls it for every activation.")
    if not 0 <= reached <= 1:
        raise InputError(refused(f"The score at the threshold {threshold:g}", reached, "0 to 1"))
    return ProfilePoint(threshold, pruner.sparsity, reached, dict(pruner.sparsities))
