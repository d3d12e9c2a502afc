"""Building a `Program`, which AccelTran's scheduler works through, from a model dictionary.

Without corrections it is the program of the published `dict2ops.py` and `ops.py`, name by name, faults included:

- every tensor, weights included, has the batch as an axis;
- the inputs of the first layer are in the activation buffer, and results of normalisations and non-linearities are
  never stored, so that no operation waits for them;
- a non-linearity follows every feed-forward product, including the last one and projections, and has the shape of the
  product's input; it is named `nl_<layer>_proj` after a projection, where the published code uses a name twice;
- the product of weighted multiplicative attention is stored under the name of the keys that it replaces.

The corrections, each of which has its own switch (see `switches`), follow these choices:

- biases and the scales of normalisations travel with, or like, the weights; biases and the scaling of scores are
  applied to results before they are stored; a layer's attention output has one bias, and linear transforms have none;
- the outputs of n heads are summed in n - 1 additions, because their output products are parts of one product;
- every result that is read later is stored under its own name, including that of weighted attention;
- a causal mask leaves the lower triangle of scores, probabilities and their gradients, counted by element; it affects
  neither convolutions nor linear transforms;
- one embedding row is looked up per token, repeated tokens included, and one position row per position;
- training updates each parameter once: see `backward`, `head_gradients` and `optimiser`.

The footprint counts each weight once, all activations that one forward pass stores, and the embedding table.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from explorer.domains.accelerator.acceltran.building.backward import backward_pass
from explorer.domains.accelerator.acceltran.building.decoder import decoder_program
from explorer.domains.accelerator.acceltran.building.encoder import Result, embeddings, forward_layer
from explorer.domains.accelerator.acceltran.building.layers import EncoderLayer, encoder_layers
from explorer.domains.accelerator.acceltran.building.optimiser import optimiser_step
from explorer.domains.accelerator.acceltran.building.options import ProgramOptions, program_options
from explorer.domains.accelerator.acceltran.building.published_backward import published_backward
from explorer.domains.accelerator.acceltran.building.section import Section
from explorer.domains.accelerator.acceltran.program import Program, TensorRole
from explorer.domains.accelerator.acceltran.settings.run import Phase, RunSettings
from explorer.domains.transformer.model import is_decoder
from graphdb.errors import InputError

MOST_BLOCKS = 20_000
"""Largest number of heads and feed-forward blocks in a model: GPT-3 has 9,312, and takes a minute or two."""


def build_program(model: Mapping[str, Any], batch_size: int, settings: RunSettings) -> Program:
    """The program of a model for a batch of sequences.

    Args:
        model: dictionary of FlexiBERT 2.0 (`l`, `o`, `h`, `f`), or of a decoder (see `decoder`).
        batch_size: number of sequences.
        settings: settings of the run.

    Raises:
        InputError: the dictionary is malformed or describes too large a model, or the batch size is below 1.
    """
    if is_decoder(model):
        _check_batch(batch_size)
        return decoder_program(model, batch_size, settings, MOST_BLOCKS)
    return _program(*checked_layers(model, batch_size, settings))


def checked_layers(
    model: Mapping[str, Any], batch_size: int, settings: RunSettings
) -> tuple[tuple[EncoderLayer, ...], ProgramOptions]:
    """The layers that a program has, and its options.

    Args:
        model: dictionary of FlexiBERT 2.0 (`l`, `o`, `h`, `f`).
        batch_size: number of sequences.
        settings: settings of the run.

    Raises:
        InputError: the dictionary is malformed or describes too large a model, or the batch size is below 1.
    """
    _check_batch(batch_size)
    if settings.phase is not Phase.PROMPT:
        raise InputError("The setting phase of acceltran has no effect on an encoder; allowed: prompt, or a decoder.")
    layers = encoder_layers(model)
    blocks = sum(len(layer.heads) + len(layer.widths) for layer in layers)
    if blocks > MOST_BLOCKS:
        raise InputError(
            f"The model has {blocks} heads and feed-forward blocks in all, each of which is scheduled; allowed: up to "
            f"{MOST_BLOCKS}."
        )
    return layers[:1] if settings.first_layer_only else layers, program_options(batch_size, settings)


def _check_batch(batch_size: object) -> None:
    if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size < 1:
        raise InputError(f"The batch size is {batch_size!r:.40}; allowed: an integer of at least 1.")


@lru_cache(maxsize=64)
def _program(layers: tuple[EncoderLayer, ...], options: ProgramOptions) -> Program:
    section = Section(options)
    reads = embeddings(section, layers[0].hidden)
    records = []
    for index, layer in enumerate(layers):
        record = forward_layer(section, layer, index, reads)
        records.append(record)
        reads = record.result.tensors
    if options.write_back:
        write_output(section, layers[-1].output, records[-1].result)
    footprint = footprint_elements(options, section.weights, section.activations, layers[0].hidden)
    if options.gradients:
        optimiser_step(section, backward_pass(section, layers, records))
    elif options.training:
        published_backward(section, layers)
    return Program(tuple(section.compute), tuple(section.memory), footprint)


def write_output(section: Section, width: int, result: Result) -> None:
    """Write the last layer's output to main memory, after storing it if that has not been done."""
    elements = section.options.activations(width)
    tensor, *_ = result.tensors or (section.store("output", elements, TensorRole.INPUT, result.made_by),)
    section.write_back(tensor, elements, TensorRole.INPUT, result.made_by, "activation")


def footprint_elements(
    options: ProgramOptions, weights: int, activations: int, hidden: int
) -> tuple[tuple[str, int], ...]:
    """Elements of the weights, of the activations that a forward pass stores, and of the embedding table.

    Args:
        options: options of the program.
        weights, activations: elements of the weights that are loaded and of the activations that are stored.
        hidden: width of the first layer.
    """
    weights = weights // (1 if options.weights_once else options.batch)
    embedding = (options.vocabulary + options.length) * hidden
    return ("weights", weights), ("activations", activations), ("embeddings", embedding)
