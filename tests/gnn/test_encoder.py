from __future__ import annotations

import numpy as np
import torch

from gnn.data import Vocabulary
from gnn.encoder import GraphEncoder
from graphdb.architecture import Architecture, Edge


def renumbered(architecture: Architecture, generator: np.random.Generator) -> Architecture:
    order = generator.permutation(len(architecture.blocks))
    place = np.argsort(order)
    edges = [Edge(int(place[e.source]), int(place[e.target]), e.attributes) for e in architecture.edges]
    shuffled = [edges[i] for i in generator.permutation(len(edges))]
    blocks = [architecture.blocks[i] for i in order]
    return Architecture.of(architecture.domain, architecture.space, architecture.choices, blocks, shuffled)


def encode(models: list[Architecture]) -> tuple[Vocabulary, GraphEncoder]:
    vocabulary = Vocabulary.of(models)
    torch.manual_seed(0)
    return vocabulary, GraphEncoder(vocabulary.node_width, vocabulary.edge_width, 20.0)


def test_numbering_of_blocks_does_not_matter(measured) -> None:
    models = measured[0][:10]
    vocabulary, encoder = encode(models)
    generator = np.random.default_rng(1)
    shuffled = [renumbered(model, generator) for model in models]
    with torch.no_grad():
        torch.testing.assert_close(encoder(vocabulary.collate(models)), encoder(vocabulary.collate(shuffled)))


def test_company_in_a_batch_does_not_matter(measured) -> None:
    models = measured[0][:10]
    vocabulary, encoder = encode(models)
    with torch.no_grad():
        alone = torch.cat([encoder(vocabulary.collate([model])) for model in models])
        torch.testing.assert_close(encoder(vocabulary.collate(models)), alone)


def test_different_models_differ_and_so_do_directions(measured) -> None:
    models = measured[0][:10]
    vocabulary, encoder = encode(models)
    turned = [
        Architecture.of(
            m.domain, "turned", m.choices, m.blocks, [Edge(e.target, e.source, e.attributes) for e in m.edges]
        )
        for m in models
    ]
    with torch.no_grad():
        forward, backward = encoder(vocabulary.collate(models)), encoder(vocabulary.collate(turned))
    assert torch.pdist(forward).min() > 1e-4
    assert (forward - backward).norm(dim=1).min() > 1e-4
