"""Re-use of operands: counted tile by tile beside the formula, and the published figure of the 24 loop orders."""

from __future__ import annotations

from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.domains.accelerator.acceltran.findings.reuse import (
    ORDERS,
    Reuse,
    ReuseRule,
    convolution_reuse,
    dataflow_study,
    reuse,
    table_rows,
)
from graphdb.errors import InputError
from tests.explorer.domains.accelerator.acceltran import reading

SIZES = st.integers(1, 7)


def counted(order: str, sizes: dict[str, int], lanes: int, rule: ReuseRule, shared: tuple[bool, bool]) -> Reuse:
    """The same by issuing every tile."""
    tiles = [dict(zip(order, indices, strict=True)) for indices in product(*(range(sizes[loop]) for loop in order))]
    axes = ["ik" if shared[0] else "bik", "kj" if rule == "right" else "k"]
    axes[1] += "" if shared[1] else "b"
    saved = [0, 0]
    for now, before in zip(tiles[lanes:], tiles, strict=False):
        for operand in (0, 1):
            saved[operand] += all(now[loop] == before[loop] for loop in axes[operand])
    return Reuse(*saved)


@given(
    st.permutations("bijk"),
    st.tuples(SIZES, SIZES, SIZES, SIZES),
    st.integers(1, 60),
    st.sampled_from(ReuseRule),
    st.tuples(st.booleans(), st.booleans()),
)
def test_every_tile_counted(
    order: list[str], sizes: tuple[int, ...], lanes: int, rule: ReuseRule, shared: tuple[bool, bool]
) -> None:
    tiles = dict(zip("bijk", sizes, strict=True))
    wanted = counted("".join(order), tiles, lanes, rule, shared)
    assert reuse("_".join(order), *sizes, lanes=lanes, rule=rule, shared=shared) == wanted


def test_large_operations_take_no_longer() -> None:
    """10^12 tiles on one lane: an operand stays for the whole of the innermost loop that it does not have."""
    n = 1000
    assert reuse("bijk", n, n, n, n, lanes=1) == Reuse(0, 0)
    assert reuse("bikj", n, n, n, n, lanes=1) == Reuse(n**3 * (n - 1), 0)
    assert reuse("bjki", n, n, n, n, lanes=1) == Reuse(0, n**3 * (n - 1))


def test_a_weight_that_is_loaded_once_is_the_same_for_the_whole_batch() -> None:
    sizes = (4, 2, 2, 2)
    assert reuse("ijkb", *sizes, lanes=1).operand_2 == 0
    assert reuse("ijkb", *sizes, lanes=1, shared=(False, True)).operand_2 == 3 * 8


def test_convolutions() -> None:
    """The six orders are equal: no input is used twice, the kernel stays."""
    for order in permutations("bij"):
        assert convolution_reuse("".join(order), 2, 3, 4, lanes=5) == Reuse(0, 19)
    assert convolution_reuse("b_i_j_k", 2, 3, 4, lanes=100) == Reuse(0, 0)


def test_the_published_figure() -> None:
    """All 72 bars to their last printed digit."""
    bars = reading.table("dataflow.csv")
    assert len(bars) == 72
    studies = {
        size: {row.order: row for row in dataflow_study(*size, rule=ReuseRule.PUBLISHED)}
        for size in {(int(bar["m"]), int(bar["n"]), int(bar["p"])) for bar in bars}
    }
    for bar in bars:
        row = studies[int(bar["m"]), int(bar["n"]), int(bar["p"])][bar["order"]]
        assert f"{row.energy_nj:.1f}" == bar["energy_nj"]
        assert row.reuse_instances == int(bar["reuse_instances"])


@pytest.mark.parametrize(
    ("size", "energy_nj", "instances", "best"),
    [
        ((64, 64, 64), 446.2, 192, 12),
        ((64, 64, 128), 851.7, 448, {"bijk", "bkji", "ibjk", "ikjb", "kbji", "kijb"}),
        ((128, 64, 64), 851.7, 448, {"bjik", "bkij", "jbik", "jkib", "kbij", "kjib"}),
    ],
)
def test_the_right_ranking(size: tuple[int, int, int], energy_nj: float, instances: int, best: int | set[str]) -> None:
    rows = table_rows(dataflow_study(*size))
    first = {row["order"] for row in rows if row["energy_ratio"] < 1 + 1e-12}
    assert (len(first) if isinstance(best, int) else first) == best
    assert rows[0]["energy_nj"] == pytest.approx(energy_nj, abs=0.05)
    assert rows[0]["reuse_instances"] == instances
    assert sorted(row["order"] for row in rows) == sorted(ORDERS)


def test_refusals() -> None:
    with pytest.raises(InputError, match="loop order is 'bijj'; allowed: the letters b, i, j, k, each once"):
        reuse("bijj", 1, 1, 1, 1, lanes=1)
    with pytest.raises(InputError, match="rule is 'wrong'; allowed: published, right"):
        reuse("bijk", 1, 1, 1, 1, lanes=1, rule="wrong")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="number lanes is 0"):
        reuse("bijk", 1, 1, 1, 1, lanes=0)
    with pytest.raises(InputError, match="number tiles_j is 0"):
        reuse("bijk", 1, 1, 0, 1, lanes=1)
    with pytest.raises(InputError, match="size n of the product is 0"):
        dataflow_study(1, 0, 1)
    with pytest.raises(InputError, match="allowed: from 0 to below 1"):
        dataflow_study(1, 1, 1, activation_sparsity=1.0)
    with pytest.raises(InputError, match="allowed: integers from 1"):
        convolution_reuse("bij", 1, 1, 1, lanes=0)
