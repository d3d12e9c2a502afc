"""Published curves of DynaTran, points between the measured ones, and profiles of a user's own."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.domains.accelerator.acceltran.program import TensorRole
from explorer.domains.accelerator.acceltran.settings.curves import MEASURED, Curve, find_curve, published_curves
from graphdb.errors import InputError

DENSE, PRUNED = "bert-base-sst2", "bert-base-sst2-pruned-weights"
PROFILE: dict[str, Any] = {
    "model": "mine",
    "task": "words",
    "score": "accuracy",
    "points": [
        {"threshold": 0.2, "sparsity": 0.6, "score": 0.7, "roles": {"query": 0.5, "gradient": 0.9}},
        {"threshold": 0.0, "sparsity": 0.0, "score": 0.8, "roles": {"query": 0.0, "gradient": 0.1}},
        {"threshold": 0.1, "sparsity": 0.4, "score": 0.9, "roles": {"query": 0.2, "gradient": 0.6}},
    ],
}


def test_published_curves_are_those_with_thresholds() -> None:
    assert {*published_curves()} == {DENSE, PRUNED}
    for name, curve in published_curves().items():
        assert (curve.name, curve.model, curve.task, curve.method) == (name, "BERT-Base", "SST-2", "DynaTran")
        assert [point.threshold for point in curve.points] == [round(0.005 * step, 3) for step in range(20)]
        assert curve.roles == frozenset()


@pytest.mark.parametrize(
    ("name", "threshold", "sparsity", "score"),
    [
        (DENSE, 0.0, 0.0, 0.93),
        (DENSE, 0.005, 0.3033, 0.9312),
        (DENSE, 0.04, 0.3355, 0.9381),
        (DENSE, 0.095, 0.3765, 0.9117),
        (PRUNED, 0.02, 0.4232, 0.9151),
        (PRUNED, 0.095, 0.5315, 0.875),
    ],
)
def test_printed_points_come_back_exactly(name: str, threshold: float, sparsity: float, score: float) -> None:
    point = published_curves()[name].at_threshold(threshold)
    assert (point.threshold, point.sparsity, point.score) == (threshold, sparsity, score)
    assert published_curves()[name].at_sparsity(sparsity) == point


@pytest.mark.parametrize(("name", "best"), [(DENSE, 0.04), (PRUNED, 0.02)])
def test_the_best_score_is_reached_at_one_point(name: str, best: float) -> None:
    curve = published_curves()[name]
    assert curve.at_score(max(point.score for point in curve.points)).threshold == best


def test_points_between_neighbours_are_on_the_line() -> None:
    point = published_curves()[DENSE].at_threshold(0.0425)
    assert point.sparsity == pytest.approx((0.3355 + 0.3396) / 2)
    assert point.score == pytest.approx((0.9381 + 0.9369) / 2)
    quarter = published_curves()[DENSE].at_sparsity(0.3355 + 0.25 * (0.3396 - 0.3355))
    assert quarter.threshold == pytest.approx(0.04125)


def test_a_score_takes_the_sparsest_point_that_reaches_it() -> None:
    # The curve falls below 0.93 at 0.055 and rises above it at 0.06, after which it falls for good.
    point = published_curves()[DENSE].at_score(0.93)
    assert point.score == 0.93
    part = (0.9335 - 0.93) / (0.9335 - 0.9255)
    assert point.threshold == pytest.approx(0.06 + 0.005 * part)
    assert point.sparsity == pytest.approx(0.3516 + (0.3553 - 0.3516) * part)


@given(name=st.sampled_from([DENSE, PRUNED]), part=st.floats(0, 1))
def test_a_score_is_kept_and_no_sparser_point_keeps_it(name: str, part: float) -> None:
    curve = published_curves()[name]
    scores = [point.score for point in curve.points]
    score = min(scores) + part * (max(scores) - min(scores))
    found = curve.at_score(min(score, max(scores)))
    assert found.score >= min(score, max(scores))
    sparser = [step / 1000 for step in range(1000) if found.sparsity < step / 1000 <= curve.points[-1].sparsity]
    assert all(curve.at_sparsity(sparsity).score < score for sparsity in sparser)


@given(name=st.sampled_from([DENSE, PRUNED]), thresholds=st.lists(st.floats(0, 0.095), min_size=2).map(sorted))
def test_sparsity_never_falls_with_the_threshold(name: str, thresholds: list[float]) -> None:
    points = [published_curves()[name].at_threshold(threshold) for threshold in thresholds]
    assert all(before.sparsity <= after.sparsity for before, after in pairwise(points))


@given(name=st.sampled_from([DENSE, PRUNED]), threshold=st.floats(0, 0.095))
def test_a_sparsity_leads_back_to_its_threshold(name: str, threshold: float) -> None:
    curve = published_curves()[name]
    assert curve.at_sparsity(curve.at_threshold(threshold).sparsity).threshold == pytest.approx(threshold, abs=1e-12)


@pytest.mark.parametrize(
    ("method", "value", "covered"),
    [
        ("at_threshold", 0.0951, "0 to 0.095"),
        ("at_threshold", -0.001, "0 to 0.095"),
        ("at_sparsity", 0.38, "0 to 0.3765"),
        ("at_score", 0.939, "0.9117 to 0.9381"),
        ("at_score", 0.5, "0.9117 to 0.9381"),
        ("at_score", float("nan"), "0.9117 to 0.9381"),
    ],
)
def test_what_was_not_measured_is_refused(method: str, value: float, covered: str) -> None:
    with pytest.raises(InputError, match=rf"{DENSE} does not cover; allowed: {covered}\.$"):
        getattr(published_curves()[DENSE], method)(value)


def test_a_profile_is_sorted_and_comes_back() -> None:
    curve = Curve.from_json(PROFILE)
    assert [point.threshold for point in curve.points] == [0.0, 0.1, 0.2]
    assert curve.roles == {TensorRole.QUERY, TensorRole.GRADIENT}
    again = json.loads(json.dumps(curve.json()))
    assert again["points"] == sorted(PROFILE["points"], key=lambda point: float(point["threshold"]))
    assert Curve.from_json(again) == curve == find_curve(PROFILE)
    assert hash(Curve.from_json(again)) == hash(curve)


def test_roles_change_linearly_too() -> None:
    point = Curve.from_json(PROFILE).at_threshold(0.15)
    assert point.of(TensorRole.QUERY) == pytest.approx(0.35)
    assert point.of(TensorRole.GRADIENT) == pytest.approx(0.75)
    assert point.of(TensorRole.KEY) == point.sparsity == pytest.approx(0.5)


def test_choosing_looks_up_what_is_given() -> None:
    curve = published_curves()[DENSE]
    assert curve.choose(None, None, None) is None
    assert curve.choose(0.04, None, None) == curve.choose(None, 0.3355, None) == curve.choose(None, None, 0.9381)


def _changed(**changes: Any) -> dict[str, Any]:
    points = [dict(PROFILE["points"][0]), {**PROFILE["points"][1], **changes}]
    return {**PROFILE, "points": points}


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ([], ("profile",)),
        ({**PROFILE, "author": "me"}, ("author",)),
        ({name: value for name, value in PROFILE.items() if name != "task"}, ("task", "required")),
        ({**PROFILE, "points": PROFILE["points"][:1]}, ("points", "at least 2")),
        (_changed(threshold=-1.0), ("points[1].threshold", "greater than or equal to 0")),
        (_changed(threshold=float("inf")), ("points[1].threshold", "finite")),
        (_changed(threshold="0"), ("points[1].threshold", "number")),
        (_changed(sparsity=1.5), ("points[1].sparsity", "less than or equal to 1")),
        (_changed(score=float("nan")), ("points[1].score",)),
        (_changed(roles={"query": 2.0}), ("points[1].roles.query", "less than or equal to 1")),
        (_changed(roles={"input": 0.5, "query": 0.5}), ("'input'", *MEASURED)),
        (_changed(roles={"query": 0.5}), ("0 and 0.2", "different roles")),
        (_changed(threshold=0.2), ("0.2 and 0.2", "same threshold")),
    ],
)
def test_malformed_profiles_are_refused_in_a_sentence(profile: object, words: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as refusal:
        Curve.from_json(profile)
    message = str(refusal.value)
    assert all(word in message for word in words), message
    assert message.endswith(".")
    assert "\n" not in message


def test_unknown_curves_are_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=f"'bert-huge'; allowed: {DENSE}, {PRUNED}, or a profile"):
        find_curve("bert-huge")
    with pytest.raises(InputError, match="allowed: bert-base-sst2"):
        find_curve(3)
