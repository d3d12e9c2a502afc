"""Weight transfer: what is copied where, how much of it, that it helps, and states that are refused."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from statistics import median
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.contracts.space import Choices
from explorer.domains.transformer.model import choices_of, layer
from explorer.domains.transformer.modules.encoder import HeterogeneousEncoder
from explorer.domains.transformer.modules.tasks import MaskedLanguageModel
from explorer.domains.transformer.parameters import parameter_count
from explorer.domains.transformer.rules import RULES, Rule
from explorer.domains.transformer.transfer import best_source, overlap, tensor_shapes, transfer
from graphdb.errors import InputError

VOCABULARY, POSITIONS = 23, 7
KINDS = ("sa_sdp", "sa_wma", "l_dft", "l_dct", "c_5", "c_9")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def encoder(model: Choices, seed: int = 0, positions: int = POSITIONS) -> HeterogeneousEncoder:
    return HeterogeneousEncoder(model, vocabulary=VOCABULARY, maximum_positions=positions, generator=generator(seed))


def model(*layers: tuple[int, list[str], list[int]]) -> Choices:
    return choices_of([layer(hidden, heads, widths) for hidden, heads, widths in layers])


@st.composite
def models(draw: st.DrawFn) -> Choices:
    one = st.tuples(
        st.sampled_from([8, 12, 16]),
        st.lists(st.sampled_from(KINDS), min_size=1, max_size=3),
        st.lists(st.sampled_from([8, 20]), min_size=1, max_size=3),
    )
    return model(*draw(st.lists(one, min_size=1, max_size=3)))


SMALL = model((16, ["sa_sdp", "c_5"], [32]), (16, ["sa_wma", "l_dft"], [32]))
WIDE = model((24, ["sa_sdp", "c_9"], [40, 8]), (16, ["sa_wma", "c_5"], [32]), (8, ["sa_sdp"], [8]))


@settings(max_examples=25, deadline=None)
@given(models())
def test_shapes_are_those_of_the_module(choices: Choices) -> None:
    state = encoder(choices).state_dict()
    shapes = tensor_shapes(choices, VOCABULARY, POSITIONS)
    assert shapes == {name: tuple(tensor.shape) for name, tensor in state.items()}
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == parameter_count(choices, VOCABULARY, POSITIONS)


@settings(max_examples=40, deadline=None)
@given(models(), models(), st.sampled_from(RULES))
def test_the_overlap_is_that_of_the_transfer(source: Choices, target: Choices, rule: Rule) -> None:
    given_state = {name: torch.ones_like(tensor) for name, tensor in encoder(source).state_dict().items()}
    empty = {name: torch.full_like(tensor, torch.nan) for name, tensor in encoder(target).state_dict().items()}
    start = transfer(given_state, source, empty, target, rule, generator())
    assert start.ratio == pytest.approx(overlap(source, target, rule, VOCABULARY, POSITIONS))
    assert 0 <= start.ratio <= 1
    set_elements = sum(int((~tensor.isnan()).sum()) for tensor in start.state.values())
    if rule == "flexibert":
        whole = [name for name, tensor in start.state.items() if not tensor.isnan().any()]
        assert set(whole) == set(start.copied)
        assert set_elements == sum(empty[name].numel() for name in whole)
    else:
        assert start.ratio == pytest.approx(set_elements / sum(tensor.numel() for tensor in empty.values()))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("choices", [SMALL, WIDE])
def test_a_model_gives_itself_everything(choices: Choices, rule: Rule) -> None:
    source, target = encoder(choices, 0), encoder(choices, 1)
    start = transfer(source.state_dict(), choices, target.state_dict(), choices, rule, generator())
    assert start.ratio == 1
    for name, tensor in source.state_dict().items():
        if rule != "flexibert" or not name.startswith("pooler"):
            torch.testing.assert_close(start.state[name], tensor, rtol=0, atol=0)
    target.load_state_dict(start.state)


def test_heads_keep_their_places_when_widths_differ() -> None:
    source, target = encoder(SMALL, 0).state_dict(), encoder(WIDE, 1).state_dict()
    state = transfer(source, SMALL, target, WIDE, "ordered", generator()).state
    query = "layers.0.attention.query.weight"
    torch.testing.assert_close(state[query][12:20, :16], source[query][8:16])  # the second head: 12 wide, was 8
    torch.testing.assert_close(state[query][8:12], target[query][8:12])
    output = "layers.0.attention.output.weight"
    torch.testing.assert_close(state[output][:16, 12:20], source[output][:, 8:16])
    # In the second layer a convolution stands where a transform stood.
    query = "layers.1.attention.query.weight"
    torch.testing.assert_close(state[query][:8], source[query][:8])
    torch.testing.assert_close(state[query][8:], target[query][8:])
    assert torch.equal(state["layers.2.attention.query.weight"], target["layers.2.attention.query.weight"])


def test_kernels_are_stretched() -> None:
    source, target = encoder(SMALL, 0).state_dict(), encoder(WIDE, 1).state_dict()
    source["layers.0.attention.heads.1.depthwise.weight"][:] = torch.arange(5.0)
    source["layers.0.attention.heads.1.to_kernel.bias"][:] = torch.arange(5.0)
    state = transfer(source, SMALL, target, WIDE, "ordered", generator()).state
    steps = torch.arange(9.0) / 2
    torch.testing.assert_close(state["layers.0.attention.heads.1.depthwise.weight"][:8, 0], steps.expand(8, 9))
    torch.testing.assert_close(state["layers.0.attention.heads.1.to_kernel.bias"], steps)


def test_relative_positions_keep_their_distance() -> None:
    source, target = encoder(SMALL, 0, positions=4).state_dict(), encoder(SMALL, 1, positions=7).state_dict()
    state = transfer(source, SMALL, target, SMALL, "ordered", generator()).state
    name = "layers.0.attention.relative.weight"
    torch.testing.assert_close(state[name][3:10], source[name])
    torch.testing.assert_close(state[name][:3], target[name][:3])


def test_projection_keeps_the_length_of_rows_where_cutting_does_not() -> None:
    wide, narrow = model((512, ["sa_sdp"], [8])), model((128, ["sa_sdp"], [8]))
    source, target = encoder(wide, 0).state_dict(), encoder(narrow, 1).state_dict()
    lengths = {
        rule: transfer(source, wide, target, narrow, rule, generator(3)).state["words.weight"].norm(dim=1)
        / source["words.weight"].norm(dim=1)
        for rule in ("ordered", "projected")
    }
    assert lengths["projected"].mean() == pytest.approx(1.0, abs=0.05)
    assert lengths["ordered"].mean() == pytest.approx(0.5, abs=0.05)
    again = transfer(source, wide, target, narrow, "projected", generator(3)).state
    first = transfer(source, wide, target, narrow, "projected", generator(3)).state
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_flexibert_1_stops_at_other_operations() -> None:
    one = (16, ["sa_sdp"] * 2, [32])
    source = model(one, one, one)
    stopped = model(one, (16, ["l_dct"] * 2, [32]), one)
    copied = transfer(
        encoder(source).state_dict(), source, encoder(stopped).state_dict(), stopped, "flexibert", generator()
    ).copied
    assert {name.split(".")[1] for name in copied if name.startswith("layers")} == {"0"}
    wider = model(one, (16, ["sa_sdp"] * 2, [64]), one)
    copied = transfer(
        encoder(source).state_dict(), source, encoder(wider).state_dict(), wider, "flexibert", generator()
    ).copied
    assert "layers.1.attention.query.weight" in copied
    assert "layers.1.feed_forward.stack.0.weight" not in copied
    assert "layers.2.feed_forward.output.weight" in copied


def test_the_best_source_is_the_most_alike() -> None:
    target = model((16, ["sa_sdp"] * 2, [32]), (16, ["sa_sdp"] * 2, [64]))
    sources = {
        "far": model((8, ["l_dct"], [8])),
        "near": model((16, ["sa_sdp"] * 2, [32]), (16, ["sa_sdp"] * 2, [32])),
        "same": target,
    }
    for rule in RULES:
        assert best_source(target, sources, rule) == ("same", 1.0)
        nearest = best_source(target, {name: sources[name] for name in ("far", "near")}, rule)
        assert nearest is not None and nearest[0] == "near"
    assert best_source(target, {}, "ordered") is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"words.weight": None}, "source has no tensor words.weight"),
        ({"pooler.bias": None}, "pooler.bias of the source is missing; allowed: "),
        ({"pooler.bias": torch.zeros(5)}, r"pooler.bias of the source is \(5,\); allowed: \(16,\)"),
        ({"extra": torch.zeros(5)}, r"extra of the source is \(5,\); allowed: none of that name"),
    ],
)
def test_states_of_another_model(change: dict[str, Any], sentence: str) -> None:
    state = encoder(SMALL).state_dict()
    changed = {name: tensor for name, tensor in (state | change).items() if tensor is not None}
    with pytest.raises(InputError, match=sentence):
        transfer(changed, SMALL, state, SMALL, "ordered", generator())
    with pytest.raises(InputError, match="no rule 'magic' of weight transfer; allowed: flexibert, ordered"):
        transfer(state, SMALL, state, SMALL, "magic", generator())  # type: ignore[arg-type]


def batches(seed: int, count: int) -> list[torch.Tensor]:
    """Tokens that follow one another by a fixed rule, with the odd surprise."""
    drawn = np.random.default_rng(seed)
    rule = np.random.default_rng(99).permutation(VOCABULARY - 1) + 1
    made = []
    for _ in range(count):
        rows = [drawn.integers(1, VOCABULARY, size=16)]
        for _ in range(POSITIONS - 1):
            surprise = drawn.random(16) < 0.1
            rows.append(np.where(surprise, drawn.integers(1, VOCABULARY, size=16), rule[rows[-1] - 1]))
        made.append(torch.from_numpy(np.stack(rows, axis=1)))
    return made


def losses(start: HeterogeneousEncoder, seed: int, steps: int) -> Iterator[float]:
    """The loss of masked language modelling at each step, trained as far as it is asked for."""
    network = MaskedLanguageModel(start)
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    drawn = torch.Generator().manual_seed(seed)
    for tokens in batches(seed, steps):
        hidden = torch.rand(tokens.shape, generator=drawn) < 0.2
        loss = network(tokens.masked_fill(hidden, 0), labels=tokens.masked_fill(~hidden, -100)).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        yield loss.item()


def steps_to(level: float, values: Iterable[float]) -> int:
    """Steps until the mean of five losses falls to a level, all of them where it never does."""
    recent: deque[float] = deque(maxlen=5)
    count = 0
    for count, loss in enumerate(values, start=1):
        recent.append(loss)
        if len(recent) == 5 and sum(recent) / 5 <= level:
            return count - 5
    return count - 4


@pytest.fixture(scope="module")
def sources() -> list[HeterogeneousEncoder]:
    """Trained encoders, one for each of five seeds."""
    trained = [encoder(TRAINED, seed) for seed in range(5)]
    for seed, source in enumerate(trained):
        deque(losses(source, seed, 80), maxlen=0)
    return trained


TRAINED = model((32, ["sa_sdp"] * 2, [64]), (32, ["sa_sdp"] * 2, [64]))


@pytest.mark.parametrize(("rule", "hidden"), [("flexibert", 32), ("ordered", 48), ("projected", 24)])
def test_a_transferred_start_needs_fewer_steps(rule: Rule, hidden: int, sources: list[HeterogeneousEncoder]) -> None:
    """To a loss that counting tokens does not reach; medians of five seeds."""
    wanted = model((hidden, ["sa_sdp"] * 2, [64]), (hidden, ["sa_sdp"] * 2, [64, 64]))
    counts = []
    for seed, source in enumerate(sources):
        scratch, target = encoder(wanted, 10 + seed), encoder(wanted, 10 + seed)
        start = transfer(source.state_dict(), TRAINED, target.state_dict(), wanted, rule, generator(seed))
        target.load_state_dict(start.state)
        counts.append([steps_to(2.8, losses(one, 20 + seed, 80)) for one in (scratch, target)])
    from_scratch, transferred = (median(column) for column in zip(*counts, strict=True))
    assert transferred < 0.75 * from_scratch, counts
