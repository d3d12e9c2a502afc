"""A small encoder learns which of two tokens comes first in a sequence, and is then profiled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from explorer.domains.accelerator.acceltran.settings.curves import PRUNED, Curve
from explorer.domains.transformer.modules.encoder import HeterogeneousEncoder
from explorer.domains.transformer.pruning.dynaprop import dynaprop_
from explorer.domains.transformer.pruning.profile import Profile, Pruner, profile
from explorer.domains.transformer.pruning.top_k import top_k
from graphdb.errors import InputError

MODEL = {"l": 1, "o": [["sa_sdp_8", "sa_wma_8"]], "h": [16], "f": [[32]]}
THRESHOLDS = (0.0, 0.02, 0.1, 0.3, 1.0, 100.0)
LENGTH = 10


def sequences(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Tokens from 2 to 9 with one 0 and one 1 among them, and whether the 0 comes first."""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(2, 10, (count, LENGTH), generator=generator)
    places = torch.rand(count, LENGTH, generator=generator).argsort(dim=1)[:, :2]
    tokens.scatter_(1, places, torch.tensor([0, 1]).expand(count, 2))
    return tokens, (places[:, 0] < places[:, 1]).long()


class Trained:
    """An encoder with a classifier, trained with DynaProp, and what it has not seen in training."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self.encoder = HeterogeneousEncoder(MODEL, vocabulary=10, maximum_positions=LENGTH, generator=generator)
        self.classifier = nn.utils.skip_init(nn.Linear, 16, 2)
        nn.init.normal_(self.classifier.weight, generator=generator)
        nn.init.zeros_(self.classifier.bias)
        tokens, labels = sequences(2048, 1)
        parameters = [*self.encoder.parameters(), *self.classifier.parameters()]
        optimiser = torch.optim.Adam(parameters, lr=0.01)
        self.gradient_sparsities = []
        for step in range(240):
            rows = slice(128 * step % 2048, 128 * step % 2048 + 128)
            loss = nn.functional.cross_entropy(self.logits(self.encoder(tokens[rows])), labels[rows])
            optimiser.zero_grad()
            loss.backward()
            self.gradient_sparsities.append(dynaprop_(parameters, 1e-5))
            optimiser.step()
        self.tokens, self.labels = sequences(512, 2)
        self.batches = [(part, None) for part in self.tokens.split(128)]

    def logits(self, hidden: Tensor) -> Tensor:
        logits: Tensor = self.classifier(hidden.mean(dim=1))
        return logits

    def accuracy(self, outputs: Iterator[Tensor]) -> float:
        right = [
            self.logits(hidden).argmax(-1) == labels
            for hidden, labels in zip(outputs, self.labels.split(128), strict=False)
        ]
        return float(torch.cat(right).float().mean())


@pytest.fixture(scope="module")
def trained() -> Trained:
    return Trained()


@pytest.fixture(scope="module")
def measured(trained: Trained) -> Profile:
    return profile(
        trained.encoder, trained.batches, THRESHOLDS, trained.accuracy, model="small", task="which token is first"
    )


def test_it_has_learnt(trained: Trained, measured: Profile) -> None:
    assert measured.points[0].score > 0.9
    assert measured.points[-1].score == pytest.approx(0.5, abs=0.1)  # With everything pruned it can only guess.
    assert all(0 < sparsity < 1 for sparsity in trained.gradient_sparsities)


def test_no_threshold_keeps_the_score(trained: Trained, measured: Profile) -> None:
    with torch.no_grad():
        plain = trained.accuracy(trained.encoder(tokens) for tokens, _ in trained.batches)
    assert measured.points[0].score == plain
    assert measured.points[0].sparsity == 0


def test_sparsity_rises_with_the_threshold(measured: Profile) -> None:
    assert [point.threshold for point in measured.points] == list(THRESHOLDS)
    for before, after in pairwise(measured.points):
        assert after.sparsity > before.sparsity
    assert measured.points[-1].sparsity == 1
    assert set(measured.points[0].roles) == set(PRUNED)


def test_net_sparsity_is_that_of_all_elements(measured: Profile) -> None:
    """Elements of a sequence in the order of the hidden width 16, 2 heads, 10 positions and feed-forward width 32."""
    elements = dict.fromkeys(PRUNED, LENGTH * 16) | dict.fromkeys(("scores", "probabilities"), 2 * LENGTH * LENGTH)
    elements["feed_forward"] = LENGTH * 32
    for point in measured.points:
        zeros = sum(elements[role] * share for role, share in point.roles.items())
        assert point.sparsity == pytest.approx(zeros / sum(elements.values()))


def test_json_round_trip_and_the_simulator_reads_it(measured: Profile) -> None:
    read = json.loads(json.dumps(measured.to_json()))
    assert Profile.from_json(read) == measured
    assert set(read) == {"model", "task", "score", "points"}
    assert set(read["points"][0]) == {"threshold", "sparsity", "score", "roles"}
    assert Curve.from_json(read).json() == read


def test_top_k_as_prune(trained: Trained) -> None:
    """Every probability kept changes nothing; the published rule with k of 1 keeps none, so that no token is seen."""

    def pruned(k: int, rule: Any) -> float:
        def prune(role: str, activation: Tensor) -> Tensor:
            return top_k(activation, k, rule)[0] if role == "probabilities" else activation

        with torch.no_grad():
            return trained.accuracy(trained.encoder(tokens, None, prune) for tokens, _ in trained.batches)

    assert pruned(LENGTH, "right") > 0.9
    assert pruned(1, "right") > pruned(1, "published")


def test_an_early_score_still_meets_all_batches(trained: Trained) -> None:
    def first(outputs: Iterator[Tensor]) -> float:
        return float(next(outputs).isfinite().float().mean())

    early = profile(trained.encoder, trained.batches, (0.1, 0.3), first)
    whole = profile(trained.encoder, trained.batches, (0.3, 0.1), trained.accuracy)
    assert [point.roles for point in early.points] == [point.roles for point in whole.points]


def test_modes_of_modules_come_back(trained: Trained) -> None:
    trained.encoder.train()
    trained.encoder.layers[0].eval()
    profile(trained.encoder, trained.batches[:1], (0, 1), lambda outputs: 1.0)
    assert trained.encoder.training
    assert not trained.encoder.layers[0].training


class Silent(nn.Module):
    def forward(self, tokens: Tensor, mask: Tensor | None, prune: Pruner) -> Tensor:
        return tokens.float()


def test_refused(trained: Trained) -> None:
    batches = trained.batches[:1]
    with pytest.raises(InputError, match="1 thresholds"):
        profile(trained.encoder, batches, (0.1, 0.1), trained.accuracy)
    with pytest.raises(InputError, match="0 batches"):
        profile(trained.encoder, [], (0.1, 0.2), trained.accuracy)
    with pytest.raises(InputError, match="score at the threshold 0"):
        profile(trained.encoder, batches, (0, 1), lambda outputs: 90.0)
    with pytest.raises(InputError, match="never called prune"):
        profile(Silent(), batches, (0, 1), lambda outputs: 1.0)


@pytest.mark.parametrize(
    "change",
    [
        {"points": []},
        {"model": 3},
        {"extra": 1},
        {"points": [{"threshold": 0, "sparsity": 0, "score": 2, "roles": {}}] * 2},
        {"points": [{"threshold": -1, "sparsity": 0, "score": 1, "roles": {}}] * 2},
        {"points": [{"threshold": 0, "sparsity": 0, "score": 1, "roles": {"query": "x"}}] * 2},
        {"task": {1, 2}},
    ],
)
def test_malformed_json(measured: Profile, change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="profile"):
        Profile.from_json(measured.to_json() | change)
