"""Natural-parameter networks: layers that carry a mean and a variance for every unit, with their derivatives.

Source: Wang, Shi and Yeung 2016, "Natural-Parameter Networks", Gaussian case, in the form that BOSHNAS uses, with two
defects left out. The published code has no numerical guards: if a variance reaches 0, or the closed forms give a
negative one, it yields NaN; here variances never fall below `MINIMUM_VARIANCE`. And the published variance after a
sigmoid does not vanish with that before it: near a mean of -1 or 1 it never falls below 0.027, so that it says more
about the mean than about the noise. The form here is right for small variances and for large ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

MINIMUM_VARIANCE = 1e-8


class Gaussian(NamedTuple):
    """Means and variances of independent normal variables, or gradients of both: two arrays of one shape, `(n, d)`."""

    mean: Array
    variance: Array


Backward = Callable[[Gaussian], Gaussian]
"""The gradient with respect to what came out of a layer -> the gradient with respect to what went in."""


def softplus(x: Array) -> Array:
    """log(1 + exp x), for any x."""
    result: Array = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
    return result


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp -x), for any x."""
    result: Array = 0.5 * (1 + np.tanh(0.5 * x))
    return result


def npn_linear(x: Gaussian, weight: Gaussian, bias: Gaussian) -> Gaussian:
    """A linear layer whose weights, `(d, u)`, and biases, `(u,)`, are independent normal variables.

    mean: x_m W_m + b_m; variance: x_s W_s + x_s W_m² + x_m² W_s + b_s, exact for independent inputs.
    """
    second = weight.variance + weight.mean**2
    variance = x.variance @ second + x.mean**2 @ weight.variance + bias.variance
    return Gaussian(x.mean @ weight.mean + bias.mean, np.maximum(variance, MINIMUM_VARIANCE))


def npn_linear_backward(
    x: Gaussian, weight: Gaussian, gradient: Gaussian, weight_gradient: Gaussian, bias_gradient: Gaussian
) -> Gaussian:
    """Gradients of a linear layer.

    Args:
        x: what went in.
        weight: the weights.
        gradient: with respect to what came out.
        weight_gradient, bias_gradient: where the gradients of weights and biases are written.

    Returns:
        The gradient with respect to what went in.
    """
    mixed = x.variance.T @ gradient.variance
    weight_gradient.mean[...] = x.mean.T @ gradient.mean + 2 * weight.mean * mixed
    weight_gradient.variance[...] = mixed + (x.mean**2).T @ gradient.variance
    gradient.mean.sum(axis=0, out=bias_gradient.mean)
    gradient.variance.sum(axis=0, out=bias_gradient.variance)
    return npn_linear_inputs(x, weight, gradient)


def npn_linear_inputs(x: Gaussian, weight: Gaussian, gradient: Gaussian) -> Gaussian:
    """The gradient of a linear layer with respect to what went in alone."""
    mean = gradient.mean @ weight.mean.T + 2 * x.mean * (gradient.variance @ weight.variance.T)
    return Gaussian(mean, gradient.variance @ (weight.variance + weight.mean**2).T)


def npn_relu(x: Gaussian) -> tuple[Gaussian, Backward]:
    """ReLU of a normal variable, with matched moments.

    Exact except for the normal distribution function, approximated in the published form by a sigmoid of sqrt(8/π) x.
    """
    variance = np.maximum(x.variance, MINIMUM_VARIANCE)
    deviation = np.sqrt(variance)
    ratio = x.mean / deviation
    positive = sigmoid(_PROBIT * ratio)
    density = _NORMAL * np.exp(-0.5 * ratio**2)
    first = positive * ratio + density  # the mean in units of the deviation
    rest = positive + first * (ratio - first)  # the variance in units of the variance
    spread = variance * rest
    held = spread > MINIMUM_VARIANCE

    def backward(gradient: Gaussian) -> Gaussian:
        share = gradient.variance * held
        slope = positive + (_PROBIT * positive * (1 - positive) - density) * ratio
        bend = _PROBIT * positive * (1 - positive) + slope * (ratio - first) + first * (1 - slope)
        along = gradient.mean * deviation * slope + share * variance * bend  # with respect to the ratio
        across = 0.5 * (gradient.mean * first * deviation - along * ratio) / variance + share * rest
        return Gaussian(along / deviation, across)

    return Gaussian(deviation * first, np.where(held, spread, MINIMUM_VARIANCE)), backward


def npn_sigmoid(x: Gaussian) -> tuple[Gaussian, Backward]:
    """Sigmoid of a normal variable: the mean p by the probit approximation, as published.

    The variance is q (1 - 1 / sqrt(1 + 2 q s)) with q = p (1 - p) and the variance s before: q² s if that is small, and
    q, that of a coin, if it is large. Over means from -4 to 4 and variances from 0.0001 to 16 it is wrong by 3 % on
    average and by 13 % at most; the published form is wrong by a factor of 9 on average.
    """
    scale = 1 / np.sqrt(1 + math.pi / 8 * x.variance)
    mean = sigmoid(x.mean * scale)
    coin = mean * (1 - mean)
    inner = np.sqrt(1 + 2 * coin * x.variance)
    share = 2 * coin * x.variance / (inner * (1 + inner))  # 1 - 1 / inner, without cancellation

    def backward(gradient: Gaussian) -> Gaussian:
        cube = inner**-3
        about = gradient.mean + gradient.variance * (share + coin * x.variance * cube) * (1 - 2 * mean)
        along = about * coin
        across = gradient.variance * coin**2 * cube - along * x.mean * (math.pi / 16) * scale**3
        return Gaussian(along * scale, across)

    return Gaussian(mean, coin * share + MINIMUM_VARIANCE), backward


_PROBIT = math.sqrt(8 / math.pi)
_NORMAL = 1 / math.sqrt(2 * math.pi)
