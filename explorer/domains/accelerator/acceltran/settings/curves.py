"""`Curve`: the sparsity of activations and the score of a model at the thresholds for which DynaTran was measured.

DynaTran sets activations to zero if their magnitude is at most a threshold. The published curves are for BERT-Base on
SST-2; a user's own profile can replace them. Two kinds of published curves are left out: those of net sparsity, which
count weights together with activations and state no threshold, and those of top-k, which is a different method.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from explorer.domains.accelerator.acceltran.program import TensorRole
from explorer.toolkit.reading import refused
from graphdb.errors import InputError

DEFAULT_CURVE = "bert-base-sst2"
PRUNED = frozenset(
    {
        TensorRole.QUERY,
        TensorRole.KEY,
        TensorRole.VALUE,
        TensorRole.SCORES,
        TensorRole.PROBABILITIES,
        TensorRole.CONTEXT,
        TensorRole.ATTENTION_OUTPUT,
        TensorRole.FEED_FORWARD,
        TensorRole.FEED_FORWARD_OUTPUT,
    }
)
"""Activations that DynaTran prunes (pruning/transformers/.../modeling_dtbert.py of the published AccelTran)."""
MEASURED = (*(role for role in TensorRole if role in PRUNED), TensorRole.GRADIENT)
"""Roles for which a point may give a separate sparsity."""

Quantity = Literal["threshold", "sparsity", "score"]
QUANTITIES: tuple[Quantity, ...] = ("threshold", "sparsity", "score")
_NAMES = {"no": DEFAULT_CURVE, "yes": f"{DEFAULT_CURVE}-pruned-weights"}


@dataclass(frozen=True, slots=True)
class Point:
    """The figures for one threshold.

    Attributes:
        threshold: magnitude up to which values are set to zero.
        sparsity: share of zeros among the pruned activations.
        score: score of the model on its task, from 0 to 1.
        roles: (role, share of zeros in tensors of that role) for the roles that were measured.
    """

    threshold: float
    sparsity: float
    score: float
    roles: tuple[tuple[TensorRole, float], ...] = ()

    def value(self, quantity: Quantity) -> float:
        """One of the three quantities."""
        figure: float = getattr(self, quantity)
        return figure

    def of(self, role: TensorRole) -> float:
        """The share of zeros in tensors of a role: the measured one, or that of all pruned activations."""
        return dict(self.roles).get(role, self.sparsity)


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of one model in order of threshold; between two neighbours all figures are interpolated linearly.

    Attributes:
        name: name of a published curve, or empty.
        model, task: model and task that were measured.
        method: pruning method.
        score: meaning of `Point.score`, such as accuracy.
        points: two or more.
    """

    name: str
    model: str
    task: str
    method: str
    score: str
    points: tuple[Point, ...]

    @classmethod
    def from_json(cls, profile: object) -> Curve:
        """The curve of a user's own profile, an object with `model`, `task`, `score` and `points`.

        A point is an object with `threshold`, `sparsity`, `score` and, in `roles`, the share of zeros for any role in
        `MEASURED`; all points have the same roles. The sparsity of `gradient` is the one that DynaProp reaches when it
        prunes gradients with the threshold of the point.

        Raises:
            InputError: a part is missing, unknown or not allowed.
        """
        try:
            read = _Profile.model_validate(profile)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            place = "".join(f"[{part}]" if isinstance(part, int) else f".{part:.60}" for part in first["loc"])
            raise InputError(
                f"The profile of DynaTran{' at ' * bool(place)}{place.lstrip('.')}: {first['msg']}."
            ) from error
        points = tuple(sorted((_point(point) for point in read.points), key=lambda point: point.threshold))
        for before, after in pairwise(points):
            if before.threshold == after.threshold or {*dict(before.roles)} != {*dict(after.roles)}:
                raise InputError(
                    f"The points of the profile of DynaTran at {before.threshold:g} and {after.threshold:g} have the "
                    "same threshold or different roles; allowed: different thresholds with the same roles."
                )
        return cls("", read.model, read.task, "DynaTran", read.score, points)

    def json(self) -> dict[str, Any]:
        """The profile that `from_json` reads."""
        points = [
            {
                "threshold": point.threshold,
                "sparsity": point.sparsity,
                "score": point.score,
                "roles": {role.value: share for role, share in point.roles},
            }
            for point in self.points
        ]
        return {"model": self.model, "task": self.task, "score": self.score, "points": points}

    @property
    def roles(self) -> frozenset[TensorRole]:
        """Roles with a separate sparsity."""
        return frozenset(dict(self.points[0].roles))

    def at_threshold(self, threshold: float) -> Point:
        """The point with a given threshold.

        Raises:
            InputError: it is outside the measured range.
        """
        self._require("threshold", threshold)
        for before, after in pairwise(self.points):
            if threshold <= after.threshold:
                return _between(before, after, "threshold", threshold)
        return self.points[-1]

    def at_sparsity(self, sparsity: float) -> Point:
        """The point of the lowest threshold with that sparsity.

        Raises:
            InputError: it is outside the measured range.
        """
        self._require("sparsity", sparsity)
        for before, after in pairwise(self.points):
            if min(before.sparsity, after.sparsity) <= sparsity <= max(before.sparsity, after.sparsity):
                return _between(before, after, "sparsity", sparsity)
        return self.points[-1]

    def at_score(self, score: float) -> Point:
        """The sparsest point whose score is at least `score`.

        Raises:
            InputError: it is outside the measured range.
        """
        self._require("score", score)
        reached = [point for point in self.points if point.score >= score]
        for before, after in pairwise(self.points):
            if (before.score < score) != (after.score < score):
                reached.append(_between(before, after, "score", score))
        return max(reached, key=lambda point: (point.sparsity, point.score))

    def choose(self, threshold: float | None, sparsity: float | None, score: float | None) -> Point | None:
        """The point with the given threshold, sparsity or score; None if none is given.

        Args:
            threshold: threshold of the point.
            sparsity: sparsity of the point.
            score: score that the point must reach.

        Raises:
            InputError: it is outside the measured range.
        """
        if threshold is not None:
            return self.at_threshold(threshold)
        if sparsity is not None:
            return self.at_sparsity(sparsity)
        return None if score is None else self.at_score(score)

    def _require(self, quantity: Quantity, value: float) -> None:
        measured = [point.value(quantity) for point in self.points]
        if not min(measured) <= value <= max(measured):
            raise InputError(
                f"The {quantity} for DynaTran is {value:g}, which {self.name or 'the profile'} does not cover; "
                f"allowed: {min(measured):g} to {max(measured):g}."
            )


@cache
def published_curves() -> Mapping[str, Curve]:
    """Name -> published curve.

    Source: figure acc_thresh_sp of the published AccelTran (`tables/README.txt`): accuracy of BERT-Base on SST-2, with
    dense weights and with the weights of a checkpoint made by movement pruning.
    """
    import csv  # imported here, like the next one: the settings of a run are imported at every start
    from importlib import resources

    table = resources.files(__package__).joinpath("tables/dynatran_curves.csv").read_text(encoding="utf-8")
    curves: dict[str, list[Point]] = {}
    for row in csv.DictReader(table.splitlines()):
        if row["figure"] == "acc_thresh_sp" and row["method"] == "DynaTran":
            point = Point(
                float(row["tau_or_k"]), _share(row["activation_or_net_sparsity_pct"]), _share(row["score_pct"])
            )
            curves.setdefault(_NAMES[row["weight_pruned"]], []).append(point)
    return MappingProxyType(
        {
            name: Curve(name, "BERT-Base", "SST-2", "DynaTran", "accuracy", tuple(points))
            for name, points in curves.items()
        }
    )


def find_curve(given: object) -> Curve:
    """The published curve of a name (`DEFAULT_CURVE` if it is empty), or a user's own profile.

    Raises:
        InputError: the name is unknown, or the profile is malformed.
    """
    if isinstance(given, Mapping):
        return Curve.from_json(given)
    name = given or DEFAULT_CURVE
    if not isinstance(name, str) or name not in published_curves():
        raise InputError(refused("The curve of DynaTran", given, f"{', '.join(published_curves())}, or a profile"))
    return published_curves()[name]


class _ProfilePoint(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)

    threshold: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    sparsity: Annotated[float, Field(ge=0, le=1)]
    score: Annotated[float, Field(ge=0, le=1)]
    roles: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)


class _Profile(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)

    model: Annotated[str, Field(max_length=200)]
    task: Annotated[str, Field(max_length=200)]
    score: Annotated[str, Field(max_length=200)]
    points: Annotated[list[_ProfilePoint], Field(min_length=2, max_length=1000)]


def _point(read: _ProfilePoint) -> Point:
    for name in read.roles:
        if name not in {*MEASURED}:
            raise InputError(refused("The role in the profile of DynaTran", name, ", ".join(MEASURED)))
    roles = tuple((role, read.roles[role]) for role in MEASURED if role in read.roles)
    return Point(read.threshold, read.sparsity, read.score, roles)


def _between(before: Point, after: Point, quantity: Quantity, value: float) -> Point:
    """The point between two at which a quantity has a value; exactly one of the two if it has that value there."""
    first, last = before.value(quantity), after.value(quantity)
    if value == first:
        return before
    if value == last:
        return after
    part = (value - first) / (last - first)

    def mixed(start: float, end: float) -> float:
        return start + part * (end - start)

    ends = dict(after.roles)
    roles = tuple((role, mixed(share, ends[role])) for role, share in before.roles)
    values = {name: mixed(before.value(name), after.value(name)) for name in QUANTITIES} | {quantity: value}
    return Point(values["threshold"], values["sparsity"], values["score"], roles)


def _share(percent: str) -> float:
    # Not a division by 100, which would not always give the nearest number to the printed one.
    return float(f"{percent}e-2")
