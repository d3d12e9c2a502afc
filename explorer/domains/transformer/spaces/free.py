"""`FreeTransformerSpace`: encoders and decoders of any size, given as a model dictionary."""

from __future__ import annotations

from explorer.contracts.space import Choices
from explorer.domains.transformer.decoder.graph import decoder_graph
from explorer.domains.transformer.decoder.model import decoder_of
from explorer.domains.transformer.decoder.options import canonical, decoder_violations
from explorer.domains.transformer.graph import block_graph
from explorer.domains.transformer.model import choices_of, is_decoder, layers_of, model_violations
from explorer.domains.transformer.standard import from_standard, is_standard, standard_violations
from explorer.toolkit.open_space import OpenSpace
from graphdb.architecture import Architecture


class FreeTransformerSpace(OpenSpace):
    """Encoders of any size, such as BERT-Nano: any widths, known head types, one head width per layer.

    A dictionary with the key `decoder` (see `decoder.options`) is a decoder, such as Llama or GPT-2.
    """

    name = "transformer_free"
    domain = "transformer"

    def violations(self, choices: Choices) -> list[str]:
        """The reasons why `choices`, which may be any JSON value, are illegal in the form of FlexiBERT 2.0 or 1."""
        if is_decoder(choices):
            return decoder_violations(choices)
        if not is_standard(choices):
            return model_violations(choices)
        return standard_violations(choices) or model_violations(from_standard(choices))

    def normalise(self, choices: Choices) -> Choices:
        """The dictionary of FlexiBERT 2.0, with heads in the given order, which simulators follow."""
        if is_decoder(choices):
            return canonical(choices)
        return choices_of(layers_of(from_standard(choices) if is_standard(choices) else choices))

    def graph_of(self, choices: Choices) -> Architecture:
        """The block graph."""
        graph = decoder_graph(decoder_of(choices)) if is_decoder(choices) else block_graph(layers_of(choices))
        return Architecture.of(self.domain, self.name, choices, *graph)
