"""Training of small networks with written-out gradients: AdamW over all parameters as one vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from explorer.search.npn import Array

Rows = NDArray[np.intp]
"""The indices of samples."""

_MOMENTUM, _MEMORY, _EPSILON = 0.9, 0.999, 1e-8


class Trainable(Protocol):
    """What has all its parameters in one vector."""

    vector: Array


def train(
    network: Trainable,
    gradient: Callable[[Rows], Array],
    samples: int,
    rate: float,
    epochs: int,
    batch: int,
    weight_decay: float,
    generator: np.random.Generator,
) -> None:
    """Trains a network by AdamW (Loshchilov and Hutter 2019) with the constants that are PyTorch's defaults.

    Args:
        network: the network; its vector changes in place.
        gradient: function from the indices of some samples to the gradient of the network's loss on them.
        samples: number of samples.
        rate: learning rate.
        epochs: number of passes over the samples.
        batch: largest number of samples in a step.
        weight_decay: share of a parameter, times the rate, that each step takes away.
        generator: random generator for the order of the samples.
    """
    vector = network.vector
    mean, square = np.zeros_like(vector), np.zeros_like(vector)
    everything = np.arange(samples)
    step = 0
    for _ in range(epochs):
        order = everything if samples <= batch else generator.permutation(samples)
        for start in range(0, samples, batch):
            slope = gradient(order[start : start + batch])
            step += 1
            mean += (1 - _MOMENTUM) * (slope - mean)
            square += (1 - _MEMORY) * (slope * slope - square)
            scale = np.sqrt(square / (1 - _MEMORY**step)) + _EPSILON
            vector *= 1 - rate * weight_decay
            vector -= (rate / (1 - _MOMENTUM**step)) * mean / scale
