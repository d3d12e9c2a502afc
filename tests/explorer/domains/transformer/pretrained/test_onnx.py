"""ONNX files give what the model gives, for any batch and length, and are not written where something is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from explorer.domains.transformer.modules.heads import fourier_by_matrices
from explorer.domains.transformer.pretrained.models import (
    FlexiBertForMaskedLM,
    FlexiBertForSequenceClassification,
    FlexiBertModel,
)
from explorer.domains.transformer.pretrained.onnx import export_onnx, load_model
from graphdb.errors import InputError
from tests.explorer.conftest import Run
from tests.explorer.domains.transformer.pretrained.test_models import config

SMALL = {"l": 1, "o": [["sa_sdp_32", "l_dft_32"]], "h": [64], "f": [[32]]}
"""Exported in less time than all types of heads, which one test goes through."""
SHAPES = ((2, 9), (1, 24), (3, 2), (4, 11))


def largest_difference(model: Any, file: Path, output: str) -> float:
    session = onnxruntime.InferenceSession(str(file))
    differences = []
    for seed, shape in enumerate(SHAPES):
        tokens = torch.randint(0, 40, shape, generator=torch.Generator().manual_seed(seed))
        mask = torch.ones_like(tokens)
        mask[0, shape[1] // 2 + 1 :] = 0
        (ours,) = session.run([output], {"input_ids": tokens.numpy(), "attention_mask": mask.numpy()})
        with torch.no_grad():
            theirs = model(tokens, mask, return_dict=False)[0].numpy()
        assert ours.shape == theirs.shape
        differences.append(np.abs(ours - theirs).max())
    return float(max(differences))


@pytest.mark.parametrize(
    ("kind", "output"),
    [(FlexiBertModel, "last_hidden_state"), (FlexiBertForMaskedLM, "logits")],
)
def test_every_type_of_head_gives_the_same_numbers(kind: Any, output: str, tmp_path: Path) -> None:
    torch.manual_seed(3)
    model = kind(config()).eval()
    assert export_onnx(model, tmp_path / "new" / "model.onnx") == output
    assert largest_difference(model, tmp_path / "new" / "model.onnx", output) < 1e-5
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["model.onnx"]


def test_the_command_exports_a_folder(run: Run, tmp_path: Path) -> None:
    torch.manual_seed(4)
    model = FlexiBertForSequenceClassification(config(num_labels=3, design=SMALL)).eval()
    model.save_pretrained(tmp_path / "model")
    exported = run("onnx", tmp_path / "model", tmp_path / "m.onnx", "--json")
    assert exported.status == 0, exported.err
    assert exported.json == {
        "file": str(tmp_path / "m.onnx"),
        "inputs": ["input_ids", "attention_mask"],
        "output": "logits",
        "longest_sequence": 24,
        "parameters": model.num_parameters(),
    }
    assert largest_difference(model, tmp_path / "m.onnx", "logits") < 1e-5


def test_large_weights_lie_beside_the_file_that_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.onnx._internal.exporter._onnx_program._LARGE_MODEL_THRESHOLD", 1)
    torch.manual_seed(6)
    model = FlexiBertModel(config(design=SMALL)).eval()
    export_onnx(model, tmp_path / "m.onnx")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["m.onnx", "m.onnx.data"]
    assert largest_difference(model, tmp_path / "m.onnx", "last_hidden_state") < 1e-5


def test_the_command_says_what_the_file_takes(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FlexiBertModel(config(design=SMALL)).save_pretrained(tmp_path / "model")
    monkeypatch.setattr("explorer.domains.transformer.pretrained.onnx.export_onnx", lambda model, file: "logits")
    said = run("onnx", tmp_path / "model", tmp_path / "m.onnx").out
    assert f"{tmp_path}/m.onnx: input_ids, attention_mask (batch, 2 to 24 tokens) to logits; " in said
    assert said.endswith(" parameters\n")


def test_what_cannot_be_exported_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no trained model"):
        load_model(tmp_path)
    FlexiBertModel(config()).save_pretrained(tmp_path)
    text = json.loads((tmp_path / "config.json").read_text())
    for changed, said in (
        ({"architectures": ["BertModel"]}, "architectures 'BertModel'; allowed: 'flexibert' and one of FlexiBertModel"),
        ({"architectures": 5}, "architectures 5; allowed"),
        ({"model_type": "bert"}, "model_type 'bert'"),
        ({"design": {}}, "is illegal"),
        ({"vocab_size": 41}, "the weight words.weight has the shape"),
    ):
        (tmp_path / "config.json").write_text(json.dumps({**text, **changed}))
        with pytest.raises(InputError, match=said):
            load_model(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({name: text[name] for name in text if name != "design"}))
    with pytest.raises(InputError, match="has no design; needed: a model dictionary"):
        load_model(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(text))
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(InputError, match="cannot be written"):
        export_onnx(load_model(tmp_path), tmp_path / "taken" / "model.onnx")


@pytest.mark.parametrize("shape", [(1, 1), (7, 4), (16, 33)])
def test_the_transform_by_matrices_is_the_fast_one(shape: tuple[int, int]) -> None:
    values = torch.randn(2, *shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    wanted = torch.fft.fft2(values, norm="ortho").real
    torch.testing.assert_close(fourier_by_matrices(values), wanted)


def test_heads_work_in_bfloat16() -> None:
    model = FlexiBertModel(config()).eval()
    tokens = torch.arange(12).reshape(2, 6)
    with torch.autocast("cpu", torch.bfloat16):
        low = model(tokens).last_hidden_state
    assert torch.isfinite(low).all()
    assert (low - model(tokens).last_hidden_state).abs().mean() < 0.05
