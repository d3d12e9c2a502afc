"""Naming an architecture by preset, key, file or JSON value, and sorting what `--set` changes."""

from __future__ import annotations

import io
import json
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer import registry
from explorer.cli.show import document, known_of
from explorer.services.references import read_architecture, resolve_architecture, sorted_assignments
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.store import Store
from tests.fault import toy

TINY: dict[str, Any] = {"l": 2, "h": [128, 128], "o": [["sa_sdp_64", "sa_sdp_64"]] * 2, "f": [[512], [512]]}


def elector_choices() -> dict[str, Any]:
    space = registry.space("elector")
    return space.sample(np.random.default_rng(0))


def written(folder: Path, text: str) -> Path:
    file = folder / "given.json"
    file.write_text(text)
    return file


def test_a_preset_a_key_its_first_digits_a_file_and_a_value_name_the_same(store: Store, tmp_path: Path) -> None:
    tiny = registry.preset("bert-tiny")
    store.architectures.add([tiny])
    file = written(tmp_path, json.dumps(TINY))
    whole = {"domain": tiny.domain, "space": tiny.space, "choices": tiny.choices}
    for reference in ("bert-tiny", tiny.key, tiny.key[:6], str(file), TINY, whole, whole | {"key": tiny.key}):
        assert resolve_architecture(store, reference, domain="transformer") == tiny, reference


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", {"model_type": "flexibert", "design": TINY, "vocab_size": 40, "max_position_embeddings": 9}),
        ("model.json", {"model": TINY, "vocabulary": 40, "maximum_positions": 9, "labels": None}),
    ],
)
def test_the_folder_of_a_trained_model_names_its_architecture(
    store: Store, tmp_path: Path, name: str, content: dict[str, Any]
) -> None:
    folder = tmp_path / "abcdef"  # might be the beginning of a key
    folder.mkdir()
    (folder / name).write_text(json.dumps(content))
    tiny = registry.preset("bert-tiny")
    for reference in (folder, folder / name):
        assert resolve_architecture(store, str(reference), domain="transformer") == tiny
        assert resolve_architecture(store, str(reference)) == tiny
        assert read_architecture(reference) == tiny
    (folder / name).write_text(json.dumps({**content, "pruned_heads": {"0": [1]}}))
    with pytest.raises(InputError, match=r"\.json: pruned_heads is given; allowed: none"):
        read_architecture(folder)
    (folder / name).write_text(json.dumps({key: 3 if key in ("design", "model") else content[key] for key in content}))
    with pytest.raises(InputError, match=r"\.json: The choices are 3; allowed: an object"):
        read_architecture(folder)


def test_first_digits_that_two_keys_share_are_refused(store: Store) -> None:
    by_digits: dict[str, Architecture] = {}
    for x in count():
        one = toy.architecture(x)
        other = by_digits.setdefault(one.key[:6], one)
        if other is not one:
            break
    store.architectures.add([one, other])
    with pytest.raises(InputError, match=one.key[:6]):
        resolve_architecture(store, one.key[:6], domain=one.domain)
    assert resolve_architecture(store, one.key, domain=one.domain) == one


def test_standard_input_is_read_for_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = registry.preset("bert-tiny")
    exported = {"key": tiny.key, "domain": tiny.domain, "space": tiny.space, "choices": tiny.choices}
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(exported)))
    assert read_architecture(Path("-")) == tiny
    monkeypatch.setattr("sys.stdin", io.StringIO("{"))
    with pytest.raises(InputError, match="standard input, line 1"):
        read_architecture(Path("-"))


@pytest.mark.parametrize(
    ("choices", "domain", "space"),
    [
        (registry.preset("bert-tiny").choices, "transformer", "flexibert2"),
        ({"l": 1, "h": [96], "o": [["sa_sdp_32"] * 3], "f": [[100, 50]]}, "transformer", "transformer_free"),
        (registry.preset("edge").choices, "accelerator", registry.preset("edge").space),
        (elector_choices(), "accelerator", "elector"),
    ],
)
def test_bare_choices_belong_to_the_published_space_where_it_allows_them(
    store: Store, choices: dict[str, Any], domain: str, space: str
) -> None:
    found = resolve_architecture(store, dict(choices), domain=domain)
    assert (found.space, found.domain, found.choices) == (space, domain, choices)


UNSORTED: dict[str, Any] = {
    "l": 2,
    "o": [["sa_wma_64", "c_5_64"], ["l_dct_64", "c_9_64", "sa_sdp_64", "sa_wma_64"]],
    "h": [128, 256],
    "f": [[512, 256], [1024]],
}


@pytest.mark.parametrize(
    ("described", "task", "cycles", "notes"),
    [
        (UNSORTED, "inference", 546_681, []),
        (UNSORTED, "training", 582_469, []),
        (
            {"domain": "transformer", "space": "flexibert2", "choices": UNSORTED},
            "inference",
            546_665,
            ["the given JSON: o was put into the one form that the space flexibert2 has for each design."],
        ),
    ],
)
def test_bare_choices_are_simulated_in_the_given_order_and_those_of_a_named_space_in_its_order(
    store: Store, described: dict[str, Any], task: str, cycles: int, notes: list[str]
) -> None:
    said: list[str] = []
    model = resolve_architecture(store, described, domain="transformer", note=said.append)
    edge = resolve_architecture(store, "edge", domain="accelerator", overrides={"weight_buffer_mb": 16})
    made = registry.simulator("acceltran")
    options = {"engine": "fast", "mode": "reference", "task": task}
    run = made.run({"model": model, "accelerator": edge}, options)
    assert run.measures["cycles"] == cycles
    assert said == notes
    heads = [block.kind for block in model.blocks if "head_dimension" in block.attributes]
    assert (heads[-4:] == ["l_dct", "c_9", "sa_sdp", "sa_wma"]) == (not notes)


def test_an_older_way_of_writing_the_same_design_belongs_to_the_published_space_without_a_note(store: Store) -> None:
    old = {"l": 2, "o": ["sa"] * 2, "h": [128] * 2, "n": [2] * 2, "f": [[512]] * 2, "p": ["sdp"] * 2}
    said: list[str] = []
    model = resolve_architecture(store, old, domain="transformer", note=said.append)
    assert (model.space, said) == ("flexibert", [])


def test_what_is_set_is_changed_and_nothing_else(store: Store) -> None:
    edge = registry.preset("edge")
    changed = resolve_architecture(store, "edge", domain="accelerator", overrides={"batch_size": 16, "pe": 128})
    assert changed.choices == edge.choices | {"batch_size": 16, "pe": 128}
    assert resolve_architecture(store, "edge", domain="accelerator", overrides={"pe": edge.choices["pe"]}) == edge


def test_an_architecture_of_another_domain_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match="edge is of the domain accelerator; a transformer is needed"):
        resolve_architecture(store, "edge", domain="transformer")
    with pytest.raises(InputError, match="The given JSON is of the domain transformer"):
        tiny = {"domain": "transformer", "space": "transformer_free", "choices": TINY}
        resolve_architecture(store, tiny, domain="accelerator")


@pytest.mark.parametrize("reference", ["", ".", "x" * 300, "a\0b", "fff", "ABCDEF12", "0" * 65, "bert-tiny "])
def test_what_names_nothing_is_refused_with_what_would(store: Store, reference: str) -> None:
    with pytest.raises(InputError, match=r"bert-nano, bert-tiny.*6 to 64 hexadecimal digits"):
        resolve_architecture(store, reference, domain="transformer")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1, column 1"),
        ("[]", "allowed: an object with the keys domain, space and choices"),
        ('{"l": ' + "1" * 5000 + "}", "thousands of digits"),
        ("[" * 100_000, "nested too deeply"),
        ('{"domain": "transformer", "space": "flexibert2", "choices": ' + '{"a":' * 900 + "1" + "}" * 901, "key l"),
        ('{"domain": "transformer", "space": "\\ud800", "choices": {}}', "flexibert2"),
        ('{"domain": "transformer", "space": "flexibert2", "choices": {}, "extra": 1}', "extra"),
    ],
)
def test_files_that_hold_no_architecture(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as refused:
        read_architecture(written(tmp_path, text))
    assert str(refused.value).startswith(str(tmp_path))
    assert len(str(refused.value)) < 1000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["domain", "space", "choices", "l", "o", "h", "f", "pe"]), inner, max_size=6)
    ),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON)
def test_a_file_of_any_json_is_read_or_refused(tmp_path: Path, value: Any) -> None:
    try:
        read_architecture(written(tmp_path, json.dumps(value)))
    except InputError as error:
        assert str(error).startswith(str(tmp_path))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=40))
def test_a_file_of_any_bytes_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "given.json"
    file.write_bytes(content)
    with pytest.raises(InputError):
        read_architecture(file)


def test_what_is_set_goes_to_the_accelerator_or_to_the_run() -> None:
    assigned = sorted_assignments("acceltran", {"pe": 128, "memory": "hbm_32_1_4", "weight_sparsity": 0.25})
    assert assigned.decisions == {"accelerator": {"pe": 128, "memory": "hbm_32_1_4"}}
    assert assigned.settings == {"weight_sparsity": 0.25}
    with pytest.raises(InputError, match=r"--set beauty.*pe.*sequence_length"):
        sorted_assignments("acceltran", {"beauty": 1})


def test_a_role_whose_domain_names_no_decisions_takes_what_nothing_else_knows() -> None:
    assigned = sorted_assignments("acceltran", {"layers": 2, "pe": 128, "weight_sparsity": 0.25}, role="model")
    assert assigned.decisions == {"model": {"layers": 2}, "accelerator": {"pe": 128}}
    assert assigned.settings == {"weight_sparsity": 0.25}


def test_any_domain_is_allowed_where_none_is_named(store: Store, tmp_path: Path) -> None:
    assert resolve_architecture(store, "bert-tiny") == registry.preset("bert-tiny")
    assert resolve_architecture(store, "edge", overrides={"pe": 128}).choices["pe"] == 128
    whole = {"domain": "transformer", "space": "transformer_free", "choices": TINY}
    assert resolve_architecture(store, whole).domain == "transformer"
    assert resolve_architecture(store, TINY) == registry.preset("bert-tiny")
    assert resolve_architecture(store, json.dumps(TINY)) == registry.preset("bert-tiny")
    assert read_architecture(written(tmp_path, json.dumps(TINY))) == registry.preset("bert-tiny")
    with pytest.raises(InputError, match="names no domain, and its choices are legal in none"):
        resolve_architecture(store, {"l": 2})
    with pytest.raises(InputError, match=r"is no preset \(.*edge.*bert-tiny"):
        resolve_architecture(store, "nothing")
    with pytest.raises(InputError, match="The domain transformer has no decisions"):
        resolve_architecture(store, "bert-tiny", overrides={"layers": 2})


def test_what_show_prints_is_read_again(store: Store, tmp_path: Path) -> None:
    tiny = registry.preset("bert-tiny")
    printed = document(known_of(store, tiny))
    file = written(tmp_path, json.dumps(printed))
    assert read_architecture(file) == resolve_architecture(store, str(file), domain="transformer") == tiny
    del printed["fingerprint"], printed["key"]
    assert read_architecture(written(tmp_path, json.dumps(printed))) == tiny


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"key": "0" * 64}, ["has the key '000", "but its choices have", "allowed: that key, or none"]),
        ({"key": None}, ["has the key None"]),
        ({"fingerprnt": "00"}, ["There is no setting 'fingerprnt'", "allowed: domain, space, choices"]),
    ],
)
def test_what_contradicts_itself_is_refused(
    store: Store, tmp_path: Path, changed: dict[str, Any], words: list[str]
) -> None:
    file = written(tmp_path, json.dumps(document(known_of(store, registry.preset("bert-tiny"))) | changed))
    for read in (read_architecture, lambda name: resolve_architecture(store, str(name), domain="transformer")):
        with pytest.raises(InputError) as refused:
            read(file)
        assert all(word in str(refused.value) for word in words)
