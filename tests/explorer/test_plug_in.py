"""A domain of another package, installed by entry points: stored, shown, measured, learnt, searched and served.

The package is `tests/toy_domain`, which `docs/add-a-domain.md` builds; nothing anywhere else knows of it.
"""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from explorer import registry
from explorer.contracts.domain import Domain
from explorer.contracts.recipe import Recipe
from explorer.contracts.simulator import Roles, Simulator
from explorer.contracts.space import DesignSpace
from gnn.inductive import EncoderSettings
from gnn.network import SurrogateSettings
from graphdb.records import ArchitectureFilter
from graphdb.store import Store
from tests.explorer.cli.parsing import parse, words_of
from tests.explorer.conftest import Run
from tests.explorer.contracts.domain import DomainContract
from tests.explorer.contracts.recipe import RecipeContract
from tests.explorer.contracts.simulator import SimulatorContract
from tests.explorer.contracts.space import SpaceContract
from tests.places import ROOT

PACKAGE = ROOT / "tests" / "toy_domain"
FILES = ("bridge/domain.py", "bridge/space.py", "bridge/simulator.py", "bridge/recipe.py", "pyproject.toml")


@pytest.fixture(scope="module", autouse=True)
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Installs the package beside the environment, for this module's tests and the processes that they start."""
    folder = tmp_path_factory.mktemp("installed")
    copy = shutil.copytree(PACKAGE, tmp_path_factory.mktemp("package") / "toy", ignore=shutil.ignore_patterns("*.pyc"))
    uv = Path(sys.executable).with_name("uv")
    options = ("--no-deps", "--no-build-isolation", "--offline", "--quiet", "--python", sys.executable)
    subprocess.run([uv, "pip", "install", *options, "--target", folder, copy], check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", f"{folder}:{ROOT}")
        importlib.invalidate_caches()
        registry.refresh()
        yield
    for name in [name for name in sys.modules if name.split(".")[0] == "bridge"]:
        del sys.modules[name]
    registry.refresh()


class TestBridgeDomain(DomainContract):
    module = "bridge.domain"

    @pytest.fixture
    def domain(self) -> Domain:
        return registry.domain("bridge")


class TestBridgeSpace(SpaceContract):
    @pytest.fixture
    def space(self) -> DesignSpace:
        return registry.space("beam_bridge")


class TestLoadingSimulator(SimulatorContract):
    @pytest.fixture
    def simulator(self) -> Simulator:
        return registry.simulator("loading")

    @pytest.fixture
    def architectures(self) -> Roles:
        return {"bridge": registry.preset("footbridge")}


class TestBridgeRecipe(RecipeContract):
    @pytest.fixture
    def recipe(self) -> Recipe:
        return registry.recipe("bridge")


def test_it_has_five_short_files_and_the_page_builds_exactly_these() -> None:
    files = [path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".toml")]
    assert sorted(str(path.relative_to(PACKAGE)) for path in files) == sorted(FILES)
    page = (ROOT / "docs/add-a-domain.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:python|toml)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert blocks == [(PACKAGE / name).read_text(encoding="utf-8") for name in FILES]
    assert max(len(block.splitlines()) for block in blocks) <= 80


def test_the_command_lines_of_the_page_are_understood() -> None:
    page = (ROOT / "docs/add-a-domain.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("explorer ")]
    assert len(lines) == 6
    for line in lines:
        parse(words_of(line))


def test_it_is_sampled_stored_shown_and_drawn(run: Run, store: Store, tmp_path: Path) -> None:
    sampled = run("space", "beam_bridge", "--sample", 5, "--seed", 1, "--store", "--json").json
    assert (sampled["size"], sampled["added"]) == (512, 5)
    key = sampled["sample"][0]["key"]
    assert store.architectures.keys(ArchitectureFilter(domain="bridge", space="beam_bridge"))
    shown = run("show", key, "--plot", tmp_path, "--json").json
    assert [block["kind"] for block in shown["blocks"]] == ["bank", *["beam"] * 4, "bank"]
    assert all(Path(file).stat().st_size > 1000 for file in shown["plots"])
    exported = tmp_path / "bridge.json"
    exported.write_text(run("export", key).out)
    assert run("import", exported, "--json").json == {"key": key, "added": False}


def test_it_is_simulated_and_bad_input_is_refused_in_a_sentence(run: Run) -> None:
    measured = run("simulate", "loading", "--bridge", "footbridge", "--traffic", "lorries", "--json").json
    assert measured["settings"] == {"traffic": "lorries", "wind_m_per_s": 10.0}
    assert measured["measures"]["mass_kg"] == 16000.0
    table = run("simulate", "loading", "--bridge", "footbridge")
    assert table.status == 0
    assert re.search(r"deflection +[0-9.]+ m", table.out)
    for flags, words in (
        (("--traffic", "tanks"), "traffic.*'tanks'; allowed: walkers, lorries"),
        (("--wind-m-per-s", "99"), "wind_m_per_s.*99.*; allowed: a number from 0 to 80"),
    ):
        refused = run("simulate", "loading", "--bridge", "footbridge", *flags)
        assert refused.status == 2
        assert re.search(words, refused.err.replace("\n", " "))
    assert "walkers" in run("simulate", "loading", "--help").out


def test_it_is_explored_learnt_embedded_mapped_and_found_by_similarity(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Whether it is learnt is tested here; how well, where learning is.
    small = SurrogateSettings(members=1, steps=20, trees=0)
    monkeypatch.setattr("explorer.learning.surrogates.settings_of", lambda task: small)
    monkeypatch.setattr("explorer.learning.similarity.SETTINGS", EncoderSettings(width=64, steps=100))
    monkeypatch.setattr("explorer.learning.similarity.DESIGNS_PER_SPACE", 60)
    explored = run("explore", "beam_bridge", "--samples", 60, "--workers", 1, "--plots", tmp_path, "--json").json
    assert (explored["measured"], explored["refused"]) == (60, {})
    assert {"mass_kg", "deflection_m"} <= explored["pareto"][0]["measures"].keys()
    assert all(Path(file).exists() for file in explored["plots"])
    again = run("explore", "beam_bridge", "--samples", 60, "--workers", 1, "--json").json
    assert (again["measured"], again["stored_before"]) == (0, 60)
    key = explored["pareto"][0]["bridge"]["key"]
    alike = run("similar", key, "-k", 3, "--by", "behaviour", "--json").json
    near = run("similar", key, "-k", 3, "--by", "distance", "--rank-again", "--json").json
    assert len(alike) == len(near) == 3
    assert key not in {one["key"] for one in (*alike, *near)}
    mapped = run("map", "bridge", "--measure", "deflection_m", "--plots", tmp_path, "--json").json
    assert (mapped["designs"], mapped["measured"]) == (60, 60)


def test_it_is_searched_with_two_objectives_and_a_constraint_and_plotted(
    run: Run, store: Store, tmp_path: Path
) -> None:
    base = ("--workers", 1, "--plots", tmp_path, "--json")
    search = ("search", "bridge", "--budget", 32, "--seed", 3, "--name", "river", "--max", "span_cost=60")
    searched = run(*search, *base)
    assert searched.status == 0, searched.err
    front = run("study", "pareto", "river", "--plots", tmp_path, "--json").json
    assert len(front["pareto"]) >= 2
    assert all(trial["measures"]["span_cost"] <= 60 for trial in front["pareto"])
    pairs = [(trial["measures"]["mass_kg"], trial["measures"]["deflection_m"]) for trial in front["pareto"]]
    assert not any(a[0] <= b[0] and a[1] <= b[1] for a in pairs for b in pairs if a != b)
    assert len(front["hypervolume"]) == 32
    assert front["hypervolume"] == sorted(front["hypervolume"])
    assert front["hypervolume"][-1] > 0
    assert {Path(file).suffix for file in front["plots"]} == {".png", ".svg"}
    refused = run("search", "bridge", "--max", "beauty=1", "--workers", 1)
    assert (refused.status, "There is no measure 'beauty'" in refused.err) == (2, True)


def test_it_is_served(store: Store, server_settings: object) -> None:
    from starlette.testclient import TestClient

    from api.schema.build import schema_text
    from api.server.app import create_app

    text = schema_text()
    for line in ("simulateLoading(", "enum Traffic {", "input BridgeSettings {"):
        assert line in text
    mutation = (
        'mutation { simulateLoading(bridge: {preset: "footbridge"}, traffic: LORRIES) '
        "{ key measures { name value label unit } roles { architecture { key domain } } } }"
    )
    with TestClient(create_app(store, server_settings)) as client:  # type: ignore[arg-type]
        measured = client.post("/graphql", json={"query": mutation}).json()["data"]["simulateLoading"]
        assert {"name": "mass_kg", "value": 16000.0, "label": "mass", "unit": "kg"} in measured["measures"]
        query = '{ architectures(filter: {domain: "bridge"}) { totalCount edges { node { key space } } } }'
        page = client.post("/graphql", json={"query": query}).json()["data"]["architectures"]
        assert page["totalCount"] == 1
        assert page["edges"][0]["node"]["key"] == measured["roles"][0]["architecture"]["key"]
