"""One search step of G-BREATHE: breed children, let the best walk along gradients, force them to legality, choose."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar, cast, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from explorer.contracts.optimiser import Candidates, D, Observation, Vector
from explorer.search.gobi import GobiSettings, gobi
from gnn.relaxed import Form, RelaxedGraph, RelaxedGraphs
from gnn.relaxed_network import RelaxedNetwork
from gnn.relaxed_points import Chart
from graphdb.architecture import Architecture

GRADIENT, MUTATION, RANDOM, NEIGHBOUR = "gradient", "mutation", "random", "neighbour"
_ATTEMPTS = 4  # children bred for each one that is wanted, at most
_CLIMBS_LEFT = 3  # designs whose neighbours are looked at


_Design = TypeVar("_Design", covariant=True)


@runtime_checkable
class Discretises(Protocol[_Design]):
    """Candidates that make a legal design of a relaxed graph by themselves, as domains of free graphs can."""

    def discretise(self, relaxed: RelaxedGraph) -> _Design | None:
        """The legal design nearest to a relaxed graph; None if there is none near."""
        ...


@dataclass(frozen=True)
class QuerySettings:
    """Settings of one search step.

    Attributes:
        children: the number of children that are bred.
        tournament: the number of designs that compete to be a parent.
        crossover: the probability that a child has two parents.
        pool: the number of random designs that are looked at besides.
        climbs: the number of children that walk along gradients; 0 for evolution alone.
        rounds: the most one-decision moves from a child to the legal design nearest to the end of its walk.
        local: whether the neighbours of the best children are looked at too.
        exploration: the factor of the deviation in the acquisition.
        gobi: the walk.
    """

    children: int = 32
    tournament: int = 3
    crossover: float = 0.5
    pool: int = 64
    climbs: int = 8
    rounds: int = 3
    local: bool = True
    exploration: float = 0.5
    gobi: GobiSettings = field(
        default_factory=lambda: GobiSettings(period=20, iterations=20, tolerance=1e-4, trust=0.1)
    )


@dataclass(frozen=True)
class _Rated(Generic[D]):
    """A design with what the surrogate expects of it: a weighted loss, its deviation, and its embedding."""

    design: D
    key: Hashable
    fingerprint: str
    origin: str
    loss: float
    deviation: float
    embedding: Vector


class Query(Generic[D]):
    """The designs of one step, and the choice among them one after the other."""

    def __init__(
        self,
        candidates: Candidates[D],
        graph_of: Callable[[D], Architecture],
        form: Form,
        network: RelaxedNetwork,
        observations: Sequence[Observation[D]],
        pending: Sequence[D],
        weights: Vector,
        settings: QuerySettings,
        generator: np.random.Generator,
        forced: dict[Hashable, float],
    ) -> None:
        """
        Args:
            candidates: the legal designs.
            graph_of: the graph of a design.
            form: how graphs are written.
            network: the surrogate.
            observations: all observations.
            pending: designs under way.
            weights: the weights of the objectives, shape `(m,)`.
            settings: the settings.
            generator: the source of all randomness.
            forced: where to note how far each design is from the end of the walk that led to it.
        """
        self._candidates, self._graph_of, self._form, self._network = candidates, graph_of, form, network
        self._observations, self._settings, self._generator, self._forced = observations, settings, generator, forced
        self._weights = torch.from_numpy(weights).float()
        self._near: dict[Hashable, list[D]] = {}
        known = [*(one.design for one in observations), *pending]
        self._keys = {candidates.key(design) for design in known}
        self._fingerprints = {graph_of(design).fingerprint for design in known}
        self._picked: list[Vector] = [one.embedding for one in self._rated(pending, "pending")]
        rated = self._rated([one.design for one in observations], "known")
        embeddings = np.stack([one.embedding for one in rated])
        self._scale = float(np.square(embeddings - embeddings.mean(axis=0)).sum(axis=1).mean()) + 1e-12
        self._pool = self._rated(self._new(candidates.sample(generator, settings.pool)), RANDOM)
        bred = self._pool + self._rated(self._new(self._children()), MUTATION)
        self._offers = self._distinct(self._with_neighbours(self._climbed(bred)))

    def next(self, uncertain: bool, taken: set[Hashable]) -> tuple[D, str] | None:
        """The best untaken design and its origin; None if there is none left.

        Args:
            uncertain: whether to choose the random design with the largest deviation instead.
            taken: keys of designs that must not be chosen.
        """
        offers = [
            one
            for one in (self._pool if uncertain else self._offers)
            if one.key not in taken and one.fingerprint not in self._fingerprints
        ]
        if not offers:
            return None
        deviations = self._shrunk(offers)
        exploration = self._settings.exploration
        worth = -deviations if uncertain else np.array([one.loss for one in offers]) - exploration * deviations
        best = offers[int(worth.argmin())]
        return best.design, "uncertainty" if uncertain else best.origin

    def pick(self, design: D) -> None:
        """Takes account of a design that has just been proposed."""
        (rated,) = self._rated([design], "pending")
        self._picked.append(rated.embedding)
        self._fingerprints.add(rated.fingerprint)

    def _shrunk(self, offers: Sequence[_Rated[D]]) -> Vector:
        """The deviations once the designs under way are measured: nothing is left of them where these are."""
        deviations = np.array([one.deviation for one in offers])
        for embedding in self._picked:
            apart = np.array([np.square(one.embedding - embedding).sum() for one in offers]) / self._scale
            deviations = deviations * np.sqrt(-np.expm1(-4.0 * apart))
        return np.asarray(deviations)

    def _children(self) -> list[D]:
        """New designs from measured parents, by crossover and mutation."""
        children: list[D] = []
        settings, generator = self._settings, self._generator
        for _ in range(_ATTEMPTS * settings.children):
            if len(children) >= settings.children:
                break
            child = self._parent()
            if generator.random() < settings.crossover:
                child = self._candidates.crossover(child, self._parent(), generator) or child
            if self._candidates.key(child) in self._keys or generator.random() < 0.5:
                near = self._neighbours(child)
                child = near[int(generator.integers(len(near)))] if near else child
            if self._candidates.key(child) not in self._keys:
                children.append(child)
        return children

    def _parent(self) -> D:
        """The winner of a tournament among the measured designs."""
        count = len(self._observations)
        drawn = self._generator.choice(count, size=min(self._settings.tournament, count), replace=False)
        return max((self._observations[int(place)] for place in drawn), key=self._merit).design

    def _merit(self, one: Observation[D]) -> tuple[bool, float, float]:
        if not one.outcome.measured:
            return one.rank
        return (True, -one.violation, float(np.dot(self._weights.numpy(), one.outcome.values)))

    def _neighbours(self, design: D) -> list[D]:
        key = self._candidates.key(design)
        if key not in self._near:
            self._near[key] = self._candidates.neighbours(design)
        return self._near[key]

    def _climbed(self, bred: list[_Rated[D]]) -> list[_Rated[D]]:
        """The designs, the best of them replaced by the ends of their walks where these are no worse."""
        order = sorted(bred, key=self._acquisition)
        starts, rest = order[: self._settings.climbs], order[self._settings.climbs :]
        if not starts or not self._settings.gobi.iterations:
            return order
        chart = Chart(self._form, [self._graph_of(one.design) for one in starts], self._generator)
        own = torch.Generator().manual_seed(int(self._generator.integers(2**62)))
        ends = gobi(lambda points: self._bound(chart.graphs(points)), chart.points(), self._settings.gobi, own)
        climbed = []
        for number, (start, relaxed) in enumerate(zip(starts, chart.relaxed(ends), strict=True)):
            design, step = self._legal(chart, number, start.design, relaxed)
            (end,) = self._rated([design], GRADIENT)
            new = end.key != start.key and end.key not in self._keys
            better = new and self._acquisition(end) <= self._acquisition(start)
            climbed.append(end if better else start)
            if better:
                self._forced[end.key] = step
        return climbed + rest

    def _legal(self, chart: Chart, number: int, start: D, relaxed: RelaxedGraph) -> tuple[D, float]:
        """The legal design nearest to the end of a walk, and its distance from there.

        Candidates that discretise do so; else each of a few rounds goes to the neighbour nearest to the end.
        """
        if isinstance(self._candidates, Discretises):
            own = cast(Discretises[D], self._candidates).discretise(relaxed)
            if own is not None:
                return own, chart.distance(number, relaxed, self._graph_of(own))
        design, step = start, chart.distance(number, relaxed, self._graph_of(start))
        for _ in range(self._settings.rounds):
            near = self._neighbours(design)
            steps = [chart.distance(number, relaxed, self._graph_of(one)) for one in near]
            if not steps or min(steps) >= step:
                break
            step = min(steps)
            design = near[steps.index(step)]
        return design, step

    def _with_neighbours(self, designs: list[_Rated[D]]) -> list[_Rated[D]]:
        """The designs and the neighbours of the best of them."""
        if not self._settings.local:
            return designs
        best = sorted(designs, key=self._acquisition)[:_CLIMBS_LEFT]
        near = [other for one in best for other in self._neighbours(one.design)]
        return designs + self._rated(self._new(near), NEIGHBOUR)

    def _new(self, designs: Sequence[D]) -> list[D]:
        """Those that are neither measured nor under way, each once."""
        distinct: dict[Hashable, D] = {}
        for design in designs:
            key = self._candidates.key(design)
            if key not in self._keys:
                distinct.setdefault(key, design)
        return list(distinct.values())

    def _distinct(self, rated: list[_Rated[D]]) -> list[_Rated[D]]:
        """One design of each graph that is neither measured nor under way."""
        distinct: dict[str, _Rated[D]] = {}
        for one in rated:
            if one.fingerprint not in self._fingerprints:
                distinct.setdefault(one.fingerprint, one)
        return list(distinct.values())

    def _acquisition(self, one: _Rated[D]) -> float:
        return one.loss - self._settings.exploration * one.deviation

    def _bound(self, graphs: RelaxedGraphs) -> Tensor:
        """The acquisition of relaxed graphs, to be minimised: `(g,)`."""
        loss, deviation = self._weighted(self._network.embed(graphs))
        return loss - self._settings.exploration * deviation

    def _weighted(self, embeddings: Tensor) -> tuple[Tensor, Tensor]:
        """The weighted loss of embedded graphs and its deviation, `(g,)` each."""
        mean, _, deviation = self._network.estimate_embedded(embeddings)
        return mean @ self._weights, (deviation * self._weights).square().sum(dim=1).sqrt()

    def _rated(self, designs: Sequence[D], origin: str) -> list[_Rated[D]]:
        if not designs:
            return []
        graphs = [self._graph_of(design) for design in designs]
        with torch.no_grad():
            embedded = self._network.embed(self._form.batch(graphs))
            losses, deviations = (part.double().numpy() for part in self._weighted(embedded))
            embeddings = embedded.flatten(1).double().numpy()
        return [
            _Rated(design, self._candidates.key(design), graph.fingerprint, origin, float(loss), float(spread), row)
            for design, graph, loss, spread, row in zip(designs, graphs, losses, deviations, embeddings, strict=True)
        ]
