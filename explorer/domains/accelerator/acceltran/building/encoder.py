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


class Block(NamedTuple):
    """A feed-forward product from one width to another, as the backward pass needs it.

    Attributes:
        name: name of the product.
        given, made: widths of its input and output.
        reads: input of the product.
        role: role of the input.
        output: output of the product, which the non-linearity reads.
        activated: whether a non-linearity follows.
    """

    name: str
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
        layer: the layer; of its heads only their number and whether one is self-attention matter.
        index: number of the layer, counted from 0.
        reads: tensors of its input.
        outputs: tensors that its heads make, one of each.
    """
    options, number, hidden = section.options, index + 1, layer.hidden
    attended = _attended(section, layer, number, reads, outputs)
    normalised = _normalisation(section, f"ln_{index}_1", hidden, attended, TensorRole.ATTENTION_OUTPUT)
    blocks, result = _feed_forward(section, layer, index, normalised)
    summed = result.tensors
    if options.residual:
        operands = (*normalised.tensors, *(result.tensors or (blocks[-1].output,)))
        summed = (_residual(section, f"residual_{number}_2", hidden, operands, result),)
    result = _normalisation(section, f"ln_{index}_2", hidden, summed, TensorRole.FEED_FORWARD_OUTPUT)
    projection = None
    if layer.projected:
        names, widths = (f"ff_{number}_proj", f"nl_{index}_proj"), (hidden, layer.projected)
        roles = (TensorRole.INPUT, TensorRole.FEED_FORWARD_OUTPUT)
        projection, result = _block(section, names, widths, roles, result, not options.activation_shape)
    return LayerRecord(reads, attended, summed, blocks, projection, result)


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


def _feed_forward(
    section: Section, layer: EncoderLayer, index: int, source: Result
) -> tuple[tuple[Block, ...], Result]:
    """Append the feed-forward blocks of a layer, which read `source`; return them and the result of the last one."""
    widths = (layer.hidden, *layer.widths, layer.hidden)
    last = len(layer.widths)
    blocks = []
    for position, pair in enumerate(itertools.pairwise(widths)):
        names = (f"ff_{index + 1}_{position + 1}", f"nl_{index}_{position + 1}")
        roles = (
            TensorRole.FEED_FORWARD if position else TensorRole.INPUT,
            TensorRole.FEED_FORWARD_OUTPUT if position == last else TensorRole.FEED_FORWARD,
        )
        activated = position < last or not section.options.activation_shape
        block, source = _block(section, names, pair, roles, source, activated)
        blocks.append(block)
    return tuple(blocks), source


def _block(
    section: Section,
    names: tuple[str, str],
    widths: tuple[int, int],
    roles: tuple[TensorRole, TensorRole],
    source: Result,
    activated: bool,
) -> tuple[Block, Result]:
    """Append a product, its bias and the non-linearity after it; `names` are the names of product and non-linearity."""
    options, length, (given, made), (role, output_role) = section.options, section.options.length, widths, roles
    name = f"{names[0]}_f"
    needs = (section.load(f"{name}-l", options.weights((given + options.elementwise) * made)), *source.tensors)
    made_by = section.run(name, Kind.PRODUCT, length, given, made, roles=(role, TensorRole.WEIGHT), needs=needs)
    made_by = section.biased(made_by, name, made, output_role)
    output = section.store(name, options.activations(made), output_role, made_by)
    block = Block(name, given, made, source.tensors, role, output, activated)
    if not activated:
        return block, Result(made_by, (output,))
    width = made if options.activation_shape else given
    both = (output_role, output_role)
    made_by = section.run(names[1], Kind.NON_LINEARITY, length, width, roles=both, needs=(output,))
    return block, _kept(section, names[1], made, output_role, made_by)


def _residual(section: Section, name: str, hidden: int, needs: tuple[str, ...], source: Result) -> str:
    """Add the input of the feed-forward blocks to their result `source`; return the tensor of the sum."""
    options = section.options
    roles = (TensorRole.FEED_FORWARD_OUTPUT, TensorRole.INPUT)
    after = () if source.tensors else (source.made_by,)
    made_by = section.run(name, Kind.ELEMENTWISE, options.length, hidden, roles=roles, needs=needs, after=after)
    return section.store(name, options.activations(hidden), TensorRole.FEED_FORWARD_OUTPUT, made_by)
