"""Relaxed graphs: an absent edge is no edge, gradients of both orders are right, and points go there and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gnn.relaxed import Collection, Form, RelaxedGraphs
from gnn.relaxed_network import RelaxedNetwork, RelaxedSettings, fitted
from gnn.relaxed_points import Chart
from graphdb.architecture import Architecture, Block, Edge

KINDS = ("narrow", "wide", "join")
SETTINGS = RelaxedSettings(members=2, hidden=8, heads=2, rounds=2, steps=30, batch=16)


def drawn(generator: np.random.Generator, size: int) -> Architecture:
    """A graph with attributes on blocks and edges."""
    blocks = [
        Block(KINDS[int(generator.integers(3))], {"width": float(generator.integers(1, 9)), "sign": bool(i % 2)})
        for i in range(size)
    ]
    edges = [
        Edge(int(generator.integers(target)), target, {"bandwidth": float(generator.random())})
        for target in range(1, size)
    ]
    choices = {"blocks": [dict(block.attributes) for block in blocks], "edges": [[e.source, e.target] for e in edges]}
    return Architecture.of("meshes", "free", choices, blocks, edges)


@pytest.fixture(scope="module")
def sample() -> list[Architecture]:
    generator = np.random.default_rng(0)
    return [drawn(generator, int(generator.integers(2, 7))) for _ in range(40)]


@pytest.fixture(scope="module")
def form(sample: list[Architecture]) -> Form:
    return Form(sample)


@pytest.fixture(scope="module")
def network(form: Form) -> RelaxedNetwork:
    return RelaxedNetwork(form, 2, SETTINGS, torch.Generator().manual_seed(1)).double().requires_grad_(False)


def exact(graphs: RelaxedGraphs) -> RelaxedGraphs:
    """In double precision."""
    parts = ("kinds", "features", "presence", "attributes")
    return replace(graphs, **{name: getattr(graphs, name).double() for name in parts})


def test_an_edge_of_presence_zero_equals_no_edge(
    sample: list[Architecture], form: Form, network: RelaxedNetwork
) -> None:
    graphs = exact(form.batch(sample[:8]))
    more = torch.tensor([[0, 1, 2], [1, 0, 0]])
    padded = replace(
        graphs,
        edges=torch.cat([graphs.edges, more], dim=1),
        presence=torch.cat([graphs.presence, torch.zeros(3).double()]),
        attributes=torch.cat([graphs.attributes, torch.full((3, form.attribute_width), 0.7).double()]),
    )
    for plain, other in zip(network.estimate(graphs), network.estimate(padded), strict=True):
        torch.testing.assert_close(plain, other, rtol=1e-9, atol=1e-9)
    whole = replace(padded, presence=torch.ones_like(padded.presence))
    assert not torch.allclose(network.estimate(graphs).mean, network.estimate(whole).mean, atol=1e-4)


def test_an_absent_block_equals_no_block(sample: list[Architecture], form: Form, network: RelaxedNetwork) -> None:
    graphs = exact(form.batch(sample[:1]))
    nothing = torch.zeros(1, graphs.kinds.shape[1]).double()
    nothing[0, -1] = 1.0
    size = len(graphs.kinds)
    padded = replace(
        graphs,
        kinds=torch.cat([graphs.kinds, nothing]),
        features=torch.cat([graphs.features, torch.full((1, form.feature_width), 3.0).double()]),
        edges=torch.cat([graphs.edges, torch.tensor([[0], [size]])], dim=1),
        presence=torch.cat([graphs.presence, torch.ones(1).double()]),
        attributes=torch.cat([graphs.attributes, torch.zeros(1, form.attribute_width).double()]),
        graph=torch.cat([graphs.graph, torch.zeros(1, dtype=torch.int64)]),
    )
    torch.testing.assert_close(network.estimate(graphs).mean, network.estimate(padded).mean, rtol=1e-9, atol=1e-9)


def test_numbering_of_blocks_and_company_in_a_batch_do_not_matter(
    sample: list[Architecture], form: Form, network: RelaxedNetwork
) -> None:
    first = sample[3]
    order = np.random.default_rng(0).permutation(len(first.blocks)).tolist()
    place = {old: new for new, old in enumerate(order)}
    other = replace(
        first,
        choices_json='"other"',
        blocks=tuple(first.blocks[i] for i in order),
        edges=tuple(Edge(place[e.source], place[e.target], e.attributes) for e in first.edges),
    )
    alone = network.estimate(exact(form.batch([first]))).mean
    together = network.estimate(exact(form.batch([sample[0], other, sample[1]]))).mean[1:2]
    torch.testing.assert_close(alone, together, rtol=1e-9, atol=1e-9)
    cut = Collection(form.batch(sample)).select(np.array([0, 3, 1]))
    torch.testing.assert_close(network.estimate(exact(cut)).mean[1:2], alone, rtol=1e-9, atol=1e-9)


def test_gradients_of_first_and_second_order_equal_finite_differences(
    sample: list[Architecture], form: Form, network: RelaxedNetwork
) -> None:
    """With respect to kinds, attributes of blocks, presences and attributes of edges."""
    chart = Chart(form, sample[:2], np.random.default_rng(0))
    points = chart.points().double()
    points = (points + 0.05 * torch.randn(points.shape, generator=torch.Generator().manual_seed(3))).clamp(0, 1)

    def bound(where: torch.Tensor) -> torch.Tensor:
        mean, _, deviation = network.estimate(exact(chart.graphs(where)))
        return (mean - 0.5 * deviation).sum()

    where = points.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(bound(where), where, create_graph=True)
    probe = torch.sign(torch.randn(points.shape, generator=torch.Generator().manual_seed(4))).double()
    (product,) = torch.autograd.grad(gradient, where, probe)
    step = 1e-5
    moving = torch.nonzero(gradient[0].detach().abs() > 1e-6).ravel()
    assert len(moving) > 0.5 * points.shape[1]
    for entry in moving[:: max(1, len(moving) // 24)].tolist():
        up, down = points.clone(), points.clone()
        up[0, entry] += step
        down[0, entry] -= step
        slope = (bound(up) - bound(down)) / (2 * step)
        torch.testing.assert_close(slope, gradient[0, entry].detach(), rtol=1e-4, atol=1e-7)
    ahead, behind = ((points + sign * step * probe).requires_grad_() for sign in (1, -1))
    bent = torch.autograd.grad(bound(ahead), ahead)[0] - torch.autograd.grad(bound(behind), behind)[0]
    torch.testing.assert_close(bent / (2 * step), product, rtol=1e-3, atol=1e-6)
    assert product.abs().max() > 1e-3


def test_a_start_is_its_own_nearest_graph(sample: list[Architecture], form: Form) -> None:
    chart = Chart(form, sample[:6], np.random.default_rng(0))
    for number, relaxed in enumerate(chart.relaxed(chart.points())):
        steps = [chart.distance(number, relaxed, other) for other in sample[:20]]
        assert int(np.argmin(steps)) == number
        kinds, edges = relaxed.discrete
        assert kinds == [block.kind for block in sample[number].blocks]
        assert sorted(edges) == sorted((edge.source, edge.target) for edge in sample[number].edges)


def test_an_inserted_block_is_matched_to_a_spare_place(form: Form) -> None:
    blocks = [Block("narrow", {"width": 1.0, "sign": True}), Block("wide", {"width": 8.0, "sign": True})]
    joint = Block("join", {"width": 4.0, "sign": True})
    link = {"bandwidth": 0.5}
    short = Architecture.of("meshes", "free", {"n": 2}, blocks, [Edge(0, 1, link)])
    path = [Edge(0, 1, link), Edge(1, 2, link)]
    long = Architecture.of("meshes", "free", {"n": 3}, [blocks[0], joint, blocks[1]], path)
    chart = Chart(form, [short], np.random.default_rng(0))
    (relaxed,) = chart.relaxed(chart.points())
    far = chart.distance(0, relaxed, long)
    assert 3.0 < far < 7.0  # one block more, one edge less, two edges more
    probabilities, presence = relaxed.probabilities.copy(), relaxed.presence.copy()
    probabilities[2] = 0.0
    probabilities[2, form.kinds.index("join")] = 1.0
    for place, pair in enumerate(relaxed.edges.tolist()):
        presence[place] = float(tuple(pair) in {(0, 2), (2, 1)})
    assert chart.distance(0, replace(relaxed, probabilities=probabilities, presence=presence), long) < far - 3.0
    back = Chart(form, [long], np.random.default_rng(0))
    (whole,) = back.relaxed(back.points())
    assert back.distance(0, whole, short) < 6.0


def test_large_graphs_keep_to_near_pairs() -> None:
    generator = np.random.default_rng(0)
    large = [drawn(generator, 90) for _ in range(2)]
    chart = Chart(Form(large), large, generator)
    for number, relaxed in enumerate(chart.relaxed(chart.points())):
        assert len(relaxed.edges) < 1_500
        pairs = {tuple(pair) for pair in relaxed.edges.tolist()}
        assert all((edge.source, edge.target) in pairs for edge in large[number].edges)


def test_training_learns_repeats_and_leaves_global_random_state_alone(sample: list[Architecture], form: Form) -> None:
    values = torch.tensor([[float(len(one.blocks))] for one in sample])
    targets = (values - values.mean()) / values.std()
    state = torch.random.get_rng_state()
    graphs = form.batch(sample)
    first, second = (fitted(form, graphs, targets, SETTINGS, np.random.default_rng(5)) for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), state)
    means = [network.estimate(graphs).mean for network in (first, second)]
    assert torch.equal(*means)
    assert torch.corrcoef(torch.cat([means[0], targets], dim=1).T)[0, 1] > 0.9
    assert (first.estimate(graphs).deviation > 0).all()
