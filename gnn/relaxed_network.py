"""Surrogate of relaxed graphs: attention over edges that may be half there, and an ensemble computed in one pass."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import TransformerConv
from torch_geometric.utils import softmax

from gnn.relaxed import Collection, Form, RelaxedGraphs
from gnn.training import steady
from graphdb.errors import InputError

Indices = NDArray[np.int64]

_ABSENT = 1e-12  # presence below which the logarithm no longer falls; its share in a softmax is below rounding
_LOWEST, _HIGHEST = -8.0, 3.0  # limits on the logarithm of the variance of a standardised target


@dataclass(frozen=True)
class RelaxedSettings:
    """Sizes and training of the surrogate.

    Attributes:
        members: the number of networks, which differ in their initial weights and in the designs that they see.
        hidden: the width of the messages of a member, a multiple of `heads`.
        heads: the number of attention heads of a member.
        rounds: the number of rounds of message passing.
        steps: the number of training steps.
        batch: the number of graphs per step.
        rate: the highest learning rate of the one-cycle schedule.
        weight_decay: the weight decay of AdamW.
        seen: the share of the designs that a member sees.
    """

    members: int = 4
    hidden: int = 24
    heads: int = 4
    rounds: int = 3
    steps: int = 100
    batch: int = 64
    rate: float = 1e-2
    weight_decay: float = 1e-3
    seen: float = 0.9

    def __post_init__(self) -> None:
        if self.hidden % self.heads:
            raise InputError(f"The width {self.hidden} of the messages is no multiple of {self.heads} heads.")


class Estimates(NamedTuple):
    """Mean, aleatoric variance and epistemic deviation of m targets of g graphs, each `(g, m)`."""

    mean: Tensor
    variance: Tensor
    deviation: Tensor


class MemberLinear(nn.Module):
    """A linear layer for each of several members side by side: `(n, members * inputs)` to `(n, members * outputs)`."""

    def __init__(self, members: int, inputs: int, outputs: int, generator: torch.Generator, bias: bool = True) -> None:
        """
        Args:
            members: the number of members.
            inputs: the width of a member's input.
            outputs: the width of a member's output.
            generator: draws the weights, uniform within ±1/sqrt(inputs) as in `torch.nn.Linear`.
            bias: whether to add a bias.
        """
        super().__init__()
        limit = 1 / math.sqrt(max(inputs, 1))
        self.weight = nn.Parameter((2 * torch.rand(members, inputs, outputs, generator=generator) - 1) * limit)
        drawn = (2 * torch.rand(members, 1, outputs, generator=generator) - 1) * limit
        self.bias = nn.Parameter(drawn) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        members, inputs, outputs = self.weight.shape
        rows = x.view(len(x), members, inputs).transpose(0, 1)
        turned = rows @ self.weight if self.bias is None else torch.baddbmm(self.bias, rows, self.weight)
        return turned.transpose(0, 1).reshape(len(x), members * outputs)


class PresenceConv(TransformerConv):  # type: ignore[misc]
    """Attention over edges (Shi and others 2021, arXiv 2009.03509) on edges with a presence a in [0, 1].

    The last column of `edge_attr` is a. log a is added to the logits of the attention, and messages are multiplied by
    a: an edge with a = 0 equals no edge, and there is a gradient with respect to a. The heads of the members of an
    ensemble lie side by side and share nothing.
    """

    def __init__(self, members: int, width: int, heads: int, edge_width: int, generator: torch.Generator) -> None:
        """
        Args:
            members: the number of members.
            width: the width of a member's messages.
            heads: the number of heads of a member.
            edge_width: the number of attributes of an edge, without its presence.
            generator: draws the weights.
        """
        with torch.random.fork_rng(devices=[]):  # the layers of the base class draw from the global state; all go
            super().__init__(1, width // heads, members * heads, edge_dim=None)
        self.members = members
        self.lin_key, self.lin_query, self.lin_value, self.lin_skip = (
            MemberLinear(members, width, width, generator) for _ in range(4)
        )
        self.own_edges = nn.Linear(edge_width, members * width, bias=False, device="meta").to_empty(device="cpu")
        with torch.no_grad():
            drawn = torch.rand(self.own_edges.weight.shape, generator=generator)
            self.own_edges.weight.copy_((2 * drawn - 1) / math.sqrt(edge_width))

    def message(
        self,
        query_i: Tensor,
        key_j: Tensor,
        value_j: Tensor,
        edge_attr: Tensor,
        index: Tensor,
        ptr: Tensor | None,
        size_i: int | None,
    ) -> Tensor:
        presence = edge_attr[:, -1:]
        attributes = self.own_edges(edge_attr[:, :-1]).view(-1, self.heads, self.out_channels)
        logits = (query_i * (key_j + attributes)).sum(dim=-1) / math.sqrt(self.out_channels)
        attention = softmax(logits + presence.clamp_min(_ABSENT).log(), index, ptr, size_i) * presence
        return cast(Tensor, (value_j + attributes) * attention.unsqueeze(-1))


class RelaxedNetwork(nn.Module):
    """An ensemble of encoders of relaxed graphs, with a mean and a variance of every target from each member.

    Every edge sends messages both ways. Softplus, never ReLU, between the layers: a piecewise linear network has no
    curvature for a search of second order.
    """

    def __init__(self, form: Form, targets: int, settings: RelaxedSettings, generator: torch.Generator) -> None:
        """
        Args:
            form: how graphs are written.
            targets: the number m of targets.
            settings: the sizes.
            generator: draws the weights.
        """
        super().__init__()
        members, hidden = settings.members, settings.hidden
        self.members, self.hidden, self.targets = members, hidden, targets
        self._typical_size = form.typical_size
        self.inward = MemberLinear(members, len(form.kinds) + form.feature_width + 2, hidden, generator)
        self.convolutions = nn.ModuleList(
            PresenceConv(members, hidden, settings.heads, 2 + form.attribute_width, generator)
            for _ in range(settings.rounds)
        )
        self.updates = nn.ModuleList(MemberLinear(members, hidden, hidden, generator) for _ in range(settings.rounds))
        self.joint = MemberLinear(members, 3 * hidden, hidden, generator)
        self.outward = MemberLinear(members, hidden, 2 * targets, generator)

    def embed(self, graphs: RelaxedGraphs) -> Tensor:
        """The embeddings of the graphs by each member, shape `(g, members, hidden)`."""
        existence, weights = graphs.existence.unsqueeze(1), graphs.weights
        both, attributes = _both_ways(graphs, weights)
        degrees = graphs.kinds.new_zeros(len(graphs.kinds), 2)
        degrees = torch.stack(
            [degrees[:, end].index_add(0, graphs.edges[end], weights) for end in (0, 1)], dim=1
        ).log1p()
        known = torch.cat([graphs.kinds[:, :-1], graphs.features * existence, degrees], dim=1)
        state = self.inward(known.repeat(1, self.members))
        for convolution, update in zip(self.convolutions, self.updates, strict=True):
            state = state + update(functional.softplus(convolution(state, both, attributes)))
        return cast(Tensor, self.joint(self._read_out(state, existence, graphs)).view(graphs.count, self.members, -1))

    def _read_out(self, state: Tensor, existence: Tensor, graphs: RelaxedGraphs) -> Tensor:
        """Mean, sum and smooth maximum over the blocks, weighted by their existence, `(g, members * 3 * hidden)`."""
        empty = state.new_zeros(graphs.count, state.shape[1])
        total = empty.index_add(0, graphs.graph, state * existence)
        size = state.new_zeros(graphs.count, 1).index_add(0, graphs.graph, existence).clamp_min(1e-3)
        share = softmax(state + existence.clamp_min(_ABSENT).log(), graphs.graph, None, graphs.count)
        highest = empty.index_add(0, graphs.graph, state * share * existence)
        parts = [total / size, total / self._typical_size, highest]
        split = [part.view(graphs.count, self.members, self.hidden) for part in parts]
        return torch.cat(split, dim=2).flatten(1)

    def forward(self, graphs: RelaxedGraphs) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance by each member, each `(g, members, m)`."""
        return self._read(self.embed(graphs))

    def _read(self, embeddings: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance by each member, of embeddings `(g, members, hidden)`."""
        raw = self.outward(functional.softplus(embeddings).flatten(1))
        mean, log_variance = raw.view(len(embeddings), self.members, 2 * self.targets).chunk(2, dim=2)
        middle, half = (_LOWEST + _HIGHEST) / 2, (_HIGHEST - _LOWEST) / 2
        return mean, middle + half * torch.tanh((log_variance - middle) / half)

    def estimate(self, graphs: RelaxedGraphs) -> Estimates:
        """The estimates of g graphs, twice differentiable."""
        return self.estimate_embedded(self.embed(graphs))

    def estimate_embedded(self, embeddings: Tensor) -> Estimates:
        """Mean, aleatoric variance and epistemic deviation of embedded graphs, twice differentiable; each `(g, m)`."""
        mean, log_variance = self._read(embeddings)
        centre = mean.mean(dim=1)
        spread = (mean - centre.unsqueeze(1)).square().sum(dim=1) / max(self.members - 1, 1)
        return Estimates(centre, log_variance.exp().mean(dim=1), (spread + 1e-12).sqrt())


def fitted(
    form: Form, graphs: RelaxedGraphs, targets: Tensor, settings: RelaxedSettings, generator: np.random.Generator
) -> RelaxedNetwork:
    """A network trained on n graphs from random weights, and frozen.

    Args:
        form: how graphs are written.
        graphs: the n graphs, discrete.
        targets: standardised targets, shape `(n, m)`.
        settings: the sizes and the training.
        generator: the source of all randomness.
    """
    own = torch.Generator().manual_seed(int(generator.integers(2**62)))
    network = RelaxedNetwork(form, targets.shape[1], settings, own)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=settings.rate, weight_decay=settings.weight_decay, foreach=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.rate, total_steps=settings.steps)
    seen = torch.from_numpy((generator.random((len(targets), settings.members)) < settings.seen).astype(np.float32))
    collection = Collection(graphs)
    with steady(graphs.kinds.device):
        for chosen in _batches(len(targets), settings, generator):
            part = graphs if chosen is None else collection.select(chosen)
            rows = slice(None) if chosen is None else torch.from_numpy(chosen)
            mean, log_variance = network(part)
            loss = _loss(mean, log_variance, targets[rows], seen[rows])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return network.requires_grad_(False)


def _batches(size: int, settings: RelaxedSettings, generator: np.random.Generator) -> list[Indices | None]:
    """The graphs of each step; None stands for all of them."""
    parts = -(-size // settings.batch)
    if parts == 1:
        return [None] * settings.steps
    batches: list[Indices | None] = []
    while len(batches) < settings.steps:
        batches += np.array_split(generator.permutation(size), parts)
    return batches[: settings.steps]


def _loss(mean: Tensor, log_variance: Tensor, target: Tensor, seen: Tensor) -> Tensor:
    """β-weighted Gaussian likelihood with β = 1/2 (Seitzer and others 2022), summed over the independent members.

    Args:
        mean: shape `(n, members, m)`.
        log_variance: same shape.
        target: shape `(n, m)`.
        seen: 1 where a member sees a graph, shape `(n, members)`.
    """
    likelihood = 0.5 * ((mean - target.unsqueeze(1)).square() * torch.exp(-log_variance) + log_variance)
    weighted = likelihood * torch.exp(0.5 * log_variance).detach() * seen.unsqueeze(2)
    return weighted.sum() / len(target) / target.shape[1]


def _both_ways(graphs: RelaxedGraphs, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Every edge in both directions `(2, 2 e)`, with two bits for the direction, its attributes and its presence."""
    one, zero = torch.ones_like(weights), torch.zeros_like(weights)
    forward = torch.cat([torch.stack([one, zero], 1), graphs.attributes, weights.unsqueeze(1)], dim=1)
    backward = torch.cat([torch.stack([zero, one], 1), graphs.attributes, weights.unsqueeze(1)], dim=1)
    return torch.cat([graphs.edges, graphs.edges.flip(0)], dim=1), torch.cat([forward, backward])
