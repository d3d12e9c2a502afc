"""Looking networks up: the values of the publications, and refusals of what was not measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from explorer import registry
from explorer.contracts.simulator import Roles
from explorer.domains.cnn.nasbench.counts import Size, cell_network, macro_network
from explorer.domains.cnn.nasbench.options import Device
from explorer.domains.cnn.nasbench.published import READERS, architecture_of, choices_of, reference_hashes
from explorer.domains.cnn.nasbench.simulator import NasBenchSimulator
from explorer.domains.cnn.nasbench.tables import cell_accuracies, cell_indices, cell_latencies_s, macro_accuracies
from explorer.services.references import read_architecture
from graphdb.errors import InputError
from tests.explorer.contracts.simulator import SimulatorContract

RESNET = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"


class TestContract(SimulatorContract):
    @pytest.fixture
    def simulator(self) -> NasBenchSimulator:
        return NasBenchSimulator()

    @pytest.fixture
    def architectures(self) -> Roles:
        return {"network": registry.preset("nasbench201-resnet")}

    @pytest.fixture
    def given(self) -> Mapping[str, Any]:
        return {"device": "pixel_3"}


def measured(text: str, **settings: object) -> Mapping[str, float]:
    return NasBenchSimulator().run({"network": architecture_of(text)}, settings).measures


def test_published_rows_are_given_back() -> None:
    first = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
    assert reference_hashes(choices_of(first)) == {"nasbench201": first, "nasbench201 index": "0"}
    looked_up = measured(first, device="pixel_3")
    assert list(looked_up.values())[:6] == [0.85971, 0.84866, 0.85016, 0.10008, 0.8193, 0.0036058]
    assert measured(first, device="gtx_1080_ti_batch_256")["latency_s"] == 0.017255
    assert measured(first, device="samsung_a50")["latency_s"] == 0.016
    assert "latency_s" not in measured(first)
    smallest = measured("00000000")
    assert smallest["cifar10_accuracy"] == pytest.approx((0.4532 + 0.4533 + 0.4544) / 3)
    assert (smallest["parameters"], smallest["multiplications_per_image"]) == (387_882, 7_713_280)


def test_the_best_networks_are_the_published_ones() -> None:
    assert cell_accuracies()[:, 0].max() == measured_preset("nasbench201-best") == 0.94066
    assert macro_accuracies().mean(axis=1).max() == measured_preset("nasbench-macro-best")
    assert round(float(np.median(cell_accuracies()[:, 0])), 5) == 0.90406
    assert sorted(cell_indices()) == list(range(15_625))


def measured_preset(name: str) -> float:
    network = registry.preset(name)
    return NasBenchSimulator().run({"network": network}, {}).measures["cifar10_accuracy"]


def test_sizes_are_those_of_the_publications() -> None:
    assert cell_network(["nor_conv_3x3"] * 6) == Size(1_531_546, 220_119_680)
    assert cell_network(["none"] * 6) == Size(73_306, 7_783_040)
    assert macro_network(["mb3_k3", *["identity"] * 7]) == Size(396_298, 12_128_768)
    assert macro_network(["identity", "mb3_k3", *["identity"] * 6]) == Size(415_082, 14_447_104)


def test_every_device_has_a_positive_latency_of_every_cell() -> None:
    for device in Device:
        latencies_s = cell_latencies_s(device)
        assert latencies_s.shape == (15_625,)
        assert ((latencies_s > 0) & (latencies_s < 1)).all()
        assert math.isfinite(float(np.log(latencies_s).sum()))


def test_a_latency_that_nobody_measured_is_refused() -> None:
    with pytest.raises(InputError, match="no latency of nasbench_macro was measured; allowed: no device"):
        measured("22212220", device="pixel_3")
    with pytest.raises(InputError, match="device of nasbench is 'abacus'; allowed: essential_ph_1, "):
        measured(RESNET, device="abacus")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The architecture is ''; allowed: a cell such as"),
        ("3120", "allowed: a cell such as .*, or 8 digits from 0 to 2"),
        (RESNET.replace("skip_connect~0", "sep_conv~0"), "An operation of the cell is 'sep_conv'; allowed: none, skip"),
        (RESNET.replace("~1", "~0"), "allowed: a cell such as"),
    ],
)
def test_texts_that_are_no_network_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        architecture_of(text)


def test_published_texts_are_read_from_files(tmp_path: Any) -> None:
    (reader,) = READERS
    assert not any(reader.matches(value) for value in ({}, {"architecture": 3}, [], {"architecture": RESNET, "x": 1}))
    file = tmp_path / "cell.json"
    file.write_text(f'{{"architecture": "{RESNET}"}}')
    assert read_architecture(file) == registry.preset("nasbench201-resnet")
    file.write_text('{"architecture": "22212220"}')
    assert read_architecture(file) == registry.preset("nasbench-macro-best")
