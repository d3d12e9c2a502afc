"""Natural-parameter networks: layers that carry a mean and a variance for every unit.

Source: Wang, Shi and Yeung 2016, "Natural-Parameter Networks", Gaussian case, in the form that BOSHNAS uses. The
published code has no numerical guards: if a variance reaches 0, or the closed forms give a negative one, it yields NaN.
Here variances never fall below `MINIMUM_VARIANCE`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

MINIMUM_VARIANCE = 1e-8


class Gaussian(NamedTuple):
    """Means and variances of independent normal variables: two tensors of the same shape `(..., d)`."""

    mean: Tensor
    variance: Tensor


def certain(mean: Tensor) -> Gaussian:
    """A value without variance."""
    return Gaussian(mean, torch.zeros_like(mean))


def concatenate(parts: list[Gaussian]) -> Gaussian:
    """Join variables along the last axis."""
    return Gaussian(torch.cat([p.mean for p in parts], dim=-1), torch.cat([p.variance for p in parts], dim=-1))


class NPNLinear(nn.Module):
    """A linear layer whose weights and biases are independent normal variables.

    mean: x_m W_m + b_m; variance: x_s W_s + x_s W_m² + x_m² W_s + b_s, exact for independent inputs.
    """

    def __init__(self, inputs: int, outputs: int, generator: torch.Generator) -> None:
        """
        Args:
            inputs: number of units before the layer.
            outputs: number of units of the layer.
            generator: random generator for the initial weights.
        """
        super().__init__()
        limit = math.sqrt(6 / (inputs + outputs))
        weight = (2 * torch.rand(inputs, outputs, generator=generator) - 1) * limit
        variance = 0.01 * limit * torch.rand(inputs, outputs, generator=generator).clamp_min(1e-6)
        self.weight_mean = nn.Parameter(weight)
        self.weight_raw = nn.Parameter(variance.expm1().log())  # the inverse of softplus
        self.bias_mean = nn.Parameter(torch.zeros(outputs))
        self.bias_raw = nn.Parameter(torch.full((outputs,), -10.0))

    def forward(self, x: Gaussian) -> Gaussian:
        weight_variance = functional.softplus(self.weight_raw)
        mean = torch.addmm(self.bias_mean, x.mean, self.weight_mean)
        variance = x.variance @ (weight_variance + self.weight_mean.square()) + x.mean.square() @ weight_variance
        return Gaussian(mean, (variance + functional.softplus(self.bias_raw)).clamp_min(MINIMUM_VARIANCE))


def npn_relu(x: Gaussian) -> Gaussian:
    """ReLU of a normal variable, with matched moments.

    Exact except for the normal distribution function, approximated in the published form by a sigmoid of sqrt(8/π) x.
    """
    deviation = x.variance.clamp_min(MINIMUM_VARIANCE).sqrt()
    ratio = x.mean / deviation
    positive = torch.sigmoid(math.sqrt(8 / math.pi) * ratio)
    density = deviation * torch.exp(-0.5 * ratio.square()) / math.sqrt(2 * math.pi)
    mean = positive * x.mean + density
    second = positive * (x.mean.square() + x.variance) + x.mean * density
    return Gaussian(mean, (second - mean.square()).clamp_min(MINIMUM_VARIANCE))


def npn_sigmoid(x: Gaussian) -> Gaussian:
    """Sigmoid of a normal variable, with moments matched by the probit approximation.

    The published closed form of the second moment is good for wide inputs, but the variance does not vanish with that
    of the input: near a mean of -1 or 1 it never falls below 0.027.
    """
    alpha, beta = 4 - 2 * math.sqrt(2), -math.log(math.sqrt(2) + 1)
    mean = torch.sigmoid(x.mean / torch.sqrt(1 + math.pi / 8 * x.variance))
    scale = torch.sqrt(1 + math.pi / 8 * alpha**2 * x.variance)
    second = torch.sigmoid(alpha * (x.mean + beta) / scale)
    return Gaussian(mean, (second - mean.square()).clamp_min(MINIMUM_VARIANCE))
