"""The networks and trees of a fitted surrogate, and their application to designs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gnn.bagging import BaggedTrees
from gnn.blending import Estimate, blended, by_measure, ensemble
from gnn.data import GraphSet, Vocabulary
from gnn.network import Member
from gnn.profile import Profile
from gnn.projection import Projection
from gnn.scaling import Prediction, Scaling
from gnn.training import steady
from graphdb.architecture import Architecture

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

_ENCODED_AT_ONCE = 2048  # graphs; limits the memory


@dataclass(frozen=True)
class Designs:
    """n designs with an architecture per role each; every architecture is kept once.

    Attributes:
        distinct: role -> its architectures without repetitions.
        index: role -> the index of each design's architecture, shape `(n,)`.
    """

    distinct: Mapping[str, Sequence[Architecture]]
    index: Mapping[str, Indices]

    @classmethod
    def of(cls, by_role: Mapping[str, Sequence[Architecture]]) -> Designs:
        """The designs with these architectures, n for each role."""
        parts = {role: _numbered(architectures) for role, architectures in by_role.items()}
        return cls({role: part[0] for role, part in parts.items()}, {role: part[1] for role, part in parts.items()})

    def __len__(self) -> int:
        return max(len(index) for index in self.index.values())

    def profiled(self, profiles: Mapping[str, Profile]) -> Array:
        """The profiles of all roles side by side, shape `(n, columns)`; no columns without profiles."""
        parts = [profile.rows(self.distinct[role])[self.index[role]] for role, profile in profiles.items()]
        return np.concatenate([np.zeros((len(self), 0)), *parts], axis=1)


@dataclass(frozen=True)
class Fitted:
    """The networks and trees of a fitted surrogate, with everything that they need.

    Attributes:
        vocabularies: role -> the vocabulary of its graphs.
        typical_sizes: role -> average number of blocks.
        scalings: one per measure.
        members: the networks.
        projections: role -> the projection of the joined embeddings of all members to one embedding.
        profiles: role -> the columns that the trees use; empty without trees.
        trees: one per measure; None for networks alone.
    """

    vocabularies: Mapping[str, Vocabulary]
    typical_sizes: Mapping[str, float]
    scalings: tuple[Scaling, ...]
    members: list[Member]
    projections: Mapping[str, Projection]
    profiles: Mapping[str, Profile]
    trees: tuple[BaggedTrees | None, ...]

    def predict(self, designs: Designs, device: torch.device) -> Prediction:
        """The mean and uncertainty of every measure of n designs, each `(n, measures)`."""
        with steady(device):
            graphs = {
                role: GraphSet(self.vocabularies[role], distinct, device) for role, distinct in designs.distinct.items()
            }
            mean, log_variance = outputs(self.members, graphs, designs.index)
        rows = designs.profiled(self.profiles)
        estimates = [
            blended(network, trees.predict(rows), trees.weight) if trees else network
            for network, trees in zip(by_measure(ensemble(mean, np.exp(log_variance))), self.trees, strict=True)
        ]
        return self._in_units(estimates, mean.shape[1])

    def _in_units(self, estimates: Sequence[Estimate], size: int) -> Prediction:
        scaled = list(zip(self.scalings, estimates, strict=True))
        means = [scaling.mean_back(estimate.mean) for scaling, estimate in scaled]
        return Prediction(
            tuple(scaling.name for scaling in self.scalings),
            columns(means, size),
            columns([s.std_back(e.aleatoric, m) for (s, e), m in zip(scaled, means, strict=True)], size),
            columns([s.std_back(e.epistemic, m) for (s, e), m in zip(scaled, means, strict=True)], size),
            np.array([scaling.logarithmic for scaling in self.scalings], dtype=np.bool_),
        )

    def embed(self, role: str, architectures: Sequence[Architecture], device: torch.device) -> NDArray[np.float32]:
        """The embeddings of n architectures, shape `(n, embedding)`.

        Args:
            role: the role that they play.
            architectures: at least one architecture.
            device: the device of the networks.
        """
        distinct, index = _numbered(architectures)
        with steady(device):
            joined = joined_embeddings(self.members, role, GraphSet(self.vocabularies[role], distinct, device))
        return self.projections[role].apply(joined)[index]


def joined_embeddings(members: Sequence[Member], role: str, graphs: GraphSet) -> Array:
    """The embeddings by all members side by side, shape `(graphs, members * embedding)`.

    Args:
        members: the networks.
        role: the role that the graphs play.
        graphs: the graphs, on the device of the networks.
    """
    parts = np.array_split(np.arange(len(graphs)), max(1, -(-len(graphs) // _ENCODED_AT_ONCE)))
    with torch.no_grad():
        batches = graphs.batches(parts)
        rows = [torch.cat([member.embed(role, batch) for member in members], dim=1) for batch in batches]
        return torch.cat(rows).cpu().numpy().astype(np.float64)


def outputs(
    members: Sequence[Member], graphs: Mapping[str, GraphSet], index: Mapping[str, Indices]
) -> tuple[Array, Array]:
    """The standardised mean and the logarithm of the variance by every member, each `(members, n, measures)`.

    Args:
        members: the networks.
        graphs: role -> distinct graphs, on the device of the networks.
        index: role -> the index of each design's graph, shape `(n,)`.
    """
    joined = {role: joined_embeddings(members, role, graphs[role])[index[role]] for role in graphs}
    parts = {
        role: torch.as_tensor(value, dtype=torch.float32, device=graphs[role].data.x.device).chunk(len(members), dim=1)
        for role, value in joined.items()
    }
    with torch.no_grad():
        measured = [member.measure([part[i] for part in parts.values()]) for i, member in enumerate(members)]
    mean, log_variance = (
        torch.stack(values).cpu().numpy().astype(np.float64) for values in zip(*measured, strict=True)
    )
    return mean, log_variance


def columns(values: Sequence[Array], size: int) -> Array:
    """Columns of shape `(size,)` side by side, shape `(size, columns)`, even if there are none."""
    return np.stack(values, axis=1) if values else np.zeros((size, 0))


def _numbered(architectures: Sequence[Architecture]) -> tuple[list[Architecture], Indices]:
    """The architectures without repetitions, and the index of each given one among them."""
    numbers: dict[Architecture, int] = {}
    index = [numbers.setdefault(architecture, len(numbers)) for architecture in architectures]
    return list(numbers), np.array(index, dtype=np.int64)
