from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from explorer.domains.transformer.model import HEAD_KINDS, layer
from explorer.domains.transformer.modules.encoder import HeterogeneousEncoder
from explorer.domains.transformer.modules.heads import (
    ConvolutionHead,
    CosineHead,
    Dropout,
    FourierHead,
    MixedAttention,
    cosine_matrix,
)


def encoder_of(kinds: list[str], seed: int = 0) -> HeterogeneousEncoder:
    model = {"l": 1, "o": [[f"{kind}_4" for kind in kinds]], "h": [8], "f": [[8]]}
    generator = torch.Generator().manual_seed(seed)
    return HeterogeneousEncoder(model, vocabulary=20, maximum_positions=12, generator=generator)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_dct_is_orthonormal_and_that_of_the_definition() -> None:
    like = torch.zeros((), dtype=torch.float64)
    matrix = cosine_matrix(6, like)
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(6, dtype=torch.float64))
    for k in range(6):
        row = np.array([np.cos(np.pi / 6 * (n + 0.5) * k) for n in range(6)])
        np.testing.assert_allclose(matrix[k].numpy(), row / np.linalg.norm(row), atol=1e-12)


def test_transforms_of_a_constant_are_one_coefficient() -> None:
    value = torch.ones(1, 6, 4, dtype=torch.float64)
    expected = torch.zeros_like(value)
    expected[0, 0, 0] = 24**0.5
    for head in (FourierHead(), CosineHead()):
        torch.testing.assert_close(head.addition(value, value, value, value[..., :1]), expected)


def test_dft_by_its_definition() -> None:
    value = random(1, 5, 3)
    added = FourierHead().addition(value, value, value, torch.ones(1, 5, 1, dtype=torch.float64))
    np.testing.assert_allclose(added[0].numpy(), np.fft.fft2(value[0].numpy()).real / 15**0.5, atol=1e-12)


@pytest.mark.parametrize("kernel", [5, 9, 13])
def test_convolution_position_by_position(kernel: int) -> None:
    head = ConvolutionHead(4, kernel).double()
    query, key, value = (random(2, 7, 4, seed=seed) for seed in range(3))
    added = head.addition(query, key, value, torch.ones(2, 7, 1, dtype=torch.float64))
    half, mapped = kernel // 2, head.of_values(value)
    taps = head.depthwise.weight[:, 0]  # (d, kernel)
    for position in range(7):
        inside = [(tap, position + tap - half) for tap in range(kernel) if 0 <= position + tap - half < 7]
        around = sum(taps[:, tap] * key[:, at] for tap, at in inside)
        weights = head.to_kernel(head.pointwise(around) * query[:, position]).softmax(-1)
        expected = sum(weights[:, tap, None] * mapped[:, at] for tap, at in inside)
        torch.testing.assert_close(added[:, position], expected)


def test_self_attention_by_the_formula() -> None:
    """Scores of relative positions and of queries and keys, scaled together, for both kinds of self-attention."""
    attention = encoder_of(["sa_sdp", "sa_wma"]).layers[0].attention.double()
    with torch.no_grad():
        attention.relative.weight.normal_(generator=torch.Generator().manual_seed(3))
    hidden = random(1, 5, 8)
    attended = attention(hidden, torch.ones(1, 5, dtype=torch.bool))
    query, key, value = (
        product(hidden)[0].reshape(5, 2, 4) for product in (attention.query, attention.key, attention.value)
    )
    contexts = []
    for head, matrix in enumerate((torch.eye(4, dtype=torch.float64), attention.heads[1].weight)):
        scores = torch.stack(
            [
                torch.stack(
                    [
                        query[i, head] @ matrix @ key[j, head] + query[i, head] @ attention.relative.weight[i - j + 11]
                        for j in range(5)
                    ]
                )
                for i in range(5)
            ]
        )
        contexts.append((scores / 2).softmax(-1) @ value[:, head])
    torch.testing.assert_close(attended[0], attention.output(torch.cat(contexts, dim=-1)))


@pytest.mark.parametrize("kind", HEAD_KINDS)
def test_every_head_contributes(kind: str) -> None:
    """The published model puts zeros in place of what self-attention heads find."""
    encoder = encoder_of(["l_dft", kind])
    attention = encoder.layers[0].attention
    contexts: list[Tensor] = []

    def keep(role: str, activation: Tensor) -> Tensor:
        if role == "context":
            contexts.append(activation)
        return activation

    attention(random(1, 6, 8).float(), torch.ones(1, 6, dtype=torch.bool), keep)
    of_kind = encoder.layers[0].attention.heads
    position = next(
        i for i, head in enumerate(of_kind) if type(head) is type(encoder_of([kind]).layers[0].attention.heads[0])
    )
    assert (contexts[0][0, :, 4 * position : 4 * position + 4].abs() > 0).all()


@pytest.mark.parametrize("kind", [kind for kind in HEAD_KINDS if not kind.startswith("l_")])
def test_padding_changes_nothing(kind: str) -> None:
    encoder = encoder_of([kind, kind])
    tokens = torch.tensor([[3, 1, 4, 1, 5, 9, 2]])
    padded = torch.cat([tokens, torch.tensor([[6, 7, 8]])], dim=1)
    mask = torch.tensor([[1] * 7 + [0] * 3])
    torch.testing.assert_close(encoder(padded, mask)[:, :7], encoder(tokens))


@pytest.mark.parametrize("kind", HEAD_KINDS)
def test_what_padding_holds_is_never_seen(kind: str) -> None:
    encoder = encoder_of([kind, kind])
    mask = torch.tensor([[1] * 4 + [0] * 3])
    first, second = (encoder(torch.tensor([[3, 1, 4, 1, *rest]]), mask)[:, :4] for rest in ([5, 9, 2], [6, 5, 3]))
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_dropout_follows_its_generator() -> None:
    ones = torch.ones(100, 100)
    first, second = (Dropout(0.25, torch.Generator().manual_seed(7))(ones) for _ in range(2))
    assert torch.equal(first, second)
    assert float((first == 0).float().mean()) == pytest.approx(0.25, abs=0.02)
    assert float(first.mean()) == pytest.approx(1, abs=0.02)
    assert torch.equal(Dropout(0.25, torch.Generator()).eval()(ones), ones)


def test_heads_of_one_layer_need_not_fill_its_width() -> None:
    uneven = layer(16, ["sa_sdp"] * 3, [8])
    assert uneven.head_dimension == 5
    attention = MixedAttention(uneven, 4, Dropout(0, torch.Generator()))
    assert attention(torch.zeros(1, 3, 16), torch.ones(1, 3, dtype=torch.bool)).shape == (1, 3, 16)
