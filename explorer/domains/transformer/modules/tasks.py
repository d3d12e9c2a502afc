"""Heads on an encoder: one for masked language modelling, one for classification or regression."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from explorer.domains.transformer.modules.encoder import DEVIATION, HeterogeneousEncoder
from explorer.toolkit.reading import refused
from graphdb.errors import InputError

IGNORED = -100
"""Label of a token that the loss ignores."""


class TaskOutput(NamedTuple):
    """Output of a task's module: `logits`, and the mean `loss` (a scalar) if labels were given."""

    logits: Tensor
    loss: Tensor | None


class LanguageModelHead(nn.Module):
    """Product, GELU, layer norm and the scores of all tokens, which share the weights of the word embeddings.

    This is the head of RoBERTa (Liu et al., 2019). Its product maps to the width of the word embeddings, so that they
    can be tied even if the last layer of a heterogeneous model is wider or narrower than the first.
    """

    def __init__(self, hidden: int, words: nn.Embedding) -> None:
        super().__init__()
        with torch.device("meta"):
            self.dense = nn.Linear(hidden, words.embedding_dim)
            self.norm = nn.LayerNorm(words.embedding_dim)
            self.bias = nn.Parameter(torch.empty(words.num_embeddings))

    def forward(self, hidden: Tensor, words: Tensor) -> Tensor:
        """The logits, (B, S, V), from hidden states (B, S, h) and word embeddings (V, h of the first layer)."""
        return nn.functional.linear(self.norm(nn.functional.gelu(self.dense(hidden))), words, self.bias)


class MaskedLanguageModel(nn.Module):
    """An encoder that predicts masked tokens.

    Args:
        encoder: encoder of the tokens; its generator also draws the initial weights of the head.
    """

    def __init__(self, encoder: HeterogeneousEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = language_model_head(encoder.pooler.in_features, encoder.words, encoder.generator)

    def forward(
        self, token_ids: Tensor, attention_mask: Tensor | None = None, labels: Tensor | None = None
    ) -> TaskOutput:
        """The logits, (B, S, V), for tokens of shape (B, S).

        Args:
            token_ids: integers from 0 to below the vocabulary.
            attention_mask: mask of shape (B, S), 0 or False at padding; None without padding.
            labels: masked tokens, (B, S), with -100 at all other positions; the loss is the mean cross-entropy in nats
                over the masked tokens, or 0 if there are none.

        Raises:
            InputError: the shapes do not fit, or the sequence is too long.
        """
        logits = self.head(self.encoder(token_ids, attention_mask), self.encoder.words.weight)
        return TaskOutput(logits, None if labels is None else masked_loss(logits, labels))


class SequenceClassifier(nn.Module):
    """An encoder that classifies sequences (or pairs of them), or scores them.

    The pooled state of the first token goes through dropout and one product, as in BERT (Devlin et al., 2019).

    Args:
        encoder: encoder of the tokens; its generator also serves the initial weights of the product, and dropout.
        labels: number of classes; 1 for regression with the mean squared error, as in STS-B.

    Raises:
        InputError: `labels` is below 1.
    """

    def __init__(self, encoder: HeterogeneousEncoder, labels: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.classifier = classifier_head(encoder.pooler.out_features, labels, encoder.generator)

    def forward(
        self, token_ids: Tensor, attention_mask: Tensor | None = None, labels: Tensor | None = None
    ) -> TaskOutput:
        """The logits, (B, labels), for tokens of shape (B, S).

        Args:
            token_ids: integers from 0 to below the vocabulary.
            attention_mask: mask of shape (B, S), 0 or False at padding; None without padding.
            labels: classes as integers, or numbers for regression, of shape (B,).

        Raises:
            InputError: the shapes do not fit, or the sequence is too long.
        """
        pooled = self.encoder.pool(self.encoder(token_ids, attention_mask))
        logits: Tensor = self.classifier(self.encoder.dropout(pooled))
        return TaskOutput(logits, None if labels is None else classification_loss(logits, labels))


def masked_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy in nats of logits (B, S, V) where `labels` (B, S) are not -100; 0 if all are."""
    total = nn.functional.cross_entropy(
        logits.flatten(0, 1).float(), labels.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    return total / (labels != IGNORED).sum().clamp(min=1)


def classification_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy in nats of logits (B, labels), or the mean squared error where there is one label."""
    if logits.shape[1] == 1:
        return nn.functional.mse_loss(logits[:, 0].float(), labels.float())
    return nn.functional.cross_entropy(logits.float(), labels)


def language_model_head(hidden: int, words: nn.Embedding, generator: torch.Generator) -> LanguageModelHead:
    """The head of a masked language model, with initial weights.

    Args:
        hidden: width of the hidden states.
        words: word embeddings, which the head shares.
        generator: random generator for the weights; the head is created on its device.
    """
    head = LanguageModelHead(hidden, words)
    initialise_head(head, generator)
    return head


def classifier_head(width: int, labels: int, generator: torch.Generator) -> nn.Linear:
    """The product of a classifier, with initial weights.

    Args:
        width: width of the pooled state.
        labels: number of classes; 1 for regression.
        generator: random generator for the weights; the product is created on its device.

    Raises:
        InputError: `labels` is below 1.
    """
    if labels < 1:
        raise InputError(refused("labels", labels, "1 (regression) or more"))
    with torch.device("meta"):
        head = nn.Linear(width, labels)
    initialise_head(head, generator)
    return head


@torch.no_grad()
def initialise_head(head: nn.Module, generator: torch.Generator) -> None:
    """Initialise the weights of a head like those of an encoder, on the device of `generator`."""
    head.to_empty(device=generator.device)
    for module in head.modules():
        if isinstance(module, nn.LayerNorm):
            module.weight.fill_(1)
            module.bias.zero_()
        elif isinstance(module, nn.Linear):
            module.weight.normal_(0, DEVIATION, generator=generator)
            if module.bias is not None:
                module.bias.zero_()
    if isinstance(head, LanguageModelHead):
        head.bias.zero_()
