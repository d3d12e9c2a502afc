"""A user's own modules and memories: read with units, carried by value, and felt where they should be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from explorer import registry
from explorer.domains.accelerator.acceltran.chip.constants import constants, memory_constants, published
from explorer.domains.accelerator.acceltran.chip.hardware import hardware
from explorer.domains.accelerator.acceltran.chip.library import Library, read_library
from explorer.domains.accelerator.acceltran.settings.run import RunSettings, run_settings
from explorer.domains.accelerator.elector.hardware import PUBLISHED_MEMORIES, main_memory
from explorer.domains.accelerator.memory import UserMemory
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from tests.places import DATA

FILE = DATA / "acceltran/library.yaml"


@pytest.fixture(scope="module")
def library() -> Library:
    return read_library(FILE)


def with_memory(memory: Any) -> Architecture:
    choices = registry.preset("edge").choices | {"memory": memory}
    return registry.space("acceltran_free").build(choices)


def test_quantities_are_converted(library: Library) -> None:
    memory = library.memories["my_lpddr5"]
    assert memory.bandwidth_bytes_per_s == 51.2e9
    assert memory.energy_j_per_byte == pytest.approx(7.1e-9 / 64, rel=1e-15)
    assert (memory.background_power_w, memory.refresh_power_w) == (0.12, 0.0035)
    assert library.modules is not None
    assert library.modules.json() == {
        "activation_buffer": {
            "access_energy_j_per_byte": pytest.approx(0.05e-9 / 64),
            "leakage_power_w": 0.1,
            "source": "made up for tests",
        },
        "mac_lane_16_gelu": {
            "area_mm2": pytest.approx(0.009),
            "dynamic_power_w": pytest.approx(0.0041),
            "leakage_power_w": pytest.approx(0.0002),
            "source": "made up for tests",
        },
    }


@pytest.mark.parametrize(
    ("text", "joules_per_byte"),
    [("1 pJ/bit", 8e-12), ("2 nJ/B", 2e-9), ("64e3 pJ/64B", 1e-9), ("0.5 uJ/64B", 0.5e-6 / 64), (".5nJ/B", 0.5e-9)],
)
def test_units_of_an_access(tmp_path: Path, text: str, joules_per_byte: float) -> None:
    file = tmp_path / "library.yaml"
    file.write_text(f"modules: {{weight_buffer: {{access_energy: {text}, source: s}}}}")
    modules = read_library(file).modules
    assert modules is not None
    assert modules.figures == (
        ("weight_buffer", "access_energy_j_per_byte", pytest.approx(joules_per_byte, rel=1e-12)),
    )


def test_the_overlay_changes_its_own_figures_and_no_others(library: Library) -> None:
    assert library.modules is not None
    table = constants(library.modules.overlay)
    changed = {
        (name, quantity)
        for name, quantities in published().items()
        for quantity, value in quantities.items()
        if table[name][quantity] != value
    }
    lane, buffer = ("mac_lane", "16_gelu"), ("activation_buffer", "")
    assert changed == {
        *((lane, quantity) for quantity in ("area", "dynamic", "leakage")),
        *((buffer, quantity) for quantity in ("energy", "leakage")),
    }
    assert dict(table[lane]) == {
        "area": pytest.approx(9000),
        "dynamic": pytest.approx(4.1),
        "leakage": pytest.approx(0.2),
    }
    assert table[buffer]["energy"] == pytest.approx(0.05)
    assert constants() is published()


def test_published_figures_given_again_change_nothing() -> None:
    lane = published()["mac_lane", "16_gelu"]
    given = {
        "area_mm2": lane["area"] / 1e6,
        "dynamic_power_w": lane["dynamic"] / 1e3,
        "leakage_power_w": lane["leakage"] / 1e3,
        "source": "the published table",
    }
    edge = registry.preset("edge").choices
    overlay = RunSettings.model_validate({"library": {"mac_lane_16_gelu": given}}).overlay
    assert hardware(edge, False, overlay) == pytest.approx(hardware(edge, False), rel=1e-12)


def test_a_published_memory_given_as_the_users_own_costs_the_same() -> None:
    """The published code's conversion of bandwidths, 2.7 times too fast, included, so that memories compare."""
    for name in PUBLISHED_MEMORIES:
        known = memory_constants(name)
        bandwidth = main_memory(name).bandwidth_bytes_per_s
        own = UserMemory("own", "dram", bandwidth, known["energy"] * 1e-9 / 64, 0.0, 0.0, "the published table")
        assert memory_constants(own)["bandwidth"] == pytest.approx(known["bandwidth"], rel=1e-6)
        assert memory_constants(own)["energy"] == pytest.approx(known["energy"], rel=1e-12)


def test_figures_scale_as_their_physics_says(library: Library) -> None:
    """Area and energy of the lanes move by the share of the lanes; a memory moves time and energy of loads only."""
    simulator = registry.simulator("acceltran")
    published = {"engine": "fast", "mode": "reference"}
    plain = simulator.run(
        {"model": registry.preset("bert-tiny"), "accelerator": registry.preset("edge")}, published
    ).measures
    assert library.modules is not None
    settings = {**published, "library": library.modules.json()}
    own = simulator.run(
        {"model": registry.preset("bert-tiny"), "accelerator": registry.preset("edge")}, settings
    ).measures
    lanes = 64 * 16
    assert own["area_mm2"] - plain["area_mm2"] == pytest.approx(lanes * (9000 - 9418.667591) / 1e6, rel=1e-9)
    assert own["energy_mac_dynamic_j"] / plain["energy_mac_dynamic_j"] == pytest.approx(4.1 / 5.1955, rel=1e-9)
    assert own["cycles"] == plain["cycles"]
    memory = with_memory(library.memory_choice("my_lpddr5"))
    faster = simulator.run({"model": registry.preset("bert-tiny"), "accelerator": memory}, published).measures
    assert faster["cycles"] < plain["cycles"]
    ratio = faster["energy_main_memory_j"] / plain["energy_main_memory_j"]
    assert ratio == pytest.approx(7.1 / 13.43777522, rel=1e-9)
    assert faster["energy_mac_dynamic_j"] == plain["energy_mac_dynamic_j"]


def test_settings_carry_the_library_and_key_the_measurement(library: Library) -> None:
    assert library.modules is not None
    given = library.modules.json()
    settings = run_settings({"library": given})
    dumped = settings.model_dump()
    assert json.loads(json.dumps(dumped))["library"] == given
    assert run_settings(json.loads(json.dumps(dumped))) == settings
    assert hash(run_settings({"library": dict(reversed(given.items()))})) == hash(settings)
    pair = {"model": registry.preset("bert-tiny"), "accelerator": registry.preset("edge")}
    simulator = registry.simulator("acceltran")
    measurement = simulator.run(pair, dumped)
    assert measurement.key != simulator.run(pair, {}).key
    assert measurement.settings["library"] == given


def test_an_architecture_with_an_own_memory_is_whole(library: Library) -> None:
    architecture = with_memory(library.memory_choice("my_lpddr5"))
    block = next(block for block in architecture.blocks if block.kind == "main_memory")
    assert dict(block.attributes) == {"technology": "lpddr5", "bandwidth_bytes_per_s": 51.2e9}
    document = {"domain": "accelerator", "space": "acceltran_free", "choices": architecture.choices}
    assert registry.architecture_from_json(json.loads(json.dumps(document)), "file") == architecture


def test_the_name_decides_between_library_and_table(library: Library) -> None:
    assert library.memory_choice("hbm_32_1_4") == "hbm_32_1_4"
    with pytest.raises(InputError, match=r"lpddr6.*my_lpddr5.*dram_32_2_1"):
        library.memory_choice("lpddr6")


MEMORY = "technology: t, bandwidth: 1 GB/s, access_energy: 1 nJ/B, background_power: 0 W, source: s"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("modules: {mac_lane_16_gelu: {area: 9000, source: s}}", ("modules.mac_lane_16_gelu.area", "9000", "um2")),
        ("modules: {fifo: {area: 9000 acres, source: s}}", ("modules.fifo.area", "9000 acres", "um2, mm2")),
        ("modules: {fifo: {area: -1 um2, source: s}}", ("modules.fifo.area", "-1 um2", "at least 0")),
        ("modules: {fifo: {area: 1e999 um2, source: s}}", ("modules.fifo.area", "1e999")),
        ("modules: {fifo: {area: [1], source: s}}", ("modules.fifo.area", "um2")),
        ("modules: {fifo: {area: 1 um2}}", ("modules.fifo", "source", "missing")),
        ("modules: {fifo: {area: 1 um2, source: 7}}", ("modules.fifo.source", "7", "text")),
        ("modules: {fifo: {source: s}}", ("modules.fifo", "area, dynamic_power, leakage_power")),
        ("modules: {fifo: {colour: red, source: s}}", ("modules.fifo", "colour", "area")),
        ("modules: {fifo: 3}", ("modules.fifo", "3", "mapping")),
        ("modules: {laser: {area: 1 um2, source: s}}", ("laser", "mac_lane_16_gelu, ", "mask_buffer")),
        ("modules: [fifo]", ("modules", "fifo", "mapping")),
        (f"memories: {{m: {{{MEMORY.replace('1 GB/s', '1')}}}}}", ("memories.m.bandwidth", "GB/s")),
        (f"memories: {{m: {{{MEMORY.replace('1 GB/s', '0 GB/s')}}}}}", ("memories.m", "bandwidth", "above 0")),
        (f"memories: {{m: {{{MEMORY}, banks: 2}}}}", ("memories.m", "banks", "refresh_power")),
        (f"memories: {{M 1: {{{MEMORY}}}}}", ("'M 1'", "small letter")),
        (f"memories: {{hbm_32_1_4: {{{MEMORY}}}}}", ("memories.hbm_32_1_4", "published")),
        (f"memories: {{m: {{{MEMORY.replace('technology: t, ', '')}}}}}", ("memories.m", "technology", "missing")),
        (f"memories: {{m: {{{MEMORY}, source: t}}}}", ("line 1", "'source'", "twice")),
        ("modules: {fifo: &a {area: 1 um2, source: s}, dma: *a}", ("line 1", "alias")),
        ("", ("memories, modules",)),
        ("{}", ("memories, modules",)),
        ("colours: {}", ("colours", "memories, modules")),
        ("- 1", ("memories, modules",)),
        ("modules: {fifo: {area: 1 um2", ("line 1", "YAML")),
        ("a: !!python/object/apply:os.system [echo]", ("line 1", "YAML")),
        ("[" * 1_000, ("YAML",)),
    ],
)
def test_files_that_are_no_library(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    file = tmp_path / "library.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as refused:
        read_library(file)
    message = str(refused.value)
    assert message.endswith(".")
    assert "\n" not in message
    for word in ("library.yaml", *words):
        assert word in message, (word, message)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing\.yaml cannot be read"):
        read_library(tmp_path / "missing.yaml")
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"modules: \xe4")
    with pytest.raises(InputError, match="UTF-8"):
        read_library(latin)
    large = tmp_path / "large.yaml"
    large.write_text(" " * (2 << 20))
    with pytest.raises(InputError, match="MiB"):
        read_library(large)


@pytest.mark.parametrize(
    "value",
    [
        5,
        [],
        {},
        {"laser": {}},
        {"fifo": None},
        {"fifo": {"source": "s"}},
        {"fifo": {"area_mm2": 1}},
        {"fifo": {"area_mm2": "1", "source": "s"}},
        {"fifo": {"area_mm2": float("nan"), "source": "s"}},
    ],
)
def test_settings_that_are_no_library(value: Any) -> None:
    with pytest.raises(InputError, match="library"):
        run_settings({"library": value})
