"""Shares of zeros by role, the points that settings choose, and settings that would have no effect."""

from __future__ import annotations

from typing import Any

import pytest

from explorer.domains.accelerator.acceltran.engines.detailed import simulate
from explorer.domains.accelerator.acceltran.program import TensorRole
from explorer.domains.accelerator.acceltran.settings.curves import PRUNED
from explorer.domains.accelerator.acceltran.settings.run import RunSettings, run_settings
from explorer.domains.accelerator.acceltran.settings.sparsity import expected_score, role_sparsities
from graphdb.errors import InputError
from tests.explorer.domains.accelerator.acceltran import reading

from .test_curves import PROFILE

EDGE = {**reading.EDGE, "issue_width": 8, "loop_order": "b_i_j_k"}
CONSTANTS: dict[str, Any] = {
    "task": "training",
    "activation_sparsity": 0.2,
    "weight_sparsity": 0.3,
    "gradient_sparsity": 0.4,
}
STORED = {TensorRole.WEIGHT, TensorRole.EMBEDDING, TensorRole.OPTIMISER_STATE}


def _shares(settings: RunSettings) -> dict[TensorRole, float]:
    of = role_sparsities(settings)
    return {role: of(role) for role in TensorRole}


@pytest.mark.parametrize("way", [{"mode": "reference"}, {"correct": "none"}, {"correct": "-operation-sparsity"}])
def test_as_published_there_are_three_constants(way: dict[str, str]) -> None:
    shares = _shares(run_settings({**CONSTANTS, **way}))
    assert {role for role, share in shares.items() if share == 0.3} == STORED
    assert {role for role, share in shares.items() if share == 0.4} == {TensorRole.GRADIENT}
    assert {role for role, share in shares.items() if share == 0.2} == {*TensorRole} - STORED - {TensorRole.GRADIENT}


def test_what_is_not_pruned_is_dense() -> None:
    shares = _shares(run_settings(CONSTANTS))
    dense = {role for role, share in shares.items() if share == 0.0}
    assert dense == {TensorRole.INPUT, TensorRole.EMBEDDING, TensorRole.OPTIMISER_STATE}
    assert {role for role, share in shares.items() if share == 0.2} == PRUNED
    assert (shares[TensorRole.WEIGHT], shares[TensorRole.GRADIENT]) == (0.3, 0.4)


def test_the_whole_embedding_table_stays_pruned_as_published() -> None:
    assert _shares(run_settings({**CONSTANTS, "correct": "operation-sparsity"}))[TensorRole.EMBEDDING] == 0.3


@pytest.mark.parametrize(
    "target", [{"dynatran_threshold": 0.04}, {"target_sparsity": 0.3355}, {"target_accuracy": 0.9381}]
)
def test_a_point_gives_pruned_roles_their_share_and_the_run_its_score(target: dict[str, float]) -> None:
    settings = run_settings(target)
    shares = _shares(settings)
    assert {shares[role] for role in PRUNED} == {0.3355}
    assert shares[TensorRole.INPUT] == 0.0
    assert (shares[TensorRole.WEIGHT], shares[TensorRole.GRADIENT]) == (
        settings.weight_sparsity,
        settings.gradient_sparsity,
    )
    assert expected_score(settings) == 0.9381


def test_without_a_point_no_score_is_known() -> None:
    assert expected_score(run_settings({})) is None
    assert expected_score(RunSettings(mode="reference", dynatran_threshold=0.04)) is None


def test_the_named_curve_is_used() -> None:
    settings = run_settings({"dynatran_curve": "bert-base-sst2-pruned-weights", "dynatran_threshold": 0.02})
    assert role_sparsities(settings)(TensorRole.SCORES) == 0.4232
    assert expected_score(settings) == 0.9151


def test_the_default_curve_has_one_form() -> None:
    named = run_settings({"dynatran_curve": "bert-base-sst2", "dynatran_threshold": 0.04})
    assert named == run_settings({"dynatran_threshold": 0.04})


def test_a_profile_gives_each_role_its_own_share_and_is_carried_by_value() -> None:
    given: dict[str, Any] = {"dynatran_curve": PROFILE, "dynatran_threshold": 0.1}
    given |= {"task": "training", "dynaprop_threshold": 0.2}
    settings = run_settings(given)
    shares = _shares(settings)
    assert (shares[TensorRole.QUERY], shares[TensorRole.KEY], shares[TensorRole.GRADIENT]) == (0.2, 0.4, 0.9)
    assert expected_score(settings) == 0.9
    stored = settings.model_dump(mode="json")
    assert len(stored["dynatran_curve"]["points"]) == 3
    assert run_settings(stored) == settings
    assert hash(run_settings(stored)) == hash(settings)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"dynatran_threshold": 0.04, "target_accuracy": 0.93}, "dynatran_threshold and target_accuracy"),
        ({"dynatran_threshold": 0.04, "mode": "reference"}, "dynatran_threshold .* without the correction operation"),
        ({"target_sparsity": 0.3, "correct": "bandwidth"}, "target_sparsity .* without the correction operation"),
        ({"dynatran_curve": PROFILE, "mode": "reference"}, "dynatran_curve .* without the correction operation"),
        ({"dynatran_curve": PROFILE}, "dynatran_curve .* without a threshold or target"),
        ({"dynatran_curve": "bert-huge"}, "'bert-huge'; allowed: bert-base-sst2"),
        ({"dynatran_curve": {**PROFILE, "points": []}}, "profile of DynaTran at points"),
        ({"dynatran_threshold": 0.5}, "threshold for DynaTran is 0.5, .* 0 to 0.095"),
        ({"target_sparsity": 0.5}, "sparsity for DynaTran is 0.5, .* 0 to 0.3765"),
        ({"target_accuracy": 0.99}, "score for DynaTran is 0.99, .* 0.9117 to 0.9381"),
        ({"target_sparsity": 0.3, "activation_sparsity": 0.4}, "activation_sparsity and target_sparsity"),
        ({"dynaprop_threshold": 0.1}, "without gradients; allowed: task training"),
        ({"dynaprop_threshold": 0.1, "task": "training"}, "no sparsity of gradients; allowed: a profile"),
        (
            {"dynaprop_threshold": 0.3, "task": "training", "dynatran_curve": PROFILE},
            "threshold for DynaTran is 0.3, .* 0 to 0.2",
        ),
        (
            {"dynaprop_threshold": 0.1, "gradient_sparsity": 0.5, "task": "training", "dynatran_curve": PROFILE},
            "gradient_sparsity and dynaprop_threshold",
        ),
    ],
)
def test_contradictions_and_settings_without_effect_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        run_settings(given)


def test_a_higher_threshold_never_costs_more() -> None:
    runs = [
        simulate(reading.BERT_TINY, EDGE, run_settings({"dynatran_threshold": threshold})).measures
        for threshold in (0.0, 0.005, 0.095)
    ]
    for name in ("cycles", "energy_j", "energy_mac_dynamic_j", "main_memory_traffic_bytes"):
        values = [measures[name] for measures in runs]
        assert values == sorted(values, reverse=True)
    assert runs[0]["energy_mac_dynamic_j"] > runs[1]["energy_mac_dynamic_j"] > runs[2]["energy_mac_dynamic_j"]


def test_the_sparsity_of_one_role_matters() -> None:
    point = {"threshold": 0.0, "sparsity": 0.0, "score": 1.0, "roles": {"feed_forward": 0.0}}
    more = {**point, "threshold": 1.0, "roles": {"feed_forward": 1.0}}
    profile = {"model": "mine", "task": "words", "score": "accuracy", "points": [point, more]}
    energy = [
        simulate(
            reading.BERT_TINY, EDGE, run_settings({"dynatran_curve": profile, "dynatran_threshold": threshold})
        ).measures["energy_mac_dynamic_j"]
        for threshold in (0.0, 1.0)
    ]
    assert energy[1] < 0.95 * energy[0]
