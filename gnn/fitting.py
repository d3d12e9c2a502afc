"""Fitting of a surrogate: networks and trees learn the same designs, and held-out designs decide how to mix them."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from gnn.bagging import FEWEST, BaggedTrees, fit_trees
from gnn.blending import Estimate, best_weight, blended, by_measure, calibration, unseen
from gnn.data import GraphSet, Vocabulary
from gnn.fitted import Array, Designs, Fitted, columns, joined_embeddings, outputs
from gnn.network import SurrogateSettings, build_members
from gnn.profile import Profile
from gnn.projection import Projection
from gnn.scaling import Scaling
from gnn.structure import structural_targets
from gnn.training import Listener, TrainingSet, held_out_designs, steady, train
from graphdb.architecture import Architecture
from graphdb.errors import InputError

Targets = Mapping[str, Sequence[float] | Array]


@dataclass(frozen=True)
class Lesson:
    """The designs and values that a surrogate learns, checked and standardised.

    Attributes:
        designs: the n designs.
        scalings: one per measure.
        values: the standardised values, shape `(n, measures)`, NaN where missing.
    """

    designs: Designs
    scalings: tuple[Scaling, ...]
    values: Array

    @classmethod
    def of(
        cls, by_role: Mapping[str, Sequence[Architecture]], targets: Targets, logarithmic: Collection[str]
    ) -> Lesson:
        """Returns the lesson of these architectures and values.

        Args:
            by_role: role -> n architectures.
            targets: measure -> n values, NaN where missing.
            logarithmic: the measures to learn as logarithms.

        Raises:
            InputError: there is no design, lengths differ, or a value cannot be learnt.
        """
        size = len(next(iter(by_role.values())))
        if not size:
            raise InputError("A surrogate needs at least one architecture to learn from; none was given.")
        scalings, standardised = [], []
        for name, given in targets.items():
            values = np.asarray(given, dtype=np.float64)
            if values.shape != (size,):
                raise InputError(
                    f"The measure {name} has shape {values.shape} for {size} designs; it must be ({size},)."
                )
            scalings.append(Scaling.of(name, values, name in logarithmic))
            standardised.append(scalings[-1].forward(values))
        return cls(Designs.of(by_role), tuple(scalings), columns(standardised, size))


def fit(
    lesson: Lesson,
    settings: SurrogateSettings,
    device: torch.device,
    generator: np.random.Generator,
    on_progress: Listener | None = None,
) -> tuple[Fitted, Array]:
    """Fits networks and trees to a lesson.

    Args:
        lesson: the designs and their values.
        settings: the sizes and the training.
        device: the device on which the networks are trained.
        generator: the source of all randomness.
        on_progress: called with the fraction done, in (0, 1], from any thread; an exception of it ends the fit.

    Returns:
        The fitted networks and trees, and the loss at every step as an average over the members, shape `(steps,)`.
    """
    designs, values = lesson.designs, lesson.values
    vocabularies = {role: Vocabulary.of(graphs) for role, graphs in designs.distinct.items()}
    profiles = (
        {role: Profile.of(graphs, vocabularies[role]) for role, graphs in designs.distinct.items()}
        if _with_trees(values, settings)
        else {}
    )
    sizes = {role: float(np.mean([len(a.blocks) for a in graphs])) for role, graphs in designs.distinct.items()}
    data = _training_set(lesson, vocabularies, device)
    # The order matters: the same generator gives the same surrogate.
    seeds = [int(seed) for seed in generator.integers(2**62, size=settings.members)]
    members = build_members(vocabularies, sizes, len(lesson.scalings), settings, seeds)
    held_out = held_out_designs(len(designs), settings.members, generator)
    fits = _fit_trees(designs.profiled(profiles), values, settings, generator)
    with steady(device):
        losses = train(
            [member.to(device) for member in members],
            data,
            held_out,
            settings,
            generator.spawn(settings.members),
            _workers(device),
            on_progress,
        )
        projections = {
            role: Projection.of(joined_embeddings(members, role, graphs), settings.embedding)
            for role, graphs in data.graphs.items()
        }
        mean, log_variance = outputs(members, data.graphs, data.index)
    networks = by_measure(unseen(mean, np.exp(log_variance), held_out))
    trees, scalings = _mixed(networks, fits, lesson)
    return Fitted(vocabularies, sizes, scalings, members, projections, profiles, trees), losses


def _training_set(lesson: Lesson, vocabularies: Mapping[str, Vocabulary], device: torch.device) -> TrainingSet:
    distinct = lesson.designs.distinct
    return TrainingSet(
        {role: GraphSet(vocabularies[role], graphs, device) for role, graphs in distinct.items()},
        lesson.designs.index,
        torch.as_tensor(lesson.values, dtype=torch.float32, device=device),
        {role: _structural(graphs, vocabularies[role], device) for role, graphs in distinct.items()},
    )


def _structural(graphs: Sequence[Architecture], vocabulary: Vocabulary, device: torch.device) -> torch.Tensor:
    """Standardised structural targets, shape `(graphs, targets)`."""
    values = np.stack(list(structural_targets(graphs, vocabulary).values()), axis=1)
    spread = values.std(axis=0)
    standard = (values - values.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)
    return torch.as_tensor(standard, dtype=torch.float32, device=device)


def _with_trees(values: Array, settings: SurrogateSettings) -> bool:
    """Whether trees are worthwhile for any of these measures, shape `(n, measures)`."""
    return settings.trees > 0 and bool((np.sum(~np.isnan(values), axis=0) >= FEWEST).any())


def _fit_trees(
    rows: Array, values: Array, settings: SurrogateSettings, generator: np.random.Generator
) -> list[tuple[BaggedTrees, Estimate] | None]:
    """The trees of each measure, and their estimates of the designs that they have not seen; None without trees."""
    return [
        fit_trees(rows, column, settings, own) if rows.size and _with_trees(column[:, None], settings) else None
        for column, own in zip(values.T, generator.spawn(values.shape[1]), strict=True)
    ]


def _mixed(
    networks: Sequence[Estimate], fits: Sequence[tuple[BaggedTrees, Estimate] | None], lesson: Lesson
) -> tuple[tuple[BaggedTrees | None, ...], tuple[Scaling, ...]]:
    """The trees with their weights, and the scalings with their calibration, both from held-out designs."""
    trees: list[BaggedTrees | None] = []
    calibrated = []
    for network, grown, target, scaling in zip(networks, fits, lesson.values.T, lesson.scalings, strict=True):
        held_out = network
        if grown is not None:
            weight = best_weight(network.mean, grown[1].mean, target)
            held_out = blended(network, grown[1], weight)
        trees.append(replace(grown[0], weight=weight) if grown is not None else None)
        calibrated.append(replace(scaling, calibration=calibration(held_out, target)))
    return tuple(trees), tuple(calibrated)


def _workers(device: torch.device) -> int:
    return 1 if device.type == "cuda" else max(1, min(os.cpu_count() or 1, 4))
