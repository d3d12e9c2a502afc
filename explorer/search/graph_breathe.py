"""G-BREATHE: search over designs that are graphs of any size, by gradients of a graph surrogate and by evolution.

Source: Tuli and Jha 2023 (arXiv 2308.08666), of whose graph search the abstract alone says how it works; the details
here are ours. Children of measured graphs are crossed and mutated by the candidates; the best of them walk, in relaxed
form, along second-order gradients of the surrogate with respect to kinds of blocks, attributes, edges and attributes of
edges; the end of a walk is forced to the nearest legal design, and replaces the child only if that is no worse.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Generic, cast

import numpy as np
import torch

from explorer.contracts.description import Nature
from explorer.contracts.optimiser import Candidates, D, Observation, Optimiser, Outcome, Proposal, Vector
from explorer.search.graph_breathe_query import Query, QuerySettings
from explorer.search.options import GraphBreatheOptions
from explorer.search.origins import DIVERSITY, INITIAL, OPTIMISE, UNCERTAINTY, origin_of
from explorer.search.targets import losses
from explorer.search.threads import one_thread
from gnn.relaxed import Form
from gnn.relaxed_network import RelaxedNetwork, RelaxedSettings, fitted
from graphdb.architecture import Architecture, Block, Scalar
from graphdb.errors import InputError

_SAMPLE = 256  # graphs that show which kinds, attributes and edges there are
_REMEMBERED = 50_000  # graphs of designs
_FEWEST = 4  # observations without which nothing can be learnt


@dataclass(frozen=True)
class GraphBreatheSettings:
    """Settings of G-BREATHE.

    Attributes:
        initial: the number of random designs at the beginning.
        uncertainty: the probability of choosing the design about which the surrogate knows least.
        diversity: the probability of choosing a random design.
        penalty: what a violation of 1 adds to the loss.
        surrogate: the surrogate and its training.
        query: how designs are bred and improved.
    """

    initial: int = 10
    uncertainty: float = 0.05
    diversity: float = 0.05
    penalty: float = 1.0
    surrogate: RelaxedSettings = field(default_factory=RelaxedSettings)
    query: QuerySettings = field(default_factory=QuerySettings)

    @classmethod
    def of(cls, options: GraphBreatheOptions) -> GraphBreatheSettings:
        """The settings with these options."""
        query = QuerySettings(crossover=options.crossover, local=options.neighbours, exploration=options.exploration)
        return cls(options.initial, query=query if options.gradients else replace(query, climbs=0))

    def __post_init__(self) -> None:
        if self.initial < 1:
            raise InputError(f"GraphBreatheSettings.initial must be at least 1, found {self.initial}.")
        if min(self.uncertainty, self.diversity) < 0 or self.uncertainty + self.diversity > 1:
            raise InputError(
                "The probabilities of uncertainty and diversity must not be negative nor add up to more than 1, found "
                f"{self.uncertainty} and {self.diversity}."
            )


class GraphBreathe(Optimiser[D], Generic[D]):
    """G-BREATHE over any candidates whose designs have a graph, for any number of objectives.

    With several objectives the surrogate learns each of them, and every ask weighs them anew at random.
    """

    objectives: ClassVar[int | None] = None

    def __init__(
        self,
        candidates: Candidates[D],
        seed: int,
        settings: GraphBreatheSettings | None = None,
        graph_of: Callable[[D], Architecture] | None = None,
    ) -> None:
        """
        Args:
            candidates: the legal designs.
            seed: the seed of all random choices, not negative.
            settings: the settings.
            graph_of: the graph of a design; by default that of `graphs_of`.

        Raises:
            InputError: the seed is negative.
        """
        super().__init__(candidates, seed)
        self.settings = settings or GraphBreatheSettings()
        self.graph_of = graph_of or graphs_of(candidates)
        self.forced: dict[Hashable, float] = {}
        """Key of a design that a walk led to -> its distance from the end of the walk, to see how much was forced."""
        self._form: Form | None = None
        self._latest: tuple[int, RelaxedNetwork] | None = None

    def ask(self, count: int, pending: Sequence[D] = ()) -> list[Proposal[D]]:
        with one_thread():
            return self._ask(count, pending)

    def _ask(self, count: int, pending: Sequence[D]) -> list[Proposal[D]]:
        done = len(self._observations)
        first = done + len(pending)
        origins = [self.origin(first + place) if done >= _FEWEST else INITIAL for place in range(count)]
        generator = self._generator(1, done, *self._under_way(pending))
        taken = self._keys(pending)
        query: Query[D] | None = None
        proposals: list[Proposal[D]] = []
        for origin in origins:
            if origin in (OPTIMISE, UNCERTAINTY) and query is None:
                query = self._query(generator, pending)
            chosen = query.next(origin == UNCERTAINTY, taken) if query is not None and origin != DIVERSITY else None
            if chosen is None:
                fresh = next(iter(self._fresh(generator, 1, taken)), None)
                if fresh is None:
                    break
                chosen = (fresh, origin if origin in (INITIAL, DIVERSITY) else DIVERSITY)
            design, how = chosen
            taken.add(self.candidates.key(design))
            if query is not None:
                query.pick(design)
            proposals.append(Proposal(design, how))
        return proposals

    def origin(self, index: int) -> str:
        """The kind of proposal of trial `index`, fixed by the seed so that a resumed search knows it."""
        if index < self.settings.initial:
            return INITIAL
        return origin_of(self._generator(0, index).random(), self.settings.uncertainty, self.settings.diversity)

    @property
    def form(self) -> Form:
        """How the graphs are written, by a sample of them that depends on the seed alone."""
        if self._form is None:
            sample = self.candidates.sample(self._generator(3), _SAMPLE)
            self._form = Form([self.graph_of(design) for design in sample])
        return self._form

    def network(self) -> RelaxedNetwork:
        """The surrogate of all observations; kept until the next of them."""
        done = len(self._observations)
        if self._latest is None or self._latest[0] != done:
            graphs = self.form.batch([self.graph_of(one.design) for one in self._observations])
            targets = torch.from_numpy(self.targets()).float()
            self._latest = (done, fitted(self.form, graphs, targets, self.settings.surrogate, self._generator(2, done)))
        return self._latest[1]

    def targets(self) -> Vector:
        """What the surrogate learns, shape `(n, m)`: standardised losses, smaller is better.

        How bad a bad design is does not matter: losses beyond three times the distance from the best to the median are
        cut, so that a few broken designs do not hide the differences between good ones.
        """
        width = len(self._observations[0].outcome.values)
        columns = []
        for place in range(width):
            alone = [
                Observation(one.design, one.key, Outcome((one.outcome.values[place],), one.outcome.violations))
                for one in self._observations
            ]
            columns.append(_standardised(losses(alone, self.settings.penalty)))
        return np.stack(columns, axis=1)

    def _query(self, generator: np.random.Generator, pending: Sequence[D]) -> Query[D]:
        weights = generator.dirichlet(np.ones(len(self._observations[0].outcome.values)))
        return Query(
            self.candidates,
            self.graph_of,
            self.form,
            self.network(),
            self._observations,
            pending,
            weights,
            self.settings.query,
            generator,
            self.forced,
        )


def graphs_of(candidates: Candidates[D]) -> Callable[[D], Architecture]:
    """The function from designs to their graphs.

    Designs may be graphs; or the candidates have a method `architecture`, whose results are remembered; or every entry
    of a design's description becomes a block by itself.
    """
    own = getattr(candidates, "architecture", None)
    make = cast(Callable[[D], Architecture], own) if callable(own) else _described(candidates)
    known: dict[Hashable, Architecture] = {}

    def graph_of(design: D) -> Architecture:
        if isinstance(design, Architecture):
            return design
        key = candidates.key(design)
        if key not in known:
            if len(known) >= _REMEMBERED:
                known.clear()
            known[key] = make(design)
        return known[key]

    return graph_of


def _described(candidates: Candidates[D]) -> Callable[[D], Architecture]:
    def graph_of(design: D) -> Architecture:
        row = candidates.describe([design])[0]
        values: dict[str, Scalar] = {
            entry.name: str(int(value)) if entry.nature is Nature.CATEGORICAL else float(value)
            for entry, value in zip(candidates.entries, row, strict=True)
            if not np.isnan(value)
        }
        if not values:
            raise InputError(
                f"G-BREATHE searches designs that are graphs, have one or are described by entries; those of "
                f"{type(candidates).__name__} are none of these."
            )
        return Architecture.of("designs", "described", values, [Block(k, {"value": v}) for k, v in values.items()], [])

    return graph_of


def _standardised(raw: Vector) -> Vector:
    best, middle = raw.min(), np.median(raw)
    cut = np.minimum(raw, best + 3.0 * (middle - best)) if middle > best else raw
    spread = cut.std()
    return np.asarray((cut - cut.mean()) / (spread if spread > 1e-12 else 1.0))
