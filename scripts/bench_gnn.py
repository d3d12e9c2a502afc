#!/usr/bin/env python3
"""Graphs a second of the graph encoder, in training and inference, against the same network fed by a plain DataLoader.

    scripts/bench gnn [--graphs 512] [--batch 32] [--passes 4] [--device cpu]

Both train one member with the same optimiser and loss: one in batches cut from graphs that were joined once, the other
in batches that a DataLoader of torch_geometric joins anew. They take turns, so that a busy machine slows both, and what
counts is processor time (on a GPU, time). Loading is what a batch costs without the network.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from explorer.domains.transformer.measured import early_models
from gnn.data import GraphBatch, GraphSet, Vocabulary
from gnn.network import Member, SurrogateSettings, build_members
from gnn.training import steady
from graphdb.architecture import Architecture
from scripts.searching.cells import Cells

Loader = Callable[[], Iterator[tuple[Data | GraphBatch, torch.Tensor]]]
"""Makes one pass over the graphs: batches with the indices of their graphs."""


class Fed:
    """One network with its loader; both sides begin with the same weights.

    Args:
        loader: one pass in random order, for training.
        steady_loader: one pass in large batches, for inference.
        member: the network.
        targets: shape `(graphs, 1)`.
    """

    def __init__(self, loader: Loader, steady_loader: Loader, member: Member, targets: torch.Tensor) -> None:
        self.loader, self.steady_loader, self.member, self.targets = loader, steady_loader, member, targets
        self.optimiser = torch.optim.AdamW(member.parameters(), lr=1e-3, foreach=True)

    def load(self) -> None:
        """One pass without the network."""
        for _ in self.loader():
            pass

    def train(self) -> None:
        """One pass of training."""
        for batch, chosen in self.loader():
            mean, log_variance = self.member.measure([self.member.embed("model", batch)])
            loss = nn.functional.gaussian_nll_loss(mean, self.targets[chosen], log_variance.exp())
            self.optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.member.parameters(), 1.0)
            self.optimiser.step()

    def infer(self) -> None:
        """One pass of inference."""
        with torch.no_grad():
            for batch, _ in self.steady_loader():
                self.member.embed("model", batch)


def sides(architectures: list[Architecture], batch: int, device: torch.device) -> dict[str, Fed]:
    """Ours and the plain one."""
    vocabulary = Vocabulary.of(architectures)
    count = len(architectures)
    graphs = GraphSet(vocabulary, architectures, device)
    alone = [_with_number(vocabulary.collate([one]), number) for number, one in enumerate(architectures)]
    targets = torch.randn(count, 1, generator=torch.Generator().manual_seed(0)).to(device)
    generator = np.random.default_rng(0)

    def cut() -> Iterator[tuple[GraphBatch, torch.Tensor]]:
        parts = np.array_split(generator.permutation(count), -(-count // batch))
        yield from zip(graphs.batches(parts), map(torch.from_numpy, parts), strict=True)

    def whole() -> Iterator[tuple[GraphBatch, torch.Tensor]]:
        parts = np.array_split(np.arange(count), -(-count // 2048))
        yield from zip(graphs.batches(parts), map(torch.from_numpy, parts), strict=True)

    def joined(size: int, shuffle: bool) -> Loader:
        def loader() -> Iterator[tuple[Data, torch.Tensor]]:
            for one in DataLoader(alone, batch_size=size, shuffle=shuffle):
                yield one.to(device), one.number

        return loader

    size = {"model": float(np.mean([len(one.blocks) for one in architectures]))}
    ours, plain = (build_members({"model": vocabulary}, size, 1, SurrogateSettings(), [0])[0].to(device) for _ in "ab")
    return {
        "ours": Fed(cut, whole, ours, targets),
        "DataLoader": Fed(joined(batch, True), joined(2048, False), plain, targets),
    }


def _with_number(data: Data, number: int) -> Data:
    alone = Data(x=data.x, edge_index=data.edge_index, edge_attr=data.edge_attr)
    alone.number = number
    return alone


def measured(fed: dict[str, Fed], what: str, count: int, passes: int, device: torch.device) -> None:
    """Prints one line of the table."""
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    spent = dict.fromkeys(fed, 0.0)
    for one in fed.values():
        getattr(one, what)()  # the first pass loads libraries
    for _ in range(passes):
        for name, one in fed.items():
            start = clock()
            getattr(one, what)()
            if device.type == "cuda":
                torch.cuda.synchronize()
            spent[name] += clock() - start
    speeds = {name: passes * count / seconds for name, seconds in spent.items()}
    columns = "  ".join(f"{name} {speed:9.0f} graphs/s" for name, speed in speeds.items())
    print(f"  {what:6s} {columns}  ratio {speeds['ours'] / speeds['DataLoader']:.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graphs", type=int, default=512)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--passes", type=int, default=4)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    given = parser.parse_args()
    device = torch.device(given.device)
    generator, cells = np.random.default_rng(0), Cells()
    kinds = {
        "transformers": [model for model, _ in early_models()][: given.graphs],
        "cells": [cells.graph_of(cells.sample(generator)) for _ in range(given.graphs)],
    }
    for name, architectures in kinds.items():
        blocks = np.mean([len(one.blocks) for one in architectures])
        print(f"{len(architectures)} {name} of {blocks:.1f} blocks, batches of {given.batch}, on {device.type}")
        fed = sides(architectures, given.batch, device)
        with steady(device):
            for what in ("load", "train", "infer"):
                measured(fed, what, len(architectures), given.passes, device)


if __name__ == "__main__":
    main()
