from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.torch import load, save

from gnn.network import SurrogateSettings
from gnn.structure import structural_targets
from gnn.surrogate import GraphSurrogate
from graphdb.architecture import Architecture, Block, Edge
from graphdb.errors import InputError

QNLI = "qnli_accuracy"


def test_fit_lowers_the_loss(fitted) -> None:
    assert fitted.losses[-20:].mean() < 0.5 * fitted.losses[:10].mean()


def test_it_beats_the_mean_predictor_on_models_not_seen(fitted, measured) -> None:
    models, targets = measured[0][110:], measured[1][QNLI][110:]
    known = ~np.isnan(targets)
    prediction = fitted.predict(models)
    error = prediction.mean[known, prediction.column(QNLI)] - targets[known]
    baseline = targets[known] - np.nanmean(measured[1][QNLI][:110])
    assert np.square(error).sum() < 0.5 * np.square(baseline).sum()


def test_predictions_have_a_column_per_measure(fitted, measured) -> None:
    prediction = fitted.predict(measured[0][:7])
    assert prediction.measures == fitted.measures == ("sst2_accuracy", QNLI)
    for array in (prediction.mean, prediction.aleatoric_std, prediction.epistemic_std, prediction.std):
        assert array.shape == (7, 2)
    assert (prediction.aleatoric_std > 0).all()
    lower, upper = prediction.interval()
    assert (lower < prediction.mean).all() and (prediction.mean < upper).all()


def test_uncertainty_grows_off_the_distribution(fitted, measured) -> None:
    def strange(model: Architecture) -> Architecture:
        blocks = [Block("never seen", {"hidden": 1e6}) for _ in model.blocks]
        return Architecture.of("other", "other", model.choices, blocks, model.edges)

    models = measured[0][:30]
    near = fitted.predict(models).epistemic_std.mean(axis=0)
    far = fitted.predict([strange(model) for model in models]).epistemic_std.mean(axis=0)
    assert (far > 2 * near).all()


def test_a_seed_repeats_to_the_bit(measured, brief) -> None:
    models, targets = measured
    weights = [
        GraphSurrogate(settings=brief)
        .fit(models[:40], {QNLI: targets[QNLI][:40]}, np.random.default_rng(s))
        .to_record()
        for s in (5, 5, 6)
    ]
    assert weights[0] == weights[1]
    assert weights[0][0] != weights[2][0]


def test_missing_targets_teach_nothing(measured, small) -> None:
    models = measured[0][:40]
    first = np.linspace(0.0, 1.0, 40)
    second = np.where(np.arange(40) < 20, first, np.nan)
    some = replace(small, steps=150)
    surrogate = GraphSurrogate(settings=some).fit(models, {"first": first, "second": second}, np.random.default_rng(0))
    prediction = surrogate.predict(models)
    assert np.isfinite(prediction.mean).all() and np.isfinite(surrogate.losses).all()
    assert prediction.mean[:, prediction.column("second")].max() < 0.9


def test_a_record_gives_the_same_surrogate(fitted, measured) -> None:
    weights, settings = fitted.to_record()
    again = GraphSurrogate.from_record(weights, json.loads(json.dumps(settings)))
    before, after = fitted.predict(measured[0]), again.predict(measured[0])
    assert np.array_equal(before.mean, after.mean)
    assert np.array_equal(before.std, after.std)
    assert np.array_equal(fitted.embed(measured[0]), again.embed(measured[0]))


def test_damaged_weights_are_refused(fitted) -> None:
    weights, settings = fitted.to_record()
    for damaged in (b"", b"no weights", weights[: len(weights) // 2]):
        with pytest.raises(InputError, match="safetensors"):
            GraphSurrogate.from_record(damaged, settings)
    for name, value, complaint in (
        ("projection.model.mean", np.nan, "finite"),
        ("trees.0.means.leaves", np.inf, "finite"),
        ("trees.0.errors.columns", 1000, "beyond"),
        ("trees.1.means.columns", -1, "beyond"),
    ):
        tensors = load(weights)
        tensors[name].view(-1)[-1] = value
        with pytest.raises(InputError, match=complaint):
            GraphSurrogate.from_record(save(tensors), settings)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 0},
        {"roles": ["accelerator"]},
        {"measures": [{"name": "x"}]},
        {"measures": []},
        {"trees": []},
        {"trees": [None, None]},
        {"trees": [{"floor": 0.1}, None]},
        {"profiles": {}},
        {"profiles": {"model": {"groups": [["hidden"]], "kept": [0, 1000]}}},
        {"surrogate": {"hidden": 24, "no such setting": 1}},
        {"surrogate": {"hidden": 33, "members": 2, "embedding": 16}},
        {"surrogate": {"hidden": -1}},
    ],
)
def test_settings_that_do_not_fit_are_refused(fitted, change) -> None:
    weights, settings = fitted.to_record()
    with pytest.raises(InputError):
        GraphSurrogate.from_record(weights, {**settings, **change})


def test_embeddings_are_centred_and_of_unit_scale(fitted, measured) -> None:
    vectors = fitted.embed(measured[0][:110])
    assert vectors.shape == (110, 16) and vectors.dtype == np.float32
    assert np.abs(vectors.mean(axis=0)).max() < 1e-4
    assert np.square(vectors).sum(axis=1).mean() == pytest.approx(1.0, abs=1e-3)


def test_structure_alone_places_like_near_like(measured, small) -> None:
    models = measured[0]
    surrogate = GraphSurrogate(settings=replace(small, steps=150)).fit(models, {}, np.random.default_rng(0))
    vectors = surrogate.embed(models)
    structure = np.stack(list(structural_targets(models).values()), axis=1)
    spread = structure.std(axis=0)
    structure = ((structure - structure.mean(axis=0)) / np.where(spread > 0, spread, 1))[:, spread > 1e-9]
    upper = np.triu_indices(len(models), 1)
    distances = [np.linalg.norm(x[:, None] - x[None], axis=2)[upper] for x in (vectors, structure)]
    assert np.corrcoef(*distances)[0, 1] > 0.6
    assert surrogate.predict(models[:3]).mean.shape == (3, 0)


def machine(units: int, memory: float) -> Architecture:
    blocks = [Block("array", {"count": units}), Block("buffer", {"bytes": memory})]
    return Architecture.of("machine", "machine", {"units": units, "memory": memory}, blocks, [Edge(0, 1), Edge(1, 0)])


def test_pairs_are_learnt_with_costs_as_logarithms(measured) -> None:
    generator = np.random.default_rng(3)
    models = [measured[0][i] for i in generator.integers(0, 150, size=160)]
    machines = [machine(int(2 ** generator.integers(0, 8)), float(2 ** generator.integers(10, 20))) for _ in models]
    latency = np.array([len(m.blocks) / a.choices["units"] for m, a in zip(models, machines, strict=True)]) * 1e-4
    surrogate = GraphSurrogate(
        ("model", "accelerator"),
        ("latency_s",),
        SurrogateSettings(members=2, hidden=24, rounds=2, embedding=8, steps=200),
    )
    pairs = {"model": models, "accelerator": machines}
    train = {role: items[:120] for role, items in pairs.items()}
    surrogate.fit(train, {"latency_s": latency[:120]}, np.random.default_rng(0))
    prediction = surrogate.predict({role: items[120:] for role, items in pairs.items()})
    wanted, expected = np.log(latency[120:]), np.log(prediction.mean[:, 0])
    assert np.square(wanted - expected).mean() < 0.1 * wanted.var()
    assert (prediction.interval()[0] > 0).all()
    assert surrogate.embed(machines[:3], "accelerator").shape == (3, 8)
    with pytest.raises(InputError, match="role"):
        surrogate.embed(machines[:3])


def test_progress_is_told_and_may_end_the_fit(measured, brief) -> None:
    models, targets = measured[0][:40], {QNLI: measured[1][QNLI][:40]}
    heard: list[float] = []
    GraphSurrogate(settings=brief).fit(models, targets, np.random.default_rng(0), heard.append)
    assert heard == sorted(heard) and heard[-1] == pytest.approx(1.0)

    def stop(fraction: float) -> None:
        raise TimeoutError(fraction)

    with pytest.raises(TimeoutError):
        GraphSurrogate(settings=brief).fit(models, targets, np.random.default_rng(0), stop)


@pytest.mark.parametrize(
    ("count", "targets", "reason"),
    [
        (0, {"a": []}, "at least one"),
        (2, {"a": [1.0]}, "shape"),
        (2, {"a": [np.nan, np.nan]}, "no value"),
        (2, {"a": [np.inf, 1.0]}, "infinite"),
        (2, {"cost": [-1.0, 1.0]}, "positive"),
    ],
)
def test_targets_that_cannot_be_learnt_are_refused(measured, small, count, targets, reason) -> None:
    surrogate = GraphSurrogate(logarithmic=("cost",), settings=small)
    with pytest.raises(InputError, match=reason):
        surrogate.fit(measured[0][:count], targets, np.random.default_rng(0))


def test_a_handful_of_equal_designs_is_no_obstacle(measured, small) -> None:
    surrogate = GraphSurrogate(settings=small).fit(
        [measured[0][0]] * 3, {"a": [1.0, 1.0, 1.0]}, np.random.default_rng(0)
    )
    assert surrogate.predict(measured[0][:1]).mean[0, 0] == pytest.approx(1.0, abs=0.5)


def test_equal_designs_with_different_values_are_no_obstacle(measured, small) -> None:
    values = np.linspace(0.0, 1.0, 30)
    surrogate = GraphSurrogate(settings=small).fit([measured[0][0]] * 30, {"a": values}, np.random.default_rng(0))
    assert surrogate.predict(measured[0][:1]).mean[0, 0] == pytest.approx(0.5, abs=0.2)


def test_networks_alone_and_together_with_trees(measured, brief) -> None:
    """Without trees the record has none; with them, both predict, and what the trees say counts."""
    models, targets = measured[0][:80], {name: values[:80] for name, values in measured[1].items()}
    alone, together = (
        GraphSurrogate(settings=settings).fit(models, targets, np.random.default_rng(0))
        for settings in (replace(brief, trees=0), brief)
    )
    weights, settings = alone.to_record()
    assert settings["trees"] == [None, None] and not any(name.startswith("trees") for name in load(weights))
    assert not np.array_equal(alone.predict(measured[0]).mean, together.predict(measured[0]).mean)
    assert np.array_equal(alone.embed(measured[0]), together.embed(measured[0]))


def test_it_must_be_fitted_first(measured) -> None:
    with pytest.raises(InputError, match="fitted"):
        GraphSurrogate().predict(measured[0])


def test_other_roles_are_refused(fitted, measured) -> None:
    with pytest.raises(InputError, match="roles"):
        fitted.predict({"accelerator": measured[0]})


@pytest.mark.parametrize(
    "wrong",
    [{"members": 0}, {"learning_rate": -1.0}, {"hidden": 2.5}, {"steps": True}, {"trees": -1}, {"tree_depth": 40}],
)
def test_settings_out_of_range_are_refused(wrong) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        SurrogateSettings(**wrong)
