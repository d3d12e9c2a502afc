"""The corrected backward pass of a layer's heads.

The gradients of a product Y = A B are dA = dY B' and dB = A' dY. Names end in `[wgt]` for the gradient of a weight,
with its bias, and in `[del]` for that of an activation. The gradient of the scores under a softmax P is
P * (dP - rowsum(dP * P)): two elementwise passes. A linear transform has no weights to learn; a
convolution's two gradients are convolutions of the same size.
"""

from __future__ import annotations

from typing import NamedTuple

from explorer.domains.accelerator.acceltran.building.heads import PROJECTIONS
from explorer.domains.accelerator.acceltran.building.layers import Head
from explorer.domains.accelerator.acceltran.building.section import Section, stored
from explorer.domains.accelerator.acceltran.program import Buffer, Kind, TensorRole

GRADIENT = TensorRole.GRADIENT


class Parameter(NamedTuple):
    """A parameter that the optimiser updates.

    Attributes:
        tensor: tensor of the weight.
        gradient: tensor of its gradient.
        rows, columns: size of the weight; a bias is one more row.
        buffer: buffer that holds both.
        role: role of the weight.
        copies: number of weights of that size.
    """

    tensor: str
    gradient: str
    rows: int
    columns: int
    buffer: Buffer = "weight"
    role: TensorRole = TensorRole.WEIGHT
    copies: int = 1


def weight_gradient(
    section: Section, parameter: tuple[str, int, int], made_by: str, copies: int = 0, buffer: Buffer = "weight"
) -> Parameter:
    """Store a weight's gradient, and write it back.

    Args:
        section: section to append the transfers to.
        parameter: tensor, rows and columns of the weight.
        made_by: operation that makes the gradient.
        copies: number of gradients of that size; 0 for as many as there are weights.
        buffer: buffer that holds the weight and its gradient.

    Returns:
        The parameter that the optimiser updates.
    """
    options = section.options
    tensor, rows, columns = parameter
    copies = copies or options.weights(1)
    name = f"{tensor.removesuffix('-l')}[wgt]"
    gradient = section.store(name, copies * rows * columns, GRADIENT, made_by, buffer)
    if options.write_back:
        section.write_back(gradient, copies * rows * columns, GRADIENT, made_by, buffer)
    role = TensorRole.EMBEDDING if buffer == "activation" else TensorRole.WEIGHT
    return Parameter(tensor, gradient, rows, columns, buffer, role, copies)


def product_gradients(
    section: Section,
    name: str,
    widths: tuple[int, int],
    *,
    source: tuple[str, ...],
    role: TensorRole,
    gradient: str,
    bias: bool,
) -> tuple[str, Parameter]:
    """Gradients of Y = X W, with W of `widths` in the tensor `<name>-l`.

    Args:
        section: section to append to.
        name: name of the forward product.
        widths: rows and columns of W.
        source: tensors that hold X.
        role: role of X.
        gradient: tensor of dY.
        bias: whether a bias is added to Y.

    Returns:
        The tensor of dX, and the parameter W with its bias.
    """
    options, length, (given, made) = section.options, section.options.length, widths
    made_by = section.run(
        f"{name}[wgt]",
        Kind.PRODUCT,
        given,
        length,
        made,
        roles=(role, GRADIENT),
        needs=(*source, gradient),
        backward=True,
    )
    if bias:
        made_by = section.run(
            f"{name}_bias[wgt]",
            Kind.ELEMENTWISE,
            length,
            made,
            roles=(GRADIENT, GRADIENT),
            needs=(gradient,),
            after=(made_by,),
            backward=True,
        )
    parameter = weight_gradient(section, (f"{name}-l", given + bias, made), made_by)
    weight = section.load(f"{name}-l", options.weights((given + bias) * made))
    of_input = activation_gradient(
        section, name, (length, made, given), roles=(GRADIENT, TensorRole.WEIGHT), needs=(gradient, weight)
    )
    return of_input, parameter


def activation_gradient(
    section: Section,
    name: str,
    shape: tuple[int, int, int],
    *,
    roles: tuple[TensorRole, TensorRole],
    needs: tuple[str, ...],
    kind: Kind = Kind.PRODUCT,
    density: float = 1.0,
    elements: int = 0,
) -> str:
    """Compute and store `<name>[del]`.

    Args:
        section: section to append to.
        name: name of the forward operation.
        shape: sizes x, y and z of the backward operation.
        roles: roles of its operands.
        needs: tensors that the backward operation reads.
        kind: what it computes.
        density: share of its output tiles that are computed.
        elements: number of elements of the gradient; 0 for that of a product's result.

    Returns:
        The tensor of the gradient.
    """
    made_by = section.run(f"{name}[del]", kind, *shape, roles=roles, needs=needs, density=density, backward=True)
    elements = elements or section.options.batch * shape[0] * shape[2]
    return section.store(f"{name}[del]", elements, GRADIENT, made_by)


def backward_head(
    section: Section, head: Head, name: str, hidden: int, reads: tuple[str, ...], tag: str, gradient: str
) -> tuple[str, tuple[Parameter, ...]]:
    """Append a head's gradients.

    Args:
        section: section to append to.
        head: head whose gradients are computed.
        name: name of the head.
        hidden: width of the layer.
        reads: tensors of the layer's input.
        tag: tag of the forward pass whose tensors are read.
        gradient: gradient of the head's output.

    Returns:
        The tensor of the gradient of the head's input, and its parameters.
    """
    if head.family == "sa":
        return _attention(section, head, name, hidden, reads, tag, gradient)
    options, length = section.options, section.options.length
    if head.family == "l":
        weight = section.load(f"{name}_l-l", options.weights(length * length))
        of_input = activation_gradient(
            section,
            f"{name}_l",
            (length, length, hidden),
            roles=(TensorRole.WEIGHT, GRADIENT),
            needs=(weight, gradient),
        )
        return of_input, ()
    return _convolution(section, head, f"{name}_c", hidden, reads, gradient)


def _convolution(
    section: Section, head: Head, name: str, hidden: int, reads: tuple[str, ...], gradient: str
) -> tuple[str, tuple[Parameter, ...]]:
    options = section.options
    shape, rows = (options.length, hidden, head.kernel), head.kernel + options.elementwise
    made_by = section.run(
        f"{name}[wgt]",
        Kind.CONVOLUTION,
        *shape,
        roles=(TensorRole.INPUT, GRADIENT),
        needs=(*reads, gradient),
        backward=True,
    )
    if options.elementwise:
        made_by = section.run(
            f"{name}_bias[wgt]",
            Kind.ELEMENTWISE,
            *shape[:2],
            roles=(GRADIENT, GRADIENT),
            needs=(gradient,),
            after=(made_by,),
            backward=True,
        )
    parameter = weight_gradient(section, (f"{name}-l", rows, hidden), made_by)
    made = activation_gradient(
        section,
        name,
        shape,
        roles=(GRADIENT, TensorRole.WEIGHT),
        needs=(gradient, section.load(f"{name}-l", options.weights(rows * hidden))),
        kind=Kind.CONVOLUTION,
        elements=options.activations(hidden),
    )
    return made, (parameter,)


def _attention(
    section: Section, head: Head, name: str, hidden: int, reads: tuple[str, ...], tag: str, gradient: str
) -> tuple[str, tuple[Parameter, ...]]:
    options, width = section.options, head.width
    key, context = stored(f"{name}_k", tag), stored(f"{name}_sdp-v", tag)
    of_context, parameter = product_gradients(
        section,
        f"{name}_o",
        (width, hidden),
        source=(context,),
        role=TensorRole.CONTEXT,
        gradient=gradient,
        bias=False,
    )
    parameters = [parameter]
    gradients = _core_gradients(section, head, name, tag, of_context)
    if head.weighted:
        gradients["k"], parameter = product_gradients(
            section,
            f"{name}_wma",
            (width, width),
            source=(key,),
            role=TensorRole.KEY,
            gradient=gradients["k"],
            bias=False,
        )
        parameters.append(parameter)
    inputs = []
    for part, _ in PROJECTIONS:
        given, parameter = product_gradients(
            section,
            f"{name}_{part}",
            (hidden, width),
            source=reads,
            role=TensorRole.INPUT,
            gradient=gradients[part],
            bias=options.elementwise,
        )
        inputs.append(given)
        parameters.append(parameter)
    return add_gradients(section, f"{name}[del]", hidden, tuple(inputs)), tuple(parameters)


def _core_gradients(section: Section, head: Head, name: str, tag: str, of_context: str) -> dict[str, str]:
    """Tensors of the gradients of the query, the key (after multiplication, if weighted) and the value."""
    options, length, width, density = section.options, section.options.length, head.width, section.options.density
    query, value, probabilities = (stored(f"{name}_{part}", tag) for part in ("q", "v", "sftm"))
    key = stored(f"{name}_wma" if head.weighted else f"{name}_k", tag)

    def product(part: str, roles: tuple[TensorRole, TensorRole], needs: tuple[str, str]) -> str:
        shape = (length, length, width)
        return activation_gradient(section, f"{name}_{part}", shape, roles=roles, needs=needs, density=density)

    of_value = product("sdp-v_v", (TensorRole.PROBABILITIES, GRADIENT), (probabilities, of_context))
    of_probabilities = activation_gradient(
        section,
        f"{name}_sdp-v_p",
        (length, width, length),
        roles=(GRADIENT, TensorRole.VALUE),
        needs=(of_context, value),
        density=density,
        elements=options.scores,
    )
    of_scores = _softmax_gradient(section, name, (probabilities, of_probabilities))
    of_query = product("sdp-qk_q", (GRADIENT, TensorRole.KEY), (of_scores, key))
    of_key = product("sdp-qk_k", (GRADIENT, TensorRole.QUERY), (of_scores, query))
    return {"q": of_query, "k": of_key, "v": of_value}


def _softmax_gradient(section: Section, name: str, needs: tuple[str, str]) -> str:
    """Append the gradient of the scores, scaled where they are; return its tensor."""
    options, length = section.options, section.options.length
    name, passes = f"{name}_sftm[del]", 2 + options.elementwise
    made_by = section.run(
        name,
        Kind.ELEMENTWISE,
        length,
        length,
        roles=(TensorRole.PROBABILITIES, GRADIENT),
        needs=needs,
        density=options.density,
        batch=passes * options.batch,
        backward=True,
    )
    return section.store(name, options.scores, GRADIENT, made_by)


def add_gradients(section: Section, name: str, width: int, needs: tuple[str, ...]) -> str:
    """Add gradients of an activation.

    Args:
        section: section to append the sum to.
        name: name of the sum.
        width: width of the activation.
        needs: tensors of the gradients.

    Returns:
        The tensor of the sum, or of the gradient where there is only one.
    """
    if len(needs) == 1:
        return needs[0]
    options = section.options
    made_by = section.run(
        name,
        Kind.ELEMENTWISE,
        options.length,
        width,
        roles=(GRADIENT, GRADIENT),
        needs=needs,
        batch=options.batch * (len(needs) - 1),
        backward=True,
    )
    return section.store(name, options.activations(width), GRADIENT, made_by)
