"""`FreeTransformerSpace`: encoders of any size, given as a model dictionary."""

from __future__ import annotations

from explorer.contracts.space import Choices
from explorer.domains.transformer.graph import block_graph
from explorer.domains.transformer.model import choices_of, layers_of, model_violations
from explorer.domains.transformer.standard import from_standard, is_standard, standard_violations
from explorer.toolkit.open_space import OpenSpace
from graphdb.architecture import Architecture


class FreeTransformerSpace(OpenSpace):
    """Encoders of any size, such as BERT-Nano: any widths, known head types, one head width per layer."""

    name = "transformer_free"
    domain = "transformer"

    def violations(self, choices: Choices) -> list[str]:
        """The reasons why `choices`, which may be any JSON value, are illegal in the form of FlexiBERT 2.0 or 1."""
        if not is_standard(choices):
            return model_violations(choices)
        return standard_violations(choices) or model_violations(from_standard(choices))

    def normalise(self, choices: Choices) -> Choices:
        """The dictionary of FlexiBERT 2.0, with heads in the order of the types."""
        return choices_of(layers_of(from_standard(choices) if is_standard(choices) else choices))

    def graph_of(self, choices: Choices) -> Architecture:
        """The block graph."""
        return Architecture.of(self.domain, self.name, choices, *block_graph(layers_of(choices)))
