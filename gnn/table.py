"""Vectors for a table of distances: the published training of such tables, modified so that it converges.

Source: Tuli and others 2023, arXiv 2205.11656; `embeddings/utils/embedding_util.py` of their code learns a free table E
with |E_i - E_j| = D_ij. There the number of updates depends on the number of pairs (ten passes over all), so that
small tables stay untrained, and the table starts at unit scale whatever the scale of D. Here it starts from classical
scaling (Torgerson 1952) and the number of updates is given.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from gnn.training import steady
from graphdb.errors import InputError

Array = NDArray[np.float64]

_PAIRS_AT_ONCE = 4096


def classical_scaling(distances: Array, dimensions: int) -> Array:
    """The vectors whose inner products are nearest to those that the distances imply, shape `(n, dimensions)`.

    They are exact if the distances are Euclidean in that many dimensions or fewer.

    Args:
        distances: symmetric, shape `(n, n)`.
        dimensions: the number of columns d; those beyond n, or of directions that no vector has, are 0.

    Raises:
        InputError: `distances` is not a symmetric table of finite, non-negative numbers with a diagonal of 0.
    """
    squares = _checked(distances) ** 2
    means = squares.mean(axis=0)
    products = -0.5 * (squares - means[:, None] - means[None, :] + means.mean())
    values, vectors = np.linalg.eigh(products)
    few = min(dimensions, len(distances))
    order = np.argsort(values)[::-1][:few]
    scaled = np.zeros((len(distances), dimensions))
    scaled[:, :few] = vectors[:, order] * np.sqrt(np.maximum(values[order], 0.0))
    return scaled


def distance_table(
    distances: Array,
    dimensions: int,
    generator: np.random.Generator,
    *,
    updates: int = 10_000,
    start: Array | None = None,
) -> Array:
    """Vectors whose Euclidean distances are nearest to the given ones in the mean square, shape `(n, dimensions)`.

    Args:
        distances: symmetric, shape `(n, n)`.
        dimensions: the length d of the vectors; 16 in the publication.
        generator: draws the pairs of each update.
        updates: the number of updates by Adam, on 4,096 pairs each, with a rate that falls to 0.
        start: the initial table; classical scaling by default.

    Raises:
        InputError: as for `classical_scaling`.
    """
    table = torch.from_numpy(classical_scaling(distances, dimensions) if start is None else start.copy())
    wanted = torch.from_numpy(_checked(distances))
    if len(distances) < 2:
        return table.numpy()
    table.requires_grad_()
    rate = 0.02 * float(wanted.mean()) + 1e-12  # steps are of the scale of the distances
    optimiser = torch.optim.Adam([table], rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, updates)
    with steady(torch.device("cpu")):
        for _ in range(updates):
            first = torch.from_numpy(generator.integers(0, len(distances), _PAIRS_AT_ONCE))
            shift = torch.from_numpy(generator.integers(1, len(distances), _PAIRS_AT_ONCE))
            second = (first + shift) % len(distances)
            apart = (table[first] - table[second]).square().sum(1).clamp_min(1e-18).sqrt()
            loss: torch.Tensor = (apart - wanted[first, second]).square().mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return table.detach().numpy()


def mean_squared_error(table: Array, distances: Array) -> float:
    """The error of the distances between the rows of a table `(n, d)`, compared with the given distances `(n, n)`."""
    first, second = np.triu_indices(len(table), 1)
    total = 0.0
    for start in range(0, len(first), 1 << 18):
        i, j = first[start : start + (1 << 18)], second[start : start + (1 << 18)]
        apart = np.sqrt(((table[i] - table[j]) ** 2).sum(axis=1))
        total += float(((apart - distances[i, j]) ** 2).sum())
    return total / max(len(first), 1)


def _checked(distances: Array) -> Array:
    given = np.asarray(distances, dtype=np.float64)
    if given.ndim != 2 or given.shape[0] != given.shape[1] or not len(given):
        raise InputError(f"A table of distances has the shape {given.shape}; it must be square, at least 1 by 1.")
    if not np.isfinite(given).all() or (given < 0).any():
        raise InputError("A table of distances holds a number that is negative or not finite; distances are neither.")
    if np.abs(given - given.T).max() > 1e-9 * max(1.0, given.max()) or np.diag(given).any():
        raise InputError("A table of distances is not symmetric with a diagonal of 0; distances are.")
    return given
