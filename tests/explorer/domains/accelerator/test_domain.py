"""The domain of accelerators as a plug-in."""

from __future__ import annotations

import pytest

from explorer.contracts.domain import Domain
from explorer.domains.accelerator.domain import DOMAIN
from tests.explorer.contracts.domain import DomainContract


class TestAcceleratorDomain(DomainContract):
    module = "explorer.domains.accelerator.domain"

    @pytest.fixture
    def domain(self) -> Domain:
        return DOMAIN


def test_the_single_commands_are_verbs() -> None:
    assert [(verb.group, verb.name) for verb in DOMAIN.verbs] == [("simulate", "acceltran"), ("explore", "dataflow")]
