"""Conversion between the units of a measure and the standardised units in which a network learns it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphdb.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scaling:
    """Standardises a measure, or its logarithm if `logarithmic`.

    Attributes:
        name: the name of the measure.
        logarithmic: whether the network learns log(value).
        mean: the mean of the values, or of their logarithms.
        scale: their standard deviation, never 0.
        calibration: factor on the predicted standard deviation, from held-out data (1 if there were too few).
    """

    name: str
    logarithmic: bool
    mean: float
    scale: float
    calibration: float = 1.0

    @classmethod
    def of(cls, name: str, values: Array, logarithmic: bool) -> Scaling:
        """Returns the scaling of known values.

        Args:
            name: the name of the measure.
            values: the values, shape `(n,)`, NaN where missing.
            logarithmic: whether the network learns log(value).

        Raises:
            InputError: there is no value, one is infinite, or one of a logarithmic measure is not positive.
        """
        known = values[~np.isnan(values)]
        if not known.size:
            raise InputError(f"The measure {name} has no value; a surrogate needs at least one.")
        if not np.isfinite(known).all():
            raise InputError(f"The measure {name} has an infinite value; a surrogate learns finite ones.")
        if logarithmic:
            if known.min() <= 0:
                raise InputError(
                    f"The measure {name} has the value {known.min():g}; its logarithm needs positive ones."
                )
            known = np.log(known)
        spread = float(known.std())
        return cls(name, logarithmic, float(known.mean()), spread if spread > 1e-12 else 1.0)

    def forward(self, values: Array) -> Array:
        """Converts from the units of the measure to standardised units."""
        return ((np.log(values) if self.logarithmic else values) - self.mean) / self.scale

    def mean_back(self, mean: Array) -> Array:
        """Converts from standardised units to those of the measure; gives the median if logarithmic."""
        value = mean * self.scale + self.mean
        return np.exp(value) if self.logarithmic else value

    def std_back(self, std: Array, mean: Array) -> Array:
        """Converts a standardised deviation to the units of the measure, to first order if logarithmic.

        Args:
            std: the standardised deviation, not yet calibrated.
            mean: the mean in the units of the measure.
        """
        spread = std * self.scale * self.calibration
        return spread * mean if self.logarithmic else spread

    def to_json(self) -> dict[str, Any]:
        """The scaling as JSON."""
        return {name: getattr(self, name) for name in ("name", "logarithmic", "mean", "scale", "calibration")}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Scaling:
        """The scaling that `to_json` wrote."""
        return cls(
            str(value["name"]),
            bool(value["logarithmic"]),
            float(value["mean"]),
            float(value["scale"]),
            float(value["calibration"]),
        )


@dataclass(frozen=True)
class Prediction:
    """The measures that a surrogate predicts for n designs.

    Attributes:
        measures: the names, in the order of the columns.
        mean: shape `(n, measures)`, in the units of the measures; the median for a logarithmic measure.
        aleatoric_std: the spread that more data would not remove, shape `(n, measures)`.
        epistemic_std: the disagreement within the ensemble, shape `(n, measures)`.
        logarithmic: whether each measure was learnt as a logarithm, shape `(measures,)`.
    """

    measures: tuple[str, ...]
    mean: Array
    aleatoric_std: Array
    epistemic_std: Array
    logarithmic: NDArray[np.bool_]

    @property
    def std(self) -> Array:
        """The total standard deviation, shape `(n, measures)`."""
        return np.hypot(self.aleatoric_std, self.epistemic_std)

    def column(self, measure: str) -> int:
        """The column of a measure.

        Raises:
            InputError: the measure was not predicted.
        """
        if measure not in self.measures:
            raise InputError(f"The measure {measure!r} is not predicted; allowed: {', '.join(self.measures)}.")
        return self.measures.index(measure)

    def interval(self, deviations: float = 1.645) -> tuple[Array, Array]:
        """The lower and upper ends of the interval of `deviations` standard deviations to each side; 1.645 gives 90 %.

        For a measure that was learnt as a logarithm the interval is symmetric in the logarithm, and so never negative.
        """
        half = deviations * self.std
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.exp(np.where(self.logarithmic, half / self.mean, 0.0))
        lower = np.where(self.logarithmic, self.mean / ratio, self.mean - half)
        upper = np.where(self.logarithmic, self.mean * ratio, self.mean + half)
        return lower, upper
