"""The three networks of BOSHNAS (one role) and BOSHCODE (several roles): one class and one table of layers for each.

With several roles each role has its own branch, and the branches are fused late. The layers are those of the published
code of `boshnas` (models for one and for two inputs).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.search.npn import Gaussian, NPNLinear, certain, concatenate, npn_relu, npn_sigmoid


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

_DENSE: dict[str, Callable[[Tensor], Tensor]] = {"softplus": functional.softplus, "sigmoid": torch.sigmoid}
_NATURAL: dict[str, Callable[[Gaussian], Gaussian]] = {"relu": npn_relu, "sigmoid": npn_sigmoid}


def mean_layout(roles: int) -> Layout:
    """Layers of the natural-parameter network that predicts mean and aleatoric variance."""
    return _MEAN_ONE if roles == 1 else _MEAN_MANY


def teacher_layout(roles: int) -> Layout:
    """Layers of the network whose dropout passes vary with epistemic uncertainty."""
    return _TEACHER_ONE if roles == 1 else _TEACHER_MANY


def student_layout(roles: int) -> Layout:
    """Layers of the network that learns that spread."""
    return _STUDENT_ONE if roles == 1 else _STUDENT_MANY


class DenseNetwork(nn.Module):
    """Deterministic layers with optional dropout; maps `n x D` (all roles side by side) to `n`."""

    def __init__(self, sizes: Sequence[int], layout: Layout, generator: torch.Generator) -> None:
        """
        Args:
            sizes: length of the vector of each role; they sum to D.
            layout: layers of the network.
            generator: random generator for the initial weights, uniform within ±1/sqrt(inputs) as in `torch.nn.Linear`.
        """
        super().__init__()
        self._sizes, self._layout = list(sizes), layout
        widths = [_linears(size, layout.branch, generator) for size in sizes]
        self.branches = nn.ModuleList(nn.ModuleList(linears) for linears in widths)
        joint_inputs = sum(layout.branch[-1].units if layout.branch else size for size in sizes)
        self.joint = nn.ModuleList(_linears(joint_inputs, layout.joint, generator))

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """
        Args:
            x: tensor `n x D`.
            generator: random generator for dropout; without one nothing is dropped.

        Returns:
            `n` values.
        """
        parts = list(torch.split(x, self._sizes, dim=-1))
        for index, linears in enumerate(self.branches):
            parts[index] = self._through(linears, self._layout.branch, parts[index], generator)
        return self._through(self.joint, self._layout.joint, torch.cat(parts, dim=-1), generator).squeeze(-1)

    @staticmethod
    def _through(
        linears: nn.Module, layers: tuple[NetworkLayer, ...], x: Tensor, generator: torch.Generator | None
    ) -> Tensor:
        assert isinstance(linears, nn.ModuleList)
        for linear, layer in zip(linears, layers, strict=True):
            x = _DENSE[layer.activation](linear(x))
            if layer.dropout and generator is not None:
                kept = torch.rand(x.shape, generator=generator) >= layer.dropout
                x = x * kept / (1 - layer.dropout)
        return x


class NaturalParameterNetwork(nn.Module):
    """Layers with random weights; maps `n x D` (all roles side by side) to a mean and a variance, `n` each."""

    def __init__(self, sizes: Sequence[int], layout: Layout, generator: torch.Generator) -> None:
        """
        Args:
            sizes: length of the vector of each role; they sum to D.
            layout: layers of the network, without dropout.
            generator: random generator for the initial weights.
        """
        super().__init__()
        self._sizes, self._layout = list(sizes), layout
        self.branches = nn.ModuleList(nn.ModuleList(_natural_linears(size, layout.branch, generator)) for size in sizes)
        joint_inputs = sum(layout.branch[-1].units if layout.branch else size for size in sizes)
        self.joint = nn.ModuleList(_natural_linears(joint_inputs, layout.joint, generator))

    def forward(self, x: Tensor) -> Gaussian:
        parts = [certain(part) for part in torch.split(x, self._sizes, dim=-1)]
        for index, linears in enumerate(self.branches):
            parts[index] = self._through(linears, self._layout.branch, parts[index])
        out = self._through(self.joint, self._layout.joint, concatenate(parts))
        return Gaussian(out.mean.squeeze(-1), out.variance.squeeze(-1))

    @staticmethod
    def _through(linears: nn.Module, layers: tuple[NetworkLayer, ...], x: Gaussian) -> Gaussian:
        assert isinstance(linears, nn.ModuleList)
        for linear, layer in zip(linears, layers, strict=True):
            x = _NATURAL[layer.activation](linear(x))
        return x


def _widths(inputs: int, layers: tuple[NetworkLayer, ...]) -> list[tuple[int, int]]:
    units = [inputs, *(layer.units for layer in layers)]
    return list(pairwise(units))


def _linears(inputs: int, layers: tuple[NetworkLayer, ...], generator: torch.Generator) -> list[nn.Linear]:
    return [_linear(a, b, generator) for a, b in _widths(inputs, layers)]


def _linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    linear = nn.Linear(inputs, outputs, device="meta").to_empty(device="cpu")  # does not use the global generator
    limit = 1 / math.sqrt(inputs)
    with torch.no_grad():
        for parameter in linear.parameters():
            parameter.copy_((2 * torch.rand(parameter.shape, generator=generator) - 1) * limit)
    return linear


def _natural_linears(inputs: int, layers: tuple[NetworkLayer, ...], generator: torch.Generator) -> list[NPNLinear]:
    return [NPNLinear(a, b, generator) for a, b in _widths(inputs, layers)]
