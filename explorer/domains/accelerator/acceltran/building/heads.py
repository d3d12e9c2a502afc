"""The forward pass of a layer's heads: self-attention, convolution and linear transform.

The output product of a self-attention head gives its share of the layer's output, so the outputs of heads add up: this
equals concatenating the contexts before a single output product. As in the published `ops.py`, convolutions and linear
transforms work on the whole input and give an output of the layer's width, without an output product.
"""

from __future__ import annotations

from explorer.domains.accelerator.acceltran.building.layers import Head
from explorer.domains.accelerator.acceltran.building.options import ProgramOptions
from explorer.domains.accelerator.acceltran.building.section import Section
from explorer.domains.accelerator.acceltran.program import Kind, TensorRole, Transfer

PROJECTIONS = (("q", TensorRole.QUERY), ("k", TensorRole.KEY), ("v", TensorRole.VALUE))


def forward_head(section: Section, head: Head, name: str, hidden: int, reads: tuple[str, ...]) -> str:
    """Append a head.

    Args:
        section: section to append to.
        head: head to append.
        name: name of the head.
        hidden: width of the layer.
        reads: tensors of the layer's input.

    Returns:
        The tensor that the head makes, (batch, length, hidden).
    """
    if head.family == "sa":
        return _attention(section, head, name, hidden, reads)
    if head.family == "c":
        return _convolution(section, head, name, hidden, reads)
    return _linear_transform(section, name, hidden, reads)


def _attention(section: Section, head: Head, name: str, hidden: int, reads: tuple[str, ...]) -> str:
    options, length, width = section.options, section.options.length, head.width
    for part, _ in PROJECTIONS:
        section.load(f"{name}_{part}-l", options.weights(_projection_elements(options, hidden, width)))
    made_by = {}
    for part, role in PROJECTIONS:
        needs = (f"{name}_{part}-l", *reads)
        product = section.run(f"{name}_{part}", Kind.PRODUCT, length, hidden, width, needs=needs)
        made_by[part] = section.biased(product, f"{name}_{part}", width, role)
    query, key, value = (
        section.store(f"{name}_{part}", options.activations(width), role, made_by[part]) for part, role in PROJECTIONS
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
        roles=(TensorRole.PROBABILITIES, TensorRole.VALUE),
        needs=(value, probabilities),
        density=options.density,
    )
    stored = section.store(f"{name}_sdp-v", options.activations(width), TensorRole.CONTEXT, context)
    weight = section.load(f"{name}_o-l", options.weights(width * hidden))
    roles = (TensorRole.CONTEXT, TensorRole.WEIGHT)
    output = section.run(f"{name}_o", Kind.PRODUCT, length, width, hidden, roles=roles, needs=(weight, stored))
    return section.store(f"{name}_o", options.activations(hidden), TensorRole.ATTENTION_OUTPUT, output)


def _projection_elements(options: ProgramOptions, hidden: int, width: int) -> int:
    """Number of elements of the weight of a query, key or value, and of its bias where there is one."""
    return (hidden + options.elementwise) * width


def _weighted_key(section: Section, name: str, width: int, key_made_by: str, needs: tuple[str, str, str]) -> str:
    """Multiply the keys by the matrix of weighted multiplicative attention; return the tensor of the result.

    The published result has the name of the keys: its store finds the keys in the buffer and waits only for them.
    """
    options = section.options
    weight = section.load(f"{name}_wma-l", options.weights(width * width))
    roles = (TensorRole.WEIGHT, TensorRole.KEY)
    product = section.run(
        f"{name}_wma", Kind.PRODUCT, width, width, options.length, roles=roles, needs=(weight, *needs)
    )
    if options.keeps:
        return section.store(f"{name}_wma", options.activations(width), TensorRole.KEY, product)
    key = needs[0]  # no new activation: the name is taken
    section.memory.append(Transfer(key, "store", "activation", options.activations(width), TensorRole.KEY, key_made_by))
    return key


def _probabilities(section: Section, name: str, width: int, query: str, key: str, value: str) -> str:
    options, length = section.options, section.options.length
    density = options.density
    made_by = section.run(
        f"{name}_sdp-qk",
        Kind.PRODUCT,
        length,
        width,
        length,
        roles=(TensorRole.QUERY, TensorRole.KEY),
        needs=(query, key, value),
        density=density,
    )
    both = (TensorRole.SCORES, TensorRole.SCORES)
    if options.elementwise:
        scaled = f"{name}_scale"
        made_by = section.run(scaled, Kind.ELEMENTWISE, length, length, roles=both, after=(made_by,), density=density)
    scores = section.store(f"{name}_sdp-qk", options.scores, TensorRole.SCORES, made_by)
    softmax = section.run(
        f"{name}_sftm", Kind.SOFTMAX, length, length, roles=both, needs=(scores, value), density=density
    )
    return section.store(f"{name}_sftm", options.scores, TensorRole.PROBABILITIES, softmax)


def _convolution(section: Section, head: Head, name: str, hidden: int, reads: tuple[str, ...]) -> str:
    options = section.options
    weight = section.load(f"{name}_c-l", options.weights((head.kernel + options.elementwise) * hidden))
    needs = (weight, *reads)
    product = section.run(f"{name}_c", Kind.CONVOLUTION, options.length, hidden, head.kernel, needs=needs)
    made_by = section.biased(product, f"{name}_c", hidden, TensorRole.ATTENTION_OUTPUT)
    return section.store(f"{name}_c", options.activations(hidden), TensorRole.ATTENTION_OUTPUT, made_by)


def _linear_transform(section: Section, name: str, hidden: int, reads: tuple[str, ...]) -> str:
    options, length = section.options, section.options.length
    weight = section.load(f"{name}_l-l", options.weights(length * length))
    roles = (TensorRole.WEIGHT, TensorRole.INPUT)
    product = section.run(f"{name}_l", Kind.PRODUCT, length, length, hidden, roles=roles, needs=(weight, *reads))
    return section.store(f"{name}_l", options.activations(hidden), TensorRole.ATTENTION_OUTPUT, product)
