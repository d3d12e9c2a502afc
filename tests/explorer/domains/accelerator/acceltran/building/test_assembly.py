"""Programs: the published lists, what each correction changes, and that none can wait for itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.domains.accelerator.acceltran.building.assembly import build_program
from explorer.domains.accelerator.acceltran.program import Heads, Kind, Operation, TensorRole, Transfer
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from graphdb.errors import InputError
from tests import places
from tests.explorer.domains.accelerator.acceltran.executing import PROGRAM_SWITCHES, flat, left_over, models

DATA = places.DATA / "acceltran"
PUBLISHED = json.loads((DATA / "programs.json").read_text())


def listed(item: Operation | Transfer | Heads[Operation] | Heads[Transfer]) -> list[Any]:
    if isinstance(item, Heads):
        return [[listed(one) for one in head] for head in item.lists]
    if isinstance(item, Operation):
        return [item.kind.value, item.name, item.batch, item.x, item.y, item.z, list(item.needs)]
    return [item.action, item.tensor, item.buffer, item.elements]


def renamed(row: list[Any], blocks: int) -> list[Any]:
    """A published row with the two names that the published list uses twice told apart."""
    if row[0] != "non_linearity" or not row[-1][0].endswith("_proj_f-s"):
        return row
    assert row[1] == f"nl_0_{blocks}"
    return [row[0], "nl_0_proj", *row[2:]]


@pytest.mark.parametrize("golden", PUBLISHED, ids=lambda golden: f"{golden['model']['h'][0]}-{golden['task']}")
def test_the_program_without_corrections_is_the_published_one(golden: dict[str, Any]) -> None:
    program = build_program(golden["model"], 4, RunSettings(engine="detailed", mode="reference", task=golden["task"]))
    blocks = len(golden["model"]["f"][0])
    compute = [row if isinstance(row[0], list) else renamed(row, blocks) for row in golden["compute"]]
    ours = [listed(item) for item in program.compute]
    for row in ours:
        if isinstance(row[0], str):
            row[1] = row[1].removesuffix("[bwd]")
    assert ours == compute
    assert [listed(item) for item in program.memory] == golden["memory"]


def test_a_published_store_waits_for_the_operation_that_its_name_begins_with() -> None:
    model = {"l": 1, "o": [["sa_wma_64"]], "h": [128], "f": [[256]]}
    heads = build_program(model, 4, RunSettings(engine="detailed", mode="reference")).memory[1]
    assert isinstance(heads, Heads)
    stores = [(t.tensor.rsplit("_", 1)[1], t.made_by) for t in heads.lists[0] if t.action == "store"]
    keys = [made_by for name, made_by in stores if name == "k-s"]
    assert keys == ["sa_wma_64_1_1_k"] * 2  # the second is that of the weighted keys
    assert all(made_by and made_by.endswith(name.removesuffix("-s")) for name, made_by in stores)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"l": 3}, "l = 3"),
        ({"l": True}, "l = True"),
        ({"o": [["sa_sdp_0"], ["l_dft_64"]]}, "sa_sdp_0"),
        ({"o": [[7], ["l_dft_64"]]}, "head 7"),
        ({"o": [[], ["l_dft_64"]]}, r"heads \(o\)"),
        ({"o": ["sa_sdp_64", ["l_dft_64"]]}, r"heads \(o\)"),
        ({"h": [128, 0]}, "width of the model is 0"),
        ({"h": [128, "128"]}, "'128'"),
        ({"f": [[256], []]}, r"feed-forward widths \(f\)"),
        ({"f": 5}, "not a model dictionary"),
    ],
)
def test_a_malformed_model_is_refused(change: dict[str, Any], words: str) -> None:
    model = {"l": 2, "o": [["sa_sdp_64"], ["l_dft_64"]], "h": [128, 128], "f": [[256], [256]]}
    with pytest.raises(InputError, match=words):
        build_program(model | change, 4, RunSettings(engine="detailed", mode="reference"))


def test_a_batch_below_one_is_refused() -> None:
    with pytest.raises(InputError, match="batch size is 0"):
        build_program(PUBLISHED[0]["model"], 0, RunSettings(engine="detailed", mode="reference"))


def corrected(*switches: str, **settings: Any) -> RunSettings:
    return RunSettings(engine="detailed", mode="corrected", correct=",".join(switches) or "none", **settings)


NARROW: dict[str, Any] = {
    "l": 2,
    "o": [["sa_wma_8", "l_dft_8", "c_5_8", "sa_sdp_8"], ["sa_sdp_16"]],
    "h": [32, 16],
    "f": [[64, 48], [24]],
}


def operations(settings: RunSettings) -> dict[str, Operation]:
    return {o.name: o for o in flat(build_program(NARROW, 4, settings).compute)}


def transfers(settings: RunSettings) -> list[Transfer]:
    return list(flat(build_program(NARROW, 4, settings).memory))


def test_weights_once_loads_each_weight_without_the_batch() -> None:
    published, once = transfers(corrected()), transfers(corrected("weights-once"))
    for before, after in zip(published, once, strict=True):
        factor = 4 if before.role is TensorRole.WEIGHT else 1
        assert before == replace(after, elements=factor * after.elements)


def test_embedding_rows_are_those_of_the_batch_and_its_positions() -> None:
    rows = [t for t in transfers(corrected("embedding-rows", sequence_length=20)) if t.role is TensorRole.EMBEDDING]
    assert [(t.buffer, t.elements, t.pinned) for t in rows] == [
        ("activation", 4 * 20 * 32, False),
        ("activation", 20 * 32, False),
    ]


def test_residual_adds_the_input_of_each_sublayer() -> None:
    alone, tied = corrected("residual"), corrected("residual", "dependencies")
    added = [o.name for name, o in operations(alone).items() if name not in operations(corrected())]
    assert added == ["residual_1_1", "residual_1_2", "residual_2_1", "residual_2_2"]
    assert set(operations(tied)["residual_2_2"].needs) == {"ln_1_1-s", "nl_1_2-s"}
    assert operations(tied)["residual_1_1"].needs[-1] == "emb"
    assert operations(tied)["residual_2_1"].needs[-1] == "nl_0_proj-s"


def test_head_merge_adds_the_outputs_of_all_heads() -> None:
    merge = operations(corrected("head-merge"))["merge_1"]
    assert (merge.kind, merge.batch, merge.x, merge.y) == (Kind.ELEMENTWISE, 4 * 3, 128, 32)
    assert merge.needs == ("sa_wma_8_1_1_o-s", "l_dft_8_1_2_l-s", "c_5_8_1_3_c-s", "sa_sdp_8_1_4_o-s")
    assert "merge_2" not in operations(corrected("head-merge"))  # one head
    pair = build_program(NARROW | {"o": [["sa_sdp_16", "l_dft_16"], ["sa_sdp_16"]]}, 4, corrected("head-merge"))
    assert [o.batch for o in flat(pair.compute) if o.name == "merge_1"] == [4]


def test_elementwise_adds_biases_positions_and_scaling() -> None:
    before, after = corrected("weights-once"), corrected("weights-once", "elementwise")
    added = {name: (o.x, o.y) for name, o in operations(after).items() if name not in operations(before)}
    assert added["sa_sdp_8_1_4_scale"] == (128, 128)
    assert added["sa_sdp_8_1_4_q_bias"] == (128, 8)
    assert added["ff_1_2_f_bias"] == (128, 48)
    assert added["bias_1"] == added["emb_position"] == added["c_5_8_1_3_c_bias"] == (128, 32)
    # Three attention heads with three biases and a scaling, a convolution, two outputs, feed-forward, positions.
    assert len(added) == 3 * 4 + 1 + 2 + (3 + 1 + 2) + 1
    sizes = [sum(t.elements for t in transfers(s) if t.role is TensorRole.WEIGHT) for s in (before, after)]
    biases = 3 * (8 + 8) + 3 * 16 + 32 + (32 + 16) + (64 + 48 + 32 + 16) + (24 + 16) + 4 * 32 + 4 * 16
    assert sizes[1] - sizes[0] == biases


def test_non_linearities_have_the_shape_of_hidden_outputs() -> None:
    made = operations(corrected("activation-shape"))
    shapes = {name: o.y for name, o in made.items() if o.kind is Kind.NON_LINEARITY}
    assert shapes == {"nl_0_1": 64, "nl_0_2": 48, "nl_1_1": 24}


def test_with_dependencies_every_operation_waits_for_what_it_reads() -> None:
    made = operations(corrected("dependencies", "residual", "activation-shape"))
    assert made["sa_wma_8_1_1_q"].needs == ("sa_wma_8_1_1_q-l", "emb")
    assert made["sa_wma_8_1_1_sdp-qk"].needs[1] == "sa_wma_8_1_1_wma-s"
    assert made["ln_0_1"].needs == ("attended_1-s",)
    assert made["ff_1_1_f"].needs == ("ff_1_1_f-l", "ln_0_1-s")
    assert made["ff_1_2_f"].needs == ("ff_1_2_f-l", "nl_0_1-s")
    assert made["ln_0_2"].needs == ("residual_1_2-s",)
    assert made["ff_1_proj_f"].needs == ("ff_1_proj_f-l", "ln_0_2-s")
    assert made["sa_sdp_16_2_1_q"].needs == ("sa_sdp_16_2_1_q-l", "ff_1_proj_f-s")


@pytest.mark.parametrize("others", [(), ("dependencies",)])
def test_write_back_brings_the_output_to_main_memory(others: tuple[str, ...]) -> None:
    *_, last = transfers(corrected("write-back", *others))
    assert (last.action, last.made_by, last.elements) == ("write_back", "ln_1_2", 4 * 128 * 16)


def test_a_causal_mask_leaves_the_lower_triangle() -> None:
    full, masked = operations(corrected()), operations(corrected(causal=True))
    share = (128 * 129 / 2) / 128**2
    for name, operation in masked.items():
        inside = name.rsplit("_", 1)[1] in {"sdp-qk", "sftm", "sdp-v"}
        assert operation == replace(full[name], density=share if inside else 1)
    stored = {
        t.elements for t in transfers(corrected(causal=True)) if t.role in {TensorRole.SCORES, TensorRole.PROBABILITIES}
    }
    assert stored == {4 * 128 * 129 // 2}


def test_only_the_first_layer() -> None:
    names = list(operations(corrected(first_layer_only=True)))
    assert names[-1] == "nl_0_proj"
    assert names == list(operations(corrected()))[: len(names)]


def test_footprint_of_bert_base() -> None:
    model = {"l": 12, "o": [["sa_sdp_64"] * 12] * 12, "h": [768] * 12, "f": [[3072]] * 12}
    settings = corrected("elementwise", "weights-once")
    footprint = dict(build_program(model, 4, settings).footprint_elements)
    assert footprint["weights"] == 85_054_464  # parameters of its encoder
    assert footprint["embeddings"] == (30_522 + 128) * 768
    batched = dict(build_program(model, 4, corrected("elementwise")).footprint_elements)
    assert batched == footprint


@given(models(), st.sets(st.sampled_from(PROGRAM_SWITCHES)), st.data())
def test_any_subset_of_corrections_gives_a_program_that_can_run(
    model: dict[str, Any], switches: set[str], data: st.DataObject
) -> None:
    training = "backward" in switches and data.draw(st.booleans())
    chosen = corrected(
        *switches,
        task="training" if training else "inference",
        causal=data.draw(st.booleans()),
        recompute=data.draw(st.booleans()),
        first_layer_only=data.draw(st.booleans()),
        optimiser=data.draw(st.sampled_from(["sgd", "adam"])),
        sequence_length=data.draw(st.integers(1, 40)),
    )
    program = build_program(model, data.draw(st.integers(1, 5)), chosen)
    names = [o.name for o in flat(program.compute)]
    assert len(set(names)) == len(names)
    assert left_over(program) == []
    assert isinstance(program.compute[0], Heads)
    assert all(o.batch > 0 and o.x > 0 and o.y > 0 and 0 < o.density <= 1 for o in flat(program.compute))
    assert all(t.elements > 0 for t in flat(program.memory))


def test_published_training_needs_tensors_that_nothing_stores() -> None:
    program = build_program(NARROW, 4, RunSettings(engine="detailed", mode="reference", task="training"))
    made = {t.tensor for t in flat(program.memory)}
    missing = {tensor for o in flat(program.compute) for tensor in o.needs} - made
    assert "sa_sdp_16_2_1_o[wgt]" in missing
    assert left_over(program)
