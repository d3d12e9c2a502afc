"""The heads of a layer: self-attention, linear transforms and dynamic convolutions, side by side.

Every head attends with the relative positions of its layer. A self-attention head adds the products of queries and keys
to those scores; the other heads add a transform of the values, or a convolution of them, to what they attend to.

Source: the heterogeneous FlexiBERT model of txf_design-space. One of its defects is corrected: it replaces the
output of every self-attention head by zeros, while all heads contribute here. Two choices are our own: padding counts
as zeros in transforms and convolutions, and DFT and DCT are orthonormal, so that a pruning threshold means the same at
every sequence length.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor, nn

from explorer.domains.transformer.model import Layer

Prune: TypeAlias = Callable[[str, Tensor], Tensor]
"""(role of an activation, activation) -> tensor of the same shape that replaces it."""


def offered(prune: Prune | None, role: str, activation: Tensor) -> Tensor:
    """The activation after pruning.

    Args:
        prune: pruning function; None for no pruning.
        role: role of the activation.
        activation: tensor of any shape.
    """
    return activation if prune is None else prune(role, activation)


class Dropout(nn.Module):
    """Sets a share of the elements to zero in training, with a given random generator or, for None, PyTorch's own."""

    def __init__(self, share: float, generator: torch.Generator | None) -> None:
        super().__init__()
        self.share = share
        self.generator = generator

    def forward(self, activation: Tensor) -> Tensor:
        """The activation after dropout, with the same shape and expected value."""
        if not self.training or self.share == 0:
            return activation
        kept = torch.empty_like(activation).bernoulli_(1 - self.share, generator=self.generator)
        return activation * kept / (1 - self.share)


class Head(nn.Module):
    """The contribution of one head to attention by relative positions. Queries, keys and values are (B, S, d)."""

    def scores(self, query: Tensor, key: Tensor) -> Tensor | None:
        """The addition, (B, S, S), to the scores of relative positions before they are scaled; None for nothing."""
        return None

    def addition(self, query: Tensor, key: Tensor, value: Tensor, present: Tensor) -> Tensor | None:
        """The addition, (B, S, d), to the attended values; None for nothing.

        Args:
            query, key, value: tensors of shape (B, S, d).
            present: mask of shape (B, S, 1), 0 at padding.
        """
        return None


class ScaledDotProductHead(Head):
    """`sa_sdp`: Q K^T."""

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        """The scores, (B, S, S)."""
        return query @ key.transpose(-1, -2)


class WeightedMultiplicativeHead(Head):
    """`sa_wma`: Q W K^T with a learnt W (d, d)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width, width))

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        """The scores, (B, S, S)."""
        weighted: Tensor = query @ self.weight @ key.transpose(-1, -2)
        return weighted


class FourierHead(Head):
    """`l_dft`: the real part of the two-dimensional DFT of the values, over positions and width."""

    def addition(self, query: Tensor, key: Tensor, value: Tensor, present: Tensor) -> Tensor:
        """The transformed values, (B, S, d). Padding counts as zeros."""
        if torch.compiler.is_exporting():  # ONNX has neither complex numbers nor this transform
            return fourier_by_matrices(value * present)
        values = value * present
        # PyTorch has no such transform for bfloat16.
        transformed = torch.fft.fft2(values if values.dtype == torch.float64 else values.float(), norm="ortho")
        real: Tensor = transformed.real.to(value.dtype)
        return real


class CosineHead(Head):
    """`l_dct`: the two-dimensional DCT (type II) of the values, over positions and width."""

    def addition(self, query: Tensor, key: Tensor, value: Tensor, present: Tensor) -> Tensor:
        """The transformed values, (B, S, d). Padding counts as zeros."""
        positions, width = value.shape[-2:]
        return cosine_matrix(positions, value) @ (value * present) @ cosine_matrix(width, value).T


class ConvolutionHead(Head):
    """`c_<kernel>`: a convolution of the values, whose kernel at a position comes from the query and nearby keys.

    Source: the span-based dynamic convolution of ConvBERT (Jiang et al., 2020).
    """

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width, bias=False)
        self.pointwise = nn.Linear(width, width)
        self.to_kernel = nn.Linear(width, kernel)
        self.of_values = nn.Linear(width, width)

    def addition(self, query: Tensor, key: Tensor, value: Tensor, present: Tensor) -> Tensor:
        """The convolved values, (B, S, d). Padding counts as zeros, like the positions beyond either end."""
        around = self.depthwise((key * present).transpose(1, 2)).transpose(1, 2)
        kernels = self.to_kernel(self.pointwise(around) * query).softmax(dim=-1)
        half = self.kernel // 2
        padded = nn.functional.pad(self.of_values(value) * present, (0, 0, half, half))
        spans = padded.unfold(1, self.kernel, 1)  # (B, S, d, kernel)
        convolved: Tensor = spans @ kernels.unsqueeze(-1)
        return convolved.squeeze(-1)


def cosine_matrix(size: int, like: Tensor) -> Tensor:
    """The matrix (size, size) of the orthonormal DCT-II, with the type and device of `like`."""
    index, count = _positions(size, like)
    matrix = torch.cos(math.pi / count * torch.outer(index, index + 0.5)) * torch.sqrt(2 / count)
    return torch.where(index[:, None] == 0, matrix / math.sqrt(2), matrix).to(like.dtype)


def fourier_by_matrices(values: Tensor) -> Tensor:
    """The real part of the orthonormal two-dimensional DFT of (..., S, d), computed as products of real matrices."""
    cosines, sines = zip(*(_fourier_matrices(size, values) for size in values.shape[-2:]), strict=True)
    transformed: Tensor = cosines[0] @ values @ cosines[1] - sines[0] @ values @ sines[1]
    return transformed


def _fourier_matrices(size: int, like: Tensor) -> tuple[Tensor, Tensor]:
    index, count = _positions(size, like)
    angles = 2 * math.pi / count * (torch.outer(index, index) % count)
    scale = torch.rsqrt(count)
    return (torch.cos(angles) * scale).to(like.dtype), (torch.sin(angles) * scale).to(like.dtype)


def _positions(size: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """The numbers 0, 1, ... and their count, both as tensors, so that an exported model works at any size."""
    index = torch.arange(size, dtype=torch.float64, device=like.device)
    return index, torch.ones_like(index).sum()


def head_module(kind: str, width: int) -> Head:
    """The module for a head type in `HEAD_KINDS`."""
    if kind.startswith("c_"):
        return ConvolutionHead(width, int(kind.removeprefix("c_")))
    if kind == "sa_wma":
        return WeightedMultiplicativeHead(width)
    return {"sa_sdp": ScaledDotProductHead, "l_dft": FourierHead, "l_dct": CosineHead}[kind]()


class MixedAttention(nn.Module):
    """All heads of a layer, each with its own slice of queries, keys and values, and the product that joins them."""

    def __init__(self, layer: Layer, maximum_positions: int, dropout: Dropout) -> None:
        super().__init__()
        self.width = layer.head_dimension
        self.maximum_positions = maximum_positions
        attended = self.width * len(layer.heads)
        self.query = nn.Linear(layer.hidden, attended)
        self.key = nn.Linear(layer.hidden, attended)
        self.value = nn.Linear(layer.hidden, attended)
        self.relative = nn.Embedding(2 * maximum_positions - 1, self.width)
        self.heads = nn.ModuleList(head_module(kind, self.width) for kind in layer.heads)
        self.output = nn.Linear(attended, layer.hidden)
        self.dropout = dropout

    def forward(self, hidden: Tensor, present: Tensor, prune: Prune | None = None) -> Tensor:
        """The joint output of the heads, (B, S, h).

        Args:
            hidden: hidden states of shape (B, S, h).
            present: mask of shape (B, S), False at padding; or (B, S, S), False where the position of the row may not
                attend to that of the column. A position that none may attend to counts as padding.
            prune: pruning function for activations; None for no pruning.
        """
        visible, present = (present, present.any(dim=1)) if present.dim() == 3 else (present[:, None], present)
        query = self._split(offered(prune, "query", self.query(hidden)))
        key = self._split(offered(prune, "key", self.key(hidden)))
        value = self._split(offered(prune, "value", self.value(hidden)))
        scores = offered(prune, "scores", self._scores(query, key))
        scores = scores.masked_fill(~visible[:, None], torch.finfo(scores.dtype).min)
        probabilities = offered(prune, "probabilities", self.dropout(scores.softmax(dim=-1)))
        context = probabilities @ value + self._additions(query, key, value, present)
        context = offered(prune, "context", context.transpose(1, 2).flatten(2))
        return offered(prune, "attention_output", self.output(context))

    def _split(self, activation: Tensor) -> Tensor:
        """(B, S, heads x d) as (B, heads, S, d)."""
        return activation.reshape(*activation.shape[:2], len(self.heads), self.width).transpose(1, 2)

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        """(B, heads, S, S), scaled."""
        index = torch.arange(query.shape[2], device=query.device)
        table = self.relative(index[:, None] - index + self.maximum_positions - 1)
        relative = torch.einsum("bnqd,qkd->bnqk", query, table)
        added = [head.scores(query[:, i], key[:, i]) for i, head in enumerate(self._heads())]
        parts = [relative[:, i] if part is None else relative[:, i] + part for i, part in enumerate(added)]
        return torch.stack(parts, dim=1) / math.sqrt(self.width)

    def _additions(self, query: Tensor, key: Tensor, value: Tensor, present: Tensor) -> Tensor:
        """(B, heads, S, d)."""
        factor = present.unsqueeze(-1).to(value.dtype)
        added = [head.addition(query[:, i], key[:, i], value[:, i], factor) for i, head in enumerate(self._heads())]
        parts = [torch.zeros_like(value[:, i]) if part is None else part for i, part in enumerate(added)]
        return torch.stack(parts, dim=1)

    def _heads(self) -> list[Head]:
        return [head for head in self.heads if isinstance(head, Head)]
