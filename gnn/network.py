"""A member of an ensemble: an encoder per role, and a head that predicts mean and variance of every measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from gnn.data import GraphBatch, Vocabulary
from gnn.encoder import GraphEncoder
from gnn.structure import structural_names
from graphdb.errors import InputError

MAXIMUM_DEPTH = 12  # of a tree, which has room for 2**depth leaves
_LOWEST, _HIGHEST = -8.0, 4.0  # limits on the logarithm of the variance of a standardised measure


@dataclass(frozen=True)
class SurrogateSettings:
    """Sizes and training of a surrogate.

    Attributes:
        members: the number of networks in the ensemble.
        hidden: the width of the messages.
        rounds: the number of rounds of message passing.
        embedding: the width of a graph's embedding.
        steps: the most steps of the optimiser per member.
        epochs: the most passes over the data; keeps training on a handful of designs short.
        batch_size: the number of designs per step.
        learning_rate: the highest rate of the one-cycle schedule.
        weight_decay: the weight decay of AdamW.
        structural_weight: the weight of the structural targets in the loss, against 1 for the measures.
        trees: the number of trees in each of the ten ensembles of boosted trees; 0 for networks alone.
        tree_depth: the number of decisions from the root of a tree to a leaf.
        tree_rate: the share of the residuals that each tree removes.
    """

    members: int = 4
    hidden: int = 32
    rounds: int = 4
    embedding: int = 32
    steps: int = 600
    epochs: int = 100
    batch_size: int = 32
    learning_rate: float = 1e-2
    weight_decay: float = 1e-3
    structural_weight: float = 0.1
    trees: int = 200
    tree_depth: int = 5
    tree_rate: float = 0.04

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            whole = field.type == "int"
            if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
                raise InputError(f"The surrogate setting {field.name} is {value!r}; it must be a number.")
            lowest, highest = (0 if field.name == "trees" else 1, 1_000_000) if whole else (0, 100)
            if field.name == "tree_depth":
                highest = MAXIMUM_DEPTH
            if not lowest <= value <= highest:
                raise InputError(
                    f"The surrogate setting {field.name} is {value}; it must lie in [{lowest}, {highest}]."
                )

    def to_json(self) -> dict[str, Any]:
        """The settings as JSON."""
        return asdict(self)


class Member(nn.Module):
    """One encoder per role, and heads on their joined embeddings.

    Args:
        vocabularies: role -> the vocabulary of its graphs.
        typical_sizes: role -> average number of blocks.
        measures: the number of predicted measures; may be 0.
        settings: the sizes.
    """

    def __init__(
        self,
        vocabularies: Mapping[str, Vocabulary],
        typical_sizes: Mapping[str, float],
        measures: int,
        settings: SurrogateSettings,
    ) -> None:
        super().__init__()
        self.roles = tuple(vocabularies)
        self.measures = measures
        self.encoders = nn.ModuleList(
            GraphEncoder(
                vocabulary.node_width,
                vocabulary.edge_width,
                typical_sizes[role],
                settings.hidden,
                settings.rounds,
                settings.embedding,
            )
            for role, vocabulary in vocabularies.items()
        )
        self.structure = nn.ModuleList(
            nn.Linear(settings.embedding, len(structural_names(vocabulary))) for vocabulary in vocabularies.values()
        )
        self.head = nn.Sequential(
            nn.ReLU(),
            nn.Linear(len(self.roles) * settings.embedding, settings.hidden),
            nn.ReLU(),
            nn.Linear(settings.hidden, 2 * measures) if measures else nn.Identity(),
        )

    def embed(self, role: str, data: Data | GraphBatch) -> Tensor:
        """The embeddings of the graphs, shape `(graphs, embedding)`."""
        embedding: Tensor = self.encoders[self.roles.index(role)](data)
        return embedding

    def measure(self, embeddings: list[Tensor]) -> tuple[Tensor, Tensor]:
        """The mean and log variance, each `(n, measures)`, from one `(n, embedding)` per role, in order."""
        if not self.measures:
            nothing = embeddings[0].new_zeros(len(embeddings[0]), 0)
            return nothing, nothing
        mean, log_variance = self.head(torch.cat(embeddings, dim=1)).chunk(2, dim=1)
        return mean, log_variance.clamp(_LOWEST, _HIGHEST)

    def structural(self, role: str, embedding: Tensor) -> Tensor:
        """Standardised structural targets, shape `(graphs, targets)`."""
        values: Tensor = self.structure[self.roles.index(role)](embedding)
        return values


def build_members(
    vocabularies: Mapping[str, Vocabulary],
    typical_sizes: Mapping[str, float],
    measures: int,
    settings: SurrogateSettings,
    seeds: list[int],
) -> list[Member]:
    """Builds members with random weights; the global random state is left unchanged.

    Args:
        vocabularies: role -> the vocabulary of its graphs.
        typical_sizes: role -> average number of blocks.
        measures: the number of predicted measures; may be 0.
        settings: the sizes.
        seeds: one seed per member.
    """
    members = []
    for seed in seeds:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # layers draw their initial weights from the global state
            members.append(Member(vocabularies, typical_sizes, measures, settings))
    return members
