"""Parameters and multiplications of the networks, as counted by the published tables.

Multiplications are what the literature calls FLOPs of these networks: one for each multiply-accumulate of a convolution
or a linear layer, for one image of 32 x 32 pixels.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

CLASSES = 10
_STAGES = ((16, 32), (32, 16), (64, 8))
"""Channels and side in pixels of the three stages of a NAS-Bench-201 network."""
_CELLS = 5


@dataclass(frozen=True, slots=True)
class Size:
    """Trainable weights, and multiplications for one image.

    Example:
        >>> Size(10, 20) + Size(1, 2)
        Size(parameters=11, multiplications=22)
    """

    parameters: int = 0
    multiplications: int = 0

    def __add__(self, other: Size) -> Size:
        return Size(self.parameters + other.parameters, self.multiplications + other.multiplications)


def convolution(inputs: int, outputs: int, kernel: int, side: int, normalised: bool = True, groups: int = 1) -> Size:
    """The size of a convolution without bias.

    Args:
        inputs: input channels.
        outputs: output channels.
        kernel: side of the kernel.
        side: side of the output in pixels.
        normalised: whether a batch normalisation with scale and shift follows.
        groups: number of groups of channels.
    """
    weights = inputs * outputs * kernel**2 // groups
    return Size(weights + 2 * outputs * normalised, weights * side**2)


def cell_network(operations: Sequence[str]) -> Size:
    """The size of a NAS-Bench-201 network: 3 stages of 5 cells, with a residual block before the last two.

    Args:
        operations: the operation of each edge of the cell.
    """
    size = _FRAME
    for operation in operations:
        size += _OPERATIONS.get(operation, _NOTHING)
    return size


def _frame() -> Size:
    """Everything of a NAS-Bench-201 network but its cells."""
    size = convolution(3, 16, 3, 32) + Size(2 * 64) + Size(64 * CLASSES + CLASSES, 64 * CLASSES)
    for (before, _), (channels, side) in itertools.pairwise(_STAGES):
        size += convolution(before, channels, 3, side) + convolution(channels, channels, 3, side)
        size += convolution(before, channels, 1, side, normalised=False)
    return size


def _in_all_cells(kernel: int) -> Size:
    """A convolution that stands in every cell."""
    size = Size()
    for channels, side in _STAGES * _CELLS:
        size += convolution(channels, channels, kernel, side)
    return size


_FRAME, _NOTHING = _frame(), Size()
_OPERATIONS = {"nor_conv_1x1": _in_all_cells(1), "nor_conv_3x3": _in_all_cells(3)}


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of a NAS-Bench-Macro network.

    Attributes:
        stage: its stage, from 1 to 3.
        first: whether it is the first of its stage, which doubles the channels and halves the sides.
        inputs, outputs: channels.
        side: side of the output in pixels.

    Example:
        >>> LAYERS[2]
        Layer(stage=2, first=True, inputs=64, outputs=128, side=8)
    """

    stage: int
    first: bool
    inputs: int
    outputs: int
    side: int


def _layers() -> tuple[Layer, ...]:
    layers = []
    for stage, (count, outputs, side) in enumerate(((2, 64, 16), (3, 128, 8), (3, 256, 4)), start=1):
        layers += [
            Layer(stage, place == 0, outputs // 2 if place == 0 else outputs, outputs, side) for place in range(count)
        ]
    return tuple(layers)


LAYERS = _layers()
"""The 8 layers of a NAS-Bench-Macro network."""
IDENTITY = "identity"
BLOCKS = MappingProxyType({"mb3_k3": (3, 3), "mb6_k5": (6, 5)})
"""Inverted bottleneck -> expansion and side of the kernel."""


def macro_network(blocks: Sequence[str]) -> Size:
    """The size of a NAS-Bench-Macro network: a convolution, 8 blocks, a pointwise convolution and a linear layer.

    Args:
        blocks: the block of each layer.
    """
    size = convolution(3, 32, 3, 32) + convolution(256, 1280, 1, 4) + Size(1280 * CLASSES + CLASSES, 1280 * CLASSES)
    for layer, block in zip(LAYERS, blocks, strict=True):
        size += _block(layer, block)
    return size


def _block(layer: Layer, block: str) -> Size:
    if block == IDENTITY:  # which needs a convolution where the shape changes
        return convolution(layer.inputs, layer.outputs, 1, layer.side) if layer.first else Size()
    expansion, kernel = BLOCKS[block]
    wide = expansion * layer.inputs
    return (
        convolution(layer.inputs, wide, 1, layer.side * 2 if layer.first else layer.side)
        + convolution(wide, wide, kernel, layer.side, groups=wide)
        + convolution(wide, layer.outputs, 1, layer.side)
    )
