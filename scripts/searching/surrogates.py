"""Searches with a surrogate and a local search on the acquisition, of which only the surrogate differs.

They see designs as our own optimisers do: as candidates with neighbours. The forest reads descriptions; the ensemble
and the kernel read graphs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import norm

from explorer.contracts.description import Nature
from explorer.contracts.optimiser import Outcome, VectorCandidates
from scripts.searching.problem import Labelled, Task

Array = NDArray[np.float64]
INITIAL = 10
POOL = 500
CLIMBS = 5
STEPS = 10
SPREAD = 0.1
"""Deviation of a step where designs are points of a box, as a share of its sides."""


class Model(Protocol):
    """A surrogate."""

    def fit(self, designs: Sequence[Any], values: Array, generator: np.random.Generator) -> None:
        """Learns the values, larger is better."""

    def predict(self, designs: Sequence[Any]) -> tuple[Array, Array]:
        """Means and deviations."""


class Climbing:
    """Expected improvement (or Thompson sampling) over random designs and climbs from the best designs known.

    Ten random designs first. A batch is chosen one by one, each as if the ones before had met their prediction.
    """

    def __init__(self, task: Task[Any], seed: int, model: Model) -> None:
        self._task, self._model = task, model
        self._generator = np.random.default_rng([seed, 17])
        self._designs: list[Any] = []
        self._values: list[float] = []
        self._told: set[Hashable] = set()

    def ask(self, count: int) -> list[tuple[Any, str]]:
        task = self._task
        chosen: list[tuple[Any, str]] = []
        taken = set(self._told)
        designs, values = list(self._designs), list(self._values)
        for _ in range(count):
            if len(self._designs) < INITIAL or len(set(values)) < 2:
                design, origin = self._random(taken), "initial"
            else:
                design, origin = self._best(designs, np.array(values), taken), "acquisition"
            if design is None:
                break
            taken.add(task.candidates.key(design))
            chosen.append((design, origin))
            if origin == "acquisition" and len(chosen) < count:
                designs.append(design)
                values.append(float(self._model.predict([design])[0][0]))
        return chosen

    def _random(self, taken: set[Hashable]) -> Any | None:
        for _ in range(1000):
            (design,) = self._task.candidates.sample(self._generator, 1)
            if self._task.candidates.key(design) not in taken:
                return design
        return None

    def _best(self, designs: list[Any], values: Array, taken: set[Hashable]) -> Any | None:
        key = self._task.candidates.key
        self._model.fit(designs, values, self._generator)
        library = self._task.candidates.library()
        if library is not None:
            pool = [design for design in library if key(design) not in taken]
            return pool[int(self._merit(pool, values.max()).argmax())] if pool else None
        pool = [d for d in self._task.candidates.sample(self._generator, POOL) if key(d) not in taken]
        starts = [designs[int(i)] for i in np.argsort(-values)[:CLIMBS]]
        merits = self._merit(pool, values.max())
        starts += [pool[int(i)] for i in np.argsort(-merits)[:CLIMBS]]
        tops: list[tuple[float, Any]] = [(float(merits.max()), pool[int(merits.argmax())])]
        for start in starts:
            here, merit = start, float(self._merit([start], values.max())[0])
            for _ in range(STEPS):
                near = self._near(here)
                if not near:
                    break
                scores = self._merit(near, values.max())
                tops += [(float(scores[i]), near[i]) for i in np.argsort(-scores)[:5] if key(near[i]) not in taken]
                if scores.max() <= merit:
                    break
                here, merit = near[int(scores.argmax())], float(scores.max())
        return max(tops, key=lambda top: top[0])[1]

    def _near(self, design: Any) -> list[Any]:
        near = self._task.candidates.neighbours(design)
        if near or not isinstance(self._task.candidates, VectorCandidates):
            return cast(list[Any], near)
        steps = []
        for _ in range(30):
            moved = []
            for vector, (low, high) in zip(design, self._task.candidates.bounds(), strict=True):
                size = SPREAD * 10 ** -self._generator.uniform(0, 2)
                mask = self._generator.random(len(vector)) < max(0.3, 1 / len(vector))
                moved.append(vector + mask * size * (high - low) * self._generator.standard_normal(len(vector)))
            steps.append(tuple(moved))
        return cast(list[Any], self._task.candidates.snap(steps))

    def _merit(self, designs: Sequence[Any], best: float) -> Array:
        mean, deviation = self._model.predict(designs)
        deviation = np.maximum(deviation, 1e-9)
        margin = (mean - best) / deviation
        gain = deviation * (margin * norm.cdf(margin) + norm.pdf(margin))
        merit: Array = np.where(margin > -6, np.log(np.maximum(gain, 1e-300)), -20 + margin)
        return merit

    def tell(self, design: Any, outcome: Outcome) -> None:
        value = outcome.values[0]
        if np.isnan(value):
            value = min(self._values, default=0.0)
        self._designs.append(design)
        self._values.append(value)
        self._told.add(self._task.candidates.key(design))


class Forest:
    """scikit-learn's random forest of 100 trees on the flat description; the deviation is that of the trees."""

    def __init__(self, task: Task[Any], seed: int) -> None:
        self._candidates = task.candidates
        self._seed = seed

    def fit(self, designs: Sequence[Any], values: Array, generator: np.random.Generator) -> None:
        from sklearn.ensemble import RandomForestRegressor

        self._forest = RandomForestRegressor(100, min_samples_leaf=1, max_features=0.8, random_state=self._seed)
        self._forest.fit(self._rows(designs), values)

    def predict(self, designs: Sequence[Any]) -> tuple[Array, Array]:
        rows = self._rows(designs).astype(np.float32)
        each = np.stack([tree.tree_.predict(rows)[:, 0] for tree in self._forest.estimators_])
        return each.mean(axis=0), each.std(axis=0)

    def _rows(self, designs: Sequence[Any]) -> Array:
        rows = np.nan_to_num(self._candidates.describe(designs), nan=-1.0)
        columns = []
        for place, entry in enumerate(self._candidates.entries):
            if entry.nature is Nature.CATEGORICAL and entry.high - entry.low > 1:
                columns += [rows[:, place] == value for value in range(int(entry.low), int(entry.high) + 1)]
            else:
                columns.append(rows[:, place])
        return np.column_stack(columns).astype(np.float64)


def paths_of(graph: Labelled, most: int = 2000) -> set[tuple[str, ...]]:
    """The labels along every way from the first node to the last, up to `most` ways."""
    labels, edges = graph
    after: dict[int, list[int]] = {}
    for start, end in edges:
        after.setdefault(start, []).append(end)
    ways: set[tuple[str, ...]] = set()
    open_ways: list[tuple[int, tuple[str, ...]]] = [(0, ())]
    while open_ways and len(ways) < most:
        node, way = open_ways.pop()
        if node == len(labels) - 1:
            ways.add(way)
        for following in after.get(node, []):
            label = () if following == len(labels) - 1 else (labels[following],)
            open_ways.append((following, way + label))
    return ways


class PathEnsemble:
    """In the manner of BANANAS (White and others 2021): five networks on the paths of a graph.

    Networks of three layers of 64, learnt by Adam at 0.01; the deviation is that of the five. The published search has
    ten layers of 20, and Thompson sampling over mutations of the best designs in place of expected improvement.
    """

    def __init__(self, task: Task[Any], seed: int) -> None:
        assert task.graph is not None
        self._graph: Callable[[Any], Labelled] = task.graph
        self._key = task.candidates.key
        self._known: dict[Hashable, set[tuple[str, ...]]] = {}
        self._seed = seed

    def _paths(self, design: Any) -> set[tuple[str, ...]]:
        key = self._key(design)
        if key not in self._known:
            self._known[key] = paths_of(self._graph(design))
        return self._known[key]

    def fit(self, designs: Sequence[Any], values: Array, generator: np.random.Generator) -> None:
        import torch

        seen = sorted({path for design in designs for path in self._paths(design)})
        self._columns = {path: place for place, path in enumerate(seen)}
        inputs = torch.tensor(self._encoded(designs), dtype=torch.float32)
        self._mean, self._scale = float(values.mean()), float(values.std()) or 1.0
        targets = torch.tensor((values - self._mean) / self._scale, dtype=torch.float32)[:, None]
        torch.manual_seed(self._seed * 1000 + len(designs))
        self._networks = []
        for _ in range(5):
            layers: list[torch.nn.Module] = []
            width = inputs.shape[1]
            for size in (64, 64, 64):
                layers += [torch.nn.Linear(width, size), torch.nn.ReLU()]
                width = size
            network = torch.nn.Sequential(*layers, torch.nn.Linear(width, 1))
            optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
            for _ in range(100):
                optimiser.zero_grad()
                (network(inputs) - targets).abs().mean().backward()
                optimiser.step()
            self._networks.append(network)

    def _encoded(self, designs: Sequence[Any]) -> Array:
        rows = np.zeros((len(designs), max(1, len(self._columns))))
        for row, design in zip(rows, designs, strict=True):
            for path in self._paths(design):
                if path in self._columns:
                    row[self._columns[path]] = 1.0
        return rows

    def predict(self, designs: Sequence[Any]) -> tuple[Array, Array]:
        import torch

        inputs = torch.tensor(self._encoded(designs), dtype=torch.float32)
        with torch.no_grad():
            each = np.stack([network(inputs).numpy()[:, 0] for network in self._networks]).astype(np.float64)
        return self._mean + self._scale * each.mean(axis=0), self._scale * each.std(axis=0)


class WeisfeilerLehman:
    """A Gaussian process with a Weisfeiler-Lehman kernel, as in NAS-BOWL (Ru and others 2021).

    Counts of labels after 0, 1 and 2 rounds; the number of rounds and the noise are those of largest likelihood.
    """

    def __init__(self, task: Task[Any], seed: int) -> None:
        assert task.graph is not None
        self._graph: Callable[[Any], Labelled] = task.graph
        self._key = task.candidates.key
        self._known: dict[Hashable, list[Counter[Any]]] = {}
        self._labels: dict[Any, int] = {}

    def _counts(self, design: Any) -> list[Counter[Any]]:
        key = self._key(design)
        if key not in self._known:
            labels, edges = self._graph(design)
            before: dict[int, list[int]] = {}
            after: dict[int, list[int]] = {}
            for start, end in edges:
                before.setdefault(end, []).append(start)
                after.setdefault(start, []).append(end)
            current: list[Any] = list(labels)
            counts = [Counter(current)]
            for _ in range(2):
                around = [
                    (
                        current[node],
                        tuple(sorted(str(current[other]) for other in before.get(node, []))),
                        tuple(sorted(str(current[other]) for other in after.get(node, []))),
                    )
                    for node in range(len(current))
                ]
                current = [self._labels.setdefault(one, len(self._labels)) for one in around]
                counts.append(Counter(current))
            self._known[key] = counts
        return self._known[key]

    def fit(self, designs: Sequence[Any], values: Array, generator: np.random.Generator) -> None:
        self._mean, self._scale = float(values.mean()), float(values.std()) or 1.0
        targets = (values - self._mean) / self._scale
        best = None
        for rounds in (0, 1, 2):
            seen = sorted({label for d in designs for c in self._counts(d)[: rounds + 1] for label in c}, key=str)
            columns = {label: place for place, label in enumerate(seen)}
            features = self._features(designs, rounds, columns)
            kernel = features @ features.T
            for noise in (1e-3, 1e-2, 1e-1, 0.5):
                factor = cho_factor(kernel + noise * np.eye(len(kernel)), lower=True)
                weights = cho_solve(factor, targets)
                amplitude = float(targets @ weights) / len(targets)
                likelihood = -0.5 * len(targets) * np.log(amplitude) - np.log(np.diag(factor[0])).sum()
                if best is None or likelihood > best[0]:
                    best = (likelihood, rounds, columns, features, factor, weights, amplitude)
        assert best is not None
        _, self._rounds, self._columns, self._seen, self._factor, self._weights, self._amplitude = best

    def _features(self, designs: Sequence[Any], rounds: int, columns: dict[Any, int]) -> Array:
        rows = np.zeros((len(designs), len(columns) + 1))
        for row, design in zip(rows, designs, strict=True):
            unseen = 0
            for counts in self._counts(design)[: rounds + 1]:
                for label, count in counts.items():
                    if label in columns:
                        row[columns[label]] += count
                    else:
                        unseen += count**2
            row[-1] = np.sqrt(unseen)  # keeps the norm; labels not seen have nothing in common with those that were
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def predict(self, designs: Sequence[Any]) -> tuple[Array, Array]:
        features = self._features(designs, self._rounds, self._columns)
        shared = features[:, :-1] @ self._seen[:, :-1].T
        mean = shared @ self._weights
        variance = self._amplitude * (1.0 - (shared * cho_solve(self._factor, shared.T).T).sum(axis=1))
        return self._mean + self._scale * mean, self._scale * np.sqrt(np.maximum(variance, 1e-12))
