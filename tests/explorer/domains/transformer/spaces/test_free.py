from __future__ import annotations

import pytest

from explorer.contracts.space import Choices, DesignSpace
from explorer.domains.transformer.spaces.free import FreeTransformerSpace
from tests.explorer.contracts.space import OpenSpaceContract


class TestFreeTransformerSpace(OpenSpaceContract):
    @pytest.fixture
    def space(self) -> DesignSpace:
        return FreeTransformerSpace()

    @pytest.fixture
    def legal(self) -> Choices:
        return {"l": 2, "o": [["sa_wma_7", "c_13_7", "sa_sdp_7"], ["l_dct_5"]], "h": [33, 17], "f": [[64], [1, 2, 3]]}

    def test_heads_keep_their_order(self, space: DesignSpace, legal: Choices) -> None:
        assert space.normalise(legal)["o"] == legal["o"]
