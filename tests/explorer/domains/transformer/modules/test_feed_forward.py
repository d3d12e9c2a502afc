from __future__ import annotations

import torch
from torch.nn.functional import gelu

from explorer.domains.transformer.model import layer
from explorer.domains.transformer.modules.feed_forward import FeedForward


def test_gelu_after_every_product_but_the_last() -> None:
    stack = FeedForward(layer(6, ["sa_sdp"], [5, 7]))
    hidden = torch.randn(2, 3, 6, generator=torch.Generator().manual_seed(0))
    expected = stack.output(gelu(stack.stack[1](gelu(stack.stack[0](hidden)))))
    torch.testing.assert_close(stack(hidden), expected)


def test_every_width_is_handed_over() -> None:
    stack = FeedForward(layer(6, ["sa_sdp"], [5, 7]))
    seen: list[tuple[str, int]] = []

    def note(role: str, activation: torch.Tensor) -> torch.Tensor:
        seen.append((role, activation.shape[-1]))
        return activation

    stack(torch.zeros(1, 2, 6), note)
    assert seen == [("feed_forward", 5), ("feed_forward", 7), ("feed_forward_output", 6)]
