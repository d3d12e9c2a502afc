"""The surrogate of BOSHNAS and BOSHCODE: mean, aleatoric variance and epistemic deviation of the target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from explorer.search.networks import (
    DenseNetwork,
    NaturalParameterNetwork,
    mean_layout,
    student_layout,
    teacher_layout,
)
from explorer.search.threads import one_thread
from graphdb.errors import InputError


@dataclass(frozen=True)
class EnsembleSettings:
    """Settings for training the three networks; `published` gives the published constants, which differ.

    The published code takes one sample per step and at most some 16,000 steps per fit, keeps its weights from one
    search step to the next, and weights the error tenfold. Here a step takes a batch and every fit starts afresh, with
    larger rates. With the published rate times the batch size, the mean network learnt only near-linear functions: for
    a bowl and the Branin function, split over two roles, its rank correlation on 300 unseen points was 0.35 from 20
    samples; with these constants it is 0.65 to 0.74, and about as good on tables of 37 + 12 inputs. At a rate of 0.03
    AdamW diverges.

    Attributes:
        epochs: number of passes over the data for each network.
        batch: largest number of samples per step.
        mean_rate, teacher_rate, student_rate: learning rates of AdamW.
        weight_decay: weight decay of AdamW, PyTorch's default.
        error_factor: weight of the squared error in the loss of the mean network; 1 is the Gaussian likelihood, and the
            published 10 makes the learnt variance about ten times too large.
        passes: number of the teacher's dropout passes for one deviation.
        repeats: number of deviations that are averaged as the student's target. The published student sees a new one in
            every step, and so also learns their average.
        exploration: factor of the deviation in the acquisition.
        add_variance: whether to add the aleatoric variance itself to the epistemic deviation, as published, and not its
            square root.
    """

    epochs: int = 200
    batch: int = 128
    mean_rate: float = 0.005
    teacher_rate: float = 0.01
    student_rate: float = 0.01
    weight_decay: float = 0.01
    error_factor: float = 1.0
    passes: int = 10
    repeats: int = 8
    exploration: float = 0.5
    add_variance: bool = False

    @classmethod
    def published(cls) -> EnsembleSettings:
        """The published constants: one sample per step, error weighted tenfold, variances added to deviations."""
        return cls(batch=1, mean_rate=5e-5, teacher_rate=2e-3, student_rate=2e-3, error_factor=10.0, add_variance=True)

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch", 1), ("passes", 2), ("repeats", 1)):
            if getattr(self, name) < least:
                raise InputError(f"EnsembleSettings.{name} must be at least {least}, found {getattr(self, name)}.")


class Prediction(NamedTuple):
    """Mean, aleatoric variance and epistemic standard deviation at `n` points, `n` values each."""

    mean: Tensor
    variance: Tensor
    deviation: Tensor


class Surrogate:
    """Three networks, fitted from scratch to all observations.

    A natural-parameter network gives mean and aleatoric variance; the dropout passes of a teacher spread where it knows
    little; a student learns that spread, which makes it deterministic with second derivatives. The published code keeps
    the weights from one search step to the next; with a fresh start, a fit depends only on the observations and the
    generator, which a resumed search needs.
    """

    def __init__(self, sizes: Sequence[int], settings: EnsembleSettings, generator: torch.Generator) -> None:
        """
        Args:
            sizes: length of the vector of each role; they sum to D.
            settings: settings of the training.
            generator: random generator for initial weights, order of samples and dropout.
        """
        self.settings = settings
        self._generator = generator
        roles = len(sizes)
        self.mean = NaturalParameterNetwork(sizes, mean_layout(roles), generator)
        self.teacher = DenseNetwork(sizes, teacher_layout(roles), generator)
        self.student = DenseNetwork(sizes, student_layout(roles), generator)
        self._unit = 1.0

    @one_thread()
    def fit(self, inputs: Tensor, targets: Tensor, unlabelled: Tensor | None = None) -> None:
        """Train teacher, student and mean network, in this order, and freeze them.

        The published fit draws a new validation fifth in every epoch, which is therefore also trained on, and hardly
        ever stops early; here every epoch uses all samples, without early stopping.

        The published student is trained by plain gradient descent, and learns little beyond the average deviation. Here
        it is trained by AdamW, in units of twice the average deviation.

        Args:
            inputs: tensor `n x D` within the unit box.
            targets: `n` values from 0 to 1; smaller is better.
            unlabelled: tensor `m x D` of points at which the student also learns the spread of the teacher. The
                published student sees only the observations, and predicts little about unmeasured regions.
        """
        settings = self.settings
        self._train(
            self.teacher,
            settings.teacher_rate,
            len(inputs),
            lambda rows: (self.teacher(inputs[rows], self._generator) - targets[rows]).square().mean(),
        )
        known = inputs if unlabelled is None else torch.cat([inputs, unlabelled])
        spread = torch.stack([self.spread(known) for _ in range(settings.repeats)]).mean(dim=0)
        self._unit = 2 * float(spread.mean().clamp_min(1e-6))
        self._train(
            self.student,
            settings.student_rate,
            len(known),
            lambda rows: (self.student(known[rows]) - spread[rows] / self._unit).square().mean(),
        )
        self._train(
            self.mean, settings.mean_rate, len(inputs), lambda rows: self._likelihood(inputs[rows], targets[rows])
        )
        for network in (self.mean, self.teacher, self.student):
            network.requires_grad_(False)

    def spread(self, inputs: Tensor) -> Tensor:
        """Unbiased standard deviation of the teacher's dropout passes at `n x D`, all passes in one batch: `n`."""
        passes = self.settings.passes
        with torch.no_grad():
            values: Tensor = self.teacher(inputs.repeat(passes, 1), self._generator)
        return values.view(passes, -1).std(dim=0)

    def deviation(self, inputs: Tensor) -> Tensor:
        """The differentiable epistemic standard deviation that the student has learnt: `n x D` to `n`."""
        ratio: Tensor = self.student(inputs)
        return self._unit * ratio

    def predict(self, inputs: Tensor) -> Prediction:
        """Differentiable prediction at `n x D`, `n` values each."""
        mean, variance = self.mean(inputs)
        return Prediction(mean, variance, self.deviation(inputs))

    def acquisition(self, inputs: Tensor, aleatoric: bool = False) -> Tensor:
        """The optimistic bound mean - exploration * deviation, to be minimised: `n x D` to `n`.

        Args:
            inputs: tensor `n x D` within the unit box.
            aleatoric: whether to add the aleatoric deviation to the epistemic one.
        """
        mean, variance, deviation = self.predict(inputs)
        if aleatoric:
            deviation = deviation + (variance if self.settings.add_variance else variance.sqrt())
        return mean - self.settings.exploration * deviation

    def _likelihood(self, inputs: Tensor, targets: Tensor) -> Tensor:
        mean, variance = self.mean(inputs)
        error = self.settings.error_factor * (mean - targets).square() / variance
        loss: Tensor = 0.5 * (error + variance.log()).mean()
        return loss

    def _train(self, network: nn.Module, rate: float, samples: int, loss: Callable[[Tensor], Tensor]) -> None:
        settings = self.settings
        optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=settings.weight_decay, fused=True)
        for _ in range(settings.epochs):
            order = torch.randperm(samples, generator=self._generator)
            for rows in torch.split(order, settings.batch):
                optimiser.zero_grad()
                loss(rows).backward()  # type: ignore[no-untyped-call]
                optimiser.step()
