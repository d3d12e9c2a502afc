"""`Goal`: how the values and violations of a design follow from its outputs, so that only the outputs are learnt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graphdb.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Output:
    """A measured quantity of which a goal is made.

    Attributes:
        name: the name of the measure.
        logarithmic: whether its natural logarithm is learnt, for a positive quantity that spans decades.

    Example:
        >>> Output("area_mm2", logarithmic=True).name
        'area_mm2'
    """

    name: str
    logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """The range of one output within which designs are feasible, on the scale on which the output is learnt.

    Attributes:
        output: the position of the output in the goal.
        low, high: the range, inclusive; -inf or inf where there is no limit.

    Example:
        >>> Limit(0, low=0.8, high=float("inf")).low
        0.8
    """

    output: int
    low: float
    high: float


@dataclass(frozen=True)
class Goal:
    """Values that are affine in the learnt outputs, and limits on them.

    An optimiser that has it learns each output by itself. The weights and limits of a search can then change without
    anything being learnt again, and an output that is known beforehand need not be learnt at all.

    Attributes:
        outputs: the k outputs.
        weights: the weight of each learnt output in each of the m values, shape `(m, k)`; values are maximised.
        offsets: what is added to each value, shape `(m,)`.
        limits: the limits of feasible designs.

    Raises:
        InputError: the shapes do not agree.

    Example:
        Accuracy, and the decades of an area below one square metre:

        >>> goal = Goal((Output("accuracy"), Output("area_mm2", True)), np.array([[0.5, -0.036]]), np.array([0.5]))
        >>> goal.values(goal.learnt(np.array([[0.9, 250.0]]))).round(3)
        array([[0.751]])
    """

    outputs: tuple[Output, ...]
    weights: Array
    offsets: Array
    limits: tuple[Limit, ...] = ()

    def __post_init__(self) -> None:
        count, width = len(self.offsets), len(self.outputs)
        if self.weights.shape != (count, width) or count == 0:
            raise InputError(
                f"A goal of {width} outputs needs weights of shape (values, {width}) and an offset for each value, "
                f"found {self.weights.shape} and {count}."
            )
        if any(not 0 <= limit.output < width for limit in self.limits):
            raise InputError(f"A limit of a goal names an output beyond its {width} outputs.")

    @classmethod
    def plain(cls, objectives: int, constraints: int = 0) -> Goal:
        """The goal of an optimiser that is told values and violations, and nothing of the outputs behind them.

        The violation of each constraint is then an output by itself, and 0 is its limit.
        """
        values = tuple(Output(f"value {index}") for index in range(objectives))
        violations = tuple(Output(f"violation {index}") for index in range(constraints))
        weights = np.hstack([np.eye(objectives), np.zeros((objectives, constraints))])
        limits = tuple(Limit(objectives + index, -np.inf, 0.0) for index in range(constraints))
        return cls(values + violations, weights, np.zeros(objectives), limits)

    def learnt(self, outputs: Array) -> Array:
        """Outputs in their units, `(n, k)`, on the scales on which they are learnt; NaN where that is impossible."""
        scaled = np.array(outputs, dtype=np.float64)
        for column, output in enumerate(self.outputs):
            if output.logarithmic:
                positive = np.where(scaled[:, column] > 0, scaled[:, column], np.nan)
                scaled[:, column] = np.log(positive)
        return scaled

    def values(self, learnt: Array) -> Array:
        """The values, `(n, m)`, of learnt outputs, `(n, k)`; larger is better."""
        result: Array = learnt @ self.weights.T + self.offsets
        return result

    def feasible(self, learnt: Array) -> NDArray[np.bool_]:
        """Whether each of n designs, given by learnt outputs `(n, k)`, keeps every limit, shape `(n,)`."""
        kept = np.ones(len(learnt), dtype=np.bool_)
        for limit in self.limits:
            column = learnt[:, limit.output]
            kept &= (column >= limit.low) & (column <= limit.high)
        return kept
