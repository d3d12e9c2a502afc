"""Predictions of outputs, and what follows from them for the values and the feasibility of designs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from explorer.contracts.goal import Goal
from explorer.search.default.encoding import Encoding
from explorer.search.default.gaussian_process import GaussianProcess
from explorer.search.default.knowledge import Data, Knowledge


class Prediction(NamedTuple):
    """Mean and standard deviation of each output at n designs, `(n, k)`, on the scale on which it is learnt."""

    mean: Tensor
    deviation: Tensor


class OutputModel:
    """Predicts outputs, values and feasibility of designs from observations, and from what is known without them."""

    def __init__(self, goal: Goal, encoding: Encoding, knowledge: Knowledge, data: Data) -> None:
        """
        Args:
            goal: the goal whose k outputs are modelled.
            encoding: how coordinates are grouped.
            knowledge: what was learnt from these observations, or from the first of them.
            data: all observations.
        """
        self._knowledge = knowledge
        self._weights = torch.from_numpy(goal.weights)
        self._offsets = torch.from_numpy(goal.offsets)
        self._likeness = torch.from_numpy(knowledge.likeness)
        self._processes: list[GaussianProcess | None] = []
        for output, learnt in enumerate(knowledge.outputs):
            rows = data.rows(output)
            self._processes.append(
                None if learnt is None else learnt.process(encoding, data.points[rows], data.outputs[rows, output])
            )
        self._success = None
        if knowledge.success is not None:
            self._success = knowledge.success.process(encoding, data.points, data.measured.astype(np.float64))

    def predict(self, points: Tensor, known: Tensor) -> Prediction:
        """Mean and deviation of each output at n designs; a known one has the deviation 0.

        Args:
            points: coordinates, `(n, p)`.
            known: outputs that need no measurement, `(n, k)`, NaN elsewhere.
        """
        given = ~torch.isnan(known)
        means, deviations = [], []
        for output, process in enumerate(self._processes):
            sure, value = given[:, output], known[:, output].nan_to_num()
            if process is None or bool(sure.all()):
                mean, deviation = value, torch.zeros_like(value)
            else:
                mean, variance = process.predict(points)
                mean, deviation = torch.where(sure, value, mean), torch.where(sure, 0.0, variance.sqrt())
            means.append(mean)
            deviations.append(deviation)
        return Prediction(torch.stack(means, dim=1), torch.stack(deviations, dim=1))

    def values(self, prediction: Prediction) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the m values of n designs, `(n, m)`."""
        mean = prediction.mean @ self._weights.T + self._offsets
        parts = self._weights[None, :, :] * prediction.deviation[:, None, :]
        variance = ((parts @ self._likeness) * parts).sum(dim=2)
        return mean, variance.clamp_min(1e-18).sqrt()

    def samples(self, prediction: Prediction, noise: Tensor) -> Tensor:
        """Draws of the m values of n designs, `(s, n, m)`, from standard normal `noise` of shape `(s, k)`.

        The same noise serves all designs, so that they can be compared.
        """
        joint = noise @ torch.linalg.cholesky(self._likeness).T
        outputs = prediction.mean + prediction.deviation * joint[:, None, :]
        drawn: Tensor = outputs @ self._weights.T + self._offsets
        return drawn

    def log_success(self, points: Tensor) -> Tensor | None:
        """The logarithm of the probability that a design can be measured, `(n,)`; None if every one could so far."""
        if self._success is None:
            return None
        mean, variance = self._success.predict(points)
        likely: Tensor = torch.special.log_ndtr((mean - 0.5) / (variance + 0.01).sqrt())
        return likely

    def unwarped(self, mean: float, deviation: float) -> tuple[float, float]:
        """Mean and deviation of a single value in its own unit."""
        learnt = self._knowledge.outputs[0]
        if learnt is None or learnt.warp is None:
            return mean, deviation
        weight, offset = float(self._weights[0, 0]), float(self._offsets[0])  # of the warped output
        warped = (np.array([mean - deviation, mean, mean + deviation]) - offset) / weight
        low, middle, high = learnt.warp.inverse(warped) * weight + offset
        return float(middle), float(high - low) / 2

    def believing(self, points: Tensor, known: Tensor) -> OutputModel:
        """The model as if these designs had been measured and were just as predicted (the kriging believer)."""
        prediction = self.predict(points, known)
        other = object.__new__(OutputModel)
        other.__dict__ |= self.__dict__
        other._processes = [
            None if process is None else process.extended(points, prediction.mean[:, output])
            for output, process in enumerate(self._processes)
        ]
        return other
