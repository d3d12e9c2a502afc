"""`GraphEncoder`: maps a graph of blocks, of any domain, to a vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.data import Data
from torch_geometric.nn import GINEConv

from gnn.data import GraphBatch


class GraphEncoder(nn.Module):
    """Graph isomorphism network with edge features and a readout after every round.

    Message passing: Xu et al. 2019, "How powerful are graph neural networks?", with edge features as in Hu et al. 2020,
    "Strategies for pre-training graph neural networks"; here with residual connections, both directions of the edges,
    and jumping knowledge (Xu et al. 2018): mean and sum of every round are joined. The result does not depend on the
    order in which the blocks are numbered.

    Args:
        node_width: the number of features of a block.
        edge_width: the number of features of an edge.
        typical_size: the number of blocks by which sums are divided, so that they are of order one.
        hidden: the width of the messages.
        rounds: the number of rounds of message passing.
        embedding: the width of the result.
    """

    def __init__(
        self,
        node_width: int,
        edge_width: int,
        typical_size: float = 1.0,
        hidden: int = 64,
        rounds: int = 4,
        embedding: int = 32,
    ) -> None:
        super().__init__()
        self.typical_size = typical_size
        self.inward = nn.Linear(node_width, hidden)
        self.rounds = nn.ModuleList(_round(hidden, edge_width) for _ in range(rounds))
        self.outward = nn.Linear(2 * hidden * (rounds + 1), embedding)

    def forward(self, data: Data | GraphBatch) -> Tensor:
        """Embeddings of shape `(data.num_graphs, embedding)`."""
        sizes = (
            data.sizes
            if isinstance(data, GraphBatch)
            else torch.bincount(data.batch, minlength=data.num_graphs).unsqueeze(1)
        )
        state = self.inward(data.x)
        readouts = []
        for step in [None, *self.rounds]:
            if step is not None:
                state = state + torch.relu(step(state, data.edge_index, data.edge_attr))
            total = state.new_zeros(data.num_graphs, state.shape[1]).index_add(0, data.batch, state)
            readouts += [total / sizes, total / self.typical_size]
        embedding: Tensor = self.outward(torch.cat(readouts, dim=1))
        return embedding


def _round(hidden: int, edge_width: int) -> GINEConv:
    update = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, hidden))
    return GINEConv(update, train_eps=True, edge_dim=edge_width)
