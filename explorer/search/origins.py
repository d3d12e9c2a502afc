"""Where the proposals of a search come from, and the shares of those that explore."""

from __future__ import annotations

from graphdb.errors import InputError

INITIAL, OPTIMISE, UNCERTAINTY, DIVERSITY = "initial", "optimise", "uncertainty", "diversity"


def check_shares(uncertainty: float, diversity: float) -> None:
    """Refuses shares of exploring proposals that are no probabilities.

    Raises:
        InputError: one is negative, or they sum to more than 1.
    """
    if min(uncertainty, diversity) < 0 or uncertainty + diversity > 1:
        raise InputError(
            "The shares of uncertainty and diversity sampling must not be negative and sum to at most 1, "
            f"found {uncertainty} and {diversity}."
        )


def origin_of(lot: float, uncertainty: float, diversity: float) -> str:
    """The kind of a guided proposal.

    Args:
        lot: a number drawn uniformly from 0 to 1.
        uncertainty: the share of designs about which least is known.
        diversity: the share of random designs.
    """
    if lot < diversity:
        return DIVERSITY
    return UNCERTAINTY if lot < diversity + uncertainty else OPTIMISE
