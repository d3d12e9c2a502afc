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

_AGAIN = "[again]"


def backward_pass(section: Section, layers: tuple[EncoderLayer, ...], records: list[LayerRecord]) -> list[Parameter]:
    """Append the gradients of a forward pass.

    Args:
        section: section to append to.
        layers: layers of the model.
        records: record of each layer's forward pass.

    Returns:
        Parameters, in the order of their gradients.
    """
    gradient = section.load("loss[del]-l", section.options.activations(layers[-1].output), GRADIENT, "activation")
    parameters: list[Parameter] = []
    for index in reversed(range(len(layers))):
        gradient = _layer_gradients(section, layers[index], index, records[index], gradient, parameters)
    parameters.extend(_embedding_gradients(section, layers[0].hidden, gradient))
    return parameters


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
    again = Section(section.options, _AGAIN)
    record = forward_layer(again, layer, index, record.reads)
    section.compute.extend(again.compute)
    section.memory.extend(again.memory)
    return _layer(section, layer, index, record, _AGAIN, gradient, parameters)


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
    options, hidden, number = section.options, layer.hidden, index + 1
    if record.projection:
        gradient = _block(section, record.projection, f"nl_{index}_proj", gradient, parameters)
    role = TensorRole.FEED_FORWARD_OUTPUT
    gradient = _normalisation(section, f"ln_{index}_2", hidden, record.summed, role, gradient, parameters)
    summed = gradient
    for position in reversed(range(len(record.blocks))):
        name = f"nl_{index}_{position + 1}"
        gradient = _block(section, record.blocks[position], name, gradient, parameters)
    if options.residual:
        gradient = add_gradients(section, f"residual_{number}_2[del]", hidden, (gradient, summed))
    role = TensorRole.ATTENTION_OUTPUT
    attended = _normalisation(section, f"ln_{index}_1", hidden, record.attended, role, gradient, parameters)
    if options.elementwise and any(head.family == "sa" for head in layer.heads):
        made_by = section.run(
            f"bias_{number}[wgt]",
            Kind.ELEMENTWISE,
            options.length,
            hidden,
            roles=(GRADIENT, GRADIENT),
            needs=(attended,),
            backward=True,
        )
        parameters.append(weight_gradient(section, (f"bias_{number}-l", 1, hidden), made_by))
    made = [
        _head_gradient_lists(options, head, head_name(head, number, position), hidden, record.reads, tag, attended)
        for position, head in enumerate(layer.heads, start=1)
    ]
    section.side_by_side([head for head, _, _ in made])
    parameters.extend(parameter for _, _, its in made for parameter in its)
    inputs = tuple(of_input for _, of_input, _ in made)
    return add_gradients(section, f"layer_{number}[del]", hidden, (*inputs, *((attended,) if options.residual else ())))


@lru_cache(maxsize=8192)
def _head_gradient_lists(
    options: ProgramOptions, head: Head, name: str, hidden: int, reads: tuple[str, ...], tag: str, gradient: str
) -> tuple[Lists, str, tuple[Parameter, ...]]:
    """The finished section of a head's gradients, the tensor of its input's gradient, and its parameters."""
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


def _block(section: Section, block: Block, activation: str, gradient: str, parameters: list[Parameter]) -> str:
    """Append a feed-forward product's gradients and its non-linearity's; return the tensor of the input's gradient."""
    options = section.options
    if block.activated:
        gradient = activation_gradient(
            section,
            activation,
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


def _embedding_gradients(section: Section, hidden: int, gradient: str) -> list[Parameter]:
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
