"""Similar architectures: by edit distance, which an encoder estimates, or by their embeddings in a surrogate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from explorer import registry
from explorer.contracts.metric import Likeness, Metric
from explorer.contracts.session import Report
from explorer.contracts.space import Choices
from explorer.distance.bounds import LowerBounds
from explorer.distance.graph import Floats, PlacedGraph
from explorer.learning import surrogates
from explorer.learning.ranking import ROUNDING, Bounded, graphs_of, ranked
from gnn.inductive import VERSION, EncoderSettings, InductiveEncoder
from gnn.table import classical_scaling
from graphdb.architecture import Architecture
from graphdb.canonical import digest
from graphdb.errors import InputError, NotFoundError
from graphdb.records import ArchitectureFilter, SurrogateRecord
from graphdb.store import Store
from graphdb.store.embeddings import DISTANCE
from graphdb.store.rows import CorruptError

SETTINGS = EncoderSettings(width=256, steps=2000)
DESIGNS_PER_SPACE = 1000
_SEED = 0
_ENCODED_AT_ONCE = 2000
RANKED = 1000
"""Designs that are ordered by bounds of their distance: all of a domain, if it has no more."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An architecture near another.

    Attributes:
        key: the key of the architecture.
        score: a number from 0 to 1 (identical): (1 + cosine) / 2 of the embeddings by behaviour, 1 / (1 + distance)
            otherwise.
        distance: the edit distance if it equals `at_least`, an upper bound of it otherwise, or the encoder's estimate;
            None by behaviour.
        at_least: a lower bound of the edit distance; None for an estimate, and by behaviour.
    """

    key: str
    score: float
    distance: float | None = None
    at_least: float | None = None

    @classmethod
    def at(cls, key: str, distance: float, at_least: float | None = None) -> Neighbour:
        """Returns the neighbour at an edit distance.

        Args:
            key: the key of the architecture.
            distance: the distance, an upper bound of it, or an estimate.
            at_least: a lower bound of the distance; None for an estimate.
        """
        return cls(key, 1.0 / (1.0 + distance), distance, at_least)

    @property
    def estimated(self) -> bool:
        """Whether the distance is an estimate, which may be too large or too small."""
        return self.distance is not None and self.at_least is None

    @property
    def exact(self) -> bool:
        """Whether the distance is the edit distance itself."""
        return self.at_least is not None and self.distance is not None and self.distance - self.at_least <= ROUNDING


def default_likeness(domain: str) -> Likeness:
    """The default criterion of similarity for a domain: the edit distance, if the domain has one."""
    return Likeness.BEHAVIOUR if registry.metric(domain) is None else Likeness.DISTANCE


def nearest(
    store: Store,
    key: str,
    count: int,
    report: Report,
    *,
    by: Likeness = Likeness.DISTANCE,
    rank_again: bool | None = None,
) -> list[Neighbour]:
    """`neighbours`, after embedding the architectures of the domain that do not have the necessary embedding yet.

    The encoder of edit distances, or the surrogate of measures, is trained when it is first needed, and then kept in
    the database. A domain of few architectures is ranked without one.

    Args:
        store: the database.
        key: the key of a stored architecture.
        count: the number of neighbours, at least 1.
        report: called with a few words about the current work.
        by: the criterion of similarity.
        rank_again: whether to order by bounds of the distance; by distance only, where it is the default.

    Raises:
        NotFoundError: there is no such architecture, or the domain lacks the edit distance or the surrogate for `by`.
        InputError: the domain has no notion of a beginning, or `rank_again` is not possible with `by`.
    """
    if by is Likeness.BEHAVIOUR:
        surrogates.ensure_embedding(store, key, report)
    elif _estimates(by, rank_again) or not _few(store, store.architectures.get(key).domain):
        embed_missing(store, store.architectures.get(key).domain, report)
    return neighbours(store, key, count, by=by, rank_again=rank_again)


def neighbours(
    store: Store, key: str, count: int, *, by: Likeness = Likeness.DISTANCE, rank_again: bool | None = None
) -> list[Neighbour]:
    """The stored architectures of the same domain nearest to one, nearest first.

    By distance, all of the domain are ordered by bounds of the edit distance if they are at most 1,000; otherwise the
    nearest 1,000 by the encoder's estimate are. By beginning the same designs are ordered by how much is the same from
    the input on, and then by these bounds.

    Args:
        store: the database.
        key: the key of a stored architecture.
        count: the number of neighbours, at least 1.
        by: the criterion of similarity.
        rank_again: False to be content with the estimates, by distance only; None for the default.

    Raises:
        NotFoundError: there is no such architecture, its domain has no edit distance, or it has not been embedded.
        InputError: the domain has no notion of a beginning, or `rank_again` is not possible with `by`.
    """
    if rank_again and by is not Likeness.DISTANCE:
        raise InputError(f"Neighbours by {by} are not ranked again; allowed: neighbours by {Likeness.DISTANCE}.")
    if by is Likeness.BEHAVIOUR:
        return [Neighbour(other, score) for other, score in store.embeddings.similar(key, count)]
    own = store.architectures.get(key)
    metric = _metric(own.domain)
    if _estimates(by, rank_again):
        estimates = store.distances.similar(key, count)
        return [Neighbour.at(other, max(0.0, 1.0 / score - 1.0)) for other, score in estimates]
    beginning = metric.beginning
    if by is Likeness.BEGINNING and beginning is None:
        raise InputError(f"Designs of the domain {own.domain} have no beginning to be ordered by.")
    candidates = _candidates(store, own, count)
    if by is Likeness.BEGINNING and beginning is not None:
        near = _by_beginning(store, own, candidates, metric, beginning)[:count]
    else:
        graphs = graphs_of(metric)
        near = ranked(graphs.placed(own), graphs.of(store, candidates), count)
    return [Neighbour.at(one.key, one.at_most, one.at_least) for one in near]


def _estimates(by: Likeness, rank_again: bool | None) -> bool:
    return by is Likeness.DISTANCE and rank_again is False


def _few(store: Store, domain: str) -> bool:
    """Whether a domain has so few designs that all of them are ranked."""
    counts = store.architectures.counts().items()
    return sum(count for where, count in counts if where.partition("/")[0] == domain) <= RANKED


def _candidates(store: Store, own: Architecture, count: int) -> list[str]:
    """The keys of the designs that are ranked: all of the domain, or the nearest by estimate."""
    if _few(store, own.domain):
        keys = store.architectures.keys(ArchitectureFilter(domain=own.domain))
    else:
        keys = [other for other, _ in store.distances.similar(own.key, max(RANKED, count))]
    return [other for other in keys if other != own.key]


def _by_beginning(
    store: Store,
    own: Architecture,
    candidates: Sequence[str],
    metric: Metric,
    beginning: Callable[[Choices, Choices], int],
) -> list[Bounded]:
    """The candidates, first those that share the most with a design from the input on.

    Args:
        store: the database.
        own: the design.
        candidates: the keys of the others.
        metric: the edit distance.
        beginning: how much of two designs is the same.
    """
    others = store.architectures.get_many(candidates)
    graphs = graphs_of(metric)
    near = ranked(graphs.placed(own), {key: graphs.placed(one) for key, one in others.items()}, len(others))
    shared = {key: beginning(own.choices, one.choices) for key, one in others.items()}
    return sorted(near, key=lambda one: (-shared[one.key], one.at_most, one.key))


def encoder_of(store: Store, domain: str, report: Report) -> InductiveEncoder:
    """The encoder of a domain's edit distances, which is trained unless it is stored.

    Args:
        store: the database, which keeps the encoder.
        domain: a domain with an edit distance.
        report: called with a few words about the current work.

    Raises:
        NotFoundError: the domain has no edit distance.
    """
    return _encoder(store, domain, _encoder_key(domain), report)


def keep_encoder(store: Store, domain: str, report: Report) -> str:
    """Ensures that the encoder of a domain's edit distances is stored; returns its key.

    Args:
        store: the database.
        domain: a domain with an edit distance.
        report: called with a few words about the current work.

    Raises:
        NotFoundError: the domain has no edit distance.
    """
    key = _encoder_key(domain)
    _encoder(store, domain, key, report)
    return key


def kept_encoder(store: Store, domain: str, key: str) -> InductiveEncoder:
    """The encoder under a key.

    Args:
        store: the database.
        domain: its domain.
        key: what `keep_encoder` returned.

    Raises:
        NotFoundError: no encoder has the key, or the domain has no edit distance.
        InputError: its weights are damaged, or another version of this code wrote them.
    """
    record = store.surrogates.get(key)
    return InductiveEncoder.from_record(record.weights, record.settings, _metric(domain).place)


def embed_missing(store: Store, domain: str, report: Report) -> int:
    """Encodes the architectures of a domain that the current encoder has not encoded yet; returns how many.

    Args:
        store: the database.
        domain: a domain with an edit distance.
        report: called with a few words about the current work.

    Raises:
        NotFoundError: the domain has no edit distance.
    """
    key = _encoder_key(domain)
    missing = store.distances.missing(key, domain)
    if not missing:
        return 0
    encoder = _encoder(store, domain, key, report)
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
    """Trains an encoder whose vectors' squared distances estimate edit distances.

    It learns the vectors that classical scaling gives to random designs, from the square roots of lower bounds of all
    distances among them: these take microseconds, are a metric, and follow the exact distances (docs/similarity.md).

    Args:
        metric: the edit distance.
        report: called with a few words about the current work.
        settings: the settings of the encoder.
        designs_per_space: the number of random designs of each of the metric's spaces.
        seed: the seed of the designs and the training.
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
    """The lower bounds of the edit distances among n designs, shape `(n, n)`."""
    return LowerBounds([PlacedGraph.of(one, metric.place) for one in designs]).among(np.arange(len(designs)))


def _encoder(store: Store, domain: str, key: str, report: Report) -> InductiveEncoder:
    metric = _metric(domain)  # outside the block below, which takes a missing encoder for one to be trained
    try:
        return kept_encoder(store, domain, key)
    except (NotFoundError, CorruptError, InputError):  # missing or damaged: training again gives the same weights
        encoder = train_encoder(metric, report, settings=SETTINGS, designs_per_space=DESIGNS_PER_SPACE)
    weights, settings = encoder.to_record()
    store.surrogates.save(SurrogateRecord(key, f"edit distances of the domain {domain}", settings, weights))
    return encoder


def _encoder_key(domain: str) -> str:
    """The key of the current encoder of a domain."""
    metric, settings = _metric(domain), asdict(SETTINGS)
    return digest(["edit distance", domain, metric.version, list(metric.spaces), VERSION, settings, DESIGNS_PER_SPACE])


def _metric(domain: str) -> Metric:
    metric = registry.metric(domain)
    if metric is None:
        having = ", ".join(name for name in registry.domains() if registry.metric(name) is not None) or "none"
        raise NotFoundError(f"The domain {domain} has no edit distance; these have: {having}.")
    return metric
