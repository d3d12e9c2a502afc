from __future__ import annotations

from explorer.domains.accelerator.elector.presets import presets


def test_presets_of_acceltran() -> None:
    found = presets()
    assert set(found) == {"edge", "edge-lp", "server", "nano"}
    edge, low_power = found["edge"].choices, found["edge-lp"].choices
    assert {name for name in edge if edge[name] != low_power[name]} == {"issue_width"}
    server = found["server"].choices
    assert server["pe"] * server["lanes_per_pe"] * server["mac_per_lane"] == 262_144
    assert found["nano"].choices["weight_buffer_mb"] == 0.125
