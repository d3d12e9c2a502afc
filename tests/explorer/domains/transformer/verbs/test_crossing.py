"""`explorer cross`: children with lineage, from the command line."""

from __future__ import annotations

from graphdb.store import Store
from tests.explorer.conftest import Run


def test_children_are_stored_and_shown(run: Run, store: Store) -> None:
    crossed = run("cross", "bert-tiny", "bert-mini", "-n", "4", "--json")
    assert crossed.status == 0, crossed.err
    assert len(crossed.json["children"]) == crossed.json["added"] == 4
    child = crossed.json["children"][0]
    shown = run("show", child["key"]).out
    assert shown.count("came from") == 2
    assert "by crossover (ratio " in shown
    assert "0 new" in " ".join(run("cross", "bert-tiny", "bert-mini", "-n", "4").out.split())
    assert set(store.architectures.parents([child["key"]], 5)[child["key"]][0].properties) == {"ratio"}


def test_bad_input_is_one_sentence(run: Run) -> None:
    for command, said in (
        (("cross", "bert-tiny", "edge"), "transformer"),
        (("cross", "bert-tiny", "bert-mini", "--level", "1"), "The level is 1; allowed: 2 to 3."),
        (("cross", "bert-tiny", "nowhere"), "nowhere"),
    ):
        refused = run(*command)
        assert refused.status == 2
        assert said in " ".join(refused.err.split())
