"""The forward pass of a program: embeddings, and encoder layers with their normalisations and feed-forward blocks.

Source: AccelTran's published `dict2ops.py`, whose order and names are kept; layers are counted from 1 in the names of
heads and feed-forward blocks, and from 0 in those of normalisations and non-linearities.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import NamedTuple

from explorer.domains.accelerator.acceltran.building.heads import forward_head
from explorer.domains.accelerator.acceltran.building.layers import EncoderLayer, Head
from explorer.domains.accelerator.acceltran.building.options import ProgramOptions
from explorer.domains.accelerator.acceltran.building.section import Lists, Section
from explorer.domains.accelerator.acceltran.program import Kind, TensorRole, Transfer


class Result(NamedTuple):
    """The result of an operation.

    Attributes:
        made_by: name of the operation.
        tensors: tensors that hold it; none where nothing is stored, as for normalisations in the published program.
    """

    made_by: str
    tensors: tuple[str, ...]


class BlockShape(NamedTuple):
    """A feed-forward product from one width to another.

    Attributes:
        position: position in its layer, counted from 1, or `proj`.
        given, made: widths of its input and output.
        role, output_role: roles of its input and output.
        activated: whether a non-linearity follows.
    """

    position: str
    given: int
    made: int
    role: TensorRole
    output_role: TensorRole
    activated: bool


class Block(NamedTuple):
    """A feed-forward product from one width to another, as the backward pass needs it.

    Attributes:
        name, activation: names of the product, and of the non-linearity after it.
        given, made: widths of its input and output.
        reads: input of the product.
        role: role of the input.
        output: output of the product, which the non-linearity reads.
        activated: whether a non-linearity follows.
    """

    name: str
    activation: str
    given: int
    made: int
    reads: tuple[str, ...]
    role: TensorRole
    output: str
    activated: bool


class LayerRecord(NamedTuple):
    """Tensors of a layer's forward pass, as the backward pass needs them.

    Attributes:
        reads: input of the layer.
        attended, summed: inputs of the first and the second normalisation.
        blocks: feed-forward products, in order.
        projection: projection to the next layer's width.
        result: output of the layer.
    """

    reads: tuple[str, ...]
    attended: tuple[str, ...]
    summed: tuple[str, ...]
    blocks: tuple[Block, ...]
    projection: Block | None
    result: Result


def head_name(head: Head, number: int, position: int) -> str:
    """Name of a head.

    Args:
        head: the head.
        number: number of its layer, counted from 1.
        position: its position in the layer, counted from 1.
    """
    return f"{head.label}_{number}_{position}"


def embeddings(section: Section, hidden: int) -> tuple[str, ...]:
    """Append the embeddings; return the tensors that the first layer reads."""
    options = section.options
    if options.embedding_rows:
        rows = (
            section.load("emb", options.activations(hidden), TensorRole.EMBEDDING, "activation"),
            section.load("position", options.length * hidden, TensorRole.EMBEDDING, "activation"),
        )
    else:
        elements = (options.vocabulary + options.length) * hidden
        section.memory.append(Transfer("emb", "load", "weight", elements, TensorRole.EMBEDDING, pinned=True))
        rows = ("emb", "emb")
    if not options.elementwise:
        return (rows[0],)
    # Heads must come first in the list of compute operations, so this sum stands alone.
    alone = Section(options, section.tag)
    roles = (TensorRole.EMBEDDING, TensorRole.EMBEDDING)
    made_by = alone.run(
        "emb_position", Kind.ELEMENTWISE, options.length, hidden, roles=roles, needs=tuple(dict.fromkeys(rows))
    )
    section.side_by_side([alone.finished()])
    if not options.keeps:
        return (rows[0],)
    return (section.store("emb_position", options.activations(hidden), TensorRole.INPUT, made_by),)


def forward_layer(section: Section, layer: EncoderLayer, index: int, reads: tuple[str, ...]) -> LayerRecord:
    """Append a layer.

    Args:
        section: section to append to.
        layer: the layer.
        index: number of the layer, counted from 0.
        reads: tensors of its input.
    """
    number = index + 1
    heads = [
        head_lists(section.options, section.tag, head, head_name(head, number, position), layer.hidden, reads)
        for position, head in enumerate(layer.heads, start=1)
    ]
    section.side_by_side([head for head, _ in heads])
    return after_heads(section, layer, index, reads, tuple(output for _, output in heads))


def after_heads(
    section: Section, layer: EncoderLayer, index: int, reads: tuple[str, ...], outputs: tuple[str, ...]
) -> LayerRecord:
    """Append a layer without its heads.

    Args:
        section: section to append to.
        layer: the layer.
        index: number of the layer, counted from 0.
        reads: tensors of its input.
        outputs: tensors that its heads make, one of each.
    """
    attended, source = before_blocks(section, layer, index, reads, outputs)
    normalised, blocks = source, []
    for block in layer_blocks(layer, section.options):
        made, source = feed_forward_block(section, block, index, source)
        blocks.append(made)
    summed, result = after_blocks(section, layer, index, normalised, source, blocks[-1].output)
    projection = None
    for block in projections(layer, section.options):
        projection, result = feed_forward_block(section, block, index, result)
    return LayerRecord(reads, attended, summed, tuple(blocks), projection, result)


def before_blocks(
    section: Section, layer: EncoderLayer, index: int, reads: tuple[str, ...], outputs: tuple[str, ...]
) -> tuple[tuple[str, ...], Result]:
    """Append the part of a layer between its heads and its feed-forward blocks.

    Args:
        section: section to append to.
        layer: the layer; of its heads it matters only whether one is self-attention.
        index: number of the layer, counted from 0.
        reads: tensors of its input.
        outputs: tensors that its heads make, one of each.

    Returns:
        The input of the first normalisation, and its result.
    """
    attended = _attended(section, layer, index + 1, reads, outputs)
    role = TensorRole.ATTENTION_OUTPUT
    return attended, _normalisation(section, f"ln_{index}_1", layer.hidden, attended, role)


def after_blocks(
    section: Section, layer: EncoderLayer, index: int, normalised: Result, result: Result, output: str
) -> tuple[tuple[str, ...], Result]:
    """Append the part of a layer after its feed-forward blocks, up to its second normalisation.

    Args:
        section: section to append to.
        layer: the layer.
        index: number of the layer, counted from 0.
        normalised: result of the first normalisation.
        result: result of the blocks.
        output: output of the last block's product.

    Returns:
        The input of the second normalisation, and its result.
    """
    summed = result.tensors
    if section.options.residual:
        operands = (*normalised.tensors, *(result.tensors or (output,)))
        summed = (_residual(section, f"residual_{index + 1}_2", layer.hidden, operands, result),)
    role = TensorRole.FEED_FORWARD_OUTPUT
    return summed, _normalisation(section, f"ln_{index}_2", layer.hidden, summed, role)


@lru_cache(maxsize=8192)
def head_lists(
    options: ProgramOptions, tag: str, head: Head, name: str, hidden: int, reads: tuple[str, ...]
) -> tuple[Lists, str]:
    """The forward pass of a head.

    Args:
        options: options of the program.
        tag: tag of the section that it is part of.
        head: the head.
        name: name of the head.
        hidden: width of the layer.
        reads: tensors of the layer's input.

    Returns:
        Its finished section, and the tensor that it makes.
    """
    section = Section(options, tag)
    output = forward_head(section, head, name, hidden, reads if options.keeps else ())
    return section.finished(), output


def _attended(
    section: Section, layer: EncoderLayer, number: int, reads: tuple[str, ...], outputs: tuple[str, ...]
) -> tuple[str, ...]:
    """Sum the heads, then add the output's bias and the layer's input, each only where its correction is on."""
    options, hidden, length = section.options, layer.hidden, section.options.length
    role = TensorRole.ATTENTION_OUTPUT
    made_by: tuple[str, ...] = ()
    needs = outputs
    if options.head_merge and len(outputs) > 1:
        sums = options.batch * (len(outputs) - 1)
        made_by = (
            section.run(
                f"merge_{number}", Kind.ELEMENTWISE, length, hidden, roles=(role, role), needs=outputs, batch=sums
            ),
        )
        needs = ()
    if options.elementwise and any(head.family == "sa" for head in layer.heads):
        bias = section.load(f"bias_{number}-l", options.weights(hidden))
        made_by = (
            section.run(
                f"bias_{number}",
                Kind.ELEMENTWISE,
                length,
                hidden,
                roles=(role, TensorRole.WEIGHT),
                needs=(bias, *needs),
                after=made_by,
            ),
        )
    if options.residual:
        inputs = reads if options.keeps else ()
        made_by = (
            section.run(
                f"residual_{number}_1",
                Kind.ELEMENTWISE,
                length,
                hidden,
                roles=(role, TensorRole.INPUT),
                needs=(*needs, *inputs),
                after=made_by,
            ),
        )
    if not made_by:
        return outputs
    return (section.store(f"attended_{number}", options.activations(hidden), role, made_by[0]),)


def _normalisation(section: Section, name: str, hidden: int, source: tuple[str, ...], role: TensorRole) -> Result:
    """Append a normalisation. As published, it waits for nothing and its result is not stored."""
    options = section.options
    reads = source if options.keeps else ()
    if options.elementwise:
        reads = (section.load(f"{name}-l", options.weights(2 * hidden)), *reads)
    made_by = section.run(name, Kind.LAYER_NORM, options.length, hidden, roles=(role, role), needs=reads)
    return _kept(section, name, hidden, TensorRole.INPUT, made_by)


def _kept(section: Section, name: str, width: int, role: TensorRole, made_by: str) -> Result:
    if not section.options.keeps:
        return Result(made_by, ())
    return Result(made_by, (section.store(name, section.options.activations(width), role, made_by),))


def layer_blocks(layer: EncoderLayer, options: ProgramOptions) -> list[BlockShape]:
    """The feed-forward blocks of a layer, in order."""
    widths, last = (layer.hidden, *layer.widths, layer.hidden), len(layer.widths)
    return [
        BlockShape(
            str(position + 1),
            given,
            made,
            TensorRole.FEED_FORWARD if position else TensorRole.INPUT,
            TensorRole.FEED_FORWARD_OUTPUT if position == last else TensorRole.FEED_FORWARD,
            position < last or not options.activation_shape,
        )
        for position, (given, made) in enumerate(itertools.pairwise(widths))
    ]


def projections(layer: EncoderLayer, options: ProgramOptions) -> list[BlockShape]:
    """The projection to the next layer's width, where there is one."""
    roles = (TensorRole.INPUT, TensorRole.FEED_FORWARD_OUTPUT)
    shape = BlockShape("proj", layer.hidden, layer.projected, *roles, not options.activation_shape)
    return [shape] if layer.projected else []


def feed_forward_block(section: Section, shape: BlockShape, index: int, source: Result) -> tuple[Block, Result]:
    """Append a product, its bias and the non-linearity after it.

    Args:
        section: section to append to.
        shape: sizes and roles of the product.
        index: number of the layer, counted from 0.
        source: input of the product.

    Returns:
        The block, and its result.
    """
    options, length, given, made = section.options, section.options.length, shape.given, shape.made
    name, activation = f"ff_{index + 1}_{shape.position}_f", f"nl_{index}_{shape.position}"
    needs = (section.load(f"{name}-l", options.weights((given + options.elementwise) * made)), *source.tensors)
    made_by = section.run(name, Kind.PRODUCT, length, given, made, roles=(shape.role, TensorRole.WEIGHT), needs=needs)
    made_by = section.biased(made_by, name, made, shape.output_role)
    output = section.store(name, options.activations(made), shape.output_role, made_by)
    block = Block(name, activation, given, made, source.tensors, shape.role, output, shape.activated)
    if not shape.activated:
        return block, Result(made_by, (output,))
    width = made if options.activation_shape else given
    both = (shape.output_role, shape.output_role)
    made_by = section.run(activation, Kind.NON_LINEARITY, length, width, roles=both, needs=(output,))
    return block, _kept(section, activation, made, shape.output_role, made_by)


def _residual(section: Section, name: str, hidden: int, needs: tuple[str, ...], source: Result) -> str:
    """Add the input of the feed-forward blocks to their result `source`; return the tensor of the sum."""
    options = section.options
    roles = (TensorRole.FEED_FORWARD_OUTPUT, TensorRole.INPUT)
    after = () if source.tensors else (source.made_by,)
    made_by = section.run(name, Kind.ELEMENTWISE, options.length, hidden, roles=roles, needs=needs, after=after)
    return section.store(name, options.activations(hidden), TensorRole.FEED_FORWARD_OUTPUT, made_by)
