"""Test functions with known optima: one objective, several objectives, and constraints. All are minimised here.

Sources: Branin and Hartmann as in Dixon and Szego 1978; Ackley 1987; Rosenbrock 1960; ZDT as in Zitzler, Deb and Thiele
2000; DTLZ2 and its constrained form C2-DTLZ2 as in Deb and others 2002 and Jain and Deb 2014; VLMOP2 as in Van
Veldhuizen and Lamont 1999; BNH as in Binh and Korn 1997; SRN as in Srinivas and Deb 1994; the welded beam as in Ray and
Liew 2002.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Smooth:
    """A function of one value.

    Attributes:
        low, high: the box.
        function: point -> value, to be minimised.
        optima: the points of least value, in the box.
        least: the least value.
    """

    low: Array
    high: Array
    function: Callable[[Array], float]
    optima: Array
    least: float


@dataclass(frozen=True)
class Several:
    """A function of several values, with constraints.

    Attributes:
        low, high: the box.
        function: point -> the values to be minimised, and the slacks, which must not be negative.
        reference: the reference point of the hypervolume.
        limit: the hypervolume of the true front, or of the best one known.
        slacks: the number of constraints.
    """

    low: Array
    high: Array
    function: Callable[[Array], tuple[Array, Array]]
    reference: tuple[float, ...]
    limit: float
    slacks: int = 0


def branin(x: Array) -> float:
    """Two entries, three equal minima."""
    first = x[1] - 5.1 / (4 * math.pi**2) * x[0] ** 2 + 5 / math.pi * x[0] - 6
    return float(first**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x[0]) + 10)


_ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
_A = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
)
_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann(x: Array) -> float:
    """Six entries, six local minima."""
    return float(-_ALPHA @ np.exp(-(_A * (x - _P) ** 2).sum(axis=1)))


def ackley(x: Array) -> float:
    """Any number of entries, very many local minima."""
    roots = -0.2 * math.sqrt(float((x**2).mean()))
    return float(-20 * math.exp(roots) - math.exp(float(np.cos(2 * math.pi * x).mean())) + 20 + math.e)


def rosenbrock(x: Array) -> float:
    """Any number of entries, a curved valley."""
    return float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())


SMOOTH = {
    "branin": Smooth(
        np.array([-5.0, 0.0]),
        np.array([10.0, 15.0]),
        branin,
        np.array([[-math.pi, 12.275], [math.pi, 2.275], [3 * math.pi, 2.475]]),
        0.39788735772973816,
    ),
    "hartmann-6": Smooth(
        np.zeros(6),
        np.ones(6),
        hartmann,
        np.array([[0.20168951, 0.15001069, 0.47687398, 0.27533243, 0.31165162, 0.65730053]]),
        -3.322368011415514,
    ),
    "ackley-10": Smooth(np.full(10, -5.0), np.full(10, 10.0), ackley, np.zeros((1, 10)), 0.0),
    "rosenbrock-10": Smooth(np.full(10, -5.0), np.full(10, 10.0), rosenbrock, np.ones((1, 10)), 0.0),
}


def shift_of(smooth: Smooth, seed: int, share: float = 0.2) -> Array:
    """A random shift by up to a share of the range in each entry, such that a minimum stays in the box."""
    generator = np.random.default_rng([2718, seed])
    width = smooth.high - smooth.low
    while True:
        shift: Array = generator.uniform(-share, share, size=len(width)) * width
        moved = smooth.optima + shift
        if ((moved >= smooth.low) & (moved <= smooth.high)).all(axis=1).any():
            return shift


def zdt(number: int) -> Callable[[Array], tuple[Array, Array]]:
    """ZDT1, ZDT2 or ZDT3."""

    def function(x: Array) -> tuple[Array, Array]:
        first = float(x[0])
        rest = 1 + 9 * float(x[1:].mean())
        ratio = first / rest
        if number == 1:
            shape = 1 - math.sqrt(ratio)
        elif number == 2:
            shape = 1 - ratio**2
        else:
            shape = 1 - math.sqrt(ratio) - ratio * math.sin(10 * math.pi * first)
        return np.array([first, rest * shape]), np.zeros(0)

    return function


def dtlz2(objectives: int) -> Callable[[Array], tuple[Array, Array]]:
    """DTLZ2: the front is the part of the unit sphere with positive values."""

    def function(x: Array) -> tuple[Array, Array]:
        radius = 1 + float(((x[objectives - 1 :] - 0.5) ** 2).sum())
        angles = x[: objectives - 1] * math.pi / 2
        values = np.full(objectives, radius)
        for place in range(objectives):
            values[place] *= np.cos(angles[: objectives - 1 - place]).prod()
            if place:
                values[place] *= math.sin(angles[objectives - 1 - place])
        return values, np.zeros(0)

    return function


def c2dtlz2(x: Array) -> tuple[Array, Array]:
    """DTLZ2 of two objectives, of which only small pieces of the front are feasible (radius 0.2)."""
    values, _ = dtlz2(2)(x)
    radius = 0.2
    corners = [(values[i] - 1) ** 2 + values[1 - i] ** 2 - radius**2 for i in range(2)]
    middle = float(((values - 1 / math.sqrt(2)) ** 2).sum()) - radius**2
    return values, np.array([-min(*corners, middle)])


def vlmop2(x: Array) -> tuple[Array, Array]:
    """Two bells at opposite corners."""
    place = 1 / math.sqrt(len(x))
    return np.array([1 - math.exp(-float(((x + sign * place) ** 2).sum())) for sign in (-1, 1)]), np.zeros(0)


def bnh(x: Array) -> tuple[Array, Array]:
    """Binh and Korn: two circles."""
    values = np.array([4 * x[0] ** 2 + 4 * x[1] ** 2, (x[0] - 5) ** 2 + (x[1] - 5) ** 2])
    slacks = np.array([25 - (x[0] - 5) ** 2 - x[1] ** 2, (x[0] - 8) ** 2 + (x[1] + 3) ** 2 - 7.7])
    return values, slacks / np.array([25.0, 7.7])


def srn(x: Array) -> tuple[Array, Array]:
    """Srinivas and Deb: most of the plane is infeasible."""
    values = np.array([2 + (x[0] - 2) ** 2 + (x[1] - 1) ** 2, 9 * x[0] - (x[1] - 1) ** 2])
    slacks = np.array([225 - x[0] ** 2 - x[1] ** 2, -(x[0] - 3 * x[1] + 10)])
    return values, slacks / np.array([225.0, 10.0])


def welded_beam(x: Array) -> tuple[Array, Array]:
    """Cost and deflection of a beam; shear, bending, width of the weld and buckling are limited."""
    thick, length, depth, width = (float(value) for value in x)
    cost = 1.10471 * thick**2 * length + 0.04811 * depth * width * (14 + length)
    deflection = 2.1952 / (depth**3 * width)
    shear = 6000 / (math.sqrt(2) * thick * length)
    arm = math.sqrt(0.25 * (length**2 + (thick + depth) ** 2))
    moment = 6000 * (14 + 0.5 * length) * arm
    torsion = moment / (2 * 0.707 * thick * length * (length**2 / 12 + 0.25 * (thick + depth) ** 2))
    stress = math.sqrt(shear**2 + torsion**2 + length * shear * torsion / arm)
    bending = 504000 / (depth**2 * width)
    buckling = 64746.022 * (1 - 0.0282346 * depth) * depth * width**3
    slacks = [1 - stress / 13600, 1 - bending / 30000, (width - thick) / 5, buckling / 6000 - 1]
    return np.array([cost, deflection]), np.array(slacks)


_TEN = (np.zeros(10), np.ones(10))
SEVERAL = {
    "zdt1": Several(*_TEN, zdt(1), (1.1, 1.1), 0.21 + 2 / 3),
    "zdt2": Several(*_TEN, zdt(2), (1.1, 1.1), 0.21 + 1 / 3),
    "zdt3": Several(*_TEN, zdt(3), (1.1, 1.1), 1.331758),
    "dtlz2": Several(np.zeros(7), np.ones(7), dtlz2(3), (1.1, 1.1, 1.1), 1.331 - math.pi / 6),
    "vlmop2": Several(np.full(2, -2.0), np.full(2, 2.0), vlmop2, (1.0, 1.0), 0.342063),
    "c2dtlz2": Several(np.zeros(12), np.ones(12), c2dtlz2, (1.1, 1.1), 0.38171, 1),
    "bnh": Several(np.zeros(2), np.array([5.0, 3.0]), bnh, (140.0, 50.0), 5269.2, 2),
    "srn": Several(np.full(2, -20.0), np.full(2, 20.0), srn, (250.0, 50.0), 42521.0, 2),
    "welded-beam": Several(
        np.array([0.125, 0.1, 0.1, 0.125]), np.array([5.0, 10.0, 10.0, 5.0]), welded_beam, (40.0, 0.015), 0.51192, 4
    ),
}
"""Name -> function. The limits of the last four were found by long runs of NSGA-II (50,000 evaluations)."""
