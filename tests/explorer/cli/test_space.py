"""`explorer space`: sizes, samples, and samples kept in the database."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphdb.records import ArchitectureFilter
from graphdb.store import Store
from tests.explorer.conftest import Run

OWN = """
layers: [1, 2]
hidden: [64]
heads: [2]
head_types: [sa_sdp, l_dct]
feed_forwards: [1]
feed_forward_widths: [128, 256]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "own.yaml"
    found.write_text(OWN, encoding="utf-8")
    return found


def test_a_published_space_is_counted(run: Run) -> None:
    assert run("space", "flexibert", "--json").json["size"] == 3_317_817_600
    assert "3,317,817,600 designs" in run("space", "flexibert").out


def test_a_sample_of_an_own_space_is_stored_once(run: Run, store: Store, file: Path) -> None:
    first = run("space", file, "--sample", "10", "--seed", "2", "--store", "--json")
    assert first.status == 0, first.err
    assert first.json["size"] == 20
    assert first.json["added"] == 10
    keys = [design["key"] for design in first.json["sample"]]
    assert sorted(store.architectures.keys(ArchitectureFilter(domain="transformer"))) == sorted(keys)
    again = run("space", file, "--sample", "10", "--seed", "2", "--store")
    assert "0 added, 10 already stored" in " ".join(again.out.split())


def test_what_is_wrong_ends_in_status_2(run: Run, file: Path, tmp_path: Path) -> None:
    for command, said in (
        (("space", "bert"), "There is no space 'bert'; allowed: "),
        (("space", tmp_path / "none.yaml"), "cannot be read: No such file"),
        (("space", file, "--sample", "21"), "--sample is 21; allowed: up to 20"),
        (("space", "transformer_free"), "it cannot be counted"),
    ):
        found = run(*command)
        assert found.status == 2
        assert said in " ".join(found.err.split())
