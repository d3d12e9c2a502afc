from __future__ import annotations

import pytest
import torch

from explorer.domains.transformer.pruning.top_k import top_k
from graphdb.errors import InputError

ROWS = torch.randn(2, 3, 7, 11, generator=torch.Generator().manual_seed(0)).softmax(dim=-1)


@pytest.mark.parametrize("k", [1, 2, 5, 11])
def test_the_published_rule_keeps_one_less(k: int) -> None:
    pruned, kept = top_k(ROWS, k)
    published, published_kept = top_k(ROWS, k, "published")
    assert bool((kept.sum(-1) == k).all())
    assert bool((published_kept.sum(-1) == k - 1).all())
    assert bool((published_kept <= kept).all())
    assert torch.equal(pruned, ROWS * kept)
    assert torch.equal(published, ROWS * published_kept)
    dropped = ROWS.masked_fill(kept, -1).amax(-1)
    assert bool((dropped < ROWS.masked_fill(~kept, 2).amin(-1)).all())


def test_equal_entries() -> None:
    row = torch.tensor([0.2, 0.2, 0.2, 0.4])
    assert int(top_k(row, 2)[1].sum()) == 2
    assert top_k(row, 2, "published")[0].tolist() == pytest.approx([0, 0, 0, 0.4])
    assert top_k(row, 3, "published")[0].tolist() == pytest.approx([0, 0, 0, 0.4])


def test_more_than_the_row_keeps_all() -> None:
    assert torch.equal(top_k(ROWS, 512)[0], ROWS)


def test_refused() -> None:
    with pytest.raises(InputError, match="k is 0"):
        top_k(ROWS, 0)
    with pytest.raises(InputError, match="right, published"):
        top_k(ROWS, 1, "other")  # type: ignore[arg-type]
