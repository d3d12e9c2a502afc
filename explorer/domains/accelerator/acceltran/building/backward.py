"""The corrected backward pass of a program, and the parameters that its optimiser updates.

The gradient of the loss with respect to the last output comes from main memory; the loss itself is computed off the
chip. Each layer's gradients follow, last layer first, down to the rows of the embeddings (including the gradient of the
first layer's input). Where activations are recomputed, a layer's forward pass runs again from its input before its
gradients are computed; otherwise the gradients read what the forward pass stored. Weights are loaded again; one that is
still in its buffer is found there.

The published backward list is in `published_backward`.
"""

from __future__ import annotations

from functools import lru_cache

from explorer.domains.accelerator.acceltran.building.encoder import Block, LayerRecord, forward_layer, head_name
from explorer.domains.accelerator.acceltran.building.head_gradients import (
    GRADIENT,
    Parameter,
    activation_gradient,
    add_gradients,
    backward_head,
    product_gradients,
    weight_gradient,
)
from explorer.domains.accelerator.acceltran.building.layers import EncoderLayer, Head
from explorer.domains.accelerator.acceltran.building.options import ProgramOptions
from explorer.domains.accelerator.acceltran.building.section import Lists, Section
from explorer.domains.accelerator.acceltran.program import Kind, TensorRole

AGAIN = "[again]"
"""Tag of a forward pass that is run again."""


def backward_pass(section: Section, layers: tuple[EncoderLayer, ...], records: list[LayerRecord]) -> list[Parameter]:
    """Append the gradients of a forward pass.

    Args:
        section: section to append to.
        layers: layers of the model.
        records: record of each layer's forward pass.

    Returns:
        Parameters, in the order of their gradients.
    """
    gradient = loss_gradient(section, layers[-1].output)
    parameters: list[Parameter] = []
    for index in reversed(range(len(layers))):
        gradient = _layer_gradients(section, layers[index], index, records[index], gradient, parameters)
    parameters.extend(embedding_gradients(section, layers[0].hidden, gradient))
    return parameters


def loss_gradient(section: Section, width: int) -> str:
    """Load the gradient of the last layer's output, of that width; return its tensor."""
    return section.load("loss[del]-l", section.options.activations(width), GRADIENT, "activation")


def _layer_gradients(
    section: Section,
    layer: EncoderLayer,
    index: int,
    record: LayerRecord,
    gradient: str,
    parameters: list[Parameter],
) -> str:
    """Append a layer's gradients, after its forward pass where that is run again, and collect its parameters.

    Returns:
        The tensor of the gradient of the layer's input.
    """
    if not section.options.recompute:
        return _layer(section, layer, index, record, "", gradient, parameters)
    again = Section(section.options, AGAIN)
    record = forward_layer(again, layer, index, record.reads)
    section.compute.extend(again.compute)
    section.memory.extend(again.memory)
    return _layer(section, layer, index, record, AGAIN, gradient, parameters)


def _layer(
    section: Section,
    layer: EncoderLayer,
    index: int,
    record: LayerRecord,
    tag: str,
    gradient: str,
    parameters: list[Parameter],
) -> str:
    """Append a layer's gradients and parameters; return the tensor of its input's gradient."""
    attended = _before_heads(section, layer, index, record, gradient, parameters)
    heads = [
        head_gradient_lists(
            section.options, head, head_name(head, index + 1, position), layer.hidden, record.reads, tag, attended
        )
        for position, head in enumerate(layer.heads, start=1)
    ]
    section.side_by_side([head for head, _, _ in heads])
    parameters.extend(parameter for _, _, its in heads for parameter in its)
    return input_gradient(section, layer, index, tuple(of_input for _, of_input, _ in heads), attended)


def _before_heads(
    section: Section,
    layer: EncoderLayer,
    index: int,
    record: LayerRecord,
    gradient: str,
    parameters: list[Parameter],
) -> str:
    """Append the gradients of a layer that come before those of its heads; return the tensor of what these made."""
    if record.projection:
        gradient = block_gradients(section, record.projection, gradient, parameters)
    gradient = before_block_gradients(section, layer, index, record.summed, gradient, parameters)
    summed = gradient
    for block in reversed(record.blocks):
        gradient = block_gradients(section, block, gradient, parameters)
    return after_block_gradients(section, layer, index, record.attended, (gradient, summed), parameters)


def before_block_gradients(
    section: Section,
    layer: EncoderLayer,
    index: int,
    summed: tuple[str, ...],
    gradient: str,
    parameters: list[Parameter],
) -> str:
    """Append the gradients of a layer's second normalisation.

    Args:
        section: section to append to.
        layer: the layer.
        index: number of the layer, counted from 0.
        summed: tensors of the normalisation's input.
        gradient: tensor of the gradient of its result.
        parameters: list to which its parameters are added.

    Returns:
        The tensor of the gradient of the normalisation's input.
    """
    role = TensorRole.FEED_FORWARD_OUTPUT
    return _normalisation(section, f"ln_{index}_2", layer.hidden, summed, role, gradient, parameters)


def after_block_gradients(
    section: Section,
    layer: EncoderLayer,
    index: int,
    attended: tuple[str, ...],
    gradients: tuple[str, str],
    parameters: list[Parameter],
) -> str:
    """Append the gradients of a layer between those of its feed-forward blocks and those of its heads.

    Args:
        section: section to append to.
        layer: the layer; of its heads it matters only whether one is self-attention.
        index: number of the layer, counted from 0.
        attended: tensors of the first normalisation's input.
        gradients: tensors of the gradients of the blocks' input, and of the sum that their result is part of.
        parameters: list to which its parameters are added.

    Returns:
        The tensor of the gradient of what the heads made together.
    """
    options, hidden, number, gradient = section.options, layer.hidden, index + 1, gradients[0]
    if options.residual:
        gradient = add_gradients(section, f"residual_{number}_2[del]", hidden, gradients)
    role = TensorRole.ATTENTION_OUTPUT
    of_heads = _normalisation(section, f"ln_{index}_1", hidden, attended, role, gradient, parameters)
    if options.elementwise and any(head.family == "sa" for head in layer.heads):
        made_by = section.run(
            f"bias_{number}[wgt]",
            Kind.ELEMENTWISE,
            options.length,
            hidden,
            roles=(GRADIENT, GRADIENT),
            needs=(of_heads,),
            backward=True,
        )
        parameters.append(weight_gradient(section, (f"bias_{number}-l", 1, hidden), made_by))
    return of_heads


def input_gradient(section: Section, layer: EncoderLayer, index: int, inputs: tuple[str, ...], attended: str) -> str:
    """Append the sum that is the gradient of a layer's input, where it has several parts.

    Args:
        section: section to append to.
        layer: the layer.
        index: number of the layer, counted from 0.
        inputs: tensors of the gradients of its heads' inputs.
        attended: tensor of the gradient of what the heads made together.

    Returns:
        The tensor of the gradient.
    """
    parts = (*inputs, attended) if section.options.residual else inputs
    return add_gradients(section, f"layer_{index + 1}[del]", layer.hidden, parts)


@lru_cache(maxsize=8192)
def head_gradient_lists(
    options: ProgramOptions, head: Head, name: str, hidden: int, reads: tuple[str, ...], tag: str, gradient: str
) -> tuple[Lists, str, tuple[Parameter, ...]]:
    """The gradients of a head.

    Args:
        options: options of the program.
        head: the head.
        name: name of the head.
        hidden: width of the layer.
        reads: tensors of the layer's input.
        tag: tag of the forward pass whose tensors are read.
        gradient: tensor of the gradient of the head's output.

    Returns:
        Its finished section, the tensor of its input's gradient, and its parameters.
    """
    section = Section(options)
    of_input, parameters = backward_head(section, head, name, hidden, reads, tag, gradient)
    return section.finished(), of_input, parameters


def _normalisation(
    section: Section,
    name: str,
    hidden: int,
    source: tuple[str, ...],
    role: TensorRole,
    gradient: str,
    parameters: list[Parameter],
) -> str:
    options, needs, length = section.options, (*source, gradient), section.options.length
    if options.elementwise:
        made_by = section.run(
            f"{name}[wgt]",
            Kind.ELEMENTWISE,
            length,
            hidden,
            roles=(role, GRADIENT),
            needs=needs,
            batch=2 * options.batch,
            backward=True,
        )
        parameters.append(weight_gradient(section, (f"{name}-l", 2, hidden), made_by))
        needs = (*needs, section.load(f"{name}-l", options.weights(2 * hidden)))
    return activation_gradient(
        section,
        name,
        (length, hidden, 0),
        roles=(role, GRADIENT),
        needs=needs,
        kind=Kind.LAYER_NORM,
        elements=options.activations(hidden),
    )


def block_gradients(section: Section, block: Block, gradient: str, parameters: list[Parameter]) -> str:
    """Append a feed-forward product's gradients and its non-linearity's.

    Args:
        section: section to append to.
        block: the block.
        gradient: tensor of the gradient of its result.
        parameters: list to which its parameter is added.

    Returns:
        The tensor of the gradient of its input.
    """
    options = section.options
    if block.activated:
        gradient = activation_gradient(
            section,
            block.activation,
            (options.length, block.made, 0),
            roles=(TensorRole.FEED_FORWARD, GRADIENT),
            needs=(block.output, gradient),
            kind=Kind.NON_LINEARITY,
            elements=options.activations(block.made),
        )
    of_input, parameter = product_gradients(
        section,
        block.name,
        (block.given, block.made),
        source=block.reads,
        role=block.role,
        gradient=gradient,
        bias=options.elementwise,
    )
    parameters.append(parameter)
    return of_input


def embedding_gradients(section: Section, hidden: int, gradient: str) -> list[Parameter]:
    """Append gradients of the rows that the batch looked up, summed by token, and of positions if these are added."""
    options = section.options
    parts = [("emb", options.batch), ("position", 1)] if options.elementwise else [("emb", options.batch)]
    parameters = []
    for name, copies in parts:
        made_by = section.run(
            f"{name}[wgt]",
            Kind.ELEMENTWISE,
            options.length,
            hidden,
            roles=(GRADIENT, GRADIENT),
            needs=(gradient,),
            backward=True,
        )
        parameters.append(weight_gradient(section, (name, options.length, hidden), made_by, copies, "activation"))
    return parameters
