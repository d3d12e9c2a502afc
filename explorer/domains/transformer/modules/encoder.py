"""`HeterogeneousEncoder`: a PyTorch module for any FlexiBERT 2.0 model dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from explorer.contracts.space import Choices
from explorer.domains.transformer.model import Layer, layers_of, model_violations
from explorer.domains.transformer.modules.feed_forward import FeedForward
from explorer.domains.transformer.modules.heads import Dropout, MixedAttention, Prune, WeightedMultiplicativeHead
from explorer.toolkit.reading import refused
from graphdb.errors import InputError

DEVIATION = 0.02
"""Standard deviation of initial weights, as in BERT."""
SPAN = 0.1
"""Initial weights of `sa_wma` are uniform in [-SPAN, SPAN], as published."""


class EncoderLayer(nn.Module):
    """Heads and feed-forward stack, each with residual and layer norm, and a projection if the next width differs."""

    def __init__(self, layer: Layer, next_hidden: int, maximum_positions: int, dropout: Dropout) -> None:
        super().__init__()
        self.attention = MixedAttention(layer, maximum_positions, dropout)
        self.attention_norm = nn.LayerNorm(layer.hidden)
        self.feed_forward = FeedForward(layer)
        self.feed_forward_norm = nn.LayerNorm(layer.hidden)
        self.projection = nn.Linear(layer.hidden, next_hidden) if next_hidden != layer.hidden else nn.Identity()
        self.dropout = dropout

    def forward(self, hidden: Tensor, present: Tensor, prune: Prune | None = None) -> Tensor:
        """The hidden states, of shape (B, S, h of the next layer).

        Args:
            hidden: hidden states of shape (B, S, h).
            present: mask of shape (B, S) or (B, S, S), as for `MixedAttention`.
            prune: as for `HeterogeneousEncoder`.
        """
        hidden = self.attention_norm(hidden + self.dropout(self.attention(hidden, present, prune)))
        hidden = self.feed_forward_norm(hidden + self.dropout(self.feed_forward(hidden, prune)))
        projected: Tensor = self.projection(hidden)
        return projected


class HeterogeneousEncoder(nn.Module):
    """Embeddings, encoder layers and pooler of a model dictionary (`l`, `o`, `h`, `f`).

    It has as many parameters as `parameter_count` returns. As in the published model, only relative positions are used:
    the table of absolute positions exists and is counted, but is not read (source: the heterogeneous FlexiBERT model
    of txf_design-space).

    Args:
        model: the model dictionary.
        vocabulary: number of tokens.
        maximum_positions: longest sequence.
        generator: random generator for initial weights and dropout; the module is created on its device.
        dropout: share of embeddings, probabilities and outputs that training sets to zero, from 0 to below 1.

    Raises:
        InputError: the model dictionary is illegal, or a number is out of range.
    """

    def __init__(
        self,
        model: Choices,
        *,
        vocabulary: int,
        maximum_positions: int,
        generator: torch.Generator,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        _check(model, vocabulary, maximum_positions, dropout)
        layers = layers_of(model)
        widths = [layer.hidden for layer in layers]
        self.maximum_positions = maximum_positions
        self.generator = generator
        self.dropout = Dropout(dropout, generator)
        # Created without storage first, so that PyTorch's own initialisation draws nothing from its global generator.
        with torch.device("meta"):
            self.words = nn.Embedding(vocabulary, widths[0])
            self.positions = nn.Embedding(maximum_positions, widths[0])
            self.token_types = nn.Embedding(1, widths[0])
            self.embedding_norm = nn.LayerNorm(widths[0])
            self.layers = nn.ModuleList(
                EncoderLayer(layer, following, maximum_positions, self.dropout)
                for layer, (_, following) in zip(layers, pairwise([*widths, widths[-1]]), strict=True)
            )
            self.pooler = nn.Linear(widths[-1], widths[-1])
        self.to_empty(device=generator.device)
        _initialise(self, generator)

    def forward(self, token_ids: Tensor, attention_mask: Tensor | None = None, prune: Prune | None = None) -> Tensor:
        """The hidden states, of shape (B, S, h of the last layer), for tokens of shape (B, S).

        Args:
            token_ids: integers from 0 to below the vocabulary.
            attention_mask: mask of shape (B, S), 0 or False at padding; None without padding. Self-attention and
                convolution heads give the same results with and without padding; a transform spans the padded length.
                Also of shape (B, S, S) or (B, 1, S, S), with 0 or False where the position of the row may not attend to
                that of the column; transforms and convolutions see every position that any other may attend to.
            prune: called with the role of every activation that DynaTran prunes, and the activation; the model
                continues with the returned value. Scores are passed before padding is masked.

        Raises:
            InputError: the shapes do not fit, or the sequence is too long.
        """
        present = self.present(token_ids.shape, attention_mask, token_ids.device)
        hidden = self.embed(self.words(token_ids))
        for layer in self.layers:
            hidden = layer(hidden, present, prune)
        return hidden

    def embed(self, words: Tensor) -> Tensor:
        """The input of the first layer, (B, S, h), from word embeddings of the same shape."""
        embedded: Tensor = self.dropout(self.embedding_norm(words + self.token_types.weight[0]))
        return embedded

    def pool(self, hidden: Tensor) -> Tensor:
        """The input of a classifier, (B, h): the hidden state of the first token after the pooler and tanh."""
        pooled: Tensor = self.pooler(hidden[:, 0])
        return pooled.tanh()

    def present(self, shape: Sequence[int], attention_mask: Tensor | None, device: torch.device) -> Tensor:
        """The attention mask as booleans, of shape (B, S) or (B, S, S).

        Args:
            shape: shape (B, S) of the tokens.
            attention_mask: as for `forward`.
            device: device of a mask that is not given.

        Raises:
            InputError: the shapes do not fit, the sequence is too long, or the mask is to be added to scores.
        """
        shape = tuple(shape)
        if len(shape) != 2 or not 1 <= shape[1] <= self.maximum_positions:
            raise InputError(
                f"The tokens have the shape {shape}; allowed: (B, S), S from 1 to {self.maximum_positions}."
            )
        if attention_mask is None:
            return torch.ones(shape, dtype=torch.bool, device=device)
        batch, length = shape
        allowed = [shape, (batch, length, length), (batch, 1, length, length)]
        if attention_mask.shape not in allowed:
            raise InputError(f"The attention mask has the shape {tuple(attention_mask.shape)}; allowed: {allowed}.")
        if attention_mask.dim() == 4:
            if attention_mask.is_floating_point():  # transformers adds such a mask to the scores
                raise InputError(
                    f"The attention mask of four dimensions is of the type {attention_mask.dtype}; allowed: booleans "
                    "or whole numbers, as transforms and convolutions have no scores to which numbers could be added."
                )
            attention_mask = attention_mask[:, 0]
        return attention_mask.bool()


def _check(model: Choices, vocabulary: int, maximum_positions: int, dropout: float) -> None:
    violations = model_violations(model)
    if vocabulary < 1:
        violations.append(refused("vocabulary", vocabulary, "1 or more"))
    if maximum_positions < 1:
        violations.append(refused("maximum_positions", maximum_positions, "1 or more"))
    if not 0 <= dropout < 1:
        violations.append(refused("dropout", dropout, "0 to below 1"))
    if violations:
        raise InputError(violations[0])


@torch.no_grad()
def _initialise(encoder: nn.Module, generator: torch.Generator) -> None:
    for module in encoder.modules():
        if isinstance(module, nn.LayerNorm):
            module.weight.fill_(1)
            module.bias.zero_()
        elif isinstance(module, WeightedMultiplicativeHead):
            module.weight.uniform_(-SPAN, SPAN, generator=generator)
        elif isinstance(module, nn.Linear | nn.Conv1d | nn.Embedding):
            module.weight.normal_(0, DEVIATION, generator=generator)
            if not isinstance(module, nn.Embedding) and module.bias is not None:
                module.bias.zero_()
