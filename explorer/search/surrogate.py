"""The surrogate of BOSHNAS, BOSHCODE and BREATHE: mean, aleatoric variance and epistemic deviation of each target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from explorer.search.networks import (
    DenseNetwork,
    NaturalParameterNetwork,
    mean_layout,
    student_layout,
    teacher_layout,
)
from explorer.search.npn import Array, Gaussian
from explorer.search.options import GradientOptions
from explorer.search.training import Rows, Trainable, train
from graphdb.errors import InputError


@dataclass(frozen=True)
class EnsembleSettings:
    """Settings for training the three networks.

    The numbers of epochs and of dropout passes and the decay are the published ones. The published code takes one
    sample per step and keeps its weights from one search step to the next; here a step takes a batch, every fit starts
    afresh, and the rates are larger. `one_sample` gives the published steps and rates.

    Attributes:
        epochs: number of passes over the data for each network.
        batch: largest number of samples per step.
        mean_rate, teacher_rate, student_rate: learning rates of AdamW.
        weight_decay: weight decay of AdamW, PyTorch's default.
        passes: number of the teacher's dropout passes for one deviation.
        repeats: number of deviations that are averaged as the student's target. The published student sees a new one in
            every step, and so also learns their average.
        heteroscedastic: whether the natural-parameter network gives mean and aleatoric variance. Without it, the mean
            is the teacher's without dropout, and there is no aleatoric variance (the published ablation).
    """

    epochs: int = 200
    batch: int = 128
    mean_rate: float = 0.01
    teacher_rate: float = 0.01
    student_rate: float = 0.01
    weight_decay: float = 0.01
    passes: int = 10
    repeats: int = 8
    heteroscedastic: bool = True

    @classmethod
    def one_sample(cls, heteroscedastic: bool = True) -> EnsembleSettings:
        """The published steps and rates: one sample per step."""
        return cls(
            batch=1, mean_rate=5e-5, teacher_rate=2e-3, student_rate=2e-3, repeats=1, heteroscedastic=heteroscedastic
        )

    @classmethod
    def of(cls, options: GradientOptions) -> EnsembleSettings:
        """The settings that a user's options ask for."""
        if options.one_sample:
            return cls.one_sample(options.heteroscedastic)
        return cls(heteroscedastic=options.heteroscedastic)

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch", 1), ("passes", 2), ("repeats", 1)):
            if getattr(self, name) < least:
                raise InputError(f"EnsembleSettings.{name} must be at least {least}, found {getattr(self, name)}.")


class Prediction(NamedTuple):
    """Mean, aleatoric variance and epistemic standard deviation of h targets at n points, `(n, h)` each.

    Or the gradients of a function with respect to the three.
    """

    mean: Array
    variance: Array
    deviation: Array


Function = Callable[[Prediction], tuple[Array, Prediction]]
"""A prediction at n points -> a value for each, `(n,)`, and the gradient of each with respect to its prediction."""


def optimistic(exploration: float, aleatoric: bool = False) -> Function:
    """The bound mean - exploration * deviation of a single target, to be minimised.

    Args:
        exploration: factor of the deviation.
        aleatoric: whether to add the aleatoric deviation to the epistemic one.
    """

    def bound(prediction: Prediction) -> tuple[Array, Prediction]:
        mean, variance, deviation = prediction
        noise = np.sqrt(variance) if aleatoric else np.zeros_like(variance)
        slope = np.divide(-0.5 * exploration, noise, out=np.zeros_like(noise), where=noise > 0)
        gradient = Prediction(np.ones_like(mean), slope, np.full_like(mean, -exploration))
        return (mean - exploration * (deviation + noise))[:, 0], gradient

    return bound


class Surrogate:
    """Three networks, fitted from scratch to all observations; each has one output for each of the h targets.

    A natural-parameter network gives mean and aleatoric variance; the dropout passes of a teacher spread where it knows
    little; a student learns that spread, which makes it deterministic with second derivatives. The published code keeps
    the weights from one search step to the next; with a fresh start, a fit depends only on the observations and the
    generator, which a resumed search needs.
    """

    def __init__(
        self, sizes: Sequence[int], settings: EnsembleSettings, generator: np.random.Generator, heads: int = 1
    ) -> None:
        """
        Args:
            sizes: length of the vector of each role; they sum to D.
            settings: settings of the training.
            generator: random generator for initial weights, order of samples and dropout.
            heads: number h of targets.
        """
        self.settings = settings
        self._generator = generator
        roles = len(sizes)
        self.mean = NaturalParameterNetwork(sizes, mean_layout(roles), generator, heads)
        self.teacher = DenseNetwork(sizes, teacher_layout(roles), generator, heads)
        self.student = DenseNetwork(sizes, student_layout(roles), generator, heads)
        self._unit: Array = np.ones(heads)

    def fit(self, inputs: Array, targets: Array, unlabelled: Array | None = None) -> None:
        """Trains teacher, student and mean network, in this order.

        The published fit draws a new validation fifth in every epoch, which is therefore also trained on, and hardly
        ever stops early; here every epoch uses all samples, without early stopping.

        The published student is trained by plain gradient descent, and learns little beyond the average deviation. Here
        it is trained by AdamW, in units of twice the average deviation of each target.

        Args:
            inputs: points of the unit box, `(n, D)`.
            targets: values from 0 to 1, `(n, h)`, smaller is better; NaN where a target is not known.
            unlabelled: points at which the student also learns the spread of the teacher, `(m, D)`. The published
                student sees only the observations, and predicts little about unmeasured regions.
        """
        settings = self.settings
        places = inputs if unlabelled is None else np.concatenate([inputs, unlabelled])
        points, places = _centred(inputs).astype(np.float32), _centred(places).astype(np.float32)
        known = (~np.isnan(targets)).astype(np.float32)
        filled = np.nan_to_num(targets).astype(np.float32)
        self._train(self.teacher, self._teaching(points, filled, known), len(points), settings.teacher_rate)
        spread = np.mean([self._spread(places) for _ in range(settings.repeats)], axis=0)
        self._unit = 2 * np.maximum(spread.mean(axis=0), 1e-6)
        shares = spread / self._unit

        def student(rows: Rows) -> Array:
            output, backward = self.student.forward(places[rows])
            return backward(2 * (output - shares[rows]) / output.size)[0]

        self._train(self.student, student, len(places), settings.student_rate)
        if settings.heteroscedastic:
            self._train(self.mean, self._likelihood(points, filled, known), len(points), settings.mean_rate)
        for network in (self.mean, self.teacher, self.student):
            network.vector = network.vector.astype(np.float64)  # for second derivatives by differences

    def spread(self, inputs: Array) -> Array:
        """Unbiased standard deviation of the teacher's dropout passes at `(n, D)`, all in one batch: `(n, h)`."""
        return self._spread(_centred(inputs))

    def _spread(self, inputs: Array) -> Array:
        passes = self.settings.passes
        values = self.teacher(np.tile(inputs, (passes, 1)), self._generator)
        result: Array = values.reshape(passes, len(inputs), -1).std(axis=0, ddof=1)
        return result

    def predict(self, inputs: Array) -> Prediction:
        """The prediction at `(n, D)`."""
        return self._traced(inputs)[0]

    def values(self, inputs: Array, function: Function) -> Array:
        """A function of the prediction at `(n, D)`: `(n,)`."""
        return function(self.predict(inputs))[0]

    def gradient(self, inputs: Array, function: Function) -> tuple[Array, Array]:
        """A function of the prediction at `(n, D)`, `(n,)`, and its gradient with respect to the points, `(n, D)`."""
        prediction, backward = self._traced(inputs)
        values, slope = function(prediction)
        return values, 2 * backward(slope)

    def _traced(self, points: Array) -> tuple[Prediction, Callable[[Prediction], Array]]:
        inputs = _centred(points)
        ratio, student = self.student.forward(inputs)
        if not self.settings.heteroscedastic:
            level, teacher = self.teacher.forward(inputs)
            prediction = Prediction(level, np.zeros_like(level), self._unit * ratio)
            return prediction, lambda slope: teacher(slope.mean)[1] + student(slope.deviation * self._unit)[1]
        (mean, variance), moments = self.mean.forward(inputs)

        def backward(slope: Prediction) -> Array:
            return moments(Gaussian(slope.mean, slope.variance))[1] + student(slope.deviation * self._unit)[1]

        return Prediction(mean, variance, self._unit * ratio), backward

    def _teaching(self, inputs: Array, targets: Array, known: Array) -> Callable[[Rows], Array]:
        """The gradient of the teacher's mean squared error, with dropout, over the known targets of some rows."""

        def gradient(rows: Rows) -> Array:
            output, backward = self.teacher.forward(inputs[rows], self._generator)
            return backward(2 * _mean_over(output - targets[rows], known[rows]))[0]

        return gradient

    def _likelihood(self, inputs: Array, targets: Array, known: Array) -> Callable[[Rows], Array]:
        """The gradient of the negative Gaussian log-likelihood of the known targets of some rows, up to a factor.

        The published code weights the squared error tenfold, which makes the learnt variance about ten times too large.
        """

        def gradient(rows: Rows) -> Array:
            (mean, variance), backward = self.mean.forward(inputs[rows])
            ratio = (mean - targets[rows]) / variance
            slopes = (ratio, 0.5 * (1 / variance - ratio**2))
            return backward(Gaussian(*(_mean_over(slope, known[rows]) for slope in slopes)))[0]

        return gradient

    def _train(self, network: Trainable, gradient: Callable[[Rows], Array], samples: int, rate: float) -> None:
        settings = self.settings
        train(network, gradient, samples, rate, settings.epochs, settings.batch, settings.weight_decay, self._generator)


def _centred(points: Array) -> Array:
    """Points of the unit box, with its middle at 0: in the published code most units of a first layer never bend."""
    return 2 * points - 1


def _mean_over(slopes: Array, known: Array) -> Array:
    """The slopes of a mean over known targets: `(n, h)` each."""
    result: Array = slopes * known / max(float(known.sum()), 1.0)
    return result
