"""Bad input: exit status 2, one clear sentence on standard error, nothing on standard output, nothing stored."""

from __future__ import annotations

import io
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer import registry
from graphdb import embedded
from graphdb.errors import InputError
from graphdb.records import StudyRecord
from graphdb.settings import Settings
from graphdb.store import Store
from tests.explorer.conftest import Outcome, Run

TINY: dict[str, Any] = {"l": 2, "h": [128, 128], "o": [["sa_sdp_64", "sa_sdp_64"]] * 2, "f": [[512], [512]]}
SIMULATE = ("simulate", "acceltran", "--json")


def refused(found: Outcome, *words: str) -> None:
    """The whole contract of a refusal."""
    assert found.status == 2, found
    assert found.out == ""
    text = " ".join(found.err.split())
    assert text.startswith("Error: "), text
    assert "Traceback" not in text
    assert text.endswith(".")
    for word in words:
        assert word in text, (word, text)


def stored(store: Store) -> dict[str, int]:
    return store.architectures.counts()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--model", "bert-huge", "--accelerator", "edge"), ("bert-huge", "bert-tiny")),
        (("--model", "bert-tiny", "--accelerator", "phone"), ("phone", "edge")),
        (("--model", "edge", "--accelerator", "edge"), ("edge", "transformer")),
        (("--model", "abcdef123456", "--accelerator", "edge"), ("abcdef123456",)),
        (("--model", "missing.json", "--accelerator", "edge"), ("missing.json", "cannot be read")),
        (
            ("--model", "bert-base", "--accelerator", "edge", "--engine", "fast", "--mode", "reference"),
            ("weight buffer", "MiB", "missing"),
        ),
        (
            ("--model", "bert-base", "--accelerator", "edge", "--mode", "reference"),
            ("weight buffer", "MiB", "larger"),
        ),
        (
            ("--model", "bert-tiny", "--accelerator", "edge", "--mode", "reference", "--task", "training"),
            ("never ends", "waits for"),
        ),
        (("--model", "bert-tiny", "--accelerator", "edge", "--engine", "slow"), ("slow", "fast, detailed")),
        (("--model", "bert-tiny", "--accelerator", "edge", "--mode", "right"), ("right", "reference, corrected")),
        (("--model", "bert-tiny", "--accelerator", "edge", "--correct", "speed"), ("speed", "weights-once")),
        (("--model", "bert-tiny", "--accelerator", "edge", "--task", "play"), ("play", "inference")),
        (("--model", "bert-tiny", "--accelerator", "edge", "--set", "beauty=1"), ("beauty", "pe")),
        (("--model", "bert-tiny", "--accelerator", "edge", "--set", "pe"), ("'pe'", "name=value")),
        (("--model", "bert-tiny", "--accelerator", "edge", "--set", "pe=0"), ("pe",)),
        (("--model", "bert-tiny", "--accelerator", "edge", "--set", "pe=many"), ("pe", "many")),
        (("--model", "bert-tiny", "--accelerator", "edge", "--set", "tile_x=7"), ("tile_x", "8, 16, 32")),
        (("--model", "bert-tiny", "--accelerator", "edge", "--set", "memory=dram_1_1_1"), ("dram_1_1_1", "hbm")),
        (("--model", "bert-tiny", "--accelerator", "edge", "--set", "memory_index=11"), ("memory_index", "10")),
        (("--model", "bert-tiny", "--accelerator", "edge", "--set", "banks=3"), ("dram_3_2_1",)),
        (("--model", "bert-tiny", "--accelerator", "edge", "--set", "sequence_length=0"), ("sequence_length",)),
        (("--model", "bert-tiny", "--accelerator", "edge", "--set", "weight_sparsity=1"), ("weight_sparsity",)),
        (("--model", "bert-tiny", "--accelerator", "edge", "--set", "pe=8", "--set", "pe=9"), ("pe", "twice")),
    ],
)
def test_simulations_that_cannot_be(run: Run, store: Store, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    refused(run(*SIMULATE, *arguments), *words)
    assert stored(store) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"l": 2,', ("line 1",)),
        ("[1, 2]", ("object",)),
        (json.dumps(TINY | {"l": 3}), ("l",)),
        (json.dumps(TINY | {"o": [["sa_sdp_64", "sa_sdp_32"]] * 2}), ("o[0]",)),
        (json.dumps(TINY | {"o": [["sa_magic_64"] * 2] * 2}), ("sa_magic_64",)),
        (json.dumps(TINY | {"h": [128, -1]}), ("-1",)),
        ('{"l": NaN, "h": [], "o": [], "f": []}', ("l",)),
        ("[" * 100_000, ("nested",)),
        ('{"domain": "transformer", "space": "flexibert9", "choices": {}}', ("flexibert9", "flexibert2")),
        ('{"domain": "accelerator", "space": "flexibert2", "choices": {}}', ("accelerator", "transformer")),
    ],
)
def test_files_that_are_no_model(run: Run, store: Store, tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    file = tmp_path / "model.json"
    file.write_text(text)
    refused(run(*SIMULATE, "--model", file, "--accelerator", "edge"), "model.json", *words)
    assert stored(store) == {}


def test_a_head_width_that_does_not_fit_its_space(run: Run, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    choices = TINY | {"o": [["sa_sdp_60", "sa_sdp_60"]] * 2}
    file.write_text(json.dumps({"domain": "transformer", "space": "flexibert2", "choices": choices}))
    refused(run("import", file), "model.json", "60", "64")
    assert stored(store) == {}


def test_files_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    refused(run("import", tmp_path), "cannot be read")
    latin = tmp_path / "latin.json"
    latin.write_bytes(b'{"domain": "\xe4"}')
    refused(run("import", latin), "UTF-8")
    large = tmp_path / "large.json"
    large.write_text(" " * (5 << 20))
    refused(run("import", large), "MiB")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ("recipe", "--resume")),
        (("chess",), ("chess", "transcode")),
        (("transcode", "--budget", "0"), ("budget", "0")),
        (("transcode", "--budget", "9" * 30), ("budget", "9" * 30)),
        (("transcode", "--seed", "-1"), ("seed", "-1")),
        (("transcode", "--seed", "9" * 30), ("seed", "9" * 30)),
        (("transcode", "--workers", "0"), ("--workers", "0")),
        (("transcode", "--scheduler", "nonsense"), ("nonsense", "tcp://")),
        (("transcode", "--plots", __file__), ("--plots", "not a folder")),
        (("transcode", "--plots", f"{__file__}/figures"), ("--plots", "not a folder")),
        (("transcode", "--objective", "best"), ("best", "decades")),
        (("transcode", "--max", "beauty=1"), ("beauty", "area_mm2")),
        (("transcode", "--max", "area_mm2"), ("area_mm2", "number")),
        (("transcode", "--min", "accuracy=high"), ("high",)),
        (("transcode", "--weight", "beauty=1"), ("beauty", "accuracy")),
        (("transcode", "--weight", "accuracy=-1"), ("accuracy", "-1")),
        (("transcode", "--set", "models=some"), ("models",)),
        (("transcode", "--set", "beauty=1"), ("beauty",)),
        (("transcode", "--name", "a/b"), ("a/b",)),
        (("transcode", "--name", "taken"), ("taken", "exists")),
        (("transcode", "--max", "area_mm2=5", "--min", "area_mm2=9"), ("area_mm2", "exclude each other", "9", "5")),
        (("transcode", "--fix", "wheel=edge"), ("wheel", "model, accelerator")),
        (("transcode", "--fix", "model=bert-tiny", "--fix", "accelerator=edge"), ("every role", "free")),
        (("transcode", "--fix", "model=edge"), ("edge", "transformer")),
        (("transcode", "--fix", "accelerator=phone"), ("phone", "edge")),
        (("transcode", "--fix", "accelerator"), ("accelerator", "--fix")),
        (("transcode", "--time-limit", "soon"), ("soon", "seconds")),
        (("transcode", "--time-limit", "0"), ("'0'", "positive")),
        (("transcode", "--optimiser", "magic"), ("magic", "default")),
        (("transcode", "--optimiser", "boshcode", "--front"), ("front", "boshcode")),
        (("transcode", "--ahead", "-1"), ("ahead", "-1")),
        (("transcode", "--set", "initial=0"), ("initial", "0")),
        (("--resume", "taken", "--fix", "model=bert-tiny"), ("--fix", "only --budget")),
        (("--resume", "nothing"), ("nothing",)),
        (("--resume", "taken", "--seed", "9"), ("taken", "9")),
        (("--resume", "taken", "--budget", "3"), ("10", "3")),
        (("--resume", "taken", "--budget", "9" * 30), ("budget", "9" * 30)),
        (("--resume", "taken", "--budget", "20", "--workers", "0"), ("--workers", "0")),
        (("--resume", "taken", "--objective", "published"), ("--objective",)),
        (("chess", "--resume", "taken"), ("chess", "transcode")),
        (("flexibert", "--target", "beauty"), ("beauty", "qnli_accuracy")),
        (("flexibert", "--target", "mlm_acc"), ("mlm_accuracy", "corpus")),
        (("flexibert", "--levels", "4"), ("levels", "3")),
        (("flexibert", "--levels", "2", "--set", "levels=3"), ("--levels", "--set levels")),
        (("flexibert", "--set", "space=missing.yaml"), ("missing.yaml", "cannot be read")),
        (("flexibert", "--max", "area_mm2=3"), ("area_mm2", "parameters")),
        (("transcode", "--target", "qnli_acc"), ("target",)),
        (("--resume", "taken", "--levels", "2"), ("--levels",)),
    ],
)
def test_searches_that_cannot_be(run: Run, store: Store, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    taken = StudyRecord("taken", "transcode", 0, 10, registry.recipe("transcode").settings({}, 10))
    store.studies.create(taken)
    refused(run("search", "--json", *arguments), *words)
    assert [study.name for study in store.studies.list()] == ["taken"]
    assert store.studies.trials("taken") == []
    assert store.studies.get("taken").budget == 10


def test_text_that_looks_like_markup_is_printed_as_it_is(run: Run) -> None:
    for name in (r"\[/x].json", "[/x].json", "[red]x.json", r"a\\[bold]b.json"):
        refused(run("import", name), name)


def test_a_wipe_that_is_not_confirmed_changes_nothing(
    run: Run, server_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run("db", "wipe").status == 1
    refused(run("db", "wipe", "--json"), "--yes")
    assert embedded.status(server_settings.data_directory).running


def test_studies_and_keys_that_are_not_there(run: Run, store: Store) -> None:
    store.architectures.add([registry.preset(name) for name in registry.presets()])
    refused(run("study", "show", "nothing"), "nothing")
    refused(run("study", "pareto", "nothing"), "nothing")
    for command in ("show", "export", "similar"):
        refused(run(command, "ffffff"), "ffffff")
        refused(run(command, "fff"), "fff")
        refused(run(command, "not a key"), "not a key")


def test_a_server_that_does_not_answer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("NEO4J_URI", f"bolt://127.0.0.1:{port}")
    monkeypatch.setenv("NEO4J_PASSWORD", "secret-password")
    found = run("load", "--json")
    refused(found, str(port), "cannot be reached")
    assert "secret-password" not in found.err


def test_a_wrong_password(run: Run, server_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = embedded.status(server_settings.data_directory).uri
    assert uri is not None
    monkeypatch.setenv("NEO4J_URI", uri)
    monkeypatch.setenv("NEO4J_PASSWORD", "wrong-password")
    found = run("load", "--json")
    refused(found, "NEO4J_PASSWORD")
    assert "wrong-password" not in found.err
    refused(run("db", "start"), "NEO4J_URI")


def test_an_address_that_is_none(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_URI", "carrier://pigeon")
    refused(run("load"), "carrier://pigeon")


def test_a_port_that_is_taken(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused(run("serve", "--port", taken.getsockname()[1]), str(taken.getsockname()[1]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["domain", "space", "choices", "l", "o", "h", "f", "pe"]), inner, max_size=6)
    ),
    max_leaves=20,
)
SPACES = st.sampled_from(registry.spaces())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=JSON | st.builds(lambda space, choices: {"space": space, "choices": choices}, SPACES, JSON))
def test_any_json_is_an_architecture_or_one_refusal(value: Any) -> None:
    if isinstance(value, dict) and value.get("space") in registry.spaces():
        value = value | {"domain": registry.space(value["space"]).domain}
    try:
        registry.architecture_from_json(value, "the file")
    except InputError as error:
        assert str(error).startswith("the file")
