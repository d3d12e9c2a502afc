"""Finding things by name, and refusing packages that cannot be used."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from explorer import registry
from explorer.catalogue import Catalogue
from explorer.cli import commands
from explorer.contracts.domain import Domain, RecipeEntry, SimulatorEntry
from explorer.contracts.space import DesignSpace
from explorer.contracts.verb import RESERVED, Verb
from graphdb.errors import InputError
from tests.explorer.contracts.domain import DomainContract

TINY: dict[str, Any] = {
    "domain": "transformer",
    "space": "flexibert2",
    "choices": {"l": 2, "o": [["sa_sdp_64"] * 2] * 2, "h": [128] * 2, "f": [[512]] * 2},
}


class Options(BaseModel):
    """Nothing to be set."""


class Odd(BaseModel):
    """A type that no flag can have."""

    model_config = {"arbitrary_types_allowed": True}
    what: re.Pattern[str]


DOMAIN = Domain("mill", {"mills": "mill.space:Mills"})
WIND = SimulatorEntry("wind", "Blow.", "mill.simulator:Wind", Options)


class TestTransformer(DomainContract):
    module = "explorer.domains.transformer.domain"

    @pytest.fixture
    def domain(self) -> Domain:
        return registry.domain("transformer")


class TestAccelerator(DomainContract):
    module = "explorer.domains.accelerator.domain"

    @pytest.fixture
    def domain(self) -> Domain:
        return registry.domain("accelerator")


def test_commands_that_are_reserved_are_those_that_are_written_by_hand() -> None:
    assert frozenset({*commands.WRITTEN, "search", "serve"}) == RESERVED


def test_nothing_is_wrong_with_our_own() -> None:
    assert registry.problems() == ()


@pytest.mark.parametrize("name", registry.spaces())
def test_spaces_have_the_name_they_are_found_by(name: str) -> None:
    space = registry.space(name)
    assert isinstance(space, DesignSpace)
    assert space.name == name
    assert registry.space(name) is space


@pytest.mark.parametrize(
    ("find", "sentence"),
    [
        (registry.domain, "There is no domain 'nothing'; allowed: .*transformer"),
        (registry.space, "There is no space 'nothing'; allowed: .*elector"),
        (registry.simulator, "There is no simulator 'nothing'; allowed: .*acceltran"),
        (registry.recipe, "There is no recipe 'nothing'; allowed: .*transcode"),
        (registry.preset, "There is no preset 'nothing'; allowed: .*bert-tiny"),
        (lambda name: registry.published([name]), "There is no published source 'nothing'; allowed: .*flexibert"),
    ],
)
def test_unknown_names_are_refused_with_the_known_ones(find: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        find("nothing")


def test_finding_a_space_loads_neither_learning_nor_database() -> None:
    code = (
        "import sys; from explorer import registry; [registry.space(n) for n in registry.spaces()]; "
        "[registry.preset(n) for n in registry.presets()]; "
        "sys.exit(any(m in sys.modules for m in ('torch', 'neo4j', 'networkx', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_published_names_every_role_once() -> None:
    published = registry.published()
    keys = [architecture.key for architecture in published.architectures]
    assert len(set(keys)) == len(keys)
    assert len({measurement.key for measurement in published.measurements}) == len(published.measurements)
    assert {key for measurement in published.measurements for key in measurement.roles.values()} <= set(keys)


def test_published_by_source() -> None:
    published = registry.published(["elector"])
    assert len(published.measurements) == 242
    assert len(published.architectures) == 32


def test_presets_of_all_domains() -> None:
    assert {"bert-nano", "bert-tiny", "bert-mini", "bert-base"} <= set(registry.presets("transformer"))
    assert {"edge", "edge-lp", "server", "nano"} <= set(registry.presets("accelerator"))


def test_architecture_from_json() -> None:
    assert registry.architecture_from_json(TINY, "tiny.json") == registry.preset("bert-tiny")


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "tiny.json holds no object; allowed: an object with the keys domain, space and choices"),
        ([], "tiny.json holds no object"),
        ({}, "tiny.json: The setting domain of an architecture is missing"),
        (TINY | {"name": "x"}, "tiny.json: There is no setting 'name' of an architecture; allowed: domain, space"),
        (TINY | {"space": 1}, "tiny.json: The setting space of an architecture is 1; allowed: text"),
        (TINY | {"choices": []}, r"tiny.json: The setting choices of an architecture is \[\]"),
        (TINY | {"choices": {1: 2}}, "tiny.json: The setting choices"),
        (TINY | {"space": "x"}, "tiny.json: There is no space 'x'; allowed: "),
        (TINY | {"domain": "accelerator"}, "tiny.json: The domain is 'accelerator'; allowed: transformer"),
        (TINY | {"choices": TINY["choices"] | {"h": [1, 128]}}, r"tiny.json: h\[0\] is 1; allowed: 128, 256"),
    ],
)
def test_malformed_json_is_refused_with_its_place(value: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        registry.architecture_from_json(value, "tiny.json")


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (replace(DOMAIN, name="transformer"), "it brings the domain 'transformer', a name that .* has taken"),
        (replace(DOMAIN, spaces={"elector": "a:b"}), "it brings the space 'elector', a name that .* has taken"),
        (replace(DOMAIN, presets=("edge",), preset="a:b"), "it brings the preset 'edge', a name that .* has taken"),
        (replace(DOMAIN, published={"elector": "a:b"}), "it brings the published source 'elector'"),
        (replace(DOMAIN, simulators=(replace(WIND, name="acceltran"),)), "it brings the simulator 'acceltran'"),
        (replace(DOMAIN, simulators=(WIND, WIND)), "it brings the simulator 'wind' twice"),
        (
            replace(DOMAIN, verbs=(Verb("acceltran", "Do.", Options, "a:b", group="simulate"),)),
            "it brings the command 'simulate acceltran'",
        ),
        (
            replace(DOMAIN, verbs=(Verb("load", "Load.", Options, "a:b"),)),
            "its command 'load' begins like one that every domain shares; allowed: anything but db, export",
        ),
        (
            replace(DOMAIN, verbs=(Verb("grind", "Grind.", Odd, "a:b"),)),
            "The field what of .*Odd has a type that cannot be a flag: .*Pattern.*; allowed: text, numbers",
        ),
        (replace(DOMAIN, simulators=(replace(WIND, options=Odd),)), "has a type that cannot be a flag"),
        (RecipeEntry("mill", "Find.", "a:b", Odd), "has a type that cannot be a flag"),
        (RecipeEntry("transcode", "Find.", "a:b", Options), "it brings the recipe 'transcode'"),
        (replace(DOMAIN, spaces={}), "its field spaces is empty"),
        (replace(DOMAIN, bare=("windmills",)), "its field bare names 'windmills'; allowed: mills"),
        (replace(DOMAIN, presets=("old",)), "its field preset is empty"),
    ],
)
def test_what_would_hide_or_fail_later_is_refused_whole(found: Domain | RecipeEntry, sentence: str) -> None:
    catalogue = Catalogue()
    for name in registry.domains():
        catalogue.add(f"the domain {name}", registry.domain(name))
    for name in registry.recipes():
        catalogue.add(f"the recipe {name}", registry.recipe_entry(name))
    before = [dict(getattr(catalogue, table)) for table in ("domains", "recipes", "simulators", "verbs", "spaces")]
    kind = Domain if isinstance(found, Domain) else RecipeEntry
    catalogue.take("the package mill", lambda: found, kind)
    (problem,) = catalogue.problems
    assert re.search(f"^The package mill is left out: .*{sentence}", problem)
    assert problem.endswith(".")
    after = [dict(getattr(catalogue, table)) for table in ("domains", "recipes", "simulators", "verbs", "spaces")]
    assert after == before


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Any]:
    """A function that makes a package `mill` of a text as installers leave it, and runs `explorer` beside it."""

    def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "mill.py").write_text(module)
        metadata = tmp_path / "mill-1.dist-info"
        metadata.mkdir(exist_ok=True)
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: mill\nVersion: 1\n")
        (metadata / "entry_points.txt").write_text("[explorer.domains]\nmill = mill:DOMAIN\n")
        code = (
            f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.argv = ['explorer', *{arguments!r}];"
            "from explorer.cli.main import main; main()"
        )
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    yield run


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        ("import nowhere_to_be_found", "cannot be imported: ModuleNotFoundError: No module named"),
        ("1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
        ("DOMAIN = 3", "its DOMAIN is a int; allowed: a Domain"),
        ("from explorer.contracts.domain import Domain\nDOMAIN = Domain('mill')", "missing 1 required positional"),
        (
            "from explorer.contracts.domain import Domain\nDOMAIN = Domain('mill', {'elector': 'a:b'})",
            "it brings the space 'elector', a name that the package explorer.domains.accelerator has taken",
        ),
    ],
)
def test_a_package_that_cannot_be_used_is_named_and_the_others_work(installed: Any, module: str, sentence: str) -> None:
    done = installed(module, "space", "elector", "--json")
    assert done.returncode == 0
    assert '"size": 14850000' in done.stdout
    (line,) = [line for line in done.stderr.splitlines() if "mill" in line]
    assert "The package mill is left out" in line
    assert sentence in line
    assert "Traceback" not in done.stderr
