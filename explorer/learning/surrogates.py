"""The surrogates of the product: trained on the data in the database, kept there, and used for embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from explorer import registry
from explorer.contracts.learning_task import LearningTask
from explorer.contracts.session import Report
from gnn.network import SurrogateSettings
from gnn.surrogate import VERSION, GraphSurrogate
from graphdb.architecture import Architecture
from graphdb.canonical import digest
from graphdb.errors import InputError, NotFoundError
from graphdb.measurement import Measurement
from graphdb.records import SurrogateRecord
from graphdb.store import Store
from graphdb.store.embeddings import BEHAVIOUR

_SEED = 0
_EMBEDDED_AT_ONCE = 2000


@dataclass(frozen=True)
class Trained:
    """A surrogate and the key under which the database keeps it."""

    key: str
    surrogate: GraphSurrogate


def task_of(domain: str) -> LearningTask:
    """The first task whose surrogate embeds the designs of a domain.

    Raises:
        NotFoundError: no surrogate embeds the domain.
    """
    tasks = registry.learning_tasks()
    for task in tasks:
        if domain in task.embeds:
            return task
    embedded = ", ".join(dict.fromkeys(name for task in tasks for name in task.embeds)) or "none"
    raise NotFoundError(f"No surrogate embeds the domain {domain}; there are {embedded}.")


def trained(store: Store, task: LearningTask, report: Report) -> Trained:
    """The surrogate for the current data in the database, which is trained unless it is stored.

    The key is a hash of the training data, so the same data gives the same surrogate, bit for bit on one machine.

    Args:
        store: the database.
        task: the learning task.
        report: called with a few words about the current work.

    Raises:
        NotFoundError: there is no measurement to learn from.
        InputError: the task sets a size that surrogates do not have.
    """
    settings = settings_of(task)
    rows = _training_rows(store, task)
    if not rows:
        names = ", ".join(measure.name for measure in task.measures)
        raise NotFoundError(f"No measurement of {names} is stored; run `explorer load` first.")
    key = digest(
        [task.name, VERSION, _SEED, settings.to_json(), [[row.key, sorted(row.measures.items())] for row in rows]]
    )
    try:
        return Trained(key, stored(store, key))
    except NotFoundError:
        return _fitted(store, task, rows, key, report)


def stored(store: Store, key: str) -> GraphSurrogate:
    """The surrogate under a key.

    Raises:
        NotFoundError: no surrogate has the key.
        InputError: its weights are damaged, or another version of this code wrote them.
    """
    record = store.surrogates.get(key)
    return GraphSurrogate.from_record(record.weights, record.settings)


def settings_of(task: LearningTask) -> SurrogateSettings:
    """The sizes and the training of the surrogate for a task.

    Raises:
        InputError: the task sets a size that surrogates do not have, or one that is out of range.
    """
    allowed = [field.name for field in fields(SurrogateSettings)]
    for name in task.sizes:
        if name not in allowed:
            raise InputError(f"The task to learn the {task.name} sets {name!r}; allowed: {', '.join(allowed)}.")
    settings = SurrogateSettings(**task.sizes)
    if task.embeds and settings.embedding != BEHAVIOUR.dimensions:
        raise InputError(
            f"The task to learn the {task.name} sets an embedding of {settings.embedding} numbers; "
            f"allowed: {BEHAVIOUR.dimensions}, as the vector index has it."
        )
    return settings


def ensure_embedding(store: Store, key: str, report: Report) -> None:
    """Ensures that an architecture, and all others of its domain, have the embedding of the current surrogate.

    Args:
        store: the database.
        key: the key of a stored architecture.
        report: called with a few words about the current work.

    Raises:
        NotFoundError: there is no such architecture, no surrogate for its domain, or no data to train it on.
    """
    domain = store.architectures.get(key).domain
    task = task_of(domain)
    embed(store, domain, trained(store, task, report), task.embeds[domain], report)


def embed(store: Store, domain: str, surrogate: Trained, role: str, report: Report) -> int:
    """Writes the embeddings by this surrogate that the architectures of a domain do not have yet.

    Args:
        store: the database.
        domain: the domain of the architectures.
        surrogate: the surrogate, with the key under which its embeddings are written.
        role: the role whose encoder embeds them.
        report: called with a few words about the current work.

    Returns:
        The number of embeddings written.
    """
    missing = store.embeddings.missing(surrogate.key, domain)
    for start in range(0, len(missing), _EMBEDDED_AT_ONCE):
        report(f"embedding {len(missing):,} architectures")
        some = store.architectures.get_many(missing[start : start + _EMBEDDED_AT_ONCE])
        vectors = surrogate.surrogate.embed(list(some.values()), role)
        store.embeddings.write(surrogate.key, {k: v.tolist() for k, v in zip(some, vectors, strict=True)})
    return len(missing)


def _training_rows(store: Store, task: LearningTask) -> list[Measurement]:
    """All measurements to learn from, in the order of their keys; predicted values are left out."""
    rows: dict[str, Measurement] = {}
    domain = next(iter(task.embeds), None)  # other domains may have measures and roles of the same names
    for measure in (*(one.name for one in task.measures), *task.seen):
        for measurement in store.measurements.with_measure(measure, domain=domain):
            counts = task.simulators is None or measurement.simulator in task.simulators
            if counts and set(task.roles) == set(measurement.roles) and measure not in measurement.predicted:
                rows[measurement.key] = measurement
    return [rows[key] for key in sorted(rows)]


def _fitted(store: Store, task: LearningTask, rows: Sequence[Measurement], key: str, report: Report) -> Trained:
    architectures = store.architectures.get_many(sorted({k for row in rows for k in row.roles.values()}))
    by_role: dict[str, list[Architecture]] = {
        role: [architectures[row.roles[role]] for row in rows] for role in task.roles
    }
    names = [measure.name for measure in task.measures]
    targets = {
        name: np.array([np.nan if name in row.predicted else row.measures.get(name, np.nan) for row in rows])
        for name in names
    }
    logarithmic = [measure.name for measure in task.measures if measure.logarithmic]
    surrogate = GraphSurrogate(task.roles, logarithmic, settings_of(task))

    def progress(done: float) -> None:
        report(f"training on the {task.name}: {100 * done:.0f} %")

    surrogate.fit(by_role, targets, np.random.default_rng(_SEED), progress)
    weights, settings = surrogate.to_record()
    store.surrogates.save(SurrogateRecord(key, task.name, settings, weights))
    return Trained(key, surrogate)
