from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from explorer.domains.accelerator.acceltran.settings.curves import PRUNED
from explorer.domains.transformer.model import HEAD_KINDS, choices_of, layer
from explorer.domains.transformer.modules.encoder import HeterogeneousEncoder
from explorer.domains.transformer.parameters import parameter_count
from graphdb.errors import InputError

MIXED = choices_of([layer(16, [*HEAD_KINDS[:4]], [8, 12]), layer(24, [*HEAD_KINDS[4:]], [8])])


def made(model: dict[str, Any], seed: int = 0, **settings: Any) -> HeterogeneousEncoder:
    given = {"vocabulary": 30, "maximum_positions": 10} | settings
    return HeterogeneousEncoder(model, generator=torch.Generator().manual_seed(seed), **given)


@st.composite
def models(draw: st.DrawFn) -> dict[str, Any]:
    def one() -> Any:
        heads = draw(st.lists(st.sampled_from(HEAD_KINDS), min_size=1, max_size=4))
        hidden = draw(st.sampled_from([8, 12, 17]))
        return layer(hidden, heads, draw(st.lists(st.integers(1, 9), min_size=1, max_size=3)))

    return choices_of([one() for _ in range(draw(st.integers(1, 3)))])


@settings(max_examples=40, deadline=None)
@given(models(), st.integers(1, 40), st.integers(1, 12))
def test_parameters_are_those_of_the_formula(model: dict[str, Any], vocabulary: int, positions: int) -> None:
    encoder = made(model, vocabulary=vocabulary, maximum_positions=positions)
    counted = sum(parameter.numel() for parameter in encoder.parameters())
    assert counted == parameter_count(model, vocabulary, positions)
    hidden = encoder(torch.zeros(2, positions, dtype=torch.long))
    assert hidden.shape == (2, positions, model["h"][-1])
    assert bool(hidden.isfinite().all())


def test_every_parameter_but_the_absolute_positions_and_the_pooler_learns() -> None:
    encoder = made(MIXED)
    tokens = torch.randint(30, (2, 10), generator=torch.Generator().manual_seed(1))
    encoder(tokens).square().mean().backward()
    without = {name for name, parameter in encoder.named_parameters() if parameter.grad is None}
    assert without == {"positions.weight", "pooler.weight", "pooler.bias"}
    assert encoder.pool(encoder(tokens)).shape == (2, 24)


def test_the_generator_decides_everything() -> None:
    before = torch.get_rng_state()
    first, second, other = made(MIXED, 1), made(MIXED, 1), made(MIXED, 2)
    assert torch.equal(torch.get_rng_state(), before)
    for (name, one), two, three in zip(first.named_parameters(), second.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)
        assert torch.equal(one, three) == (name.endswith("bias") or "norm" in name)


def test_dropout_only_while_training_and_from_the_generator() -> None:
    tokens = torch.arange(10)[None]
    state = torch.get_rng_state()
    first, second = made(MIXED, dropout=0.3), made(MIXED, dropout=0.3)
    assert torch.equal(first(tokens), second(tokens))
    assert not torch.equal(first(tokens), first(tokens))
    assert torch.equal(first.eval()(tokens), made(MIXED)(tokens))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(copy.deepcopy(first)(tokens), first(tokens))


def test_prune_meets_every_role_and_decides_what_goes_on() -> None:
    encoder = made(MIXED)
    tokens = torch.arange(10)[None]
    seen: list[str] = []

    def note(role: str, activation: Tensor) -> Tensor:
        seen.append(role)
        return activation

    assert torch.equal(encoder(tokens, prune=note), encoder(tokens))
    assert set(seen) == set(PRUNED)
    for role in PRUNED:

        def disturb(met: str, activation: Tensor, role: str = role) -> Tensor:
            noise = torch.randn(activation.shape, generator=torch.Generator().manual_seed(5))
            return activation + 10 * noise if met == role else activation

        assert not torch.allclose(encoder(tokens, prune=disturb), encoder(tokens)), role


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": {"l": 1}}, "missing"),
        ({"vocabulary": 0}, "vocabulary is 0"),
        ({"maximum_positions": 0}, "maximum_positions is 0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
    ],
)
def test_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        made(**({"model": MIXED} | change))


def test_refused_shapes() -> None:
    encoder = made(MIXED)
    with pytest.raises(InputError, match="S from 1 to 10"):
        encoder(torch.zeros(1, 11, dtype=torch.long))
    with pytest.raises(InputError, match="attention mask"):
        encoder(torch.zeros(1, 5, dtype=torch.long), torch.ones(1, 4))
