"""The backward list of AccelTran's published `ops.py`, faults included.

Gradients of weights take the place of weights, several shapes are those of other products, linear transforms have no
gradient, feed-forward blocks have no gradient for their inputs, and the normalisations and non-linearities of the
forward pass are repeated. Most operations of self-attention need tensors that nothing ever stores, so no schedule can
finish them. Names end in `[wgt]` for the gradient of a weight and in `[del]` for that of an input; those of repeated
normalisations and non-linearities end in `[bwd]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from explorer.domains.accelerator.acceltran.building.encoder import BlockShape, head_name, layer_blocks, projections
from explorer.domains.accelerator.acceltran.building.layers import EncoderLayer, Head
from explorer.domains.accelerator.acceltran.building.options import ProgramOptions
from explorer.domains.accelerator.acceltran.building.section import Lists, Section
from explorer.domains.accelerator.acceltran.program import Heads, Kind, Operation, TensorRole

_GRADIENTS = (TensorRole.GRADIENT, TensorRole.GRADIENT)


def published_backward(section: Section, layers: tuple[EncoderLayer, ...]) -> None:
    """Append the backward list to a forward program."""
    again = {o.name: o for o in section.compute if not isinstance(o, Heads)}
    for index in reversed(range(len(layers))):
        layer = layers[index]
        options = section.options
        for block in projections(layer, options):
            published_block(section, again, index, block)
        repeat(section, again, f"ln_{index}_2")
        for block in reversed(layer_blocks(layer, options)):
            published_block(section, again, index, block)
        repeat(section, again, f"ln_{index}_1")
        heads = []
        for order, head in enumerate(layer.heads, start=1):
            name = head_name(head, index + 1, order)
            heads.append(published_head_gradients(section.options, head, name, layer.hidden))
        section.side_by_side(heads)


def repeat(section: Section, again: Mapping[str, Operation], name: str) -> None:
    """Append a normalisation or non-linearity of the forward pass, where it has one of that name, once more."""
    if name in again:
        section.compute.append(replace(again[name], name=f"{name}[bwd]", backward=True))


def published_block(section: Section, again: Mapping[str, Operation], index: int, shape: BlockShape) -> None:
    """Append the backward list of a feed-forward block.

    Args:
        section: section to append to.
        again: operations of the forward pass, by name.
        index: number of the layer, counted from 0.
        shape: the block.
    """
    repeat(section, again, f"nl_{index}_{shape.position}")
    name = f"ff_{index + 1}_{shape.position}_f[wgt]"
    _product(section, name, (shape.given, section.options.length, shape.made), (), True)


def _product(section: Section, name: str, shape: tuple[int, int, int], needs: tuple[str, ...], stored: bool) -> None:
    section.run(name, Kind.PRODUCT, *shape, roles=_GRADIENTS, needs=needs, backward=True)
    if stored:
        section.store(name, 0, TensorRole.GRADIENT, name, "weight")  # takes the place of the weight


@lru_cache(maxsize=8192)
def published_head_gradients(options: ProgramOptions, head: Head, name: str, hidden: int) -> Lists:
    """The backward list of a head; empty for a linear transform."""
    section, length = Section(options), options.length
    if head.family == "c":
        gradient = f"{name}_c[wgt]"
        section.run(gradient, Kind.CONVOLUTION, length, hidden, length, roles=_GRADIENTS, backward=True)
        section.store(gradient, 0, TensorRole.GRADIENT, gradient, "weight")
    if head.family == "sa":
        for operation, shape, need, stored in _attention(head, length, hidden):
            needs = (f"{name}_{need}",) if need else ()
            _product(section, f"{name}_{operation}", shape, needs, stored)
    return section.finished()


def _attention(head: Head, s: int, h: int) -> list[tuple[str, tuple[int, int, int], str, bool]]:
    """For each operation its name, shape, the tensor it needs, and whether its result is stored."""
    d = head.width
    weighted = [
        ("wma[del]", (d, s, s), "sdp-qk_k[del]", False),
        ("wma[wgt]", (d, s, d), "wma[del]", True),
    ]
    return [
        ("o[wgt]", (d, s, h), "", True),
        ("sdp-v[del]", (s, h, d), "o[wgt]", False),
        ("sdp-v[wgt]", (s, s, d), "sdp-v[del]", True),
        ("sdp-qk_k[del]", (s, d, s), "sdp-v[wgt]", False),
        ("sdp_qk_k[wgt]", (d, s, s), "sdp-qk_k[del]", True),
        ("sdp-qk_q[del]", (d, s, d), "sdp-v[wgt]", False),
        ("sdp_qk_q[wgt]", (s, d, d), "sdp-qk_q[del]", True),
        *(weighted if head.weighted else []),
        ("q[del]", (d, d, s), "sdp_qk_q[wgt]", False),
        ("q[wgt]", (h, s, d), "q[del]", True),
        ("k[del]", (s, s, d), "sdp_qk_k[wgt]", False),
        ("k[wgt]", (h, s, d), "k[del]", True),
        ("v[del]", (s, d, s), "sdp_v[wgt]", False),
        ("v[wgt]", (h, s, s), "v[del]", True),
    ]
