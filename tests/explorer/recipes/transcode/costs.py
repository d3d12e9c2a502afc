"""AccelTran's settings for TransCODE: those of the published co-design and of its data set of pairs, and its own."""

from __future__ import annotations

from explorer.recipes.transcode.recipe import COSTS

PUBLISHED_COSTS = {"engine": "fast", "mode": "reference"}
BOTH = {"published": PUBLISHED_COSTS, "corrected": COSTS}
