"""Architectures that are alike: by edit distance, which an encoder estimates and the vector index looks up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

import numpy as np

from explorer import registry
from explorer.contracts.metric import Metric
from explorer.distance.bounds import LowerBounds, upper_bound
from explorer.distance.graph import Floats, PlacedGraph
from gnn.inductive import VERSION, EncoderSettings, InductiveEncoder
from gnn.table import classical_scaling
from graphdb.architecture import Architecture
from graphdb.canonical import digest
from graphdb.errors import InputError, NotFoundError
from graphdb.records import SurrogateRecord
from graphdb.store import Store
from graphdb.store.embeddings import DISTANCE
from graphdb.store.rows import CorruptError

Report = Callable[[str], None]

SETTINGS = EncoderSettings(width=256, steps=2000)
DESIGNS_PER_SPACE = 1000
_SEED = 0
_ENCODED_AT_ONCE = 2000
_RANKED_AGAIN = 200


@dataclass(frozen=True)
class Neighbour:
    """An architecture near another.

    Attributes:
        key: of the architecture.
        distance: between the two: the encoder's estimate of the edit distance, or an upper bound of it where
            neighbours were ranked again.
    """

    key: str
    distance: float


class Order(StrEnum):
    """By what neighbours are ordered."""

    ESTIMATE = "estimate"
    """The encoder's estimate of the edit distance."""
    BOUND = "bound"
    """An upper bound of the edit distance, of the nearest by estimate."""
    BEGINNING = "beginning"
    """How much is the same from the input on, then that bound, of the nearest by estimate: FlexiBERT's biased
    neighbours, which inherit the most weights."""


def nearest(store: Store, key: str, count: int, report: Report, *, order: Order = Order.ESTIMATE) -> list[Neighbour]:
    """`neighbours`, after encoding the architectures of the domain that have no embedding yet.

    The encoder is trained when it is first needed, and then kept in the database.

    Args:
        report: told in a few words what is being done.

    Raises:
        NotFoundError: no such architecture, or no edit distance for its domain.
        InputError: the domain does not know this order.
    """
    embed_missing(store, store.architectures.get(key).domain, report)
    return neighbours(store, key, count, order=order)


def neighbours(store: Store, key: str, count: int, *, order: Order = Order.ESTIMATE) -> list[Neighbour]:
    """The stored and encoded architectures of the same domain nearest to one, nearest first.

    Args:
        store: where they are.
        key: of a stored architecture.
        count: how many, at least 1.
        order: all but the estimate order the nearest 200, or `count` if that is more, which takes a fraction of a
            millisecond to some milliseconds each.

    Raises:
        NotFoundError: no such architecture, no edit distance for its domain, or it has not been encoded.
        InputError: the domain does not know this order.
    """
    own = store.architectures.get(key)
    metric = _metric(own.domain)
    if order is Order.ESTIMATE:
        found = store.distances.similar(key, count)
        return [Neighbour(other, max(0.0, 1.0 / score - 1.0)) for other, score in found]
    if order is Order.BEGINNING and metric.beginning is None:
        raise InputError(f"Designs of the domain {own.domain} have no beginning to be ordered by.")
    found = store.distances.similar(key, max(_RANKED_AGAIN, count))
    others = store.architectures.get_many([other for other, _ in found])
    graph = PlacedGraph.of(own, metric.place)
    shared = {
        other: metric.beginning(own.choices, one.choices) if order is Order.BEGINNING and metric.beginning else 0
        for other, one in others.items()
    }
    bounds = [Neighbour(k, upper_bound(graph, PlacedGraph.of(other, metric.place))) for k, other in others.items()]
    return sorted(bounds, key=lambda one: (-shared[one.key], one.distance, one.key))[:count]


def encoder_of(store: Store, domain: str, report: Report) -> InductiveEncoder:
    """The encoder of edit distances of a domain: found if it was trained before, trained otherwise.

    Raises:
        NotFoundError: the domain has no edit distance.
    """
    metric = _metric(domain)
    return _encoder(store, domain, metric, _encoder_key(domain, metric, SETTINGS, DESIGNS_PER_SPACE), report)


def embed_missing(store: Store, domain: str, report: Report) -> int:
    """Encode the architectures of a domain that the current encoder has not encoded yet; how many.

    Raises:
        NotFoundError: the domain has no edit distance.
    """
    metric = _metric(domain)
    key = _encoder_key(domain, metric, SETTINGS, DESIGNS_PER_SPACE)
    missing = store.distances.missing(key, domain)
    if not missing:
        return 0
    encoder = _encoder(store, domain, metric, key, report)
    for start in range(0, len(missing), _ENCODED_AT_ONCE):
        report(f"encoding {len(missing):,} architectures: {100 * start // len(missing)} %")
        some = store.architectures.get_many(missing[start : start + _ENCODED_AT_ONCE])
        vectors = encoder.embed(list(some.values()))
        store.distances.write(key, {k: vector.tolist() for k, vector in zip(some, vectors, strict=True)})
    return len(missing)


def train_encoder(
    metric: Metric,
    report: Report,
    *,
    settings: EncoderSettings = SETTINGS,
    designs_per_space: int = DESIGNS_PER_SPACE,
    seed: int = _SEED,
) -> InductiveEncoder:
    """An encoder whose vectors' squared distances estimate edit distances.

    It learns the vectors that classical scaling gives random designs, from the roots of lower bounds of all distances
    among them: these take microseconds, are a metric, and go with exact distances (docs/similarity.md).

    Args:
        metric: the edit distance.
        report: told in a few words what is being done.
        settings: of the encoder.
        designs_per_space: random designs of each of the metric's spaces.
        seed: of designs and training.
    """
    generator = np.random.default_rng(seed)
    designs: list[Architecture] = []
    for name in metric.spaces:
        space = registry.space(name)
        designs += [space.graph_of(space.sample(generator)) for _ in range(designs_per_space)]
    report(f"measuring distances among {len(designs):,} architectures")
    distances = distances_among(designs, metric)
    vectors = classical_scaling(np.sqrt(distances), DISTANCE.dimensions)

    def progress(done: float) -> None:
        report(f"training the encoder of distances: {100 * done:.0f} %")

    return InductiveEncoder(metric.place, settings).fit(designs, vectors, generator, progress)


def distances_among(designs: Sequence[Architecture], metric: Metric) -> Floats:
    """Lower bounds of all edit distances, shape `(n, n)`."""
    return LowerBounds([PlacedGraph.of(one, metric.place) for one in designs]).among(np.arange(len(designs)))


def _encoder(store: Store, domain: str, metric: Metric, key: str, report: Report) -> InductiveEncoder:
    try:
        record = store.surrogates.get(key)
        return InductiveEncoder.from_record(record.weights, record.settings, metric.place)
    except (NotFoundError, CorruptError, InputError):  # not trained yet, or damaged: trained anew, to the same weights
        encoder = train_encoder(metric, report, settings=SETTINGS, designs_per_space=DESIGNS_PER_SPACE)
    weights, settings = encoder.to_record()
    store.surrogates.save(SurrogateRecord(key, f"edit distances of the domain {domain}", settings, weights))
    return encoder


def _encoder_key(domain: str, metric: Metric, settings: EncoderSettings, designs: int) -> str:
    return digest(["edit distance", domain, metric.version, list(metric.spaces), VERSION, asdict(settings), designs])


def _metric(domain: str) -> Metric:
    metric = registry.metric(domain)
    if metric is None:
        raise NotFoundError(f"The domain {domain} has no edit distance; these have: {', '.join(registry.METRICS)}.")
    return metric
