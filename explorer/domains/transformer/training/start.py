"""Where a pre-training begins: the weights of a trained model of another design."""

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
    """What a model inherits.

    Attributes:
        encoder: with the weights to begin with.
        source: model dictionary of the trained model.
        ratio: share of the weights that were taken over, from 0 to 1.
    """

    encoder: HeterogeneousEncoder
    source: Choices
    ratio: float


def tokenizer_folder(folder: Path) -> str:
    """Where the tokenizer of a trained model is, for a model that is to begin with its weights."""
    read_description(folder)
    return str(folder / TOKENIZER if (folder / TOKENIZER).exists() else folder)


def transferred(folder: Path, model: Choices, tokens: int, config: TrainingConfig, rule: Rule) -> Start:
    """An encoder of `model` that begins with what a trained model can give it.

    Args:
        folder: of the trained model.
        model: the model dictionary.
        tokens: of the tokenizer that the training uses.
        config: of the training; its length of sequences and its seed count.
        rule: of weight transfer.

    Raises:
        InputError: no trained model, a damaged file, no such rule, or a tokenizer of another size than the trained
            model's, for which its word embeddings mean nothing.
    """
    source = read_description(folder)
    if tokens != source.vocabulary:
        raise InputError(
            f"The tokenizer has {tokens} tokens, the trained model of {folder} {source.vocabulary}; "
            "to take its weights over, train with its tokenizer."
        )
    given, _ = load_encoder(folder, torch.Generator())
    drawn = torch.Generator().manual_seed(derived_seed(config.seed, INITIAL))
    encoder = Description(model, tokens, config.sequence_length).encoder(drawn, config.dropout)
    projections = torch.Generator().manual_seed(derived_seed(config.seed, TRANSFER))
    inherited = transfer(given.state_dict(), source.model, encoder.state_dict(), model, rule, projections)
    encoder.load_state_dict(inherited.state)
    return Start(encoder, source.model, inherited.ratio)
