"""Fine-tuning a trained encoder to classify or score text, as in FlexiBERT's recipes for GLUE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from explorer.domains.transformer.modules.tasks import SequenceClassifier
from explorer.domains.transformer.training.config import TrainingConfig
from explorer.domains.transformer.training.examples import Examples, LabelledText, tokenised
from explorer.domains.transformer.training.loop import ReportIntervals, TrainingStep, accelerator, make_folder, train
from explorer.domains.transformer.training.metrics import METRICS
from explorer.domains.transformer.training.order import INITIAL, derived_seed
from explorer.domains.transformer.training.saved import Description, digest, load_encoder, read_description, save_task
from graphdb.errors import InputError


@dataclass(frozen=True)
class Finetuned:
    """The result of a fine-tuning.

    Attributes:
        measures: measures such as `sst2_accuracy`.
        identity: digests of the initial weights and of the data.
    """

    measures: dict[str, float]
    identity: dict[str, Any]


def finetune(
    pretrained: Path,
    text: LabelledText,
    config: TrainingConfig,
    folder: Path,
    *,
    schedule: ReportIntervals | None = None,
    report: Callable[[TrainingStep], None] = lambda step: None,
) -> Finetuned:
    """Train a classifier on a pre-trained encoder, continuing from the folder's checkpoint if there is one.

    Args:
        pretrained: folder of the trained model to start from. Texts are cut to its number of positions if that is
            below the configuration's `sequence_length`.
        text: text to train and evaluate on.
        folder: folder for the checkpoint, the metrics and finally the model; it must not be `pretrained`.
        schedule: schedule of reports and checkpoints.
        report: function called with the progress.

    Returns:
        The measures of the task on its validation sets, such as `sst2_accuracy`, and the identity of their inputs.

    Raises:
        InputError: `pretrained` holds no trained model, or a file is corrupt or belongs to another training.
    """
    if folder.resolve() == pretrained.resolve():
        raise InputError(f"The folder {folder} holds the pre-trained model; choose another for the result.")
    devices = accelerator(config)
    generator = torch.Generator(devices.device).manual_seed(derived_seed(config.seed, INITIAL))
    before = read_description(pretrained)
    encoder, tokenizer = load_encoder(pretrained, generator, config.dropout)
    description = Description(before.model, before.vocabulary, before.maximum_positions, text.labels)
    examples = tokenised(text, tokenizer, min(config.sequence_length, before.maximum_positions), config)
    task = SequenceClassifier(encoder, len(text.labels) or 1)
    make_folder(folder)
    steps = config.total_steps(len(text.training))
    identity = {
        "task": "sequence-classification",
        "model": before.model,
        "config": config.model_dump(),
        "data": examples.identity,
        "initial": digest(encoder.state_dict()),
    }
    train(task, examples.batch, steps, config, folder, identity, devices, schedule or ReportIntervals(), report)
    if devices.is_main_process:
        save_task(folder, task, description, tokenizer)
    inputs = {"initial": identity["initial"], "data": identity["data"]}
    return Finetuned(validation_measures(task, examples, devices), inputs)


@torch.no_grad()
def validation_measures(task: SequenceClassifier, examples: Examples, devices: Any) -> dict[str, float]:
    """The measures of a task on its validation sets.

    Args:
        task: classifier; left in evaluation mode.
        examples: examples with the validation sets.
        devices: an `accelerate.Accelerator`.
    """
    task.eval()
    text = examples.text
    measures = {}
    for name in text.validation:
        predicted, true = [], []
        for make in examples.validation_batches(name):
            batch = {kind: value.to(devices.device) for kind, value in make().items()}
            labels = batch.pop("labels")
            with devices.autocast():
                logits = task(**batch).logits.float()
            answers = logits.argmax(dim=-1) if text.labels else logits[:, 0]
            predicted.append(answers.double().cpu().numpy())
            true.append(labels.double().cpu().numpy())
        begin = f"{text.name}_{name}" if text.name else name
        for metric in text.metrics:
            measures[f"{begin}{metric}"] = METRICS[metric](np.concatenate(predicted), np.concatenate(true))
    return measures
