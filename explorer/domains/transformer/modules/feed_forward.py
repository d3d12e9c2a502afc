"""The feed-forward stack of a layer."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from explorer.domains.transformer.model import Layer
from explorer.domains.transformer.modules.heads import Prune, offered


class FeedForward(nn.Module):
    """A product to each width of a layer, each followed by GELU, and one back to the hidden width."""

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        widths = (layer.hidden, *layer.feed_forward)
        self.stack = nn.ModuleList(nn.Linear(inputs, outputs) for inputs, outputs in pairwise(widths))
        self.output = nn.Linear(widths[-1], layer.hidden)

    def forward(self, hidden: Tensor, prune: Prune | None = None) -> Tensor:
        """The output, (B, S, h), for `hidden` of shape (B, S, h)."""
        for product in self.stack:
            hidden = offered(prune, "feed_forward", nn.functional.gelu(product(hidden)))
        return offered(prune, "feed_forward_output", self.output(hidden))
