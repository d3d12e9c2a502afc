"""The sparsity of each tensor: one constant for all, as published, or DynaTran's share for tensors that it prunes.

With the correction `operation-sparsity`:

- activations that DynaTran prunes have the share of the chosen point (that of their role if it was measured), or
  `activation_sparsity` if no point is chosen;
- hidden states are dense, because nothing is pruned after a normalisation;
- weights keep `weight_sparsity`: movement pruning prunes the weights of attention and feed-forward blocks before the
  run;
- embeddings are dense, as movement pruning leaves them, once only the rows that are looked up are loaded
  (`embedding-rows`); the whole table in the weight buffer stays pruned as published, since dense it would not fit
  the published accelerators;
- states of the optimiser are dense: they are running means, which pruned gradients only scale down;
- gradients have `gradient_sparsity`, or that of a user's profile at `dynaprop_threshold`; no such curve is published.
"""

from __future__ import annotations

from collections.abc import Callable

from explorer.domains.accelerator.acceltran.program import TensorRole
from explorer.domains.accelerator.acceltran.settings.curves import PRUNED
from explorer.domains.accelerator.acceltran.settings.run import RunSettings

_STORED = frozenset({TensorRole.WEIGHT, TensorRole.EMBEDDING, TensorRole.OPTIMISER_STATE})


def role_sparsities(settings: RunSettings) -> Callable[[TensorRole], float]:
    """The share of zeros in a tensor, by its role.

    Raises:
        InputError: the settings choose a point outside their curve.
    """
    shares = _corrected(settings) if "operation-sparsity" in settings.switches else _published(settings)
    return shares.__getitem__


def expected_score(settings: RunSettings) -> float | None:
    """The score of the curve at the chosen point, from 0 to 1; None if no point is in use.

    Raises:
        InputError: the settings choose a point outside their curve.
    """
    point = settings.dynatran_point if "operation-sparsity" in settings.switches else None
    return None if point is None else point.score


def _published(settings: RunSettings) -> dict[TensorRole, float]:
    activations = dict.fromkeys(TensorRole, settings.activation_sparsity)
    stored = dict.fromkeys(_STORED, settings.weight_sparsity)
    return activations | stored | {TensorRole.GRADIENT: settings.gradient_sparsity}


def _corrected(settings: RunSettings) -> dict[TensorRole, float]:
    point, gradients = settings.dynatran_point, settings.dynaprop_point
    shares = dict.fromkeys(TensorRole, 0.0) | {TensorRole.WEIGHT: settings.weight_sparsity}
    if "embedding-rows" not in settings.switches:
        shares[TensorRole.EMBEDDING] = settings.weight_sparsity
    for role in PRUNED:
        shares[role] = settings.activation_sparsity if point is None else point.of(role)
    shares[TensorRole.GRADIENT] = settings.gradient_sparsity if gradients is None else gradients.of(TensorRole.GRADIENT)
    return shares
