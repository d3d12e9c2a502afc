"""The attention of a decoder's layer: heads of keys and values, then the heads that read them.

Keys and values are made once for each group of heads that shares them. Those of earlier tokens, the cache, are loaded
from main memory once for each group, and those of new tokens are written there. Positions rotate queries and keys in
two elementwise operations, one for the cosines and one for the sines, which are loaded from a table.
"""

from __future__ import annotations

from typing import NamedTuple

from explorer.domains.accelerator.acceltran.building.section import Lists, Section
from explorer.domains.accelerator.acceltran.program import Kind, TensorRole
from explorer.domains.transformer.decoder.model import Decoder, DecoderLayer


class Step(NamedTuple):
    """One pass through a decoder.

    Attributes:
        decoder: the decoder.
        tokens: number of tokens of a sequence that pass through the layers.
        cached: number of earlier tokens of a sequence, whose keys and values are in main memory.
    """

    decoder: Decoder
    tokens: int
    cached: int

    @property
    def keys(self) -> int:
        """Number of tokens whose keys and values are read."""
        return self.cached + self.tokens

    @property
    def scores(self) -> int:
        """Number of scores of one head in one sequence: each token attends to itself and all earlier ones."""
        return self.tokens * self.cached + self.tokens * (self.tokens + 1) // 2

    @property
    def density(self) -> float:
        """Share of the entries of a score matrix that the causal mask leaves."""
        return self.scores / (self.tokens * self.keys)


class Shared(NamedTuple):
    """Tensors of the keys and the values that a group of heads reads."""

    keys: tuple[str, ...]
    values: tuple[str, ...]


def rotary_table(width: int) -> str:
    """Name of the tensor with the cosines and sines for heads of a width."""
    return f"rotary_{width}"


def attention(section: Section, step: Step, layer: DecoderLayer, number: int, reads: str) -> tuple[str, ...]:
    """Append the heads of a layer.

    Args:
        section: section to append to.
        step: the pass that the layer is part of.
        layer: the layer.
        number: number of the layer, counted from 1.
        reads: tensor of the layer's input, after normalisation.

    Returns:
        The outputs of the heads, which add up to that of the layer.
    """
    groups, made = [], []
    for position in range(1, layer.key_value_heads + 1):
        lists, shared = _keys_and_values(section, step, layer, f"kv_{number}_{position}", reads)
        groups.append(lists)
        made.append(shared)
    section.side_by_side(groups)
    heads = [
        _head(section, step, layer, f"sa_{number}_{position + 1}", reads, made[position // layer.group])
        for position in range(layer.heads)
    ]
    section.side_by_side([lists for lists, _ in heads])
    return tuple(output for _, output in heads)


def _keys_and_values(section: Section, step: Step, layer: DecoderLayer, name: str, reads: str) -> tuple[Lists, Shared]:
    """The section that makes keys and values, and their tensors."""
    alone, batch, width = Section(section.options), section.options.batch, layer.head_dimension
    tensors: dict[str, tuple[str, ...]] = {}
    for part, role in (("k", TensorRole.KEY), ("v", TensorRole.VALUE)):
        cache: tuple[str, ...] = ()
        if step.cached:
            cache = (alone.load(f"{name}_{part}-cache", batch * step.cached * width, role, "activation"),)
        made_by = _projection(alone, step, f"{name}_{part}", width, reads, role)
        elements = batch * step.tokens * width
        tensor = alone.store(f"{name}_{part}", elements, role, made_by)
        alone.write_back(tensor, elements, role, made_by, "activation")
        tensors[part] = (*cache, tensor)
    return alone.finished(), Shared(tensors["k"], tensors["v"])


def _projection(section: Section, step: Step, name: str, width: int, reads: str, role: TensorRole) -> str:
    """Append the product that makes queries, keys or values; return the operation that makes its final form."""
    decoder, options = step.decoder, section.options
    elements = (decoder.hidden + decoder.query_key_value_bias) * width
    weight = section.load(f"{name}-l", options.weights(elements))
    made_by = section.run(name, Kind.PRODUCT, step.tokens, decoder.hidden, width, needs=(weight, reads))
    if decoder.query_key_value_bias:
        made_by = section.biased(made_by, name, width, role)
    if decoder.rotary and role is not TensorRole.VALUE:
        made_by = section.run(
            f"{name}_rotated",
            Kind.ELEMENTWISE,
            step.tokens,
            width,
            roles=(role, TensorRole.EMBEDDING),
            needs=(rotary_table(width),),
            after=(made_by,),
            batch=2 * options.batch,  # cosines, then sines
        )
    return made_by


def _head(
    section: Section, step: Step, layer: DecoderLayer, name: str, reads: str, shared: Shared
) -> tuple[Lists, str]:
    """The section of a head, and the tensor of its output, (batch, tokens, hidden)."""
    alone, width, hidden = Section(section.options), layer.head_dimension, step.decoder.hidden
    batch, tokens = section.options.batch, step.tokens
    made_by = _projection(alone, step, f"{name}_q", width, reads, TensorRole.QUERY)
    query = alone.store(f"{name}_q", batch * tokens * width, TensorRole.QUERY, made_by)
    probabilities = _probabilities(alone, step, name, width, query, shared.keys)
    made_by = alone.run(
        f"{name}_sdp-v",
        Kind.PRODUCT,
        tokens,
        step.keys,
        width,
        roles=(TensorRole.PROBABILITIES, TensorRole.VALUE),
        needs=(*shared.values, probabilities),
        density=step.density,
    )
    context = alone.store(f"{name}_sdp-v", batch * tokens * width, TensorRole.CONTEXT, made_by)
    weight = alone.load(f"{name}_o-l", section.options.weights(width * hidden))
    roles = (TensorRole.CONTEXT, TensorRole.WEIGHT)
    made_by = alone.run(f"{name}_o", Kind.PRODUCT, tokens, width, hidden, roles=roles, needs=(weight, context))
    output = alone.store(f"{name}_o", batch * tokens * hidden, TensorRole.ATTENTION_OUTPUT, made_by)
    return alone.finished(), output


def _probabilities(section: Section, step: Step, name: str, width: int, query: str, keys: tuple[str, ...]) -> str:
    shape, density = (step.tokens, step.keys), step.density
    elements, both = section.options.batch * step.scores, (TensorRole.SCORES, TensorRole.SCORES)
    made_by = section.run(
        f"{name}_sdp-qk",
        Kind.PRODUCT,
        step.tokens,
        width,
        step.keys,
        roles=(TensorRole.QUERY, TensorRole.KEY),
        needs=(query, *keys),
        density=density,
    )
    made_by = section.run(f"{name}_scale", Kind.ELEMENTWISE, *shape, roles=both, after=(made_by,), density=density)
    scores = section.store(f"{name}_sdp-qk", elements, TensorRole.SCORES, made_by)
    made_by = section.run(f"{name}_sftm", Kind.SOFTMAX, *shape, roles=both, needs=(scores,), density=density)
    return section.store(f"{name}_sftm", elements, TensorRole.PROBABILITIES, made_by)
