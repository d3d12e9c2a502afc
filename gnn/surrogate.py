"""`GraphSurrogate`: learns measures from graphs, and estimates its own uncertainty."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gnn.bagging import BaggedTrees, tree_shapes
from gnn.data import Vocabulary
from gnn.fitted import Array, Designs, Fitted
from gnn.fitting import Lesson, Targets, fit
from gnn.network import SurrogateSettings, build_members
from gnn.profile import Profile
from gnn.record import pack, unpack
from gnn.scaling import Prediction, Scaling
from gnn.training import Listener
from graphdb.architecture import Architecture
from graphdb.errors import InputError

Architectures = Sequence[Architecture] | Mapping[str, Sequence[Architecture]]

VERSION = 2


class GraphSurrogate:
    """An ensemble of graph encoders that predicts measures of architectures, or of tuples of them.

    Every member has one encoder per role and a head that gives mean and variance of every measure; members differ in
    their initial weights, in the order of their batches and in the tenth of the designs that each does not see (deep
    ensembles, Lakshminarayanan et al. 2017). In addition, boosted trees learn every measure from the profiles of the
    graphs. The two are mixed with one weight per measure, chosen on held-out designs, on which the spread is calibrated
    too. Embeddings come from the networks.

    On one machine the same data and the same generator give bit-identical weights, whatever its load and number of
    threads; another processor type or version of torch may round differently.

    Args:
        roles: the roles of the architectures that are measured together, such as `("model",)` or `("left", "right")`.
        logarithmic: the measures to learn as logarithms: positive costs that span decades.
        settings: the sizes and the training.
        device: a torch device; by default a GPU if there is one.

    Example:
        >>> surrogate = GraphSurrogate(roles=("model",))
        >>> surrogate.fit(models, {"accuracy": accuracies}, np.random.default_rng(0))
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
        """The loss at every step of the latest fit, averaged over the members, shape `(steps,)`."""
        self._fitted: Fitted | None = None

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that the surrogate predicts."""
        return tuple(scaling.name for scaling in self._state.scalings)

    def fit(
        self,
        architectures: Architectures,
        targets: Targets,
        generator: np.random.Generator,
        on_progress: Listener | None = None,
    ) -> GraphSurrogate:
        """Learns from n designs; the results of an earlier fit are discarded.

        Args:
            architectures: role -> n architectures; a plain sequence if there is one role. They may repeat.
            targets: measure -> n values, NaN where missing. Without any, embeddings are learnt from structure alone.
            generator: the source of all randomness.
            on_progress: called with the fraction done, in (0, 1], from any thread; an exception of it ends the fit.

        Returns:
            The surrogate itself.

        Raises:
            InputError: there is nothing to learn from, lengths differ, or a value cannot be learnt.
        """
        lesson = Lesson.of(self._by_role(architectures), targets, self.logarithmic)
        self._fitted, self.losses = fit(lesson, self.settings, self.device, generator, on_progress)
        return self

    def predict(self, architectures: Architectures) -> Prediction:
        """The mean and uncertainty of every measure, each `(n, measures)`.

        Args:
            architectures: role -> n architectures; a plain sequence if there is one role. Repeated architectures are
                encoded once.

        Raises:
            InputError: the surrogate has not been fitted, lengths differ, or an architecture has no blocks.
        """
        return self._state.predict(Designs.of(self._by_role(architectures)), self.device)

    def embed(self, architectures: Sequence[Architecture], role: str | None = None) -> NDArray[np.float32]:
        """The embeddings, shape `(n, embedding)`, with mean 0 and mean square norm 1 over the training set.

        They are the principal components of the joined embeddings of all members, so that Euclidean distances are those
        between the members' embeddings on average.

        Args:
            architectures: the n architectures, all of this role.
            role: the role that they play; by default the only one.

        Raises:
            InputError: the surrogate has not been fitted, there is no such role, or an architecture has no blocks.
        """
        state = self._state
        if role is None and len(self.roles) == 1:
            role = self.roles[0]
        if role not in self.roles:
            raise InputError(f"The role to embed is {role!r}; this surrogate knows {', '.join(self.roles)}.")
        if not architectures:
            return np.zeros((0, self.settings.embedding), dtype=np.float32)
        return state.embed(role, architectures, self.device)

    def to_record(self) -> tuple[bytes, dict[str, Any]]:
        """The weights as safetensors, and the JSON needed to read them.

        Raises:
            InputError: the surrogate has not been fitted.
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
        """Returns the surrogate that `to_record` wrote.

        Args:
            weights: the weights as safetensors.
            settings: the JSON needed to read them.
            device: a torch device; by default a GPU if there is one.

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
        surrogate._fitted = Fitted(vocabularies, sizes, scalings, placed, projections, profiles, trees)
        return surrogate

    @property
    def _state(self) -> Fitted:
        if self._fitted is None:
            raise InputError("The surrogate has not been fitted; call fit before it is asked for anything.")
        return self._fitted

    def _by_role(self, architectures: Architectures) -> dict[str, Sequence[Architecture]]:
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
        return {role: architectures[role] for role in self.roles}


def _device(name: str | None) -> torch.device:
    try:
        return torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError as error:
        raise InputError(f"The device {name!r} is unknown to torch; use cpu or cuda.") from error
