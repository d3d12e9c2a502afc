"""One question has one answer: the command line and the API measure alike where nothing is said."""

from typing import Any

import pytest

from explorer import registry
from tests.api.conftest import Ask
from tests.explorer.conftest import Run, run

__all__ = ["run"]  # the fixture

GIVEN: dict[str, dict[str, tuple[str, str]]] = {
    "transcode": {"accuracy": ("0.86", "0.86"), "accuracy_source": ("measured", "MEASURED")}
}
"""Simulator -> its settings without a default -> their values on the command line and in GraphQL."""


@pytest.mark.parametrize("simulator", registry.simulators(shown=True))
def test_the_command_line_and_the_api_measure_alike_by_default(run: Run, ask: Ask, simulator: str) -> None:
    entry = registry.simulator_entry(simulator)
    given = GIVEN.get(simulator, {})
    assert {name for name, field in entry.options.model_fields.items() if field.is_required()} == set(given)
    pair = {role: registry.presets(who.domain)[0] for role, who in registry.simulator(simulator).roles.items()}
    flags = [text for role, preset in pair.items() for text in (f"--{role}", preset)]
    flags += [text for name, (value, _) in given.items() for text in (f"--{name.replace('_', '-')}", value)]
    printed = run("simulate", simulator, *flags, "--json")
    assert printed.status == 0, printed.err
    arguments = [f'{role}: {{ preset: "{preset}" }}' for role, preset in pair.items()]
    arguments += [f"{camel(name)}: {value}" for name, (_, value) in given.items()]
    mutation = f"simulate{entry.title}"
    answer = ask(f"mutation {{ {mutation}({', '.join(arguments)}) {{ key settings measures {{ name value }} }} }}")
    assert "errors" not in answer, answer
    answered = answer["data"][mutation]
    assert answered["key"] == printed.json["key"]
    assert answered["settings"] == printed.json["settings"]
    measures = {one["name"]: one["value"] for one in answered["measures"]}
    assert measures.items() >= {name: v for name, v in printed.json["measures"].items() if is_number(v)}.items()


def test_the_default_is_the_detailed_engine(run: Run, ask: Ask) -> None:
    query = """mutation { simulateAccelTran(model: { preset: "bert-tiny" }, accelerator: { preset: "edge" }) {
        measures { name value } } }"""
    answered = {one["name"]: one["value"] for one in ask(query)["data"]["simulateAccelTran"]["measures"]}
    printed = run("simulate", "acceltran", "--model", "bert-tiny", "--accelerator", "edge", "--json").json
    assert answered["cycles"] == printed["measures"]["cycles"] == 37665


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float)
