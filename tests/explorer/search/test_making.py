"""Optimisers by name."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.contracts.optimiser import Outcome
from explorer.search.candidates import TableCandidates
from explorer.search.making import make
from explorer.search.options import OPTIONS, OptimiserName, with_search
from graphdb.errors import InputError


@pytest.mark.parametrize("name", OptimiserName)
def test_every_optimiser_is_made_and_searches(name: OptimiserName) -> None:
    generator = np.random.default_rng(0)
    candidates = TableCandidates(generator.random((20, 2)), generator.random((20, 3)))
    search = make(name, {}, candidates, 3)
    for _ in range(2):
        for proposal in search.ask(3):
            search.tell(proposal.design, Outcome((float(proposal.design[0].sum()),)))
    assert len(search.observations) == 6
    assert name in OPTIONS


def test_options_reach_the_optimiser_and_others_are_refused() -> None:
    candidates = TableCandidates(np.arange(6.0).reshape(6, 1))
    starts = make(OptimiserName.LOCAL_SEARCH, {"initial": 3}, candidates, 0).ask(3)
    assert {one.origin for one in starts} == {"start"}
    with pytest.raises(InputError, match="tournament"):
        make(OptimiserName.EVOLUTION, {"tournament": 0}, candidates, 0)
    with pytest.raises(InputError, match="wings"):
        make(OptimiserName.RANDOM, {"wings": 2}, candidates, 0)


def test_options_among_the_settings_of_a_recipe_go_to_the_optimiser() -> None:
    given = {"optimiser": "local-search", "initial": 2, "depth": 4, "population": 7}
    read = with_search(given, {"depth"}, "mill")
    assert read == {"optimiser": "local-search", "depth": 4, "population": 7, "search": {"initial": 2}}
    assert with_search(read, {"depth"}, "mill") == read
    assert with_search({"initial": 2} | {"optimiser": "random"}, (), "mill")["initial"] == 2
    with pytest.raises(InputError, match="initial"):
        with_search(given | {"initial": "many"}, {"depth"}, "mill")
    with pytest.raises(InputError, match="pace"):
        with_search({"search": {"pace": 1}}, (), "mill")
    with pytest.raises(InputError, match="front of mill"):
        with_search({"optimiser": "boshcode", "front": True}, (), "mill")
