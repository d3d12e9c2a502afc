"""The rules of weight transfer by name; `transfer` applies them."""

from __future__ import annotations

from typing import Literal, get_args

Rule = Literal["flexibert", "ordered", "projected"]
RULES: tuple[Rule, ...] = get_args(Rule)
"""`flexibert`: whole blocks, until the first layer with other operations (FlexiBERT 1). `ordered`: the leading part of
every tensor (2.0). `projected`: the same, but with a random projection instead of cutting (2.0)."""
