"""A complete table of pairs in the likeness of a co-design: embedded models times gridded accelerators."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from explorer.contracts.optimiser import Inputs, Optimiser, Outcome
from explorer.search.candidates import TableCandidates


def pair_table(
    seed: int, models: int = 200, accelerators: int = 300, sizes: tuple[int, int] = (37, 12)
) -> tuple[TableCandidates, NDArray[np.float64]]:
    """Candidates, and the performance of every pair, `models x accelerators`.

    Five hidden traits make a model accurate and heavy; its vector is a noisy nonlinear image of them. An accelerator
    has levels 1 to 5 of each resource. Latency, area and energy interact across the pair.
    """
    generator = np.random.default_rng([99, seed])
    traits = generator.random((models, 5))
    vectors = np.tanh(traits @ generator.normal(size=(5, sizes[0]))) + 0.05 * generator.normal(size=(models, sizes[0]))
    levels = generator.integers(1, 6, size=(accelerators, sizes[1]))
    resources = (levels - 1) / 4
    accuracy = 1 - np.exp(-2 * traits[:, 0]) - 0.3 * (traits[:, 1] - 0.6) ** 2 + 0.15 * np.sin(3 * traits[:, 2])
    work = np.exp(1.5 * traits[:, 0] + traits[:, 3] + 0.5 * traits[:, 4])[:, None]
    compute = np.exp(1.5 * resources[:, 0] + 1.2 * resources[:, 1])
    memory = np.exp(resources[:, 2] + 0.5 * resources[:, 3])
    stall = 1 + 2 * np.maximum(0, traits[:, 3][:, None] - resources[:, 2])
    latency, area = work / compute * stall, compute + memory
    energy = work * (1 + 1.2 * (resources[:, 4] - 0.4) ** 2) + 0.3 * latency * area
    performance = 0.5 * _unit(accuracy)[:, None] + 0.1 * (1 - _unit(area)) + 0.2 * (2 - _unit(latency) - _unit(energy))
    return TableCandidates(vectors, levels.astype(np.float64)), performance


def best_so_far(
    optimiser: Optimiser[Inputs], candidates: TableCandidates, performance: NDArray[np.float64], budget: int, batch: int
) -> NDArray[np.float64]:
    """Best performance after each evaluation, shape `(budget,)`."""
    values: list[float] = []
    while len(values) < budget:
        for proposal in optimiser.ask(min(batch, budget - len(values))):
            value = float(performance[candidates.indices(proposal.design)])
            optimiser.tell(proposal.design, Outcome((value,)))
            values.append(value)
    return np.maximum.accumulate(values)


def _unit(x: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = (x - x.min()) / (x.max() - x.min())
    return scaled
