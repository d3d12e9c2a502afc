"""Programs: the published lists, what each correction changes, and that none can wait for itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from explorer.domains.accelerator.acceltran.building import build_program
from explorer.domains.accelerator.acceltran.program import Heads, Operation, Transfer
from explorer.domains.accelerator.acceltran.settings import RunSettings
from graphdb.errors import InputError

DATA = Path(__file__).parents[4] / "data" / "acceltran"
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
    program = build_program(golden["model"], 4, RunSettings(engine="detailed", task=golden["task"]))
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
    heads = build_program(model, 4, RunSettings(engine="detailed")).memory[1]
    assert isinstance(heads, Heads)
    stores = [(t.tensor.rsplit("_", 1)[1], t.made_by) for t in heads.lists[0] if t.action == "store"]
    keys = [made_by for name, made_by in stores if name == "k-s"]
    assert keys == ["sa_wma_64_1_1_k"] * 2  # the second is that of the weighted keys
    assert all(made_by and made_by.endswith(name.removesuffix("-s")) for name, made_by in stores)


@pytest.mark.parametrize(
    ("change", "found"),
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
        ({"f": 5}, "no model dictionary"),
    ],
)
def test_a_malformed_model_is_refused(change: dict[str, Any], found: str) -> None:
    model = {"l": 2, "o": [["sa_sdp_64"], ["l_dft_64"]], "h": [128, 128], "f": [[256], [256]]}
    with pytest.raises(InputError, match=found):
        build_program(model | change, 4, RunSettings(engine="detailed"))


def test_a_batch_below_one_is_refused() -> None:
    with pytest.raises(InputError, match="batch size is 0"):
        build_program(PUBLISHED[0]["model"], 0, RunSettings(engine="detailed"))
