"""FlexiBERT models as transformers classes; importing this module registers them with `AutoModel` and its variants.

Their states have the same names as those of our own modules: `from_pretrained` reads a folder written by `explorer
pretrain` or `explorer finetune`, and `explorer finetune` reads one written by `save_pretrained`.
"""

# mypy does not see the types of transformers.
# mypy: disallow-subclassing-any=False, disallow-any-generics=False

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from explorer.domains.transformer.modules.encoder import DEVIATION, SPAN, HeterogeneousEncoder
from explorer.domains.transformer.modules.heads import WeightedMultiplicativeHead
from explorer.domains.transformer.modules.tasks import (
    LanguageModelHead,
    classifier_head,
    initialise_head,
    masked_loss,
)
from explorer.domains.transformer.pretrained.configuration import MODEL_TYPE, FlexiBertConfig
from explorer.domains.transformer.training.extras import extra
from graphdb.errors import InputError

transformers = extra("transformers")
outputs = extra("transformers.modeling_outputs")


class _FlexiBert(transformers.PreTrainedModel):  # type: ignore[name-defined]
    """Common base of the three classes."""

    config_class = FlexiBertConfig
    base_model_prefix = "encoder"
    supports_gradient_checkpointing = True
    _input_embed_layer = "words"
    _no_split_modules: ClassVar[list[str]] = ["EncoderLayer"]

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
    layers: nn.ModuleList
    pooler: nn.Linear
    embed = HeterogeneousEncoder.embed
    pool = HeterogeneousEncoder.pool
    present = HeterogeneousEncoder.present

    def __init__(self, config: FlexiBertConfig) -> None:
        super().__init__(config)
        encoder = _encoder(config)
        self.gradient_checkpointing = False
        self.maximum_positions = encoder.maximum_positions
        for name, part in encoder.named_children():
            self.add_module(name, part)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """`last_hidden_state` (B, S, h) and `pooler_output` (B, h) for tokens (B, S).

        Args:
            input_ids: tokens; None if `inputs_embeds` are given.
            attention_mask: mask of shape (B, S), 0 at padding; or (B, S, S) or (B, 1, S, S), as for
                `HeterogeneousEncoder`.
            token_type_ids: ignored, because a FlexiBERT model has only one type.
            inputs_embeds: word embeddings (B, S, h of the first layer) instead of tokens.
            output_attentions: whether to return the probabilities by which the heads of each layer weigh the values,
                (B, heads of the layer, S, S). What transforms and convolutions add to the weighted values has none.
            output_hidden_states: whether to return the input of the first layer and the output of every layer, each of
                the width of the layer after it.
            return_dict: whether to return a dictionary; False for a tuple.

        Raises:
            InputError: both or neither of `input_ids` and `inputs_embeds` are given, or the shapes do not fit.
        """
        words = self._words(input_ids, inputs_embeds)
        present = self.present(words.shape[:2], attention_mask, words.device)
        probabilities: list[Tensor] = []

        def kept(role: str, activation: Tensor) -> Tensor:
            if role == "probabilities":
                probabilities.append(activation)
            return activation

        record = kept if _chosen(self, "output_attentions", output_attentions) else None
        states = [self.embed(words)]
        for layer in self.layers:
            if self.gradient_checkpointing and self.training:
                states.append(self._gradient_checkpointing_func(layer.__call__, states[-1], present, record))
            else:
                states.append(layer(states[-1], present, record))
        output = outputs.BaseModelOutputWithPooling(
            last_hidden_state=states[-1],
            pooler_output=self.pool(states[-1]),
            hidden_states=tuple(states) if _chosen(self, "output_hidden_states", output_hidden_states) else None,
            attentions=tuple(probabilities) if record is not None else None,
        )
        return output if _chosen(self, "return_dict", return_dict) else output.to_tuple()

    def _words(self, input_ids: Tensor | None, inputs_embeds: Tensor | None) -> Tensor:
        """The word embeddings, (B, S, h of the first layer)."""
        if (input_ids is None) == (inputs_embeds is None):
            raise InputError("Either input_ids or inputs_embeds is needed, but not both.")
        if input_ids is not None:
            self.present(input_ids.shape, None, input_ids.device)  # refuses a wrong shape before the look-up
            words: Tensor = self.words(input_ids)
            return words
        assert inputs_embeds is not None
        width = self.words.embedding_dim
        if inputs_embeds.dim() != 3 or inputs_embeds.shape[2] != width:
            raise InputError(f"inputs_embeds has the shape {tuple(inputs_embeds.shape)}; allowed: (B, S, {width}).")
        return inputs_embeds


class _LanguageModelHead(LanguageModelHead):
    """The head of a language model with its last product as a module, whose weights transformers ties and resizes."""

    def __init__(self, hidden: int, words: nn.Embedding) -> None:
        super().__init__(hidden, words)
        with torch.device("meta"):
            self.decoder = nn.Linear(words.embedding_dim, words.num_embeddings, bias=False)


class FlexiBertForMaskedLM(_FlexiBert):
    """An encoder that predicts masked tokens.

    The product of its head shares the word embeddings, unless `config.tie_word_embeddings` is False.
    """

    _tied_weights_keys: ClassVar[dict[str, str]] = {"head.decoder.weight": "encoder.words.weight"}

    def __init__(self, config: FlexiBertConfig) -> None:
        super().__init__(config)
        self.encoder = FlexiBertModel(config)
        self.head = _LanguageModelHead(self.encoder.pooler.in_features, self.encoder.words)
        initialise_head(self.head, _seeded())
        self.post_init()

    def get_output_embeddings(self) -> nn.Linear:
        """The last product of the head, without its bias."""
        return self.head.decoder

    def set_output_embeddings(self, new_embeddings: nn.Linear) -> None:
        """Replace the last product of the head; if it has a bias, the head takes that over."""
        self.head.decoder = new_embeddings
        if new_embeddings.bias is not None:
            self.head.bias = new_embeddings.bias
            new_embeddings.register_parameter("bias", None)

    def resize_token_embeddings(
        self, new_num_tokens: int | None = None, pad_to_multiple_of: int | None = None, mean_resizing: bool = True
    ) -> nn.Embedding:
        """Change the number of tokens, also of the head; its bias is 0 for new tokens.

        Args:
            new_num_tokens: number of tokens; None for the present one.
            pad_to_multiple_of: number of which the number of tokens becomes a multiple.
            mean_resizing: whether new embeddings are drawn around the mean of the present ones.

        Returns:
            The word embeddings.
        """
        words: nn.Embedding = super().resize_token_embeddings(new_num_tokens, pad_to_multiple_of, mean_resizing)
        bias, missing = self.head.bias, words.num_embeddings - len(self.head.bias)
        if missing:
            self.head.bias = nn.Parameter(nn.functional.pad(bias.data, (0, missing)), bias.requires_grad)
        return words

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """`logits` (B, S, V) for tokens (B, S), and `loss` if `labels` are given.

        Args:
            input_ids, attention_mask, token_type_ids, inputs_embeds: as for `FlexiBertModel`.
            labels: masked tokens, (B, S), with -100 at all other positions.
            output_attentions, output_hidden_states: as for `FlexiBertModel`.
            return_dict: whether to return a dictionary; False for a tuple.
        """
        encoded = self.encoder(
            input_ids,
            attention_mask,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=True,
        )
        logits = self.head(encoded.last_hidden_state, self.head.decoder.weight)
        loss = None if labels is None else masked_loss(logits, labels)
        output = outputs.MaskedLMOutput(
            loss=loss, logits=logits, hidden_states=encoded.hidden_states, attentions=encoded.attentions
        )
        return output if _chosen(self, "return_dict", return_dict) else output.to_tuple()


class FlexiBertForSequenceClassification(_FlexiBert):
    """An encoder that sorts sequences into `config.num_labels` classes, or scores them if that is 1."""

    def __init__(self, config: FlexiBertConfig) -> None:
        super().__init__(config)
        self.num_labels = config.num_labels
        self.encoder = FlexiBertModel(config)
        self.classifier = classifier_head(self.encoder.pooler.out_features, config.num_labels, _seeded())
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """`logits` (B, labels) for tokens (B, S), and `loss` if `labels` are given.

        Args:
            input_ids, attention_mask, token_type_ids, inputs_embeds: as for `FlexiBertModel`.
            labels: classes as integers, or numbers for regression, of shape (B,); of shape (B, labels) for regression
                of several numbers, or for 0 and 1 at each of several classes. `config.problem_type` says which; if it
                is None, the first labels decide, and it is set.
            output_attentions, output_hidden_states: as for `FlexiBertModel`.
            return_dict: whether to return a dictionary; False for a tuple.
        """
        encoded = self.encoder(
            input_ids,
            attention_mask,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=True,
        )
        logits = self.classifier(self.encoder.dropout(encoded.pooler_output))
        loss = None if labels is None else self._loss(logits, labels)
        output = outputs.SequenceClassifierOutput(
            loss=loss, logits=logits, hidden_states=encoded.hidden_states, attentions=encoded.attentions
        )
        return output if _chosen(self, "return_dict", return_dict) else output.to_tuple()

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        if self.config.problem_type is None:
            whole = not labels.is_floating_point()
            several = "single_label_classification" if whole else "multi_label_classification"
            self.config.problem_type = "regression" if logits.shape[1] == 1 else several
        if self.config.problem_type == "single_label_classification":
            return nn.functional.cross_entropy(logits.float(), labels.flatten())
        if self.config.problem_type == "multi_label_classification":
            return nn.functional.binary_cross_entropy_with_logits(logits.float(), labels.float())
        return nn.functional.mse_loss(logits.float(), labels.float().reshape(logits.shape))


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


def _chosen(model: _FlexiBert, name: str, given: bool | None) -> bool:
    """A choice of the caller, or else of the configuration."""
    return bool(getattr(model.config, name) if given is None else given)


transformers.AutoConfig.register(MODEL_TYPE, FlexiBertConfig, exist_ok=True)
transformers.AutoModel.register(FlexiBertConfig, FlexiBertModel, exist_ok=True)
transformers.AutoModelForTextEncoding.register(FlexiBertConfig, FlexiBertModel, exist_ok=True)
transformers.AutoModelForMaskedLM.register(FlexiBertConfig, FlexiBertForMaskedLM, exist_ok=True)
transformers.AutoModelForPreTraining.register(FlexiBertConfig, FlexiBertForMaskedLM, exist_ok=True)
transformers.AutoModelForSequenceClassification.register(
    FlexiBertConfig, FlexiBertForSequenceClassification, exist_ok=True
)
