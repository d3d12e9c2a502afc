"""The domain of convolutional networks as a plug-in."""

from __future__ import annotations

import pytest

from explorer.contracts.domain import Domain
from explorer.domains.cnn.domain import DOMAIN
from tests.explorer.contracts.domain import DomainContract


class TestCnnDomain(DomainContract):
    module = "explorer.domains.cnn.domain"

    @pytest.fixture
    def domain(self) -> Domain:
        return DOMAIN
