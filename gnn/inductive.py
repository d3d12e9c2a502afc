"""`InductiveEncoder`: gives unseen graphs the vectors that a table of distances would give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor, nn
from torch_geometric.data import Data
from torch_geometric.nn import GINEConv

from gnn.tensors import checked_tensors
from gnn.training import steady
from graphdb.architecture import Architecture, Block
from graphdb.errors import InputError

Array = NDArray[np.float64]
Place = Callable[[Block], float]
"""The place of a block on the line of all labels, at 0 or above."""

VERSION = 1
_ENCODED_AT_ONCE = 1024  # graphs; limits the memory
_HIGHEST_PLACE = 4096
_KNOTS = (*range(16), *range(16, 32, 2), *range(32, 64, 4), *range(64, 257, 16))
"""The numbers of blocks at which an entry of a histogram is resolved; the resolution is finest for small numbers."""
_SMALLEST_ERROR = 1e-12  # the root of a sum of squares has no gradient at 0


@dataclass(frozen=True)
class EncoderSettings:
    """Sizes and training of an inductive encoder.

    Attributes:
        hidden: the width of the messages.
        rounds: the number of rounds of message passing.
        width: the width of the two layers after the sums.
        steps: the number of steps of the optimiser.
        group: the number of architectures per step.
        learning_rate: the highest rate of the one-cycle schedule.
    """

    hidden: int = 32
    rounds: int = 1
    width: int = 512
    steps: int = 3000
    group: int = 128
    learning_rate: float = 2e-3


class _Network(nn.Module):
    """Sums over the blocks, with and without their neighbours taken into account, and a perceptron on the sums.

    A block is written as a thermometer: how far its place fills each unit of the line. Sums of thermometers are
    cumulative histograms of labels, which edit distances without edges compare entry by entry. Each entry is written as
    a thermometer again (how far it fills each interval of `_KNOTS`), in which such distances are squared Euclidean
    ones, so that what is left to learn is nearly linear.
    """

    knots: Tensor

    def __init__(self, levels: int, typical_size: float, embedding: int, settings: EncoderSettings) -> None:
        super().__init__()
        hidden, width = settings.hidden, settings.width
        self.typical_size = typical_size
        self.inward = nn.Linear(levels, hidden)
        self.rounds = nn.ModuleList(
            GINEConv(_perceptron(hidden, hidden, hidden), train_eps=True, edge_dim=2) for _ in range(settings.rounds)
        )
        entries = levels * (len(_KNOTS) - 1)
        self.linear = nn.Linear(entries, embedding)
        self.head = _perceptron(entries + hidden * settings.rounds, width, width, embedding)
        self.register_buffer("knots", torch.tensor(_KNOTS, dtype=torch.float32), persistent=False)

    def forward(self, data: Data) -> Tensor:
        """The vectors of the graphs, shape `(graphs, embedding)`."""
        counts = self._sum(data.x, data).unsqueeze(2)
        filled = ((counts - self.knots[:-1]) / self.knots.diff()).clamp(0.0, 1.0).flatten(1)
        parts, state = [filled], self.inward(data.x)
        for step in self.rounds:
            state = state + torch.relu(step(state, data.edge_index, data.edge_attr))
            parts.append(self._sum(state, data) / self.typical_size)
        vectors: Tensor = self.linear(filled) + self.head(torch.cat(parts, dim=1))
        return vectors

    def _sum(self, state: Tensor, data: Data) -> Tensor:
        return state.new_zeros(data.num_graphs, state.shape[1]).index_add(0, data.batch, state)


@dataclass(frozen=True)
class _Trained:
    levels: int
    typical_size: float
    scale: float
    embedding: int
    network: _Network


class InductiveEncoder:
    """A graph neural network that learns the vectors of some architectures in order to embed any.

    The same data and generator give the same weights on one machine.

    Args:
        place: the only input about a block; it is not stored, so give the same one when reading an encoder back.
        settings: the sizes and the training.

    Example:
        >>> encoder = InductiveEncoder(place).fit(architectures, table, np.random.default_rng(0))
        >>> vectors = encoder.embed(others)
    """

    def __init__(self, place: Place, settings: EncoderSettings | None = None) -> None:
        self.place = place
        self.settings = settings or EncoderSettings()
        self._trained: _Trained | None = None

    def fit(
        self,
        architectures: Sequence[Architecture],
        vectors: Array,
        generator: np.random.Generator,
        on_progress: Callable[[float], None] = lambda done: None,
    ) -> InductiveEncoder:
        """Learns to give each architecture its vector; the loss is the mean distance between the two.

        Args:
            architectures: the n architectures.
            vectors: their vectors, shape `(n, embedding)`.
            generator: the source of all randomness.
            on_progress: called with the fraction done, in (0, 1].

        Returns:
            The encoder itself.

        Raises:
            InputError: there is nothing to learn from, the numbers differ, or all vectors are alike.
        """
        if not architectures or vectors.shape != (len(architectures), vectors.shape[-1]):
            raise InputError(
                f"An encoder was given {len(architectures)} architectures and vectors of shape {vectors.shape}; "
                "it needs one vector for each, and at least one."
            )
        scale = float(np.sqrt(((vectors - vectors.mean(axis=0)) ** 2).sum(axis=1).mean()))
        if not scale > 0:
            raise InputError("All vectors given to an encoder are alike; it needs some that differ.")
        highest = max(self.place(block) for one in architectures for block in one.blocks)
        levels = min(ceil(highest), _HIGHEST_PLACE) + 1
        typical = float(np.mean([len(one.blocks) for one in architectures])) / 4.0
        network = _network(levels, typical, vectors.shape[1], self.settings, int(generator.integers(2**31)))
        wanted = torch.from_numpy(vectors / scale).float()
        graphs = [_Graph.of(one, self.place, levels) for one in architectures]
        optimiser = torch.optim.Adam(network.parameters(), self.settings.learning_rate)
        steps = self.settings.steps
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, self.settings.learning_rate, total_steps=steps)
        with steady(torch.device("cpu")):
            for step in range(steps):
                group = generator.choice(len(graphs), min(self.settings.group, len(graphs)), replace=False)
                given = network(_joined([graphs[i] for i in group]))
                errors = (given - wanted[torch.from_numpy(group)]).square().sum(1)
                loss: Tensor = errors.clamp_min(_SMALLEST_ERROR).sqrt().mean()
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
                on_progress((step + 1) / steps)
        self._trained = _Trained(levels, typical, scale, vectors.shape[1], network.eval())
        return self

    def embed(self, architectures: Sequence[Architecture]) -> NDArray[np.float32]:
        """The vectors of n architectures, shape `(n, embedding)`.

        Raises:
            InputError: the encoder has not been fitted.
        """
        state = self._state
        parts = [np.zeros((0, state.embedding), np.float32)]
        with torch.no_grad(), steady(torch.device("cpu")):
            for start in range(0, len(architectures), _ENCODED_AT_ONCE):
                some = architectures[start : start + _ENCODED_AT_ONCE]
                data = _joined([_Graph.of(one, self.place, state.levels) for one in some])
                parts.append((state.network(data) * state.scale).numpy())
        return np.concatenate(parts)

    def to_record(self) -> tuple[bytes, dict[str, Any]]:
        """The weights as safetensors, and the JSON needed to read them.

        Raises:
            InputError: the encoder has not been fitted.
        """
        state = self._state
        settings = {
            "version": VERSION,
            "encoder": asdict(self.settings),
            "levels": state.levels,
            "typical_size": state.typical_size,
            "scale": state.scale,
            "embedding": state.embedding,
        }
        return save({name: value.contiguous() for name, value in state.network.state_dict().items()}), settings

    @classmethod
    def from_record(cls, weights: bytes, settings: Mapping[str, Any], place: Place) -> InductiveEncoder:
        """Returns the encoder that `to_record` wrote.

        Args:
            weights: the weights as safetensors.
            settings: the JSON needed to read them.
            place: the function with which the encoder was fitted.

        Raises:
            InputError: the settings are malformed or of another version, or the weights are damaged or do not fit them.
        """
        if settings.get("version") != VERSION:
            raise InputError(f"The encoder is of version {settings.get('version')!r}; this code reads {VERSION}.")
        try:
            encoder = cls(place, EncoderSettings(**settings["encoder"]))
            levels, embedding = int(settings["levels"]), int(settings["embedding"])
            typical, scale = float(settings["typical_size"]), float(settings["scale"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"The settings of the encoder are malformed: {error}.") from error
        network = _network(levels, typical, embedding, encoder.settings, 0)
        shapes = {name: value.shape for name, value in network.state_dict().items()}
        network.load_state_dict(checked_tensors(weights, shapes, "the encoder"))
        encoder._trained = _Trained(levels, typical, scale, embedding, network.eval())
        return encoder

    @property
    def _state(self) -> _Trained:
        if self._trained is None:
            raise InputError("The encoder has not been fitted; call fit before it is asked for anything.")
        return self._trained


@dataclass(frozen=True, eq=False)
class _Graph:
    """A graph as arrays: thermometers `(blocks, levels)` and edges `(2, edges)`."""

    blocks: NDArray[np.float32]
    edges: NDArray[np.int64]

    @classmethod
    def of(cls, architecture: Architecture, place: Place, levels: int) -> _Graph:
        """Returns an architecture as arrays.

        Args:
            architecture: the graph.
            place: the place of each block on the line of labels.
            levels: the number of units of that line.
        """
        places = np.array([place(block) for block in architecture.blocks], dtype=np.float32)
        edges = np.array([(edge.source, edge.target) for edge in architecture.edges], dtype=np.int64).reshape(-1, 2).T
        return cls(np.clip(places[:, None] - np.arange(levels, dtype=np.float32), 0.0, 1.0), edges)


def _joined(graphs: Sequence[_Graph]) -> Data:
    """All graphs as one disconnected graph, with every edge in both directions and a bit for each direction."""
    sizes = np.array([len(graph.blocks) for graph in graphs])
    starts = np.cumsum(sizes) - sizes
    index = np.concatenate([graph.edges + start for graph, start in zip(graphs, starts, strict=True)], axis=1)
    directions = torch.eye(2).repeat_interleave(index.shape[1], dim=0)
    return Data(
        x=torch.from_numpy(np.concatenate([graph.blocks for graph in graphs])),
        edge_index=torch.from_numpy(np.concatenate([index, index[::-1]], axis=1)),
        edge_attr=directions,
        batch=torch.from_numpy(np.repeat(np.arange(len(graphs)), sizes)),
        num_graphs=len(graphs),
    )


def _perceptron(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _network(levels: int, typical_size: float, embedding: int, settings: EncoderSettings, seed: int) -> _Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # layers draw their initial weights from the global state
        return _Network(levels, typical_size, embedding, settings)
