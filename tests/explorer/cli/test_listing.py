"""`explorer list`: what is stored, by domain, space and measures, page by page; and `--version`."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest

from explorer import registry
from explorer.cli.listing import conditions
from graphdb.errors import InputError
from graphdb.records import Range
from graphdb.store import Store
from tests.explorer.conftest import Run


def published(store: Store) -> None:
    """A hundred measured models and what was not measured: the presets."""
    part = registry.published(["flexibert"])
    measured = [one for one in part.measurements if "qnli_accuracy" in one.measures][:100]
    keys = {key for one in measured for key in one.roles.values()}
    store.architectures.add([one for one in part.architectures if one.key in keys])
    store.architectures.add([registry.preset(name) for name in registry.presets()])
    store.measurements.add(measured)


def keys(document: dict[str, Any]) -> list[str]:
    return [one["key"] for one in document["architectures"]]


def test_architectures_are_listed_by_what_they_are(run: Run, store: Store) -> None:
    published(store)
    counts = store.architectures.counts()
    assert run("list", "--json").json["total"] == sum(counts.values())
    machines = run("list", "--domain", "accelerator", "--json").json
    assert machines["total"] == len(machines["architectures"]) == len(registry.presets("accelerator"))
    assert {one["domain"] for one in machines["architectures"]} == {"accelerator"}
    assert machines["after"] is None
    early = run("list", "--space", "flexibert_early", "--limit", "3", "--json").json
    assert early["total"] == counts["transformer/flexibert_early"] and len(early["architectures"]) == 3
    assert run("list", "--measured", "--json").json["total"] == 100
    assert run("list", "--unmeasured", "--json").json["total"] == sum(counts.values()) - 100


def test_values_of_a_measure_filter_and_order(run: Run, store: Store) -> None:
    published(store)
    line = ("list", "--where", "qnli_accuracy>=0.77", "--where", "qnli_accuracy<0.82", "--order-by", "qnli_accuracy")
    whole = run(*line, "--limit", "1000", "--json").json
    values = [one["measures"]["qnli_accuracy"]["largest"] for one in whole["architectures"]]
    assert 5 < whole["total"] == len(values) < 100
    assert values == sorted(values, reverse=True)
    assert all(0.77 <= value < 0.82 for value in values)
    pages: list[str] = []
    after: tuple[str, ...] = ()
    while True:
        page = run(*line, "--limit", "4", *after, "--json").json
        pages += keys(page)
        if page["after"] is None:
            break
        after = ("--after", page["after"])
    assert pages == keys(whole)
    rising = run(*line, "--ascending", "--limit", "1000", "--json").json
    assert [one["measures"]["qnli_accuracy"]["largest"] for one in rising["architectures"]] == sorted(values)
    table = run(*line, "--limit", "2")
    assert f"2 of {whole['total']} architectures" in table.out
    assert f"--after {run(*line, '--limit', '2', '--json').json['after']}" in table.out
    assert keys(whole)[0][:12] in table.out


def test_nothing_to_list_is_said(run: Run, store: Store) -> None:
    assert "No stored architecture meets these conditions." in run("list").out
    assert run("list", "--json").json == {"total": 0, "architectures": [], "after": None}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--where", "qnli_accuracy"), "is no condition"),
        (("--where", "qnli_accuracy>=much"), "is no condition"),
        (("--where", "qnli_accuracy>=nan"), "is no condition"),
        (("--where", "beauty>=1"), "there is no measure 'beauty'"),
        (("--order-by", "qnli_acuracy"), "qnli_accuracy"),
        (("--ascending",), "give --order-by too"),
        (("--domain", "no_such"), "There is no domain 'no_such'"),
        (("--limit", "0"), "--limit"),
        (("--order-by", "latency_s", "--after", "x"), "is not a cursor"),
    ],
)
def test_what_cannot_be_listed_is_refused(run: Run, arguments: tuple[str, ...], told: str) -> None:
    refused = run("list", *arguments)
    assert refused.status == 2
    assert told in " ".join(refused.err.split())
    assert refused.out == ""


def test_conditions_are_ranges() -> None:
    assert conditions(["accuracy >= 0.5", "latency_s=2", "energy_j<=1e-3"]) == (
        Range("accuracy", 0.5, None),
        Range("latency_s", 2.0, 2.0),
        Range("energy_j", None, 1e-3),
    )
    (above,) = conditions(["accuracy>0.5"])
    assert above.minimum is not None and 0.5 < above.minimum < 0.5 + 1e-12
    with pytest.raises(InputError):
        conditions(["accuracy=>0.5"])


def test_the_version_is_printed(run: Run) -> None:
    printed = run("--version")
    assert (printed.status, printed.out) == (0, f"explorer {version('explorer-codesign')}\n")
