"""Training of the members of a surrogate, each on its own share of the data and with its own order of batches."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gnn.data import GraphBatch, GraphSet
from gnn.network import Member, SurrogateSettings

Indices = NDArray[np.int64]
Listener = Callable[[float], None]
"""Called with the fraction done, in (0, 1]."""

LOSS_POWER = 0.5
"""β of the loss: 0 is the likelihood, which neglects difficult designs; 1 has the gradient of the squared error."""
HELD_OUT = 0.1
"""Share of the designs that is held out from each member, for the calibration."""
_REPORT_EVERY = 10  # steps
_GATHERED = 64  # batches that are gathered at once; limits the memory


@dataclass(frozen=True)
class TrainingSet:
    """n designs with one graph per role and standardised targets.

    Attributes:
        graphs: role -> its distinct graphs.
        index: role -> the index of each design's graph, shape `(n,)`.
        targets: shape `(n, measures)`, NaN where missing.
        structural: role -> standardised structural targets of its graphs, `(graphs, targets)`.
    """

    graphs: Mapping[str, GraphSet]
    index: Mapping[str, Indices]
    targets: Tensor
    structural: Mapping[str, Tensor]

    def __len__(self) -> int:
        return len(self.targets)


@contextmanager
def steady(device: torch.device) -> Iterator[None]:
    """Uses one thread inside each operation, and deterministic algorithms on a GPU.

    The graphs are small: a second thread per operation gains nothing on a free machine and makes each operation many
    times slower on a busy one. One thread also adds in the same order whatever the number of cores.
    """
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    if device.type == "cuda":
        torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)


def held_out_designs(size: int, members: int, generator: np.random.Generator) -> list[Indices]:
    """Draws the designs held out from each member: disjoint sets, empty if there are fewer than 20 designs.

    Args:
        size: the number of designs.
        members: the number of members.
        generator: divides the designs.
    """
    share = int(size * min(HELD_OUT, 1 / (members + 1))) if size >= 20 else 0
    order = generator.permutation(size)
    return [order[i * share : (i + 1) * share] for i in range(members)]


def train(
    members: list[Member],
    data: TrainingSet,
    held_out: list[Indices],
    settings: SurrogateSettings,
    generators: list[np.random.Generator],
    workers: int,
    on_progress: Listener | None = None,
) -> NDArray[np.float64]:
    """Trains all members, `workers` at a time; the number of workers does not change the result.

    Args:
        members: the networks, trained in place.
        data: the n designs.
        held_out: for each member, the indices of the designs that it does not see.
        settings: the settings of the training.
        generators: for each member, the generator of its batches.
        workers: the number of threads.
        on_progress: called with the fraction done, from any thread; an exception of it ends the training.

    Returns:
        The loss at every step as an average over the members, shape `(steps,)`.
    """
    shares = [np.setdiff1d(np.arange(len(data)), unseen) for unseen in held_out]
    steps = step_count(len(shares[0]), settings)
    ticker = _Ticker(len(members) * steps, on_progress)
    with ThreadPoolExecutor(workers) as pool:
        jobs = [
            pool.submit(_train_member, member, data, share, steps, settings, generator, ticker)
            for member, share, generator in zip(members, shares, generators, strict=True)
        ]
        try:
            losses = [job.result() for job in jobs]
        except BaseException:
            ticker.stopped = True
            raise
    return np.asarray(np.mean(losses, axis=0))


def step_count(size: int, settings: SurrogateSettings) -> int:
    """The number of training steps for `size` designs."""
    return min(settings.steps, settings.epochs * math.ceil(size / settings.batch_size))


class _Ticker:
    """Counts the steps of all threads, and passes on the fraction done."""

    def __init__(self, total: int, on_progress: Listener | None) -> None:
        self.stopped = False
        self._done, self._total, self._report = 0, total, on_progress
        self._lock = threading.Lock()

    def tick(self, steps: int) -> None:
        with self._lock:
            self._done += steps
            if self._report is not None and not self.stopped:
                self._report(self._done / self._total)


def _train_member(
    member: Member,
    data: TrainingSet,
    share: Indices,
    steps: int,
    settings: SurrogateSettings,
    generator: np.random.Generator,
    ticker: _Ticker,
) -> list[float]:
    torch.set_num_threads(1)  # the setting belongs to the thread
    optimiser = torch.optim.AdamW(
        member.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, foreach=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, total_steps=steps)
    losses: list[float] = []
    for batch in _batches(data, share, settings.batch_size, steps, generator):
        loss = _loss(member, data, batch, settings.structural_weight)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(member.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if len(losses) % _REPORT_EVERY == 0 or len(losses) == steps:
            ticker.tick(len(losses) % _REPORT_EVERY or _REPORT_EVERY)
            if ticker.stopped:
                break
    return losses


@dataclass(frozen=True, slots=True)
class _Batch:
    """The designs of one step.

    Attributes:
        designs: their indices, shape `(n,)`.
        graphs: role -> its distinct graphs, their indices, and which of them each design has.
    """

    designs: Tensor
    graphs: Mapping[str, tuple[GraphBatch, Tensor, Tensor]]


def _batches(
    data: TrainingSet, share: Indices, batch_size: int, steps: int, generator: np.random.Generator
) -> Iterator[_Batch]:
    """Yields `steps` batches; every pass over the share has a new order and parts of nearly equal size.

    The graphs of several steps are gathered at once, and the batches are views of that copy.
    """
    parts = math.ceil(len(share) / batch_size)
    for start in range(0, steps, parts):
        passing = np.array_split(generator.permutation(share), parts)[: steps - start]
        for first in range(0, len(passing), _GATHERED):
            yield from _gathered(data, passing[first : first + _GATHERED])


def _gathered(data: TrainingSet, passing: Sequence[Indices]) -> Iterator[_Batch]:
    by_role: dict[str, list[tuple[GraphBatch, Tensor, Tensor]]] = {}
    for role, graphs in data.graphs.items():
        numbered = [np.unique(data.index[role][designs], return_inverse=True) for designs in passing]
        batches = graphs.batches([distinct for distinct, _ in numbered])
        by_role[role] = [
            (batch, torch.from_numpy(distinct), torch.from_numpy(place))
            for batch, (distinct, place) in zip(batches, numbered, strict=True)
        ]
    for place, designs in enumerate(passing):
        yield _Batch(torch.from_numpy(designs), {role: batches[place] for role, batches in by_role.items()})


def _loss(member: Member, data: TrainingSet, batch: _Batch, structural_weight: float) -> Tensor:
    embeddings, total = [], data.targets.new_zeros(())
    for role, (graphs, distinct, place) in batch.graphs.items():
        embedding = member.embed(role, graphs)
        embeddings.append(embedding[place])
        wanted = data.structural[role][distinct]
        total = total + structural_weight * nn.functional.mse_loss(member.structural(role, embedding), wanted)
    if member.measures:
        total = total + _measure_loss(*member.measure(embeddings), data.targets[batch.designs])
    return total


def _measure_loss(mean: Tensor, log_variance: Tensor, target: Tensor) -> Tensor:
    """β-weighted Gaussian likelihood (Seitzer et al. 2022, "On the pitfalls of heteroscedastic uncertainty estimation")

    averaged over the targets that are known; all arguments `(n, measures)`.
    """
    known = ~torch.isnan(target)
    error = mean - torch.where(known, target, mean.detach())
    likelihood = 0.5 * (error.square() * torch.exp(-log_variance) + log_variance)
    weighted = likelihood * torch.exp(LOSS_POWER * log_variance).detach() * known
    return weighted.sum() / known.sum().clamp(min=1)
