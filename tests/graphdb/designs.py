"""Small designs for the tests of the store."""

from __future__ import annotations

from graphdb.architecture import Architecture, Block, Edge
from graphdb.measurement import Measurement


def design(number: int, *, domain: str = "transformer", space: str = "toy", blocks: int = 4) -> Architecture:
    """A chain with parallel and backward edges and attributes of every scalar type."""
    return Architecture.of(
        domain,
        space,
        {"number": number, "hidden": [128, 128 * (number + 1)], "name": f"d{number}", "nested": [[1, [number]], 2.5]},
        [
            Block("attention" if i % 2 else "linear", {"width": i + number, "rate": 0.5, "bias": True, "note": "a b"})
            for i in range(blocks)
        ],
        [Edge(i, i + 1, {"bandwidth": 1.5} if i else {}) for i in range(blocks - 1)]
        + [Edge(0, 1), Edge(blocks - 1, 0)],
    )


def pending(architecture: Architecture, *, seed: int | None = None, simulator: str = "clock") -> Measurement:
    """A measurement that has not been taken."""
    return Measurement(simulator, "1", {"model": architecture.key}, {"batch": 1}, {}, seed)


def taken(architecture: Architecture, latency_s: float, *, seed: int | None = None, **more: float) -> Measurement:
    """A measurement that has been taken."""
    return Measurement("clock", "1", {"model": architecture.key}, {"batch": 1}, {"latency_s": latency_s, **more}, seed)
