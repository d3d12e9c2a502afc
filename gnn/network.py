"""One member of an ensemble: an encoder per role, and a head that says mean and variance of every measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from gnn.data import Vocabulary
from gnn.encoder import GraphEncoder
from gnn.structure import structural_names
from graphdb.errors import InputError

MAXIMUM_DEPTH = 12  # of a tree: it has room for 2**depth leaves
_LOWEST, _HIGHEST = -8.0, 4.0  # of the logarithm of the variance of a standardised measure


@dataclass(frozen=True)
class SurrogateSettings:
    """Sizes and training of a surrogate.

    Attributes:
        members: networks in the ensemble.
        hidden: width of the messages.
        rounds: of message passing.
        embedding: width of the embedding of a graph.
        steps: of the optimiser, per member, at most.
        epochs: passes over the data, at most; keeps training on a handful of designs short.
        batch_size: designs per step.
        learning_rate: highest rate of the one-cycle schedule.
        weight_decay: of AdamW.
        structural_weight: of the structural targets in the loss, against 1 for the measures.
        trees: per ensemble of boosted trees, of which a surrogate has ten beside the networks; 0 for networks alone.
        tree_depth: decisions from the root of a tree to a leaf.
        tree_rate: share of the residuals that a tree takes away.
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
        """As JSON."""
        return asdict(self)


class Member(nn.Module):
    """Encoders, one per role, whose embeddings are joined, and the heads on them.

    Args:
        vocabularies: role -> how its graphs are written.
        typical_sizes: role -> average number of blocks.
        measures: how many are predicted; may be 0.
        settings: sizes.
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

    def embed(self, role: str, data: Data) -> Tensor:
        """Embeddings of shape `(graphs, embedding)`."""
        embedding: Tensor = self.encoders[self.roles.index(role)](data)
        return embedding

    def measure(self, embeddings: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance, each `(n, measures)`, from one `(n, embedding)` per role, in order."""
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
    """Members with random weights; the global random state is left as it was.

    Args:
        vocabularies: role -> how its graphs are written.
        typical_sizes: role -> average number of blocks.
        measures: how many are predicted; may be 0.
        settings: sizes.
        seeds: one per member.
    """
    members = []
    for seed in seeds:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # layers draw their first weights from the global state
            members.append(Member(vocabularies, typical_sizes, measures, settings))
    return members
