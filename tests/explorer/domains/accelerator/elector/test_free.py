from __future__ import annotations

import pytest

from explorer.contracts.space import Choices, DesignSpace
from explorer.domains.accelerator.elector.free import FreeAccelTranSpace
from explorer.domains.accelerator.elector.presets import preset
from explorer.domains.accelerator.elector.space import ElectorSpace
from tests.explorer.contracts.space import OpenSpaceContract


class TestFreeAccelTranSpace(OpenSpaceContract):
    @pytest.fixture
    def space(self) -> DesignSpace:
        return FreeAccelTranSpace()

    @pytest.fixture
    def legal(self) -> Choices:
        return {**preset("nano").choices, "pe": 3, "loop_order": "k_i_j_b"}

    def test_defaults_are_filled_in(self, space: DesignSpace, legal: Choices) -> None:
        shorter = {name: value for name, value in legal.items() if name not in ("issue_width", "loop_order")}
        assert space.normalise(shorter | {"pe": 64})["issue_width"] == 16
        assert space.normalise(shorter)["issue_width"] == 1
        assert space.normalise(shorter)["loop_order"] == "b_i_j_k"
        assert space.build(shorter).key == space.build(space.normalise(shorter)).key

    def test_whole_numbers_have_one_form(self, space: DesignSpace, legal: Choices) -> None:
        first, second = (space.build(legal | {"weight_buffer_mb": size}) for size in (4, 4.0))
        assert (first.key, first.fingerprint) == (second.key, second.fingerprint)

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"tile_x": 64, "tile_y": 64}, "tile_x is 64; allowed: 8, 16, 32"),
            ({"mac_per_lane": 8}, "mac_per_lane is 8; allowed: 1, 16"),
            ({"pe": 0}, "pe is 0; allowed: an integer from 1"),
            ({"mask_buffer_mb": 0}, "mask_buffer_mb is 0; allowed: a number of MiB above 0"),
            ({"loop_order": "b_i_j"}, "loop_order is 'b_i_j'; allowed: b_i_j_k"),
        ],
    )
    def test_violations_name_place_found_and_allowed(
        self, space: DesignSpace, legal: Choices, change: Choices, sentence: str
    ) -> None:
        with pytest.raises(ValueError, match=sentence):
            space.build(legal | change)


def test_designs_of_elector_are_legal() -> None:
    choices = ElectorSpace().from_vector(ElectorSpace().bounds[1])
    assert FreeAccelTranSpace().build(choices).choices["issue_width"] == 256
