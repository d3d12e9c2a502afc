from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from explorer import registry
from explorer.contracts.space import DesignSpace
from graphdb.errors import InputError

TINY: dict[str, Any] = {
    "domain": "transformer",
    "space": "flexibert2",
    "choices": {"l": 2, "o": [["sa_sdp_64"] * 2] * 2, "h": [128] * 2, "f": [[512]] * 2},
}


@pytest.mark.parametrize("name", registry.spaces())
def test_spaces_bear_the_name_they_are_found_by(name: str) -> None:
    space = registry.space(name)
    assert isinstance(space, DesignSpace)
    assert space.name == name
    assert registry.space(name) is space


@pytest.mark.parametrize(
    ("find", "sentence"),
    [
        (registry.space, "There is no space 'nothing'; allowed: .*elector"),
        (registry.simulator, "There is no simulator 'nothing'; allowed: .*acceltran"),
        (registry.recipe, "There is no recipe 'nothing'; allowed: .*transcode"),
        (lambda name: registry.published([name]), "There is no published source 'nothing'; allowed: .*flexibert"),
    ],
)
def test_unknown_names_are_refused_with_the_known_ones(find: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        find("nothing")


def test_finding_a_space_loads_neither_learning_nor_database() -> None:
    code = (
        "import sys; from explorer import registry; [registry.space(n) for n in registry.spaces()]; "
        "registry.presets(); sys.exit(any(m in sys.modules for m in ('torch', 'neo4j', 'networkx', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_published_names_every_role_once() -> None:
    found = registry.published()
    keys = [architecture.key for architecture in found.architectures]
    assert len(set(keys)) == len(keys)
    assert len({measurement.key for measurement in found.measurements}) == len(found.measurements)
    assert {key for measurement in found.measurements for key in measurement.roles.values()} <= set(keys)


def test_published_by_source() -> None:
    found = registry.published(["elector"])
    assert len(found.measurements) == 242
    assert len(found.architectures) == 32


def test_presets_of_all_domains() -> None:
    found = registry.presets()
    assert {"bert-nano", "bert-tiny", "bert-mini", "bert-base", "edge", "edge-lp", "server", "nano"} <= set(found)
    for architecture in found.values():
        assert registry.space(architecture.space).build(architecture.choices) == architecture


def test_architecture_from_json() -> None:
    built = registry.architecture_from_json(TINY, "tiny.json")
    assert built == registry.presets()["bert-tiny"]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "tiny.json: the value: .*allowed: an object with the keys domain, space and choices"),
        ([], "tiny.json: the value"),
        ({}, "tiny.json: domain: Field required"),
        (TINY | {"name": "x"}, "tiny.json: name: Extra inputs are not permitted"),
        (TINY | {"space": 1}, "tiny.json: space: Input should be a valid string"),
        (TINY | {"choices": []}, "tiny.json: choices: Input should be a valid dictionary"),
        (TINY | {"choices": {1: 2}}, "tiny.json: choices"),
        (TINY | {"space": "x"}, "tiny.json: There is no space 'x'; allowed: "),
        (TINY | {"domain": "accelerator"}, "tiny.json: The domain is 'accelerator'; allowed: transformer"),
        (TINY | {"choices": TINY["choices"] | {"h": [1, 128]}}, r"tiny.json: h\[0\] is 1; allowed: 128, 256"),
    ],
)
def test_malformed_json_is_refused_with_its_place(value: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        registry.architecture_from_json(value, "tiny.json")
