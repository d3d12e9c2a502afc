"""Habits of the project that no linter knows: containers, artefacts, addresses, packaging."""

from __future__ import annotations

import ast
import csv
import os
import re
import subprocess
import sys
import tomllib
from typing import Any

import pytest
import yaml

from graphdb.embedded import NEO4J_VERSION
from tests.places import ROOT

PACKAGES = ("graphdb", "gnn", "explorer", "api")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())
    return parsed


def test_compose_has_the_database_the_api_and_a_cluster(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"neo4j", "api", "scheduler", "worker"}
    assert compose["services"]["neo4j"]["image"] == f"neo4j:{NEO4J_VERSION}-community"
    for service in compose["services"].values():
        assert "image" in service
        for dependency in service.get("depends_on", {}):
            assert dependency in compose["services"]
    assert compose["services"]["api"]["depends_on"]["neo4j"]["condition"] == "service_healthy"
    assert "healthcheck" in compose["services"]["neo4j"]


def test_compose_publishes_on_the_loopback_alone_and_holds_no_password(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    secrets = [
        value
        for service in compose["services"].values()
        for name, value in service.get("environment", {}).items()
        if name in {"NEO4J_PASSWORD", "NEO4J_AUTH"}
    ]
    assert secrets
    assert all("${NEO4J_PASSWORD:?" in value for value in secrets)


def test_the_dockerfile_copies_what_exists_and_does_not_run_as_root() -> None:
    lines = (ROOT / "docker/Dockerfile").read_text().splitlines()
    copied = [word for line in lines if line.startswith("COPY") for word in line.split()[1:-1]]
    assert set(PACKAGES) <= set(copied)
    assert all((ROOT / path).exists() for path in copied)
    assert any(line.startswith("USER ") and line != "USER root" for line in lines)


def test_every_dependency_is_pinned_with_hashes_and_without_addresses() -> None:
    text = (ROOT / "scripts/lock/requirements.txt").read_text()
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*declared["dependencies"], *declared["optional-dependencies"]["test"]]
    names = {re.split(r"[\[<>=;~ ]", line)[0].lower().replace("_", "-") for line in wanted} - {"explorer-codesign"}
    pinned = set(re.findall(r"^([a-z0-9-]+)==", text, flags=re.MULTILINE))
    assert names <= pinned
    entries = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text
    assert "index-url" not in text


def test_every_jar_is_pinned() -> None:
    with (ROOT / "graphdb/embedded/jars.csv").open() as lines:
        rows = list(csv.reader(line for line in lines if not line.startswith("#")))
    sums = [cell for row in rows for cell in row if re.fullmatch(r"[0-9a-f]{64}", cell)]
    assert len(sums) > 100
    assert "://" not in (ROOT / "graphdb/embedded/jars.csv").read_text()


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_are_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_no_artefact_is_ever_executed_when_read() -> None:
    """No pickle in any dress, no eval, no unsafe YAML."""
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
                found += [
                    (path, name) for name in names if name.split(".")[0] in {"pickle", "joblib", "dill", "shelve"}
                ]
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called in {"eval", "exec", "torch.load", "torch.save", "yaml.load", "np.load"}:
                    found.append((path, called))
    assert found == []


def test_importing_explorer_is_light() -> None:
    program = (
        "import sys, explorer, explorer.registry as r; r.presets(); r.space('elector');"
        "print(sorted({'torch', 'torch_geometric', 'neo4j', 'graphene', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_names_in_the_documentation_exist() -> None:
    """Every path in back-ticks or links of README and docs that looks like one of ours is there."""
    missing = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = page.read_text()
        paths = re.findall(r"`((?:graphdb|gnn|explorer|api|tests|scripts|docker|docs)/[\w./-]+?)`", text)
        links = [link for link in re.findall(r"\]\(([\w./-]+)\)", text) if "://" not in link]
        missing += [(page.name, path) for path in paths if not (ROOT / path.rstrip("/")).exists()]
        missing += [(page.name, link) for link in links if not (page.parent / link).exists()]
    assert missing == []


def test_the_page_of_measures_is_what_is_declared() -> None:
    """After a change: python scripts/measures.py."""
    written = subprocess.run(
        [sys.executable, "-c", "import measures; print(measures.page(), end='')"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'scripts'}:{ROOT}"},
    )
    assert written.stdout == (ROOT / "docs/measures.md").read_text(encoding="utf-8")
