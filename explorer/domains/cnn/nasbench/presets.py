"""Well-known networks by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from graphdb.errors import InputError

if TYPE_CHECKING:
    from graphdb.architecture import Architecture

PRESETS = MappingProxyType(
    {
        "nasbench201-best": (
            "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"
        ),
        "nasbench201-resnet": "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|",
        "nasbench-macro-best": "22212220",
    }
)
"""Name -> published text: the cells and the network of best accuracy, and the cell that makes a ResNet."""


def preset(name: str) -> Architecture:
    """A well-known network.

    Raises:
        InputError: there is no preset with that name.
    """
    from explorer.domains.cnn.nasbench.published import architecture_of

    if name not in PRESETS:
        raise InputError(f"There is no preset {name[:100]!r} of a network; allowed: {', '.join(PRESETS)}.")
    return architecture_of(PRESETS[name])
