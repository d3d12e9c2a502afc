"""The right backward pass: its multiplications are those that PyTorch counts, and its steps those of the calculus."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from explorer.domains.accelerator.acceltran.building.assembly import build_program
from explorer.domains.accelerator.acceltran.program import Kind, Operation, TensorRole, Transfer
from explorer.domains.accelerator.acceltran.settings.run import RunSettings
from explorer.domains.transformer.modules.encoder import HeterogeneousEncoder
from tests.explorer.domains.accelerator.acceltran.executing import flat, left_over

BATCH, LENGTH = 3, 12
MODELS: dict[str, dict[str, Any]] = {
    "attention": {"l": 1, "o": [["sa_sdp_8", "sa_sdp_8"]], "h": [16], "f": [[32]]},
    "weighted": {"l": 1, "o": [["sa_wma_8"]], "h": [16], "f": [[32, 24]]},
    "convolution": {"l": 1, "o": [["c_5_8"]], "h": [16], "f": [[32]]},
    "transform": {"l": 1, "o": [["l_dft_8"]], "h": [16], "f": [[32]]},
    "heterogeneous": {
        "l": 3,
        "o": [["sa_wma_8", "l_dft_8", "c_9_8", "sa_sdp_8"], ["c_5_12", "l_dct_12"], ["sa_wma_4", "sa_sdp_4"]],
        "h": [32, 24, 24],
        "f": [[64, 40, 48], [20], [32, 32]],
    },
}
Tensor = torch.Tensor


class Encoder:
    """A model dictionary as products of PyTorch, with the heads of AccelTran."""

    def __init__(self, model: dict[str, Any]) -> None:
        self.model = model
        self.generator = torch.Generator().manual_seed(0)

    def weight(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.generator).requires_grad_()

    def head(self, x: Tensor, label: str) -> Tensor:
        family, parameter, size = label.split("_")
        hidden, width = x.shape[-1], int(size)
        if family == "l":
            return torch.randn(LENGTH, LENGTH, generator=self.generator) @ x
        if family == "c":
            kernel = int(parameter)
            padded = torch.nn.functional.pad(x, (0, 0, kernel // 2, kernel // 2))
            return torch.einsum("bshk,hk->bsh", padded.unfold(1, kernel, 1), self.weight(hidden, kernel))
        query, key, value = (x @ self.weight(hidden, width) for _ in range(3))
        if parameter == "wma":
            key = key @ self.weight(width, width)
        probabilities = torch.softmax(query @ key.transpose(1, 2) / width**0.5, dim=-1)
        return probabilities @ value @ self.weight(width, hidden)

    def __call__(self, x: Tensor) -> Tensor:
        hidden = self.model["h"]
        for index, width in enumerate(hidden):
            x = torch.nn.functional.layer_norm(x + sum(self.head(x, o) for o in self.model["o"][index]), (width,))
            y = x
            sizes = [width, *self.model["f"][index], width]
            for position, (given, made) in enumerate(pairwise(sizes), start=1):
                y = y @ self.weight(given, made)
                y = torch.nn.functional.gelu(y) if position < len(sizes) - 1 else y
            x = torch.nn.functional.layer_norm(x + y, (width,))
            if index + 1 < len(hidden) and hidden[index + 1] != width:
                x = x @ self.weight(width, hidden[index + 1])
        return x


def trained(model: dict[str, Any], correct: str = "all", **settings: Any) -> tuple[list[Operation], list[Transfer]]:
    chosen = RunSettings(
        engine="detailed",
        mode="corrected",
        correct=correct,
        task="training",
        sequence_length=LENGTH,
        vocabulary=100,
        **settings,
    )
    program = build_program(model, BATCH, chosen)
    assert left_over(program) == []
    return list(flat(program.compute)), list(flat(program.memory))


def multiplications(operations: list[Operation], backward: bool) -> int:
    kinds = {Kind.PRODUCT, Kind.CONVOLUTION}
    return sum(o.batch * o.x * o.y * o.z for o in operations if o.kind in kinds and o.backward == backward)


@pytest.mark.parametrize("name", MODELS)
def test_multiplications_are_those_that_pytorch_counts(name: str) -> None:
    """Of both passes; the gradient of the first layer's input, which the embeddings learn from, is among them."""
    model = MODELS[name]
    encoder = Encoder(model)
    x = encoder.weight(BATCH, LENGTH, model["h"][0])
    with FlopCounterMode(display=False) as forward:
        y = encoder(x)
    with FlopCounterMode(display=False) as backward:
        torch.autograd.backward(y.sum())
    operations, _ = trained(model)
    assert 2 * multiplications(operations, backward=False) == forward.get_total_flops()
    assert 2 * multiplications(operations, backward=True) == backward.get_total_flops()


SELF_ATTENTION: dict[str, dict[str, Any]] = {
    "attention": MODELS["attention"],
    "weighted": MODELS["weighted"],
    "mixed": {
        "l": 3,
        "o": [["sa_sdp_8"] * 3 + ["sa_wma_8"], ["sa_wma_12"] * 2, ["sa_sdp_4"] * 6],
        "h": [32, 24, 24],
        "f": [[64, 40, 48], [20], [32, 32]],
    },
}


@pytest.mark.parametrize("name", SELF_ATTENTION)
def test_multiplications_are_those_of_flexiberts_own_module(name: str) -> None:
    """But for the products with the table of relative positions, which AccelTran adds to the input instead.

    Its convolutions and transforms are those of AccelTran's published operations, not those of the module, which gives
    every head queries, keys and values.
    """
    model = SELF_ATTENTION[name]
    generator = torch.Generator().manual_seed(0)
    encoder = HeterogeneousEncoder(model, vocabulary=100, maximum_positions=LENGTH, generator=generator)
    tokens = torch.randint(100, (BATCH, LENGTH), generator=generator)
    with FlopCounterMode(display=False) as forward:
        y = encoder(tokens)
    with FlopCounterMode(display=False) as backward:
        torch.autograd.backward(y.sum())
    operations, _ = trained(model)
    heads = [int(label.rsplit("_", 1)[1]) for labels in model["o"] for label in labels]
    relative = BATCH * LENGTH * LENGTH * sum(heads)
    assert 2 * (multiplications(operations, backward=False) + relative) == forward.get_total_flops()
    assert 2 * (multiplications(operations, backward=True) + 2 * relative) == backward.get_total_flops()


@pytest.mark.parametrize("correct", ["all", "backward", "backward,weights-once"])
def test_every_weight_gets_a_gradient_of_its_size_and_one_step(correct: str) -> None:
    operations, transfers = trained(MODELS["heterogeneous"], correct)
    forward = transfers[: next(i for i, t in enumerate(transfers) if t.tensor == "loss[del]-l")]
    weights = {t.tensor[:-2]: t.elements for t in forward if t.action == "load" and t.role is TensorRole.WEIGHT}
    learnt = {name: size for name, size in weights.items() if not name.endswith("_l")}  # a transform learns nothing
    gradients = {
        t.tensor.removesuffix("[wgt]-s"): t.elements
        for t in transfers
        if t.action == "store" and t.role is TensorRole.GRADIENT and t.buffer == "weight"
    }
    assert gradients == learnt
    steps = [o.name.removesuffix("[step]") for o in operations if o.name.endswith("[step]")]
    embeddings = {"emb", "position"} & set(steps)
    assert sorted(steps) == sorted([*learnt, *embeddings])
    assert embeddings == ({"emb", "position"} if correct == "all" else {"emb"})


def test_gradients_of_attention() -> None:
    made = {o.name: o for o in trained(MODELS["weighted"])[0]}
    name = "sa_wma_8_1_1"
    shapes = {
        "o[wgt]": (8, 12, 16),
        "o[del]": (12, 16, 8),
        "sdp-v_v[del]": (12, 12, 8),
        "sdp-v_p[del]": (12, 8, 12),
        "sdp-qk_q[del]": (12, 12, 8),
        "sdp-qk_k[del]": (12, 12, 8),
        "wma[wgt]": (8, 12, 8),
        "wma[del]": (12, 8, 8),
        "q[wgt]": (16, 12, 8),
        "q[del]": (12, 8, 16),
    }
    for part, shape in shapes.items():
        operation = made[f"{name}_{part}"]
        assert (operation.x, operation.y, operation.z) == shape
        assert operation.backward and TensorRole.GRADIENT in (operation.left, operation.right)
    assert made[f"{name}_sftm[del]"].needs == (f"{name}_sftm-s", f"{name}_sdp-v_p[del]-s")
    assert made[f"{name}_sdp-qk_q[del]"].needs == (f"{name}_sftm[del]-s", f"{name}_wma-s")
    assert made[f"{name}_wma[wgt]"].needs == (f"{name}_k-s", f"{name}_sdp-qk_k[del]-s")


def test_a_causal_mask_halves_the_gradients_of_scores_too() -> None:
    made = {o.name: o.density for o in trained(MODELS["attention"], causal=True)[0]}
    masked = {name.split("_1_1_")[1] for name, density in made.items() if density < 1 and "_1_1_" in name}
    forward = {"sdp-qk", "scale", "sftm", "sdp-v"}
    assert masked == forward | {"sdp-v_v[del]", "sdp-v_p[del]", "sftm[del]", "sdp-qk_q[del]", "sdp-qk_k[del]"}


def test_recomputing_runs_each_layer_again_and_reads_nothing_else_of_its_first_pass() -> None:
    model = MODELS["heterogeneous"]
    kept, _ = trained(model)
    again, _ = trained(model, recompute=True)
    count = sum(o.name.endswith("[again]") for o in again)
    assert count == sum(not o.backward for o in kept) - 1  # positions are added once
    assert len(again) == len(kept) + count
    first_pass = {f"{o.name}-s" for o in kept if not o.backward}
    read = {tensor for o in again if o.backward for tensor in o.needs} & first_pass
    assert read == {"emb_position-s", "ff_1_proj_f-s", "ln_1_2-s"}  # inputs of the three layers


@pytest.mark.parametrize(("optimiser", "moments"), [("sgd", 0), ("adam", 2)])
def test_the_optimiser_reads_and_writes_weights_gradients_and_states(optimiser: str, moments: int) -> None:
    operations, transfers = trained(MODELS["attention"], optimiser=optimiser)
    weight = (32 + 1) * 16
    step = next(o for o in operations if o.name == "ff_1_2_f[step]")
    assert (step.batch, step.x, step.y) == (1 + moments, 33, 16)
    moved = [(t.action, t.role, t.elements) for t in transfers if t.tensor in step.needs or t.made_by == step.name]
    states = [("load", TensorRole.OPTIMISER_STATE, moments * weight)] if moments else []
    assert [m for m in moved if m[0] == "load" and m[1] is TensorRole.OPTIMISER_STATE] == states
    assert moved.count(("load", TensorRole.WEIGHT, weight)) == 3  # forward, backward, step
    assert moved.count(("load", TensorRole.GRADIENT, weight)) == 1
    assert moved.count(("write_back", TensorRole.GRADIENT, weight)) == 1
    assert moved.count(("write_back", TensorRole.WEIGHT, weight)) == 1
    assert moved.count(("write_back", TensorRole.OPTIMISER_STATE, moments * weight)) == len(states)


def test_embeddings_learn_the_rows_that_were_looked_up() -> None:
    operations, transfers = trained(MODELS["attention"])
    rows = {t.tensor: t.elements for t in transfers if t.role is TensorRole.EMBEDDING and t.action == "write_back"}
    assert rows == {"emb[step]-s": BATCH * LENGTH * 16, "position[step]-s": LENGTH * 16}
    scatter = next(o for o in operations if o.name == "emb[wgt]")
    assert scatter.needs == ("layer_1[del]-s",)
    assert scatter.batch * scatter.x * scatter.y == BATCH * LENGTH * 16


def test_a_residual_connection_passes_its_gradient_on() -> None:
    made = {o.name: o for o in trained(MODELS["attention"])[0]}
    assert made["residual_1_2[del]"].needs == ("ff_1_1_f[del]-s", "ln_0_2[del]-s")
    assert made["ln_0_1[del]"].needs == ("attended_1-s", "residual_1_2[del]-s", "ln_0_1-l")
    heads = ("sa_sdp_8_1_1[del]-s", "sa_sdp_8_1_2[del]-s")
    assert made["layer_1[del]"].needs == (*heads, "ln_0_1[del]-s")
    assert made["layer_1[del]"].batch == BATCH * 2  # two sums of two
    alone = {o.name: o for o in trained(MODELS["attention"], "-residual")[0]}
    assert alone["layer_1[del]"].needs == heads
    assert "residual_1_2[del]" not in alone


@pytest.mark.parametrize("recompute", [False, True])
def test_nothing_is_made_in_vain(recompute: bool) -> None:
    operations, transfers = trained(MODELS["heterogeneous"], recompute=recompute)
    read = {tensor for o in operations for tensor in o.needs}
    read |= {t.tensor for t in transfers if t.action == "write_back"}
    kept = {t.tensor for t in transfers} - read
    # A layer that is run again makes its output again.
    assert kept == ({"ff_1_proj_f[again]-s", "ln_1_2[again]-s", "ln_2_2[again]-s"} if recompute else set())
    stored = {t.made_by for t in transfers}
    followed = {name for o in operations for name in o.after}
    assert {o.name for o in operations} == (stored | followed) - {None}
