"""A small language with rules, its tokenizer, and a model small enough to learn it in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import torch

from explorer.domains.transformer.training import corpus
from explorer.domains.transformer.training.config import TrainingConfig

MODEL = {"l": 2, "o": [["sa_sdp_16", "c_5_16"], ["sa_wma_16", "l_dct_16"]], "h": [32, 32], "f": [[64], [64]]}
"""A 2.0 dictionary with four types of heads."""

GOOD, BAD = ["bright", "kind", "lovely", "superb"], ["dull", "cruel", "awful", "dreadful"]
THINGS = ["film", "story", "song", "garden", "dinner", "journey"]


def sentences(count: int, seed: int) -> list[tuple[str, int]]:
    """Sentences whose adjectives agree, and whether they are good."""
    generator = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        good = int(generator.integers(2))
        first, second = generator.choice(GOOD if good else BAD, 2)
        thing, other = generator.choice(THINGS, 2, replace=False)
        made.append((f"the {first} {thing} and the {second} {other} .", good))
    return made


def config(**changes: Any) -> TrainingConfig:
    """A short training."""
    small = {
        "steps": 12,
        "batch_size": 8,
        "sequence_length": 24,
        "learning_rate": 3e-3,
        "held_out_sequences": 40,
    }
    return TrainingConfig.model_validate(small | changes)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Hugging Face keeps what it converts, instead of the user's home."""
    place = tmp_path_factory.mktemp("hugging-face")
    datasets.config.HF_DATASETS_CACHE = str(place)
    return place


@pytest.fixture(scope="session")
def corpus_file(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    """A text file with a sentence a line."""
    file = tmp_path_factory.mktemp("corpus") / "corpus.txt"
    file.write_text("\n\n".join(sentence for sentence, _ in sentences(1200, 0)))
    return file


@pytest.fixture(scope="session")
def tokenizer(corpus_file: Path) -> Any:
    """A tokenizer of that corpus."""
    return corpus.train_tokenizer(corpus_file.read_text().splitlines(), 320)


@pytest.fixture(scope="session")
def text(corpus_file: Path, tokenizer: Any) -> corpus.MaskedText:
    """That corpus, ready for short trainings."""
    return corpus.masked_text(corpus.load_files([corpus_file]), tokenizer, config())


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Small models run slower on several."""
    torch.set_num_threads(1)
