"""`GraphSurrogate`: learns measures from graphs, and says how far it can be trusted."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gnn.bagging import FEWEST, BaggedTrees, fit_trees, tree_shapes
from gnn.blending import Estimate, best_weight, blended, by_measure, calibration, ensemble, unseen
from gnn.data import GraphSet, Vocabulary
from gnn.network import Member, SurrogateSettings, build_members
from gnn.profile import Profile
from gnn.projection import Projection
from gnn.record import pack, unpack
from gnn.scaling import Prediction, Scaling
from gnn.structure import structural_targets
from gnn.training import Progress, TrainingSet, held_out_designs, steady, train
from graphdb.architecture import Architecture
from graphdb.errors import InputError

Array = NDArray[np.float64]
Architectures = Sequence[Architecture] | Mapping[str, Sequence[Architecture]]

VERSION = 2
_PREDICTION_BATCH = 2048  # graphs encoded at once: bounds the memory


@dataclass(frozen=True)
class _Trained:
    """All that a fit leaves behind."""

    vocabularies: Mapping[str, Vocabulary]
    typical_sizes: Mapping[str, float]
    scalings: tuple[Scaling, ...]
    members: list[Member]
    projections: Mapping[str, Projection]
    profiles: Mapping[str, Profile]
    trees: tuple[BaggedTrees | None, ...]
    """One per measure; None where the networks count alone."""


class GraphSurrogate:
    """An ensemble of graph encoders that predicts measures of architectures, or of tuples of them.

    Every member has one encoder per role and a head that gives mean and variance of every measure; members differ in
    their first weights, in the order of their batches and in the tenth of the designs that each does not see (deep
    ensembles, Lakshminarayanan et al. 2017). Beside them, boosted trees learn every measure from the profiles of the
    graphs. The two are mixed with the weights, one per measure, that are best on designs held out, on which the spread
    is calibrated too. Embeddings come from the networks.

    On one machine the same data and the same generator give the same weights to the bit, whatever its load and number
    of threads; another processor type or version of torch may round otherwise.

    Args:
        roles: of the architectures that are measured together, such as `("model",)` or `("model", "accelerator")`.
        logarithmic: measures to learn as logarithms: positive costs over decades.
        settings: sizes and training.
        device: a torch device; by default a GPU where there is one.

    Example:
        >>> surrogate = GraphSurrogate(roles=("model",))
        >>> surrogate.fit(models, {"qnli_accuracy": accuracies}, np.random.default_rng(0))
        >>> surrogate.predict(candidates).mean
    """

    def __init__(
        self,
        roles: Sequence[str] = ("model",),
        logarithmic: Collection[str] = (),
        settings: SurrogateSettings | None = None,
        device: str | None = None,
    ) -> None:
        if not roles or len(set(roles)) != len(roles):
            raise InputError(
                f"The roles of a surrogate are {', '.join(roles) or 'none'}; they must differ, at least one."
            )
        self.roles = tuple(roles)
        self.logarithmic = frozenset(logarithmic)
        self.settings = settings or SurrogateSettings()
        self.device = _device(device)
        self.losses: Array = np.zeros(0)
        """The loss at every step of the last fit, averaged over the members, shape `(steps,)`."""
        self._trained: _Trained | None = None

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that it predicts."""
        return tuple(scaling.name for scaling in self._state.scalings)

    def fit(
        self,
        architectures: Architectures,
        targets: Mapping[str, Sequence[float] | Array],
        generator: np.random.Generator,
        on_progress: Progress | None = None,
    ) -> GraphSurrogate:
        """Learns from n designs; what an earlier fit has learnt is forgotten.

        Args:
            architectures: role -> n architectures; a plain sequence where there is one role. They may repeat.
            targets: measure -> n values, NaN where missing. With none, embeddings are learnt from the structure alone.
            generator: of all randomness.
            on_progress: told the fraction done, in (0, 1], from any thread; what it raises ends the fit.

        Returns:
            The surrogate itself.

        Raises:
            InputError: nothing to learn from, lengths that differ, a value that cannot be learnt.
        """
        by_role, size = self._by_role(architectures)
        scalings, values = _standardised(targets, size, self.logarithmic)
        distinct = {role: _distinct(items) for role, items in by_role.items()}
        vocabularies = {role: Vocabulary.of(graphs) for role, (graphs, _) in distinct.items()}
        profiles = (
            {role: Profile.of(graphs, vocabularies[role]) for role, (graphs, _) in distinct.items()}
            if self._with_trees(values)
            else {}
        )
        sizes = {role: float(np.mean([len(a.blocks) for a in graphs])) for role, (graphs, _) in distinct.items()}
        data = TrainingSet(
            {role: GraphSet(vocabularies[role], graphs, self.device) for role, (graphs, _) in distinct.items()},
            {role: index for role, (_, index) in distinct.items()},
            torch.as_tensor(values, dtype=torch.float32, device=self.device),
            {role: self._structural(graphs, vocabularies[role]) for role, (graphs, _) in distinct.items()},
        )
        seeds = [int(seed) for seed in generator.integers(2**62, size=self.settings.members)]
        members = build_members(vocabularies, sizes, len(scalings), self.settings, seeds)
        held_out = held_out_designs(size, self.settings.members, generator)
        rows = _columns_of(profiles, distinct)
        fits = [
            fit_trees(rows, column, self.settings, own) if rows.size and self._with_trees(column[:, None]) else None
            for column, own in zip(values.T, generator.spawn(values.shape[1]), strict=True)
        ]
        with steady(self.device):
            self.losses = train(
                [member.to(self.device) for member in members],
                data,
                held_out,
                self.settings,
                generator.spawn(self.settings.members),
                _workers(self.device),
                on_progress,
            )
            projections = {
                role: Projection.of(self._embeddings(members, role, data.graphs[role]), self.settings.embedding)
                for role in self.roles
            }
            mean, log_variance = self._outputs(members, data.graphs, data.index)
        network = by_measure(unseen(mean, np.exp(log_variance), held_out))
        trees, scalings = _mixed(network, fits, values, scalings)
        self._trained = _Trained(vocabularies, sizes, scalings, members, projections, profiles, trees)
        return self

    def predict(self, architectures: Architectures) -> Prediction:
        """Mean and uncertainty of every measure, each `(n, measures)`.

        Args:
            architectures: role -> n architectures; a plain sequence where there is one role. An architecture that
                repeats is encoded once.

        Raises:
            InputError: not fitted, lengths that differ, or an architecture without blocks.
        """
        state = self._state
        by_role, _ = self._by_role(architectures)
        distinct = {role: _distinct(items) for role, items in by_role.items()}
        with steady(self.device):
            mean, log_variance = self._outputs(
                state.members,
                {role: GraphSet(state.vocabularies[role], items, self.device) for role, (items, _) in distinct.items()},
                {role: index for role, (_, index) in distinct.items()},
            )
        rows = _columns_of(state.profiles, distinct)
        estimates = [
            blended(network, trees.predict(rows), trees.weight) if trees else network
            for network, trees in zip(by_measure(ensemble(mean, np.exp(log_variance))), state.trees, strict=True)
        ]
        found = list(zip(state.scalings, estimates, strict=True))
        means = [scaling.mean_back(estimate.mean) for scaling, estimate in found]
        size = mean.shape[1]
        return Prediction(
            self.measures,
            _columns(means, size),
            _columns([s.std_back(e.aleatoric, m) for (s, e), m in zip(found, means, strict=True)], size),
            _columns([s.std_back(e.epistemic, m) for (s, e), m in zip(found, means, strict=True)], size),
            np.array([scaling.logarithmic for scaling in state.scalings], dtype=np.bool_),
        )

    def embed(self, architectures: Sequence[Architecture], role: str | None = None) -> NDArray[np.float32]:
        """Embeddings of shape `(n, embedding)`: zero on average over the training set, with mean square norm 1.

        They are the principal components of the joined embeddings of all members, so that Euclidean distance is what
        the members see on average.

        Args:
            architectures: n of them, of this role.
            role: by default the only one.

        Raises:
            InputError: not fitted, no such role, or an architecture without blocks.
        """
        state = self._state
        if role is None and len(self.roles) == 1:
            role = self.roles[0]
        if role not in self.roles:
            raise InputError(f"The role to embed is {role!r}; this surrogate knows {', '.join(self.roles)}.")
        if not architectures:
            return np.zeros((0, self.settings.embedding), dtype=np.float32)
        graphs, index = _distinct(architectures)
        with steady(self.device):
            joined = self._embeddings(state.members, role, GraphSet(state.vocabularies[role], graphs, self.device))
        return state.projections[role].apply(joined)[index]

    def to_record(self) -> tuple[bytes, dict[str, Any]]:
        """Weights as safetensors, and the JSON that says how to read them.

        Raises:
            InputError: not fitted.
        """
        state = self._state
        settings = {
            "version": VERSION,
            "roles": list(self.roles),
            "surrogate": self.settings.to_json(),
            "vocabularies": {role: vocabulary.to_json() for role, vocabulary in state.vocabularies.items()},
            "typical_sizes": dict(state.typical_sizes),
            "measures": [scaling.to_json() for scaling in state.scalings],
            "profiles": {role: profile.to_json() for role, profile in state.profiles.items()},
            "trees": [trees and {"floor": trees.floor, "weight": trees.weight} for trees in state.trees],
        }
        return pack(state.members, state.projections, state.trees), settings

    @classmethod
    def from_record(cls, weights: bytes, settings: Mapping[str, Any], device: str | None = None) -> GraphSurrogate:
        """From what `to_record` gave.

        Raises:
            InputError: the settings are malformed or of another version, or the weights are damaged or do not fit them.
        """
        if settings.get("version") != VERSION:
            raise InputError(f"The surrogate is of version {settings.get('version')!r}; this code reads {VERSION}.")
        try:
            scalings = tuple(Scaling.from_json(value) for value in settings["measures"])
            roles = [str(role) for role in settings["roles"]]
            sizes = {role: float(settings["typical_sizes"][role]) for role in roles}
            vocabularies = {role: Vocabulary.from_json(settings["vocabularies"][role]) for role in roles}
            given = SurrogateSettings(**settings["surrogate"])
            profiles = {
                role: Profile.from_json(settings["profiles"][role], vocabularies[role]) for role in settings["profiles"]
            }
            mixing = [
                value and {name: float(value[name]) for name in ("floor", "weight")} for value in settings["trees"]
            ]
            if len(mixing) != len(scalings):
                raise ValueError(f"{len(mixing)} measures have trees, not {len(scalings)}")
            if any(mixing) and set(profiles) != set(roles):
                raise ValueError("there are trees, but not a profile for every role")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"The settings of the surrogate are malformed: {error}.") from error
        logarithmic = {scaling.name for scaling in scalings if scaling.logarithmic}
        surrogate = cls(roles, logarithmic, given, device)
        members = build_members(vocabularies, sizes, len(scalings), given, [0] * given.members)
        columns = sum(profile.width for profile in profiles.values())
        shapes = {i: tree_shapes(given) for i, value in enumerate(mixing) if value}
        projections, tensors = unpack(weights, members, roles, given.embedding, shapes)
        trees = tuple(
            BaggedTrees.from_tensors(tensors[i], columns, **value) if value else None for i, value in enumerate(mixing)
        )
        placed = [member.to(surrogate.device) for member in members]
        surrogate._trained = _Trained(vocabularies, sizes, scalings, placed, projections, profiles, trees)
        return surrogate

    @property
    def _state(self) -> _Trained:
        if self._trained is None:
            raise InputError("The surrogate has not been fitted; call fit before it is asked for anything.")
        return self._trained

    def _by_role(self, architectures: Architectures) -> tuple[dict[str, Sequence[Architecture]], int]:
        if not isinstance(architectures, Mapping):
            architectures = {self.roles[0]: architectures}
        if set(architectures) != set(self.roles):
            raise InputError(
                f"Architectures were given for the roles {', '.join(sorted(architectures))}; "
                f"this surrogate needs {', '.join(self.roles)}."
            )
        lengths = {len(items) for items in architectures.values()}
        if len(lengths) > 1:
            raise InputError(f"The roles have {sorted(lengths)} architectures; they need equally many.")
        return {role: architectures[role] for role in self.roles}, lengths.pop()

    def _with_trees(self, values: Array) -> bool:
        """Whether trees are worth while for any of these measures, shape `(n, measures)`."""
        return self.settings.trees > 0 and bool((np.sum(~np.isnan(values), axis=0) >= FEWEST).any())

    def _structural(self, graphs: Sequence[Architecture], vocabulary: Vocabulary) -> torch.Tensor:
        values = np.stack(list(structural_targets(graphs, vocabulary).values()), axis=1)
        spread = values.std(axis=0)
        standard = (values - values.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)
        return torch.as_tensor(standard, dtype=torch.float32, device=self.device)

    def _embeddings(self, members: list[Member], role: str, graphs: GraphSet) -> Array:
        """Joined embeddings of all members, shape `(graphs, members * embedding)`."""
        parts = np.array_split(np.arange(len(graphs)), max(1, -(-len(graphs) // _PREDICTION_BATCH)))
        with torch.no_grad():
            batches = [graphs.select(part) for part in parts]
            rows = [torch.cat([member.embed(role, batch) for member in members], dim=1) for batch in batches]
            return torch.cat(rows).cpu().numpy().astype(np.float64)

    def _outputs(
        self, members: list[Member], graphs: Mapping[str, GraphSet], index: Mapping[str, NDArray[np.int64]]
    ) -> tuple[Array, Array]:
        """Standardised mean and logarithm of the variance of every member, each `(members, n, measures)`."""
        joined = {role: self._embeddings(members, role, graphs[role])[index[role]] for role in self.roles}
        parts = {
            role: torch.as_tensor(value, dtype=torch.float32, device=self.device).chunk(len(members), dim=1)
            for role, value in joined.items()
        }
        with torch.no_grad():
            outputs = [member.measure([parts[r][i] for r in self.roles]) for i, member in enumerate(members)]
        mean, log_variance = (
            torch.stack(values).cpu().numpy().astype(np.float64) for values in zip(*outputs, strict=True)
        )
        return mean, log_variance


def _device(name: str | None) -> torch.device:
    try:
        return torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError as error:
        raise InputError(f"The device {name!r} is none that torch knows; cpu and cuda are.") from error


def _workers(device: torch.device) -> int:
    return 1 if device.type == "cuda" else max(1, min(os.cpu_count() or 1, 4))


def _distinct(architectures: Sequence[Architecture]) -> tuple[list[Architecture], NDArray[np.int64]]:
    """The architectures without repetitions, and for each one given its number among them."""
    numbers: dict[Architecture, int] = {}
    index = [numbers.setdefault(architecture, len(numbers)) for architecture in architectures]
    return list(numbers), np.array(index, dtype=np.int64)


def _standardised(
    targets: Mapping[str, Sequence[float] | Array], size: int, logarithmic: Collection[str]
) -> tuple[tuple[Scaling, ...], Array]:
    if not size:
        raise InputError("A surrogate needs at least one architecture to learn from; none was given.")
    scalings, columns = [], []
    for name, given in targets.items():
        values = np.asarray(given, dtype=np.float64)
        if values.shape != (size,):
            raise InputError(f"The measure {name} has shape {values.shape} for {size} designs; it must be ({size},).")
        scalings.append(Scaling.of(name, values, name in logarithmic))
        columns.append(scalings[-1].forward(values))
    return tuple(scalings), _columns(columns, size)


def _columns(columns: Sequence[Array], size: int) -> Array:
    return np.stack(columns, axis=1) if columns else np.zeros((size, 0))


def _columns_of(
    profiles: Mapping[str, Profile], distinct: Mapping[str, tuple[list[Architecture], NDArray[np.int64]]]
) -> Array:
    """The profiles of all roles side by side, shape `(n, columns)`; no columns without profiles."""
    size = max(len(index) for _, index in distinct.values())
    parts = [profile.rows(distinct[role][0])[distinct[role][1]] for role, profile in profiles.items()]
    return np.concatenate([np.zeros((size, 0)), *parts], axis=1)


def _mixed(
    networks: list[Estimate],
    fits: list[tuple[BaggedTrees, Estimate] | None],
    targets: Array,
    scalings: tuple[Scaling, ...],
) -> tuple[tuple[BaggedTrees | None, ...], tuple[Scaling, ...]]:
    """The trees with their weights, and the scalings with their calibration, from designs held out."""
    trees: list[BaggedTrees | None] = []
    calibrated = []
    for network, fit, target, scaling in zip(networks, fits, targets.T, scalings, strict=True):
        held_out = network
        if fit is not None:
            weight = best_weight(network.mean, fit[1].mean, target)
            held_out = blended(network, fit[1], weight)
        trees.append(replace(fit[0], weight=weight) if fit is not None else None)
        calibrated.append(replace(scaling, calibration=calibration(held_out, target)))
    return tuple(trees), tuple(calibrated)
