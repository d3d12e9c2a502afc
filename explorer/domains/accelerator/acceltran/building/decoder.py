"""The program of a decoder, which is beyond the published simulator: a prompt, or one generated token.

- A prompt of n tokens passes through all layers, and the keys and values of all of its tokens are written to main
  memory. A generated token passes alone: the keys and values of the n tokens before it, the cache, are loaded from main
  memory, and its own are written there.
- In both cases the last normalisation and the head over the vocabulary see the last token only, as in generation with
  Hugging Face's library. The head is computed in blocks of tokens, since no buffer holds its weight. Logits are written
  to main memory; choosing a token from them costs nothing.
- A causal mask leaves the lower triangle of scores and probabilities, counted by element, as `causal` does in encoders.
- RMSNorm costs what a layer norm does: a pass for the statistics of a row and one for its values.
- The stream to which layers add, and what is normalised, are dense like other hidden states; the embeddings are dense,
  and so is the head over the vocabulary, whether it is tied to them or not.
- The corrections of a program cannot be switched off, as there is no published program to return to.

The footprint counts each weight once: with the embeddings, which include learnt positions, these are all parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any

from explorer.domains.accelerator.acceltran.building.decoder_heads import Step, attention, rotary_table
from explorer.domains.accelerator.acceltran.building.options import ProgramOptions, program_options
from explorer.domains.accelerator.acceltran.building.section import Section
from explorer.domains.accelerator.acceltran.program import Kind, Program, TensorRole
from explorer.domains.accelerator.acceltran.settings.run import Mode, Phase, RunSettings
from explorer.domains.accelerator.acceltran.settings.switches import SWITCHES
from explorer.domains.transformer.decoder.model import Decoder, DecoderLayer, decoder_of
from explorer.domains.transformer.decoder.options import decoder_violations
from graphdb.errors import InputError

BEYOND = "Decoders are beyond the published simulator: no published figure exists to compare with."
"""The sentence beside every result of a decoder."""
_STREAM = TensorRole.INPUT
_HEAD_BLOCK = 1 << 19
"""Most elements of a block of the head's weight: 1.25 MiB, which any published buffer holds beside other tensors."""


def decoder_program(model: Mapping[str, Any], batch_size: int, settings: RunSettings, most_blocks: int) -> Program:
    """The program of a decoder.

    Args:
        model: model dictionary with the key `decoder`.
        batch_size: number of sequences.
        settings: settings of the run.
        most_blocks: largest number of heads and feed-forward blocks.

    Raises:
        InputError: the dictionary is malformed or describes too large a model, a setting has no effect on decoders or
            is beyond them, or the sequence is longer than the model's positions.
    """
    violations = decoder_violations(model)
    if violations:
        raise InputError(violations[0])
    decoder = decoder_of(model)
    _check_settings(decoder, settings)
    blocks = sum(layer.heads + layer.key_value_heads + len(layer.feed_forward) for layer in decoder.layers)
    if blocks > most_blocks:
        raise InputError(
            f"The model has {blocks} heads and feed-forward blocks in all, each of which is scheduled; allowed: up to "
            f"{most_blocks}."
        )
    length = settings.sequence_length
    step = Step(decoder, 1, length) if settings.phase is Phase.TOKEN else Step(decoder, length, 0)
    if decoder.learnt_positions and step.keys > decoder.learnt_positions:
        most = decoder.learnt_positions - (step.keys - length)
        raise InputError(
            f"The setting sequence_length of acceltran is {length} for a decoder of {decoder.learnt_positions} "
            f"positions in phase {settings.phase}; allowed: up to {most}."
        )
    return _program(step, program_options(batch_size, settings)._replace(length=step.tokens))


def _check_settings(decoder: Decoder, settings: RunSettings) -> None:
    """Refuse settings that decoders do not know, or that would be ignored."""
    if settings.mode is Mode.REFERENCE:
        raise InputError(
            "The model is a decoder, which the published simulator does not know; allowed in mode reference: encoders."
        )
    if settings.training:
        raise InputError("The task training of acceltran is given for a decoder; allowed: inference.")
    if settings.causal:
        raise InputError("The setting causal of acceltran has no effect on a decoder, which always is; allowed: false.")
    if settings.vocabulary != RunSettings.model_fields["vocabulary"].default:
        raise InputError(
            f"The setting vocabulary of acceltran has no effect on a decoder, which has its own of "
            f"{decoder.vocabulary} tokens; allowed: the default."
        )
    off = [
        name
        for name, switch in SWITCHES.items()
        if switch.part == "program" and name != "backward" and name not in settings.switches
    ]
    if off:
        raise InputError(
            f"The correction {off[0]} of acceltran is off for a decoder, of which no program is published; allowed: "
            "all corrections of the program."
        )


@lru_cache(maxsize=32)
def _program(step: Step, options: ProgramOptions) -> Program:
    section, decoder = Section(options), step.decoder
    # Heads must come first in the list of compute operations, so what precedes them stands alone.
    beginning = Section(options)
    stream = _embedded(beginning, step)
    reads = _normalised(beginning, decoder, "ln_1_1", step.tokens, stream)
    section.side_by_side([beginning.finished()])
    layers = decoder.layers[:1] if options.first_layer_only else decoder.layers
    for number, layer in enumerate(layers, start=1):
        if number > 1:
            reads = _normalised(section, decoder, f"ln_{number}_1", step.tokens, stream)
        stream = _attended(section, step, number, attention(section, step, layer, number, reads), stream)
        reads = _normalised(section, decoder, f"ln_{number}_2", step.tokens, stream)
        stream, made_by = _feed_forward(section, step, layer, number, (reads, stream))
    if options.first_layer_only:
        section.write_back(stream, options.activations(decoder.hidden), _STREAM, made_by, "activation")
    else:
        _language_head(section, decoder, stream)
    own_head = 0 if decoder.tied_embeddings or options.first_layer_only else decoder.vocabulary * decoder.hidden
    footprint = (
        ("weights", section.weights + own_head),
        ("activations", section.activations),
        ("embeddings", (decoder.vocabulary + decoder.learnt_positions) * decoder.hidden),
    )
    return Program(tuple(section.compute), tuple(section.memory), footprint)


def _embedded(section: Section, step: Step) -> str:
    """Append the embeddings, and the tables of rotary positions; return the tensor that the first layer reads."""
    options, decoder, hidden = section.options, step.decoder, step.decoder.hidden
    stream = section.load("emb", options.activations(hidden), TensorRole.EMBEDDING, "activation")
    both = (TensorRole.EMBEDDING, TensorRole.EMBEDDING)
    if decoder.scaled_embeddings:
        made_by = section.run("emb_scale", Kind.ELEMENTWISE, step.tokens, hidden, roles=both, needs=(stream,))
        stream = section.store("emb_scale", options.activations(hidden), _STREAM, made_by)
    if decoder.rotary:
        for width in sorted({layer.head_dimension for layer in decoder.layers}):
            section.load(rotary_table(width), step.tokens * width, TensorRole.EMBEDDING, "activation")
        return stream
    rows = section.load("position", step.tokens * hidden, TensorRole.EMBEDDING, "activation")
    made_by = section.run("emb_position", Kind.ELEMENTWISE, step.tokens, hidden, roles=both, needs=(stream, rows))
    return section.store("emb_position", options.activations(hidden), _STREAM, made_by)


def _normalised(section: Section, decoder: Decoder, name: str, tokens: int, stream: str) -> str:
    """Append a normalisation of a number of tokens of each sequence; return the tensor of its result."""
    weight = section.load(f"{name}-l", section.options.weights(decoder.norm_elements))
    roles = (_STREAM, _STREAM)
    made_by = section.run(name, Kind.LAYER_NORM, tokens, decoder.hidden, roles=roles, needs=(weight, stream))
    return section.store(name, section.options.batch * tokens * decoder.hidden, _STREAM, made_by)


def _attended(section: Section, step: Step, number: int, outputs: tuple[str, ...], stream: str) -> str:
    """Sum the heads, then add the output's bias and the stream; return the tensor of the new stream."""
    options, hidden, role = section.options, step.decoder.hidden, TensorRole.ATTENTION_OUTPUT
    made_by: tuple[str, ...] = ()
    needs = outputs
    if len(outputs) > 1:
        name, sums = f"merge_{number}", options.batch * (len(outputs) - 1)
        roles = (role, role)
        made_by = (section.run(name, Kind.ELEMENTWISE, step.tokens, hidden, roles=roles, needs=outputs, batch=sums),)
        needs = ()
    if step.decoder.output_bias:
        bias = section.load(f"bias_{number}-l", options.weights(hidden))
        name, roles = f"bias_{number}", (role, TensorRole.WEIGHT)
        made_by = (
            section.run(name, Kind.ELEMENTWISE, step.tokens, hidden, roles=roles, needs=(bias, *needs), after=made_by),
        )
        needs = ()
    name, roles = f"residual_{number}_1", (role, _STREAM)
    made = section.run(name, Kind.ELEMENTWISE, step.tokens, hidden, roles=roles, needs=(*needs, stream), after=made_by)
    return section.store(f"attended_{number}", options.activations(hidden), _STREAM, made)


def _feed_forward(
    section: Section, step: Step, layer: DecoderLayer, number: int, operands: tuple[str, str]
) -> tuple[str, str]:
    """Append the feed-forward stack of a layer.

    Args:
        section: section to append to.
        step: the pass that the layer is part of.
        layer: the layer.
        number: number of the layer, counted from 1.
        operands: tensor that the stack reads, and that of the stream.

    Returns:
        The tensor of the new stream, and the operation that makes it.
    """
    decoder, options = step.decoder, section.options
    reads, stream = operands
    role = _STREAM
    widths = (decoder.hidden, *layer.feed_forward, decoder.hidden)
    for position, pair in enumerate(pairwise(widths), start=1):
        name = f"ff_{number}_{position}"
        if position == len(widths) - 1:
            reads = _product(section, decoder, f"{name}_f", pair, reads, (role, TensorRole.FEED_FORWARD_OUTPUT))
            continue
        roles = (role, TensorRole.FEED_FORWARD)
        made = _product(section, decoder, f"{name}_f", pair, reads, roles)
        gate = _product(section, decoder, f"{name}_g", pair, reads, roles) if decoder.gated else ""
        reads = _activated(section, step, (number, position), pair[1], made, gate)
        role = TensorRole.FEED_FORWARD
    roles, name = (TensorRole.FEED_FORWARD_OUTPUT, _STREAM), f"residual_{number}_2"
    made_by = section.run(name, Kind.ELEMENTWISE, step.tokens, decoder.hidden, roles=roles, needs=(reads, stream))
    return section.store(name, options.activations(decoder.hidden), _STREAM, made_by), made_by


def _product(
    section: Section,
    decoder: Decoder,
    name: str,
    widths: tuple[int, int],
    reads: str,
    roles: tuple[TensorRole, TensorRole],
) -> str:
    """Append a feed-forward product; `roles` are those of its input and its output, whose tensor is returned."""
    options, (given, made), (role, output_role) = section.options, widths, roles
    weight = section.load(f"{name}-l", options.weights((given + decoder.feed_forward_bias) * made))
    needs = (weight, reads)
    made_by = section.run(name, Kind.PRODUCT, options.length, given, made, roles=(role, TensorRole.WEIGHT), needs=needs)
    if decoder.feed_forward_bias:
        made_by = section.biased(made_by, name, made, output_role)
    return section.store(name, options.activations(made), output_role, made_by)


def _activated(section: Section, step: Step, at: tuple[int, int], width: int, made: str, gate: str) -> str:
    """Append the non-linearity over a product, or over its gate, by which the product is then multiplied.

    Args:
        section: section to append to.
        step: the pass that the layer is part of.
        at: numbers of the layer and of the product, counted from 1.
        width: width of the product.
        made: tensor of the product.
        gate: tensor of its gate; empty if there is none.
    """
    (number, position), role = at, TensorRole.FEED_FORWARD
    name, both, elements = f"nl_{number}_{position}", (role, role), section.options.activations(width)
    made_by = section.run(name, Kind.NON_LINEARITY, step.tokens, width, roles=both, needs=(gate or made,))
    activated = section.store(name, elements, role, made_by)
    if not gate:
        return activated
    name = f"gate_{number}_{position}"
    made_by = section.run(name, Kind.ELEMENTWISE, step.tokens, width, roles=both, needs=(made, activated))
    return section.store(name, elements, role, made_by)


def _language_head(section: Section, decoder: Decoder, stream: str) -> None:
    """Append the last normalisation, and the head over the vocabulary, for the last token of each sequence."""
    batch, hidden, vocabulary = section.options.batch, decoder.hidden, decoder.vocabulary
    reads = _normalised(section, decoder, "ln_last", 1, stream)
    columns = min(max(_HEAD_BLOCK // hidden, 1), vocabulary)
    roles = (_STREAM, TensorRole.EMBEDDING)
    for number, first in enumerate(range(0, vocabulary, columns), start=1):
        width = min(columns, vocabulary - first)
        weight = section.load(f"head_{number}-l", width * hidden, TensorRole.EMBEDDING)
        made_by = section.run(f"head_{number}", Kind.PRODUCT, 1, hidden, width, roles=roles, needs=(weight, reads))
        logits = section.store(f"logits_{number}", batch * width, _STREAM, made_by)
        section.write_back(logits, batch * width, _STREAM, made_by, "activation")
