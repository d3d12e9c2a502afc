"""What came from what, for sessions; studies keep it by the same function, a floor below."""

from explorer.running.lineage import store_descents

__all__ = ["store_descents"]
