from __future__ import annotations

from explorer.domains.accelerator.domain import DOMAIN
from explorer.domains.accelerator.elector.presets import preset


def test_presets_of_acceltran() -> None:
    designs = {name: preset(name).choices for name in DOMAIN.presets}
    edge, low_power, server, nano = (designs[name] for name in ("edge", "edge-lp", "server", "nano"))
    assert {name for name in edge if edge[name] != low_power[name]} == {"issue_width"}
    assert server["pe"] * server["lanes_per_pe"] * server["mac_per_lane"] == 262_144
    assert nano["weight_buffer_mb"] == 0.125
