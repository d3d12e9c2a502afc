"""Every verb of every domain, by the contract of verbs."""

from __future__ import annotations

import pytest

from explorer import registry
from explorer.contracts.verb import Verb
from tests.explorer.contracts.verb import VerbContract

VERBS = {f"{verb.group} {verb.name}".strip(): verb for verb in registry.verbs()}


class TestVerbs(VerbContract):
    """All that the registry knows."""

    @pytest.fixture(params=sorted(VERBS))
    def verb(self, request: pytest.FixtureRequest) -> Verb:
        return VERBS[request.param]
