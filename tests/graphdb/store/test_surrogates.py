"""Surrogates: bytes in, the same bytes out."""

from __future__ import annotations

import numpy as np
import pytest

from graphdb.errors import NotFoundError
from graphdb.records import SurrogateRecord
from graphdb.store import Store


def test_weights_come_back_bit_by_bit_and_are_replaced(store: Store) -> None:
    for seed in (0, 1):
        weights = np.random.default_rng(seed).bytes(300_000)
        record = SurrogateRecord("s", "latency_s", {"layers": [64, 64]}, weights)
        store.surrogates.save(record)
        assert store.surrogates.get("s") == record
    with pytest.raises(NotFoundError):
        store.surrogates.get("t")
