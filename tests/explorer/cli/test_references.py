"""Whatever takes an architecture takes a preset, a key, the beginning of a key, a file, or JSON, in every command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from explorer import registry
from explorer.cli import commands
from explorer.contracts.reference import WAYS
from gnn.inductive import EncoderSettings
from graphdb.architecture import Architecture
from graphdb.store import Store
from tests.explorer.cli.parsing import leaves
from tests.explorer.conftest import Run

ROLES = {role: who.domain for name in registry.simulators() for role, who in registry.simulator(name).roles.items()}
NAMES = {"key", "architecture", "design", "first", "second", "parent", *ROLES}
"""Names of parameters that can only mean an architecture."""
OTHERS = {"file", "accuracy", "accuracy_source", "samples", "corpus", "out"}
"""Required parameters of the same commands that mean something else; `needed` has their values."""
COMMANDS = dict(leaves(commands.commands()))
PARAMETERS = [
    (words, parameter.name)
    for words, command in COMMANDS.items()
    for parameter in command.params
    if parameter.name in NAMES or WAYS in (getattr(parameter, "help", None) or "")
]
NONSENSE = "no-such-design"


def needed(words: tuple[str, ...], reference: dict[str, str], folder: Path) -> list[str]:
    """A command line with everything that the command requires.

    Args:
        words: the command.
        reference: parameter -> what it is given; a preset where there is no entry.
        folder: a folder for files.
    """
    corpus = folder / "corpus.txt"
    corpus.write_text("One sentence. " * 50)
    given = {"accuracy": "0.86", "accuracy_source": "measured", "samples": "1", "corpus": str(corpus)}
    given["out"] = str(folder / "out")
    line = list(words)
    for parameter in COMMANDS[words].params:
        if not parameter.required:
            continue
        assert parameter.name in NAMES | OTHERS, f"say what {parameter.name} of {words} is given"
        preset = "edge" if ROLES.get(parameter.name) == "accelerator" else "bert-nano"
        value = reference.get(parameter.name, given.get(parameter.name, preset))
        line += [value] if parameter.param_type_name == "argument" else [parameter.opts[0], value]
    return line


def test_every_command_that_names_an_architecture_says_how() -> None:
    found = {words[0] for words, _ in PARAMETERS}
    assert found >= {"export", "show", "similar", "simulate", "explore", "pretrain", "cross"}
    for words, name in PARAMETERS:
        help_text = next(one.help for one in COMMANDS[words].params if one.name == name)
        assert WAYS in help_text, (words, name)


@pytest.mark.parametrize(
    ("words", "name"), PARAMETERS, ids=lambda one: "-".join(one) if isinstance(one, tuple) else one
)
def test_what_names_nothing_is_refused_with_all_ways(
    run: Run, tmp_path: Path, words: tuple[str, ...], name: str
) -> None:
    refused = run(*needed(words, {name: NONSENSE}, tmp_path))
    told = " ".join(refused.err.split())
    assert refused.status == 2
    assert f"'{NONSENSE}' is no " in told and "preset (" in told
    assert "no key (6 to 64 hexadecimal digits) and no JSON file or object" in told


def ways(architecture: Architecture, preset: str, folder: Path) -> dict[str, str]:
    """The same architecture in all ways."""
    document = json.dumps({name: getattr(architecture, name) for name in ("domain", "space", "choices")})
    file = folder / "design.json"
    file.write_text(document)
    return {
        "preset": preset,
        "key": architecture.key,
        "beginning": architecture.key[:8],
        "file": str(file),
        "JSON": document,
    }


def test_a_design_that_is_not_stored_is_shown_and_exported_without_storing_it(
    run: Run, store: Store, tmp_path: Path
) -> None:
    tiny = registry.preset("bert-tiny")
    for way, reference in ways(tiny, "bert-tiny", tmp_path).items():
        shown, exported = run("show", reference, "--json"), run("export", reference)
        if way in ("key", "beginning"):
            assert shown.status == exported.status == 2
            continue
        assert shown.json["key"] == tiny.key, way
        assert exported.json["choices"] == tiny.choices
    assert store.architectures.counts() == {}
    store.architectures.add([tiny])
    for way, reference in ways(tiny, "bert-tiny", tmp_path).items():
        assert run("show", reference, "--json").json["key"] == tiny.key, way


def test_a_bare_dictionary_is_read_by_every_command(run: Run, store: Store, tmp_path: Path) -> None:
    tiny = registry.preset("bert-tiny")
    file = tmp_path / "bare.json"
    file.write_text(json.dumps(tiny.choices))
    assert run("show", file, "--json").json["key"] == tiny.key
    assert run("export", json.dumps(tiny.choices)).json["space"] == tiny.space
    assert run("import", file, "--json").json == {"key": tiny.key, "added": True}
    assert list(store.architectures.counts().values()) == [1]


def test_similar_stores_what_it_looks_up(run: Run, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.learning.similarity.SETTINGS", EncoderSettings(width=64, steps=20))
    monkeypatch.setattr("explorer.learning.similarity.DESIGNS_PER_SPACE", 10)
    store.architectures.add([registry.preset(name) for name in ("bert-mini", "bert-small")])
    found = run("similar", "bert-tiny", "-k", "1", "--json")
    assert found.status == 0, found.err
    assert [row["key"] for row in found.json] == [registry.preset("bert-mini").key]
    assert store.architectures.get(registry.preset("bert-tiny").key) == registry.preset("bert-tiny")


def test_a_pair_in_all_ways_is_one_measurement(run: Run, store: Store, tmp_path: Path) -> None:
    nano = registry.preset("bert-nano")
    store.architectures.add([nano])
    base = ("simulate", "acceltran", "--accelerator", "edge", "--engine", "fast", "--json", "--model")
    keys = {run(*base, reference).json["key"] for reference in ways(nano, "bert-nano", tmp_path).values()}
    assert len(keys) == 1


def noting(store: Store, reference: Any, *, note: Any = None, **given: Any) -> Architecture:
    """What reading does where it changes what was given."""
    del store, reference, given
    assert note is not None
    note("The design was put in order.")
    return registry.preset("bert-nano")


@pytest.mark.parametrize("words", [("show", "x"), ("cross", "x", "y", "--level", "1")])
def test_notes_of_reading_go_to_stderr_and_into_the_json(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    assert "notes" not in run("show", "bert-nano", "--json").json
    monkeypatch.setattr("explorer.services.references.resolve_architecture", noting)
    printed = run(*words, "--json")
    if printed.status == 0:
        assert printed.json["notes"] == ["The design was put in order."]
    assert printed.err.count("The design was put in order.") == 1


def test_the_same_graph_in_another_space_is_shown_with_what_was_measured_of_it(run: Run) -> None:
    run("load")
    shown = run("show", "bert-tiny", "--json").json
    (twin,) = shown["twins"]
    assert twin["space"] == "flexibert_early" and twin["key"] != shown["key"]
    assert twin["measurements"][0]["measures"]["qnli_accuracy"] == pytest.approx(0.7913, abs=1e-3)
    assert shown["measurements"] == []
    table = run("show", "bert-tiny").out
    assert "flexibert_early  QNLI accuracy 0.7913" in table
    back = run("show", twin["key"], "--json").json
    assert back["twins"] == [{"key": shown["key"], "space": "flexibert2", "measurements": []}]
    assert back["facts"] == shown["facts"]
    assert "parameters = 7,044,608" in table
