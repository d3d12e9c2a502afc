"""The entry of the recipe for trained networks; imported at every start, so it imports nothing heavy."""

from __future__ import annotations

from explorer.contracts.domain import RecipeEntry
from explorer.domains.cnn.nasbench.options import NAME
from explorer.recipes.nasbench.options import NasBenchSettings

ENTRY = RecipeEntry(
    name=NAME,
    help="Find the best of the networks that NAS-Bench-201 or NAS-Bench-Macro trained.",
    load=f"{__package__}.recipe:RECIPE",
    options=NasBenchSettings,
    example="explorer search nasbench --device pixel_3 --front --budget 60",
    title="NasBench",
)
