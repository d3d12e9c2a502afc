"""Area by module."""

from __future__ import annotations

import pytest

from explorer.domains.accelerator.acceltran.chip.area import AREAS, areas
from explorer.domains.accelerator.acceltran.chip.components import components
from explorer.domains.accelerator.acceltran.chip.hardware import hardware
from tests.explorer.domains.accelerator.acceltran import reading


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("accelerator", [reading.EDGE, reading.SERVER, {**reading.EDGE, "tile_x": 8, "tile_y": 8}])
def test_parts_sum_to_the_published_area(accelerator: dict[str, object], training: bool) -> None:
    sizes = areas(components(accelerator, training), frozenset())
    assert sizes.keys() == AREAS.keys()
    assert sum(sizes.values()) == pytest.approx(hardware(accelerator, training).area_mm2, rel=1e-12)
    assert sizes["control"] == 0
    assert (sizes["rounding"] > 0) == training


def test_the_published_breakdown_of_edge() -> None:
    """Shares of the shipped preset, in %: softmax 41.5, lanes 17.8, sparsity 14.0, layer norm 9.6, dataflow 9.0."""
    sizes = areas(components(reading.EDGE, False), frozenset())
    share = {name: 100 * area / sum(sizes.values()) for name, area in sizes.items()}
    buffers = sum(share[f"{name}_buffer"] for name in ("activation", "weight", "mask"))
    wanted = {"softmax": 41.5, "mac": 17.8, "sparsity": 14.0, "layer_norm": 9.6, "dataflow": 9.0, "fifo": 0.9}
    assert {name: share[name] for name in wanted} == pytest.approx(wanted, abs=0.05)
    assert buffers == pytest.approx(7.2, abs=0.05)


def test_control_is_a_share_of_the_rest() -> None:
    chip = components(reading.EDGE, False)
    without, sizes = areas(chip, frozenset()), areas(chip, frozenset({"control"}))
    assert sizes["control"] == pytest.approx(chip.control_area * sum(without.values()))
    assert {**sizes, "control": 0} == without
