"""Between the units of a measure and those in which a network learns it."""

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
    """Standardises one measure, after its logarithm where `logarithmic`.

    Attributes:
        name: of the measure.
        logarithmic: whether the network learns log(value).
        mean: of the values, or of their logarithms.
        scale: their standard deviation, never 0.
        calibration: factor on the predicted standard deviation, found on data held out (1 where there were too few).
    """

    name: str
    logarithmic: bool
    mean: float
    scale: float
    calibration: float = 1.0

    @classmethod
    def of(cls, name: str, values: Array, logarithmic: bool) -> Scaling:
        """The scaling of known values.

        Args:
            name: of the measure.
            values: shape `(n,)`, NaN where missing.
            logarithmic: whether the network learns log(value).

        Raises:
            InputError: there is no value, an infinite one, or a logarithmic measure has one that is not positive.
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
        """From the units of the measure to standardised ones."""
        return ((np.log(values) if self.logarithmic else values) - self.mean) / self.scale

    def mean_back(self, mean: Array) -> Array:
        """From standardised units to those of the measure; the median where logarithmic."""
        value = mean * self.scale + self.mean
        return np.exp(value) if self.logarithmic else value

    def std_back(self, std: Array, mean: Array) -> Array:
        """A standardised deviation in the units of the measure; to first order where logarithmic.

        Args:
            std: standardised, not yet calibrated.
            mean: in the units of the measure.
        """
        spread = std * self.scale * self.calibration
        return spread * mean if self.logarithmic else spread

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
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
    """The measures that a surrogate expects n designs to have.

    Attributes:
        measures: names, in the order of the columns.
        mean: shape `(n, measures)`, in the units of the measures; the median for a logarithmic measure.
        aleatoric_std: spread that more data would not remove, shape `(n, measures)`.
        epistemic_std: disagreement of the ensemble, shape `(n, measures)`.
        logarithmic: shape `(measures,)`, which were learnt as logarithms.
    """

    measures: tuple[str, ...]
    mean: Array
    aleatoric_std: Array
    epistemic_std: Array
    logarithmic: NDArray[np.bool_]

    @property
    def std(self) -> Array:
        """Total standard deviation, shape `(n, measures)`."""
        return np.hypot(self.aleatoric_std, self.epistemic_std)

    def column(self, measure: str) -> int:
        """The column of a measure.

        Raises:
            InputError: it was not predicted.
        """
        if measure not in self.measures:
            raise InputError(f"The measure {measure!r} is not predicted; there are {', '.join(self.measures)}.")
        return self.measures.index(measure)

    def interval(self, deviations: float = 1.645) -> tuple[Array, Array]:
        """Lower and upper end of the interval of so many standard deviations to each side; 1.645 makes it 90 %.

        The interval is symmetric in the logarithm where the measure was learnt so, and never negative then.
        """
        half = deviations * self.std
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.exp(np.where(self.logarithmic, half / self.mean, 0.0))
        lower = np.where(self.logarithmic, self.mean / ratio, self.mean - half)
        upper = np.where(self.logarithmic, self.mean * ratio, self.mean + half)
        return lower, upper
