"""The surrogates of the product: trained on what the database holds, kept in it, and asked for embeddings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gnn.network import SurrogateSettings
from gnn.surrogate import VERSION, GraphSurrogate
from graphdb.architecture import Architecture
from graphdb.canonical import digest
from graphdb.errors import NotFoundError
from graphdb.measurement import Measurement
from graphdb.records import SurrogateRecord
from graphdb.store import Store

Report = Callable[[str], None]

ACCURACIES = ("qnli_accuracy", "sst2_accuracy")
COSTS = ("latency_s", "energy_j", "area_mm2")
_SEED = 0
_EMBEDDED_AT_ONCE = 2000


@dataclass(frozen=True)
class LearningTask:
    """What a surrogate learns, and from which measurements.

    Attributes:
        name: for people.
        roles: of the architectures that are measured together.
        measures: learnt where they are known.
        seen: further measures whose architectures are learnt from by their structure alone.
        simulators: whose measurements count; None for any.
        embeds: domain -> role whose encoder embeds it.
        settings: sizes and training.
    """

    name: str
    roles: tuple[str, ...]
    measures: tuple[str, ...]
    seen: tuple[str, ...]
    simulators: frozenset[str] | None
    embeds: Mapping[str, str]
    settings: SurrogateSettings = field(default_factory=SurrogateSettings)


MODELS = LearningTask("accuracy of Transformers", ("model",), ACCURACIES, ("mlm_loss",), None, {"transformer": "model"})
PAIRS = LearningTask(
    "costs of Transformers on accelerators",
    ("model", "accelerator"),
    COSTS,
    (),
    frozenset({"elector-published"}),
    {"accelerator": "accelerator"},
    # Smaller than the default, as it serves neighbour search alone: a third of the time on these large graphs.
    SurrogateSettings(members=2, steps=300, trees=0),
)
_OF_DOMAIN = {domain: task for task in (MODELS, PAIRS) for domain in task.embeds}


@dataclass(frozen=True)
class Trained:
    """A surrogate and the key under which the database keeps it."""

    key: str
    surrogate: GraphSurrogate


def trained(store: Store, task: LearningTask, report: Report) -> Trained:
    """The surrogate for what the database holds now: found if it was trained before, trained otherwise.

    The key is a hash of the training data, so the same data gives the same surrogate, to the bit on one machine.

    Args:
        report: told in a few words what is being done.

    Raises:
        NotFoundError: no measurement to learn from.
    """
    rows = _training_rows(store, task)
    if not rows:
        raise NotFoundError(f"No measurement of {', '.join(task.measures)} is stored; run `explorer load` first.")
    key = digest(
        [task.name, VERSION, _SEED, task.settings.to_json(), [[row.key, sorted(row.measures.items())] for row in rows]]
    )
    try:
        record = store.surrogates.get(key)
    except NotFoundError:
        return _fitted(store, task, rows, key, report)
    return Trained(key, GraphSurrogate.from_record(record.weights, record.settings))


def ensure_embedding(store: Store, key: str, report: Report) -> None:
    """See that an architecture, and all others of its domain, have the embedding of the current surrogate.

    Raises:
        NotFoundError: no such architecture, no surrogate for its domain, or nothing to train that on.
    """
    domain = store.architectures.get(key).domain
    if domain not in _OF_DOMAIN:
        raise NotFoundError(f"No surrogate embeds the domain {domain}; there are {', '.join(_OF_DOMAIN)}.")
    task = _OF_DOMAIN[domain]
    embed(store, domain, trained(store, task, report), task.embeds[domain], report)


def embed(store: Store, domain: str, found: Trained, role: str, report: Report) -> int:
    """Write the embeddings that a domain still lacks from this surrogate; returns how many."""
    missing = store.embeddings.missing(found.key, domain)
    for start in range(0, len(missing), _EMBEDDED_AT_ONCE):
        report(f"embedding {len(missing):,} architectures")
        some = store.architectures.get_many(missing[start : start + _EMBEDDED_AT_ONCE])
        vectors = found.surrogate.embed(list(some.values()), role)
        store.embeddings.write(found.key, {k: v.tolist() for k, v in zip(some, vectors, strict=True)})
    return len(missing)


def _training_rows(store: Store, task: LearningTask) -> list[Measurement]:
    """All measurements that count, in the order of their keys; predicted values do not."""
    found: dict[str, Measurement] = {}
    for measure in (*task.measures, *task.seen):
        for measurement in store.measurements.with_measure(measure):
            counts = task.simulators is None or measurement.simulator in task.simulators
            if counts and set(task.roles) == set(measurement.roles) and measure not in measurement.predicted:
                found[measurement.key] = measurement
    return [found[key] for key in sorted(found)]


def _fitted(store: Store, task: LearningTask, rows: Sequence[Measurement], key: str, report: Report) -> Trained:
    architectures = store.architectures.get_many(sorted({k for row in rows for k in row.roles.values()}))
    by_role: dict[str, list[Architecture]] = {
        role: [architectures[row.roles[role]] for row in rows] for role in task.roles
    }
    targets = {
        measure: np.array([np.nan if measure in row.predicted else row.measures.get(measure, np.nan) for row in rows])
        for measure in task.measures
    }
    logarithmic = [measure for measure in task.measures if measure in COSTS]
    surrogate = GraphSurrogate(task.roles, logarithmic, task.settings)

    def progress(done: float) -> None:
        report(f"training on the {task.name}: {100 * done:.0f} %")

    surrogate.fit(by_role, targets, np.random.default_rng(_SEED), progress)
    weights, settings = surrogate.to_record()
    store.surrogates.save(SurrogateRecord(key, task.name, settings, weights))
    return Trained(key, surrogate)
