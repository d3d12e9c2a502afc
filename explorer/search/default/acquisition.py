"""How much a measurement is expected to bring: improvement of one value, or of the volume below a front."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_LOG_ROOT_2_PI = 0.5 * math.log(2.0 * math.pi)


def log_expected_improvement(mean: Tensor, deviation: Tensor, best: float) -> Tensor:
    """The logarithm of the expected improvement on `best` of n normal values, shape `(n,)`.

    Right in the far tail, where the improvement itself rounds to 0 and leaves nothing to climb: Ament and others 2023
    ("Unexpected Improvements to Expected Improvement for Bayesian Optimization").

    Args:
        mean: shape `(n,)`; larger is better.
        deviation: standard deviations, shape `(n,)`, positive.
        best: the value to improve on.
    """
    ratio = (mean - best) / deviation
    return deviation.log() + _log_gain(ratio)


def _log_gain(ratio: Tensor) -> Tensor:
    """log(phi(u) + u Phi(u)) of the standard normal density and distribution."""
    near = ratio.clamp(-30.0, 30.0)
    density = -0.5 * near.square() - _LOG_ROOT_2_PI
    # Phi / phi by the scaled complementary error function, which neither overflows nor cancels below 0
    low = near.clamp_max(0.0)
    tail = 1.0 + low * math.sqrt(math.pi / 2.0) * torch.special.erfcx(-low / math.sqrt(2.0))
    below = density + tail.clamp_min(1e-12).log()
    high = near.clamp_min(0.0)
    above = ((-0.5 * high.square() - _LOG_ROOT_2_PI).exp() + high * torch.special.ndtr(high)).log()
    far = -0.5 * ratio.square() - _LOG_ROOT_2_PI - 2.0 * ratio.clamp_max(-1.0).abs().log()
    result = torch.where(ratio < -30.0, far, torch.where(near < 0, below, above))
    gain: Tensor = torch.where(ratio > 30.0, ratio.clamp_min(1.0).log(), result)
    return gain


def log_within(mean: Tensor, deviation: Tensor, low: float, high: float) -> Tensor:
    """The logarithm of the probability that n normal values lie within a range, shape `(n,)`."""
    below = (high - mean) / deviation
    above = (low - mean) / deviation
    inside: Tensor
    if math.isinf(low):
        inside = torch.special.log_ndtr(below)
    elif math.isinf(high):
        inside = torch.special.log_ndtr(-above)
    else:
        inside = (torch.special.ndtr(below) - torch.special.ndtr(above)).clamp_min(1e-300).log()
    return inside


def volume_gain(samples: Tensor, front: Tensor, reference: Tensor, directions: Tensor) -> Tensor:
    """The expected growth of the hypervolume by each of n designs, shape `(n,)`, up to a constant factor.

    The hypervolume is the mean over directions of the m-th power of the longest line, from the reference in that
    direction, that a front dominates (Golovin and Zhang 2020, "Random Hypervolume Scalarizations for Provable
    Multi-Objective Black Box Optimization"). Unlike exact formulas it costs the same for any number of values.

    Args:
        samples: s draws of the m values of n designs, shape `(s, n, m)`; larger is better.
        front: the values of measured feasible designs, shape `(f, m)`; f may be 0.
        reference: the worst values that count, shape `(m,)`.
        directions: positive unit vectors, shape `(l, m)`.
    """
    power = samples.shape[-1]

    def lengths(values: Tensor) -> Tensor:  # shape (..., l)
        steps = (values - reference).clamp_min(0.0).unsqueeze(-2) / directions
        longest: Tensor = steps.amin(dim=-1)
        return longest

    reached = lengths(front).amax(dim=0) if len(front) else torch.zeros(len(directions), dtype=samples.dtype)
    gained = (lengths(samples).pow(power) - reached.pow(power)).clamp_min(0.0)
    return gained.mean(dim=(0, 2))


def positive_directions(count: int, values: int, generator: torch.Generator) -> Tensor:
    """Unit vectors spread evenly over the positive orthant, shape `(count, values)`."""
    drawn = torch.randn(count, values, generator=generator, dtype=torch.float64).abs().clamp_min(1e-3)
    result: Tensor = drawn / drawn.norm(dim=1, keepdim=True)
    return result
