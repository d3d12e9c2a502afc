"""The right backward pass of a layer's heads.

Of a product Y = A B the gradients are dA = dY B' and dB = A' dY. Names end in `[wgt]` for the gradient of a weight,
with its bias, and in `[del]` for that of an activation. The gradient of the scores under a softmax P is
P * (dP - rowsum(dP * P)): two elementwise passes. A linear transform has no weight to learn; a convolution's two
gradients are convolutions of the same size.
"""

from __future__ import annotations

from typing import NamedTuple

from explorer.domains.accelerator.acceltran.building.heads import PROJECTIONS
from explorer.domains.accelerator.acceltran.building.layers import Head
from explorer.domains.accelerator.acceltran.building.section import Section, stored
from explorer.domains.accelerator.acceltran.program import Buffer, Kind, Role

GRADIENT = Role.GRADIENT


class Parameter(NamedTuple):
    """What the optimiser updates.

    Attributes:
        tensor: the weight.
        gradient: the tensor of its gradient.
        rows, columns: its size; a bias is one more row.
        buffer: which holds both.
        role: what it is.
        copies: how many of its size there are.
    """

    tensor: str
    gradient: str
    rows: int
    columns: int
    buffer: Buffer = "weight"
    role: Role = Role.WEIGHT
    copies: int = 1


def weight_gradient(
    section: Section, parameter: tuple[str, int, int], made_by: str, copies: int = 0, buffer: Buffer = "weight"
) -> Parameter:
    """Store a weight's gradient, and write it back; `parameter` holds the weight's tensor, rows and columns."""
    recipe = section.recipe
    tensor, rows, columns = parameter
    copies = copies or recipe.weights(1)
    name = f"{tensor.removesuffix('-l')}[wgt]"
    gradient = section.store(name, copies * rows * columns, GRADIENT, made_by, buffer)
    if recipe.write_back:
        section.write_back(gradient, copies * rows * columns, GRADIENT, made_by, buffer)
    role = Role.EMBEDDING if buffer == "activation" else Role.WEIGHT
    return Parameter(tensor, gradient, rows, columns, buffer, role, copies)


def product_gradients(
    section: Section, name: str, widths: tuple[int, int], source: tuple[str, ...], role: Role, gradient: str, bias: bool
) -> tuple[str, Parameter]:
    """Gradients of Y = X W, with W of `widths` in the tensor `<name>-l`.

    Args:
        section: what they are appended to.
        name: of the forward product.
        widths: rows and columns of W.
        source: tensors of X.
        role: what X is.
        gradient: tensor of dY.
        bias: whether a bias is added to Y.

    Returns:
        The tensor of dX, and the parameter W with its bias.
    """
    recipe, length, (given, made) = section.recipe, section.recipe.length, widths
    roles = (role, GRADIENT)
    made_by = section.run(f"{name}[wgt]", Kind.PRODUCT, given, length, made, roles, (*source, gradient), backward=True)
    if bias:
        roles, after = (GRADIENT, GRADIENT), (made_by,)
        made_by = section.run(
            f"{name}_bias[wgt]", Kind.ELEMENTWISE, length, made, 0, roles, (gradient,), after, backward=True
        )
    parameter = weight_gradient(section, (f"{name}-l", given + bias, made), made_by)
    weight = section.load(f"{name}-l", recipe.weights((given + bias) * made))
    roles = (GRADIENT, Role.WEIGHT)
    return activation_gradient(section, name, (length, made, given), roles, (gradient, weight)), parameter


def activation_gradient(
    section: Section,
    name: str,
    shape: tuple[int, int, int],
    roles: tuple[Role, Role],
    needs: tuple[str, ...],
    kind: Kind = Kind.PRODUCT,
    density: float = 1.0,
    elements: int = 0,
) -> str:
    """Compute and store `<name>[del]`; its tensor. Without `elements` it has those of a product's result."""
    made_by = section.run(f"{name}[del]", kind, *shape, roles, needs, (), density, backward=True)
    elements = elements or section.recipe.batch * shape[0] * shape[2]
    return section.store(f"{name}[del]", elements, GRADIENT, made_by)


def backward_head(
    section: Section, head: Head, name: str, hidden: int, reads: tuple[str, ...], tag: str, gradient: str
) -> tuple[str, tuple[Parameter, ...]]:
    """Append a head's gradients.

    Args:
        section: what they are appended to.
        head: the head.
        name: its name.
        hidden: width of the layer.
        reads: the layer's input.
        tag: of the forward pass whose tensors are read.
        gradient: of the head's output.

    Returns:
        The tensor of the gradient of the head's input, and its parameters.
    """
    if head.family == "sa":
        return _attention(section, head, name, hidden, reads, tag, gradient)
    recipe, length = section.recipe, section.recipe.length
    if head.family == "l":
        weight = section.load(f"{name}_l-l", recipe.weights(length * length))
        roles = (Role.WEIGHT, GRADIENT)
        shape = (length, length, hidden)
        return activation_gradient(section, f"{name}_l", shape, roles, (weight, gradient)), ()
    return _convolution(section, head, f"{name}_c", hidden, reads, gradient)


def _convolution(
    section: Section, head: Head, name: str, hidden: int, reads: tuple[str, ...], gradient: str
) -> tuple[str, tuple[Parameter, ...]]:
    recipe = section.recipe
    shape, rows = (recipe.length, hidden, head.kernel), head.kernel + recipe.elementwise
    roles, needs = (Role.INPUT, GRADIENT), (*reads, gradient)
    made_by = section.run(f"{name}[wgt]", Kind.CONVOLUTION, *shape, roles, needs, backward=True)
    if recipe.elementwise:
        after = (made_by,)
        made_by = section.run(
            f"{name}_bias[wgt]",
            Kind.ELEMENTWISE,
            *shape[:2],
            roles=(GRADIENT, GRADIENT),
            needs=(gradient,),
            after=after,
            backward=True,
        )
    parameter = weight_gradient(section, (f"{name}-l", rows, hidden), made_by)
    needs = (gradient, section.load(f"{name}-l", recipe.weights(rows * hidden)))
    roles, elements = (GRADIENT, Role.WEIGHT), recipe.activations(hidden)
    made = activation_gradient(section, name, shape, roles, needs, Kind.CONVOLUTION, elements=elements)
    return made, (parameter,)


def _attention(
    section: Section, head: Head, name: str, hidden: int, reads: tuple[str, ...], tag: str, gradient: str
) -> tuple[str, tuple[Parameter, ...]]:
    recipe, width = section.recipe, head.width
    key, context = stored(f"{name}_k", tag), stored(f"{name}_sdp-v", tag)
    of_context, parameter = product_gradients(
        section, f"{name}_o", (width, hidden), (context,), Role.CONTEXT, gradient, False
    )
    parameters = [parameter]
    gradients = _core_gradients(section, head, name, tag, of_context)
    if head.weighted:
        gradients["k"], parameter = product_gradients(
            section, f"{name}_wma", (width, width), (key,), Role.KEY, gradients["k"], False
        )
        parameters.append(parameter)
    inputs = []
    for part, _ in PROJECTIONS:
        given, parameter = product_gradients(
            section, f"{name}_{part}", (hidden, width), reads, Role.INPUT, gradients[part], recipe.elementwise
        )
        inputs.append(given)
        parameters.append(parameter)
    return add_gradients(section, f"{name}[del]", hidden, tuple(inputs)), tuple(parameters)


def _core_gradients(section: Section, head: Head, name: str, tag: str, of_context: str) -> dict[str, str]:
    """Gradients of the query, the key (multiplied, where it is weighted) and the value: their tensors."""
    recipe, length, width, density = section.recipe, section.recipe.length, head.width, section.recipe.density
    query, value, probabilities = (stored(f"{name}_{part}", tag) for part in ("q", "v", "sftm"))
    key = stored(f"{name}_wma" if head.weighted else f"{name}_k", tag)

    def product(part: str, roles: tuple[Role, Role], needs: tuple[str, str]) -> str:
        shape = (length, length, width)
        return activation_gradient(section, f"{name}_{part}", shape, roles, needs, density=density)

    of_value = product("sdp-v_v", (Role.PROBABILITIES, GRADIENT), (probabilities, of_context))
    of_probabilities = activation_gradient(
        section,
        f"{name}_sdp-v_p",
        (length, width, length),
        (GRADIENT, Role.VALUE),
        (of_context, value),
        density=density,
        elements=recipe.scores,
    )
    of_scores = _softmax_gradient(section, name, (probabilities, of_probabilities))
    of_query = product("sdp-qk_q", (GRADIENT, Role.KEY), (of_scores, key))
    of_key = product("sdp-qk_k", (GRADIENT, Role.QUERY), (of_scores, query))
    return {"q": of_query, "k": of_key, "v": of_value}


def _softmax_gradient(section: Section, name: str, needs: tuple[str, str]) -> str:
    """Gradient of the scores, scaled where they are; its tensor."""
    recipe, length = section.recipe, section.recipe.length
    name = f"{name}_sftm[del]"
    roles, passes = (Role.PROBABILITIES, GRADIENT), 2 + recipe.elementwise
    made_by = section.run(
        name,
        Kind.ELEMENTWISE,
        length,
        length,
        0,
        roles,
        needs,
        (),
        recipe.density,
        passes * recipe.batch,
        backward=True,
    )
    return section.store(name, recipe.scores, GRADIENT, made_by)


def add_gradients(section: Section, name: str, width: int, needs: tuple[str, ...]) -> str:
    """Add gradients of an activation; the tensor of the sum, or the only one there is."""
    if len(needs) == 1:
        return needs[0]
    recipe, roles = section.recipe, (GRADIENT, GRADIENT)
    sums = recipe.batch * (len(needs) - 1)
    made_by = section.run(name, Kind.ELEMENTWISE, recipe.length, width, 0, roles, needs, batch=sums, backward=True)
    return section.store(name, recipe.activations(width), GRADIENT, made_by)
