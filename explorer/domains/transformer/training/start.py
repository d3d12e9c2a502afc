"""Initial weights of a pre-training, from a trained model of another design."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from explorer.contracts.space import Choices
from explorer.domains.transformer.modules.encoder import HeterogeneousEncoder
from explorer.domains.transformer.rules import Rule
from explorer.domains.transformer.training.config import TrainingConfig
from explorer.domains.transformer.training.order import INITIAL, TRANSFER, derived_seed
from explorer.domains.transformer.training.saved import TOKENIZER, Description, load_encoder, read_description
from explorer.domains.transformer.transfer import transfer
from graphdb.errors import InputError


@dataclass(frozen=True)
class Start:
    """The inheritance of a model.

    Attributes:
        encoder: encoder with the initial weights.
        source: model dictionary of the trained model.
        ratio: share of the weights that were inherited, from 0 to 1.
    """

    encoder: HeterogeneousEncoder
    source: Choices
    ratio: float


def tokenizer_folder(folder: Path) -> str:
    """Folder of a trained model's tokenizer, for a model that is to inherit its weights."""
    read_description(folder)
    return str(folder / TOKENIZER if (folder / TOKENIZER).exists() else folder)


def transferred(folder: Path, model: Choices, tokens: int, config: TrainingConfig, rule: Rule) -> Start:
    """An encoder of `model` with the weights that it can inherit from a trained model.

    Args:
        folder: folder of the trained model.
        model: the model dictionary.
        tokens: number of tokens of the training's tokenizer.
        config: configuration of the training, whose sequence length and seed are used.
        rule: rule of weight transfer.

    Raises:
        InputError: there is no trained model, a file is damaged, the rule is unknown, or the tokenizer differs in size
            from that of the trained model, so that its word embeddings are meaningless.
    """
    source = read_description(folder)
    if tokens != source.vocabulary:
        raise InputError(
            f"The tokenizer has {tokens} tokens, the trained model of {folder} {source.vocabulary}; "
            "to inherit its weights, train with its tokenizer."
        )
    given, _ = load_encoder(folder, torch.Generator())
    drawn = torch.Generator().manual_seed(derived_seed(config.seed, INITIAL))
    encoder = Description(model, tokens, config.sequence_length).encoder(drawn, config.dropout)
    projections = torch.Generator().manual_seed(derived_seed(config.seed, TRANSFER))
    inherited = transfer(given.state_dict(), source.model, encoder.state_dict(), model, rule, projections)
    encoder.load_state_dict(inherited.state)
    return Start(encoder, source.model, inherited.ratio)
