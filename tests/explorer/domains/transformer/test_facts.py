"""Sizes and multiplications of models are those of the PyTorch modules."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from explorer import registry
from explorer.contracts.fact import facts_json
from explorer.domains.transformer.modules.encoder import HeterogeneousEncoder
from explorer.domains.transformer.modules.heads import fourier_by_matrices
from explorer.domains.transformer.multiplications import LENGTH, multiplication_count
from explorer.domains.transformer.parameters import parameter_count

LENGTHS = (8, 13)
MIXED = {
    "l": 2,
    "h": [32, 48],
    "o": [["sa_sdp_8", "sa_wma_8", "l_dct_8", "c_5_8"], ["sa_sdp_12", "l_dct_12", "c_9_12", "c_13_12"]],
    "f": [[64, 20], [96]],
}


def counted(module: nn.Module, *given: Any, **more: Any) -> int:
    """Multiplications that PyTorch counts; it counts additions too, as many."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(*given, **more)
    flops = counter.get_total_flops()
    assert flops % 2 == 0
    return flops // 2


@pytest.mark.parametrize("length", LENGTHS)
def test_multiplications_are_those_of_the_encoder(length: int) -> None:
    generator = torch.Generator().manual_seed(0)
    encoder = HeterogeneousEncoder(MIXED, vocabulary=9, maximum_positions=16, generator=generator)
    assert multiplication_count(MIXED, length) == counted(encoder, torch.zeros(1, length, dtype=torch.long))


@pytest.mark.parametrize("length", LENGTHS)
def test_a_fourier_head_counts_as_its_products_of_matrices(length: int) -> None:
    def model(heads: list[str]) -> dict[str, Any]:
        return {"l": 1, "h": [16], "o": [heads], "f": [[16]]}

    class Transform(nn.Module):
        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return fourier_by_matrices(values)

    transform = counted(Transform(), torch.zeros(1, length, 8))
    scores = length * length * 8
    difference = multiplication_count(model(["sa_sdp_8", "l_dft_8"]), length) - multiplication_count(
        model(["sa_sdp_8", "sa_sdp_8"]), length
    )
    assert difference == transform - scores


def test_multiplications_of_decoders_are_those_of_the_published_modules() -> None:
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    sizes = {"vocab_size": 40, "attn_implementation": "eager"}
    gpt2 = GPT2Config(n_positions=16, n_embd=24, n_layer=2, n_head=3, **sizes)
    llama = LlamaConfig(
        hidden_size=24,
        intermediate_size=36,
        num_hidden_layers=2,
        num_attention_heads=6,
        num_key_value_heads=2,
        **sizes,
    )
    tokens = torch.zeros(1, 8, dtype=torch.long)
    for config, module in ((gpt2, GPT2LMHeadModel), (llama, LlamaForCausalLM)):
        document = config.to_dict()
        reader = next(reader for reader in registry.readers("transformer") if reader.matches(document))
        expected = multiplication_count(reader.read(document), 8)
        assert counted(module(config).eval(), tokens, use_cache=False) == expected


@pytest.mark.parametrize("preset", ["bert-tiny", "bert-mini"])
def test_facts_of_a_model(preset: str) -> None:
    model = registry.preset(preset)
    facts = facts_json(registry.facts(model))
    assert facts == {
        "parameters": parameter_count(model.choices),
        "multiplications": multiplication_count(model.choices, LENGTH),
    }
    assert facts["parameters"] > 1_000_000


@pytest.mark.parametrize("domain", registry.domains())
def test_all_facts_are_declared_measures(domain: str) -> None:
    for preset in registry.presets(domain):
        facts = facts_json(registry.facts(registry.preset(preset)))
        assert facts.keys() <= registry.measures().keys()
        assert all(value > 0 for value in facts.values())


@pytest.mark.parametrize("preset", registry.presets("accelerator"))
def test_the_area_of_an_accelerator_is_that_of_a_simulation(preset: str) -> None:
    roles = {"model": registry.preset("bert-nano"), "accelerator": registry.preset(preset)}
    measured = registry.simulator("acceltran").run(roles, {"engine": "fast"})
    facts = facts_json(registry.facts(roles["accelerator"]))
    assert facts["area_mm2"] == pytest.approx(measured.measures["area_mm2"], rel=1e-12)
    choices = roles["accelerator"].choices
    assert facts["multipliers"] == choices["pe"] * choices["lanes_per_pe"] * choices["mac_per_lane"]
