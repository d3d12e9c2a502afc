"""Properties of the fast engine."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.domains.accelerator.acceltran.chip.constants import variants
from explorer.domains.accelerator.acceltran.engines.fast import CHUNK, evaluate
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.domains.transformer.model import HEAD_KINDS
from graphdb.errors import InputError
from tests.explorer.domains.accelerator.acceltran import reading

MEMORIES = [name for name in variants("main_memory") if "_" in name]


@st.composite
def models(draw: st.DrawFn) -> dict[str, Any]:
    depth = draw(st.integers(1, 4))
    hidden = draw(st.lists(st.sampled_from([32, 128, 256, 768]), min_size=depth, max_size=depth))
    kinds = st.lists(st.sampled_from(HEAD_KINDS), min_size=1, max_size=12)
    chosen = draw(st.lists(kinds, min_size=depth, max_size=depth))
    widths = st.lists(st.sampled_from([64, 256, 1024, 3072]), min_size=1, max_size=3)
    heads = [[f"{kind}_{max(1, h // len(o))}" for kind in o] for o, h in zip(chosen, hidden, strict=True)]
    return {"l": depth, "o": heads, "h": hidden, "f": draw(st.lists(widths, min_size=depth, max_size=depth))}


@st.composite
def accelerators(draw: st.DrawFn) -> dict[str, Any]:
    tile = draw(st.sampled_from([8, 16, 32]))
    options: dict[str, list[Any]] = {
        "tile_b": [1, 4],
        "pe": [1, 64, 1024],
        "lanes_per_pe": [1, 8, 128],
        "mac_per_lane": [1, 16],
        "softmax_per_pe": [1, 2, 64],
        "batch_size": [4, 32],
        "activation_buffer_mb": [4, 13.5, 64],
        "weight_buffer_mb": [32, 128],
        "mask_buffer_mb": [0.5, 16],
        "memory": MEMORIES,
        "non_linearity": ["relu", "gelu"],
    }
    return {
        "tile_x": tile,
        "tile_y": tile,
        **{name: draw(st.sampled_from(values)) for name, values in options.items()},
    }


tasks = st.sampled_from(["inference", "training"])


def one(model: dict[str, Any], accelerator: dict[str, Any], **settings: Any) -> dict[str, float]:
    (figures,) = evaluate([(model, accelerator)], RunSettings(**settings))
    assert not isinstance(figures, InputError), figures
    return figures


@given(models(), accelerators(), tasks)
def test_a_legal_pair_takes_time_and_its_parts_sum_up(model: Any, accelerator: Any, task: str) -> None:
    figures = one(model, accelerator, task=task)
    assert figures["cycles"] > 0 and figures["latency_s"] == pytest.approx(figures["cycles"] / 700e6)
    parts = [figures[f"energy_{part}_{sort}_j"] for part in reading.PARTS for sort in ("dynamic", "leakage")]
    total = sum(parts) + figures["energy_buffer_j"] + figures["energy_main_memory_j"]
    assert figures["energy_j"] == pytest.approx(total, rel=1e-12)
    assert figures["energy_j"] == pytest.approx(figures["energy_dynamic_j"] + figures["energy_leakage_j"], rel=1e-12)
    assert figures["average_power_w"] * figures["latency_s"] == pytest.approx(figures["energy_j"], rel=1e-12)
    batch = accelerator["batch_size"]
    assert figures["energy_per_sequence_j"] * figures["sequences_per_s"] == pytest.approx(figures["average_power_w"])
    assert figures["sequences_per_s"] * figures["latency_s"] == pytest.approx(batch)


@given(models(), models(), accelerators(), tasks)
def test_area_does_not_depend_on_the_model(first: Any, second: Any, accelerator: Any, task: str) -> None:
    assert one(first, accelerator, task=task)["area_mm2"] == one(second, accelerator, task=task)["area_mm2"]


@given(st.lists(st.tuples(models(), accelerators()), min_size=2, max_size=8), tasks)
def test_a_batch_gives_exactly_what_each_pair_gives_alone(pairs: Any, task: str) -> None:
    assert evaluate(pairs, RunSettings(task=task)) == [one(*pair, task=task) for pair in pairs]


@given(models(), accelerators())
def test_training_costs_no_less_energy_and_area(model: Any, accelerator: Any) -> None:
    inference, training = one(model, accelerator), one(model, accelerator, task="training")
    assert training["energy_buffer_j"] > inference["energy_buffer_j"]
    assert training["energy_main_memory_j"] == inference["energy_main_memory_j"]
    assert training["area_mm2"] > inference["area_mm2"]


@given(models(), accelerators(), st.sampled_from(["b_i_j_k", "k_j_i_b"]), st.integers(1, 512))
def test_loop_order_and_issue_width_have_no_effect(model: Any, accelerator: Any, order: str, width: int) -> None:
    assert one(model, {**accelerator, "loop_order": order, "issue_width": width}) == one(model, accelerator)


def test_order_is_kept_across_chunks_and_errors() -> None:
    good, bad = (reading.BERT_NANO, reading.EDGE), (reading.BERT_BASE, reading.EDGE)
    pairs = [bad if index % 3 == 0 else good for index in range(2 * CHUNK + 5)]
    outcomes = evaluate(pairs, RunSettings())
    assert [isinstance(outcome, InputError) for outcome in outcomes] == [index % 3 == 0 for index in range(len(pairs))]


def test_lower_sparsity_costs_more() -> None:
    dense = one(reading.BERT_TINY, reading.SERVER, activation_sparsity=0.0, weight_sparsity=0.0)
    usual = one(reading.BERT_TINY, reading.SERVER)
    assert dense["cycles"] > usual["cycles"]
    assert dense["energy_main_memory_j"] == pytest.approx(2 * usual["energy_main_memory_j"])


def test_longer_sequences_and_larger_vocabularies_cost_more() -> None:
    usual = one(reading.BERT_TINY, reading.SERVER)["cycles"]
    assert one(reading.BERT_TINY, reading.SERVER, sequence_length=256)["cycles"] > usual
    assert one(reading.BERT_TINY, reading.SERVER, vocabulary=60000)["cycles"] > usual


def test_embeddings_that_do_not_fit_are_refused_with_what_is_missing() -> None:
    (refusal,) = evaluate([(reading.BERT_BASE, reading.EDGE)], RunSettings())
    # (30522 + 128) * 768 elements of 20 bits, half of them zero: 28.06 MiB
    assert str(refusal) == (
        "A model that does not fit: the embeddings need 28.06 MiB of the weight buffer, which has 8 MiB: "
        "20.06 MiB are missing."
    )


@pytest.mark.parametrize(
    ("where", "change", "words"),
    [
        ("accelerator", {"tile_x": 12, "tile_y": 12}, "tile_x is 12; allowed: 8, 16, 32"),
        ("accelerator", {"tile_y": 8}, "tile_y is 8; allowed: the value of tile_x, 16"),
        ("accelerator", {"tile_b": 8}, "tile_b is 8; allowed: at most the batch_size, 4"),
        ("accelerator", {"pe": 0}, "pe is 0; allowed: an integer from 1"),
        ("accelerator", {"pe": True}, "pe is True; allowed: an integer from 1"),
        ("accelerator", {"mac_per_lane": 4}, "mac_per_lane is 4; allowed: 1, 16"),
        ("accelerator", {"non_linearity": "tanh"}, "non_linearity is 'tanh'; allowed: relu, gelu"),
        ("accelerator", {"memory": "dram"}, "memory is 'dram'; allowed: rram_16_2_2"),
        ("accelerator", {"memory": ["dram"]}, "memory is"),
        ("accelerator", {"weight_buffer_mb": float("nan")}, "weight_buffer_mb is nan; allowed: a number of MiB"),
        ("accelerator", {"colour": "red"}, "an unknown choice 'colour'"),
        ("model", {"o": [["rnn_64"]], "l": 1, "h": [64], "f": [[64]]}, "the head 'rnn_64'"),
        ("model", {"o": [[]], "l": 1, "h": [64], "f": [[64]]}, "heads (o)"),
        ("model", {"l": 3}, "l = 3"),
        ("model", {"f": [[0], [64]]}, "A width of the model is 0"),
        ("model", {"f": 3}, "not a model dictionary"),
        ("model", {"f": [[[]], [64]]}, "not a model dictionary"),
        ("model", {"h": ["128", "128"]}, "A width of the model is '128'"),
    ],
)
def test_what_cannot_be_simulated_is_refused_in_one_sentence(where: str, change: dict[str, Any], words: str) -> None:
    model, accelerator = dict(reading.BERT_TINY), dict(reading.EDGE)
    (model if where == "model" else accelerator).update(change)
    (refusal,) = evaluate([(model, accelerator)], RunSettings())
    assert isinstance(refusal, InputError)
    assert words in str(refusal) and "allowed: " in str(refusal) and "\n" not in str(refusal)


def test_a_model_too_large_to_count_is_refused_alone() -> None:
    huge = reading.bert(1, 1, 1 << 16, 1 << 16, 1 << 16)
    roomy = {**reading.SERVER, "weight_buffer_mb": 1 << 16, "batch_size": 1 << 16}
    outcomes = evaluate([(reading.BERT_TINY, reading.SERVER), (huge, roomy)], RunSettings(sequence_length=1 << 16))
    assert not isinstance(outcomes[0], InputError) and "2^62" in str(outcomes[1])
