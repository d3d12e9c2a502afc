"""FlexiBERT models as transformers classes; importing this module registers them with `AutoModel` and its variants.

Their states have the same names as those of our own modules: `from_pretrained` reads a folder written by `explorer
pretrain` or `explorer finetune`, and `explorer finetune` reads one written by `save_pretrained`.
"""

# mypy does not see the types of transformers.
# mypy: disallow-subclassing-any=False, disallow-any-generics=False

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from explorer.domains.transformer.modules.encoder import DEVIATION, SPAN, HeterogeneousEncoder
from explorer.domains.transformer.modules.heads import WeightedMultiplicativeHead
from explorer.domains.transformer.modules.tasks import (
    classification_loss,
    classifier_head,
    language_model_head,
    masked_loss,
)
from explorer.domains.transformer.pretrained.configuration import MODEL_TYPE, FlexiBertConfig
from explorer.domains.transformer.training.extras import extra

transformers = extra("transformers")
outputs = extra("transformers.modeling_outputs")


class _FlexiBert(transformers.PreTrainedModel):  # type: ignore[name-defined]
    """Common base of the three classes."""

    config_class = FlexiBertConfig
    base_model_prefix = "encoder"

    def _init_weights(self, module: nn.Module) -> None:
        """Initialise weights that are missing from a file; `nn.init` does not touch those that were read."""
        if isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
        elif isinstance(module, WeightedMultiplicativeHead):
            nn.init.uniform_(module.weight, -SPAN, SPAN)
        elif isinstance(module, nn.Linear | nn.Conv1d | nn.Embedding):
            nn.init.normal_(module.weight, 0.0, DEVIATION)
        bias = getattr(module, "bias", None)
        if isinstance(bias, nn.Parameter):
            nn.init.zeros_(bias)


class FlexiBertModel(_FlexiBert):
    """An encoder without a task: the parts of `HeterogeneousEncoder`, with its methods."""

    maximum_positions: int
    words: nn.Embedding
    pooler: nn.Linear
    encode = HeterogeneousEncoder.forward
    pool = HeterogeneousEncoder.pool
    _present = HeterogeneousEncoder._present

    def __init__(self, config: FlexiBertConfig) -> None:
        super().__init__(config)
        encoder = _encoder(config)
        self.maximum_positions = encoder.maximum_positions
        for name, part in encoder.named_children():
            self.add_module(name, part)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """The table of word embeddings."""
        return self.words

    def set_input_embeddings(self, value: nn.Embedding) -> None:
        """Replace the table of word embeddings."""
        self.words = value

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """`last_hidden_state` (B, S, h) and `pooler_output` (B, h) for tokens (B, S).

        Args:
            input_ids: tokens.
            attention_mask: mask of shape (B, S), 0 at padding.
            token_type_ids: ignored, because a FlexiBERT model has only one type.
            return_dict: whether to return a dictionary; False for a tuple.
        """
        hidden = self.encode(input_ids, attention_mask)
        output = outputs.BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=self.pool(hidden))
        return output if _as_dictionary(self, return_dict) else output.to_tuple()


class FlexiBertForMaskedLM(_FlexiBert):
    """An encoder that predicts masked tokens."""

    def __init__(self, config: FlexiBertConfig) -> None:
        super().__init__(config)
        self.encoder = FlexiBertModel(config)
        self.head = language_model_head(self.encoder.pooler.in_features, self.encoder.words, _seeded())
        self.post_init()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """`logits` (B, S, V) for tokens (B, S), and `loss` if `labels` are given.

        Args:
            input_ids: tokens.
            attention_mask: mask of shape (B, S), 0 at padding.
            token_type_ids: ignored, because a FlexiBERT model has only one type.
            labels: masked tokens, (B, S), with -100 at all other positions.
            return_dict: whether to return a dictionary; False for a tuple.
        """
        logits = self.head(self.encoder.encode(input_ids, attention_mask), self.encoder.words.weight)
        loss = None if labels is None else masked_loss(logits, labels)
        output = outputs.MaskedLMOutput(loss=loss, logits=logits)
        return output if _as_dictionary(self, return_dict) else output.to_tuple()


class FlexiBertForSequenceClassification(_FlexiBert):
    """An encoder that sorts sequences into `config.num_labels` classes, or scores them if that is 1."""

    def __init__(self, config: FlexiBertConfig) -> None:
        super().__init__(config)
        self.encoder = FlexiBertModel(config)
        self.classifier = classifier_head(self.encoder.pooler.out_features, config.num_labels, _seeded())
        self.post_init()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """`logits` (B, labels) for tokens (B, S), and `loss` if `labels` are given.

        Args:
            input_ids: tokens.
            attention_mask: mask of shape (B, S), 0 at padding.
            token_type_ids: ignored, because a FlexiBERT model has only one type.
            labels: classes as integers, or numbers for regression, of shape (B,).
            return_dict: whether to return a dictionary; False for a tuple.
        """
        pooled = self.encoder.pool(self.encoder.encode(input_ids, attention_mask))
        logits = self.classifier(self.encoder.dropout(pooled))
        loss = None if labels is None else classification_loss(logits, labels)
        output = outputs.SequenceClassifierOutput(loss=loss, logits=logits)
        return output if _as_dictionary(self, return_dict) else output.to_tuple()


def _encoder(config: FlexiBertConfig) -> HeterogeneousEncoder:
    """An encoder with weights and dropout from PyTorch's global generators, as `transformers.set_seed` expects."""
    encoder = HeterogeneousEncoder(
        config.design,
        vocabulary=config.vocab_size,
        maximum_positions=config.max_position_embeddings,
        generator=_seeded(),
        dropout=float(config.hidden_dropout_prob),
    )
    encoder.dropout.generator = None
    return encoder


def _seeded() -> torch.Generator:
    seed = torch.empty((), dtype=torch.int64, device="cpu").random_().item()
    return torch.Generator().manual_seed(int(seed))


def _as_dictionary(model: _FlexiBert, return_dict: bool | None) -> bool:
    return bool(model.config.return_dict if return_dict is None else return_dict)


transformers.AutoConfig.register(MODEL_TYPE, FlexiBertConfig, exist_ok=True)
transformers.AutoModel.register(FlexiBertConfig, FlexiBertModel, exist_ok=True)
transformers.AutoModelForMaskedLM.register(FlexiBertConfig, FlexiBertForMaskedLM, exist_ok=True)
transformers.AutoModelForSequenceClassification.register(
    FlexiBertConfig, FlexiBertForSequenceClassification, exist_ok=True
)
