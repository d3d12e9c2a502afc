"""The three networks of BOSHNAS (one role) and BOSHCODE (several roles): one class and one table of layers for each.

With several roles each role has its own branch, and the branches are fused late. The layers are those of the published
code of `boshnas` (models for one and for two inputs).

The derivatives are written out: networks of some thousand parameters on some dozen samples spend several times as long
in an automatic differentiation as in the arithmetic itself, and a search fits three of them for every proposal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from explorer.search.npn import (
    Array,
    Backward,
    Gaussian,
    npn_linear,
    npn_linear_backward,
    npn_relu,
    npn_sigmoid,
    sigmoid,
    softplus,
)


@dataclass(frozen=True)
class NetworkLayer:
    """Number of units, their activation (relu, sigmoid, softplus), and the share of units dropped after it."""

    units: int
    activation: str
    dropout: float = 0.0


@dataclass(frozen=True)
class Layout:
    """The layers of each role's own branch, then the layers shared by all roles."""

    branch: tuple[NetworkLayer, ...]
    joint: tuple[NetworkLayer, ...]

    def with_heads(self, heads: int) -> Layout:
        """The same layers with this number of units in the last one."""
        return replace(self, joint=(*self.joint[:-1], replace(self.joint[-1], units=heads)))

    def joins(self, sizes: Sequence[int]) -> list[int]:
        """The number of units that each role of these sizes gives to the shared layers."""
        return [self.branch[-1].units if self.branch else size for size in sizes]

    def shapes(self, sizes: Sequence[int]) -> list[tuple[int, int]]:
        """Inputs and units of every linear layer: the branches in the order of the roles, then the shared ones."""
        starts = [(size, self.branch) for size in sizes] + [(sum(self.joins(sizes)), self.joint)]
        return [pair for start, layers in starts for pair in pairwise([start, *(layer.units for layer in layers)])]


_MEAN_ONE = Layout((), (NetworkLayer(32, "relu"), NetworkLayer(32, "relu"), NetworkLayer(1, "sigmoid")))
_TEACHER_ONE = Layout(
    (), (NetworkLayer(64, "softplus", 0.3), NetworkLayer(32, "softplus", 0.3), NetworkLayer(1, "sigmoid"))
)
_STUDENT_ONE = Layout((), (NetworkLayer(64, "softplus"), NetworkLayer(32, "softplus"), NetworkLayer(1, "sigmoid")))
_MEAN_MANY = Layout(
    (NetworkLayer(32, "relu"), NetworkLayer(32, "sigmoid")), (NetworkLayer(32, "relu"), NetworkLayer(1, "sigmoid"))
)
_SOFT_BRANCH = (NetworkLayer(32, "softplus"), NetworkLayer(32, "softplus"))
_TEACHER_MANY = Layout(_SOFT_BRANCH, _TEACHER_ONE.joint)
_STUDENT_MANY = Layout(_SOFT_BRANCH, (NetworkLayer(32, "softplus"), NetworkLayer(1, "softplus")))


def mean_layout(roles: int) -> Layout:
    """Layers of the natural-parameter network that predicts mean and aleatoric variance."""
    return _MEAN_ONE if roles == 1 else _MEAN_MANY


def teacher_layout(roles: int) -> Layout:
    """Layers of the network whose dropout passes vary with epistemic uncertainty."""
    return _TEACHER_ONE if roles == 1 else _TEACHER_MANY


def student_layout(roles: int) -> Layout:
    """Layers of the network that learns that spread."""
    return _STUDENT_ONE if roles == 1 else _STUDENT_MANY


def _cut(vector: Array, shapes: Sequence[tuple[int, int]]) -> list[tuple[Array, Array]]:
    """Weights, `(inputs, units)`, and biases, `(units,)`, of each layer, as views of one vector."""
    views, start = [], 0
    for inputs, units in shapes:
        middle, end = start + inputs * units, start + (inputs + 1) * units
        views.append((vector[start:middle].reshape(inputs, units), vector[middle:end]))
        start = end
    return views


class DenseNetwork:
    """Deterministic layers with optional dropout; maps `(n, D)`, all roles side by side, to `(n, h)`.

    Attributes:
        vector: all parameters.
    """

    def __init__(self, sizes: Sequence[int], layout: Layout, generator: np.random.Generator, heads: int = 1) -> None:
        """
        Args:
            sizes: length of the vector of each role; they sum to D.
            layout: layers of the network.
            generator: random generator for the initial weights, uniform within ±1/sqrt(inputs), as PyTorch draws them.
            heads: number h of outputs, which share all layers but the last.
        """
        self._sizes, self._layout = list(sizes), layout.with_heads(heads)
        self._shapes = self._layout.shapes(sizes)
        limits = [np.full((inputs + 1) * units, 1 / math.sqrt(inputs)) for inputs, units in self._shapes]
        limit = np.concatenate(limits)
        self.vector: Array = (generator.uniform(-1, 1, len(limit)) * limit).astype(np.float32)

    def __call__(self, x: Array, generator: np.random.Generator | None = None) -> Array:
        """The outputs, `(n, h)`, of `x`, `(n, D)`; without a generator nothing is dropped."""
        return self.forward(x, generator)[0]

    def forward(
        self, x: Array, generator: np.random.Generator | None = None
    ) -> tuple[Array, Callable[[Array], tuple[Array, Array]]]:
        """
        Args:
            x: array `(n, D)`.
            generator: random generator for dropout; without one nothing is dropped.

        Returns:
            The outputs, `(n, h)`, and a function from the gradient with respect to them to the gradients with respect
            to the parameters, and to `x`.
        """
        weights = _cut(self.vector, self._shapes)
        steps: list[tuple[Array, Array]] = []

        def through(part: Array, layers: Sequence[NetworkLayer]) -> Array:
            for layer in layers:
                weight, bias = weights[len(steps)]
                value, slope = _DENSE[layer.activation](part @ weight + bias)
                if layer.dropout and generator is not None:
                    kept = (generator.random(value.shape, dtype=np.float32) >= layer.dropout) / x.dtype.type(
                        1 - layer.dropout
                    )
                    value, slope = value * kept, slope * kept
                steps.append((part, slope))
                part = value
            return part

        parts = np.split(x, np.cumsum(self._sizes)[:-1], axis=1)
        joined = np.concatenate([through(part, self._layout.branch) for part in parts], axis=1)
        output = through(joined, self._layout.joint)

        def backward(gradient: Array) -> tuple[Array, Array]:
            total = np.empty_like(self.vector)
            gradients = _cut(total, self._shapes)

            def back(part: Array, first: int, count: int) -> Array:
                for index in reversed(range(first, first + count)):
                    before, slope = steps[index]
                    delta = part * slope
                    gradients[index][0][...] = before.T @ delta
                    delta.sum(axis=0, out=gradients[index][1])
                    part = delta @ weights[index][0].T
                return part

            each, roles = len(self._layout.branch), len(self._sizes)
            shares = _split(back(gradient, each * roles, len(self._layout.joint)), self._layout.joins(self._sizes))
            return total, np.concatenate([back(part, each * role, each) for role, part in enumerate(shares)], axis=1)

        return output, backward


class NaturalParameterNetwork:
    """Layers with random weights; maps `(n, D)`, all roles side by side, to means and variances, `(n, h)` each.

    Attributes:
        vector: all parameters: first the means of weights and biases, then what softplus makes their variances.
    """

    def __init__(self, sizes: Sequence[int], layout: Layout, generator: np.random.Generator, heads: int = 1) -> None:
        """
        Args:
            sizes: length of the vector of each role; they sum to D.
            layout: layers of the network, without dropout.
            generator: random generator for the initial weights.
            heads: number h of outputs, which share all layers but the last.
        """
        self._sizes, self._layout = list(sizes), layout.with_heads(heads)
        self._shapes = self._layout.shapes(sizes)
        half = sum((inputs + 1) * units for inputs, units in self._shapes)
        vector = np.zeros(2 * half)
        vector[half:] = -10.0
        for (inputs, units), (mean, _), (raw, _) in zip(
            self._shapes, _cut(vector[:half], self._shapes), _cut(vector[half:], self._shapes), strict=True
        ):
            limit = math.sqrt(6 / (inputs + units))
            mean[...] = generator.uniform(-limit, limit, mean.shape)
            variance = 0.01 * limit * generator.uniform(1e-6, 1, raw.shape)
            raw[...] = np.log(np.expm1(variance))  # the inverse of softplus
        self.vector: Array = vector.astype(np.float32)

    def __call__(self, x: Array) -> Gaussian:
        """Means and variances, `(n, h)` each, of `x`, `(n, D)`."""
        return self.forward(x)[0]

    def forward(self, x: Array) -> tuple[Gaussian, Callable[[Gaussian], tuple[Array, Array]]]:
        """
        Args:
            x: array `(n, D)`.

        Returns:
            Means and variances, `(n, h)` each, and a function from the gradients with respect to them to the gradients
            with respect to the parameters, and to `x`.
        """
        half = len(self.vector) // 2
        means = _cut(self.vector[:half], self._shapes)
        spreads = _cut(softplus(self.vector[half:]), self._shapes)
        steps: list[tuple[Gaussian, Gaussian, Backward]] = []

        def through(part: Gaussian, layers: Sequence[NetworkLayer]) -> Gaussian:
            for layer in layers:
                index = len(steps)
                weight, bias = (Gaussian(*pair) for pair in zip(means[index], spreads[index], strict=True))
                value, backward = _NATURAL[layer.activation](npn_linear(part, weight, bias))
                steps.append((part, weight, backward))
                part = value
            return part

        parts = [Gaussian(part, np.zeros_like(part)) for part in np.split(x, np.cumsum(self._sizes)[:-1], axis=1)]
        joined = [through(part, self._layout.branch) for part in parts]
        output = through(_beside(joined), self._layout.joint)

        def backward(gradient: Gaussian) -> tuple[Array, Array]:
            total = np.empty_like(self.vector)
            into = [_cut(part, self._shapes) for part in (total[:half], total[half:])]

            def back(part: Gaussian, first: int, count: int) -> Gaussian:
                for index in reversed(range(first, first + count)):
                    before, weight, through_activation = steps[index]
                    places = [Gaussian(into[0][index][kind], into[1][index][kind]) for kind in range(2)]
                    part = npn_linear_backward(before, weight, through_activation(part), *places)
                return part

            each, roles = len(self._layout.branch), len(self._sizes)
            joint = back(gradient, each * roles, len(self._layout.joint))
            shares = [_split(part, self._layout.joins(self._sizes)) for part in joint]
            own = [back(Gaussian(*pair), each * role, each) for role, pair in enumerate(zip(*shares, strict=True))]
            total[half:] *= sigmoid(self.vector[half:])
            return total, np.concatenate([part.mean for part in own], axis=1)

        return output, backward


def _soft(x: Array) -> tuple[Array, Array]:
    return softplus(x), sigmoid(x)


def _squashed(x: Array) -> tuple[Array, Array]:
    value = sigmoid(x)
    return value, value * (1 - value)


_DENSE: dict[str, Callable[[Array], tuple[Array, Array]]] = {"softplus": _soft, "sigmoid": _squashed}
"""Activation -> function from values to activated values and slopes."""
_NATURAL: dict[str, Callable[[Gaussian], tuple[Gaussian, Backward]]] = {"relu": npn_relu, "sigmoid": npn_sigmoid}


def _split(part: Array, widths: Sequence[int]) -> list[Array]:
    return np.split(part, np.cumsum(widths)[:-1], axis=1)


def _beside(parts: Sequence[Gaussian]) -> Gaussian:
    return Gaussian(
        np.concatenate([p.mean for p in parts], axis=1), np.concatenate([p.variance for p in parts], axis=1)
    )
