"""The forward pass of a layer's heads: self-attention, convolution and linear transform.

The output product of a self-attention head gives its share of the layer's output, so that outputs of heads add up:
concatenating contexts before one output product is the same sum. As in the published `ops.py`, convolutions and linear
transforms work on the whole input and give an output of the layer's width, without an output product.
"""

from __future__ import annotations

from explorer.domains.accelerator.acceltran.building.layers import Head
from explorer.domains.accelerator.acceltran.building.section import Recipe, Section
from explorer.domains.accelerator.acceltran.program import Kind, Role, Transfer

PROJECTIONS = (("q", Role.QUERY), ("k", Role.KEY), ("v", Role.VALUE))


def forward_head(section: Section, head: Head, name: str, hidden: int, reads: tuple[str, ...]) -> str:
    """Append a head that reads the tensors `reads`; the tensor that it makes, (batch, length, hidden)."""
    if head.family == "sa":
        return _attention(section, head, name, hidden, reads)
    if head.family == "c":
        return _convolution(section, head, name, hidden, reads)
    return _linear_transform(section, name, hidden, reads)


def projection_elements(recipe: Recipe, hidden: int, width: int) -> int:
    """Elements of the weight, and with it the bias, of a query, key or value."""
    return (hidden + recipe.elementwise) * width


def _attention(section: Section, head: Head, name: str, hidden: int, reads: tuple[str, ...]) -> str:
    recipe, length, width = section.recipe, section.recipe.length, head.width
    for part, _ in PROJECTIONS:
        section.load(f"{name}_{part}-l", recipe.weights(projection_elements(recipe, hidden, width)))
    made_by = {}
    for part, role in PROJECTIONS:
        needs = (f"{name}_{part}-l", *reads)
        product = section.run(f"{name}_{part}", Kind.PRODUCT, length, hidden, width, needs=needs)
        made_by[part] = section.biased(product, f"{name}_{part}", width, role)
    query, key, value = (
        section.store(f"{name}_{part}", recipe.activations(width), role, made_by[part]) for part, role in PROJECTIONS
    )
    if head.weighted:
        key = _weighted_key(section, name, width, made_by["k"], (key, query, value))
    probabilities = _probabilities(section, name, width, query, key, value)
    context = section.run(
        f"{name}_sdp-v",
        Kind.PRODUCT,
        length,
        length,
        width,
        (Role.PROBABILITIES, Role.VALUE),
        (value, probabilities),
        density=recipe.density,
    )
    stored = section.store(f"{name}_sdp-v", recipe.activations(width), Role.CONTEXT, context)
    weight = section.load(f"{name}_o-l", recipe.weights(width * hidden))
    roles = (Role.CONTEXT, Role.WEIGHT)
    output = section.run(f"{name}_o", Kind.PRODUCT, length, width, hidden, roles, (weight, stored))
    return section.store(f"{name}_o", recipe.activations(hidden), Role.ATTENTION_OUTPUT, output)


def _weighted_key(section: Section, name: str, width: int, key_made_by: str, needs: tuple[str, str, str]) -> str:
    """Multiply the keys by the matrix of weighted multiplicative attention; the tensor of the result.

    The published result has the name of the keys: its store finds them in the buffer, and waits for them only.
    """
    recipe = section.recipe
    weight = section.load(f"{name}_wma-l", recipe.weights(width * width))
    roles = (Role.WEIGHT, Role.KEY)
    product = section.run(f"{name}_wma", Kind.PRODUCT, width, width, recipe.length, roles, (weight, *needs))
    if recipe.keeps:
        return section.store(f"{name}_wma", recipe.activations(width), Role.KEY, product)
    key = needs[0]  # no further activation: the name is taken
    section.memory.append(Transfer(key, "store", "activation", recipe.activations(width), Role.KEY, key_made_by))
    return key


def _probabilities(section: Section, name: str, width: int, query: str, key: str, value: str) -> str:
    recipe, length = section.recipe, section.recipe.length
    density = recipe.density
    made_by = section.run(
        f"{name}_sdp-qk",
        Kind.PRODUCT,
        length,
        width,
        length,
        (Role.QUERY, Role.KEY),
        (query, key, value),
        density=density,
    )
    both = (Role.SCORES, Role.SCORES)
    if recipe.elementwise:
        scaled = f"{name}_scale"
        made_by = section.run(scaled, Kind.ELEMENTWISE, length, length, 0, both, (), (made_by,), density)
    scores = section.store(f"{name}_sdp-qk", recipe.scores, Role.SCORES, made_by)
    softmax = section.run(f"{name}_sftm", Kind.SOFTMAX, length, length, 0, both, (scores, value), (), density)
    return section.store(f"{name}_sftm", recipe.scores, Role.PROBABILITIES, softmax)


def _convolution(section: Section, head: Head, name: str, hidden: int, reads: tuple[str, ...]) -> str:
    recipe = section.recipe
    weight = section.load(f"{name}_c-l", recipe.weights((head.kernel + recipe.elementwise) * hidden))
    needs = (weight, *reads)
    product = section.run(f"{name}_c", Kind.CONVOLUTION, recipe.length, hidden, head.kernel, needs=needs)
    made_by = section.biased(product, f"{name}_c", hidden, Role.ATTENTION_OUTPUT)
    return section.store(f"{name}_c", recipe.activations(hidden), Role.ATTENTION_OUTPUT, made_by)


def _linear_transform(section: Section, name: str, hidden: int, reads: tuple[str, ...]) -> str:
    recipe, length = section.recipe, section.recipe.length
    weight = section.load(f"{name}_l-l", recipe.weights(length * length))
    roles = (Role.WEIGHT, Role.INPUT)
    product = section.run(f"{name}_l", Kind.PRODUCT, length, length, hidden, roles, (weight, *reads))
    return section.store(f"{name}_l", recipe.activations(hidden), Role.ATTENTION_OUTPUT, product)
