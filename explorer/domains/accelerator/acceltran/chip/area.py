"""Area of an accelerator by module. It depends on the accelerator alone."""

from __future__ import annotations

from collections.abc import Set

from explorer.domains.accelerator.acceltran.chip.components import Components

AREAS = {
    "mac": "the MAC lanes",
    "sparsity": "the pre- and post-sparsity modules",
    "fifo": "the FIFOs of the MAC lanes",
    "rounding": "the stochastic-rounding modules, in training",
    "softmax": "the softmax modules",
    "layer_norm": "the layer-norm modules",
    "dataflow": "the dataflow modules",
    "dma": "the DMA modules",
    "activation_buffer": "the activation buffer",
    "weight_buffer": "the weight buffer",
    "mask_buffer": "the mask buffer",
    "control": "clock tree, control and interconnect, with the correction `control`",
}
"""Name of a module -> description."""
_GROUPS = {"pre_sparsity": "sparsity", "post_sparsity": "sparsity", "stochastic_rounding": "rounding"}


def areas(chip: Components, switches: Set[str]) -> dict[str, float]:
    """Module -> area in mm2, for all of `AREAS`; their sum is the area of the chip.

    Main memory is not on the chip. Clock tree, control and interconnect count as a share of everything else where the
    correction `control` is on; the published area leaves them out.
    """
    sizes = dict.fromkeys(AREAS, 0.0)
    for name, module in chip.modules.items():
        sizes[_GROUPS.get(name, name)] += module.count * module.area_um2 / 1e6
    for name, buffer in chip.buffers.items():
        sizes[f"{name}_buffer"] += buffer.area_um2 / 1e6
    if "control" in switches:
        sizes["control"] = chip.control_area * sum(sizes.values())
    return sizes
