"""Hyperparameters: the published recipes, files, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from explorer.domains.transformer.training.config import RECIPES, changed, read_config, recipe
from graphdb.errors import InputError


def test_the_published_recipes() -> None:
    pretraining = recipe("flexibert2-pretraining")
    assert (pretraining.steps, pretraining.learning_rate, pretraining.warmup_steps) == (1_000_000, 1e-4, 10_000)
    assert (pretraining.weight_decay, pretraining.batch_size) == (0.01, 256)
    second, first = recipe("flexibert2-finetuning"), recipe("flexibert1-finetuning")
    assert (second.learning_rate, second.batch_size, second.micro_batch_size) == (2e-5, 16, 8)
    assert (second.epochs, second.warmup_ratio) == (10, 0.06)
    assert (first.learning_rate, first.weight_decay, first.batch_size) == (2e-5, 0.01, 64)
    assert (first.epochs, first.sequence_length) == (5, 512)
    with pytest.raises(InputError, match="flexibert1-finetuning"):
        recipe("flexibert3")


def test_the_rate_rises_and_falls_in_straight_lines() -> None:
    rates = [RECIPES["flexibert2-pretraining"].learning_rate_at(step, 1_000_000) for step in (0, 5000, 10_000, 505_000)]
    assert rates == pytest.approx([0, 5e-5, 1e-4, 5e-5])
    finetuning = RECIPES["flexibert2-finetuning"]
    steps = finetuning.total_steps(1001)
    assert steps == 10 * 63
    rates = [finetuning.learning_rate_at(step, steps) for step in range(steps)]
    assert rates.index(max(rates)) == 38  # 0.06 x 630, rounded up
    assert rates[-1] > 0


@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump])
def test_files_change_a_recipe(write: object, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(write({"epochs": 2, "learning_rate": 3e-5, "batch_size": 4}))  # type: ignore[operator]
    config = read_config(file, recipe("flexibert2-pretraining"))
    assert (config.epochs, config.steps, config.learning_rate, config.batch_size) == (2, None, 3e-5, 4)


def test_yaml_numbers_with_an_exponent_are_numbers(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("learning_rate: 3e-5\n")
    assert read_config(tmp_path / "c.yaml", recipe("flexibert1-finetuning")).learning_rate == 3e-5


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"batch_size": 0}, "batch_size of a training is 0; allowed: an integer of at least 1"),
        ({"batch_size": "8"}, "batch_size of a training is '8'; allowed: an integer"),
        ({"batchsize": 8}, "no setting 'batchsize' of a training; allowed: steps, epochs, batch_size"),
        ({"steps": 5, "epochs": 5}, "One of steps and epochs"),
        ({"steps": 10, "warmup_steps": 20}, "warmup_steps is 20, above the 10 steps"),
        ({"replaced_share": 0.8, "random_share": 0.3}, "add up to more than 1"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"precision": "float16"}, "precision of a training is 'float16'; allowed: float32, bfloat16"),
        ({"seed": -1}, "seed of a training is -1; allowed: an integer from 0"),
    ],
)
def test_what_is_not_allowed(changes: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words) as refusal:
        changed(recipe("flexibert2-pretraining"), changes, "--set")
    assert str(refusal.value).startswith("--set: ") and "\n" not in str(refusal.value)


@pytest.mark.parametrize("content", [b"a: [", b"\xff\xfe", b"- 1", b""])
def test_files_that_hold_no_settings(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_bytes(content)
    with pytest.raises(InputError, match=r"c\.yaml"):
        read_config(tmp_path / "c.yaml", recipe("flexibert1-finetuning"))
    with pytest.raises(InputError, match="cannot be read"):
        read_config(tmp_path / "none.yaml", recipe("flexibert1-finetuning"))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "c.yaml",
            "batch_size: 4\nepochs: 2\nbatch_size: 8\n",
            r"c\.yaml, line [13]: the key 'batch_size' stands there",
        ),
        ("c.json", '{"batch_size": 4,\n "batch_size": 8}', r"c\.json.*line 2.*batch_size"),
    ],
)
def test_a_setting_given_twice_is_refused_where_it_stands(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=words):
        read_config(tmp_path / name, recipe("flexibert1-finetuning"))
