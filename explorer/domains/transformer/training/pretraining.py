"""Pre-training by masked language modelling, as in FlexiBERT 2.0's recipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from explorer.contracts.space import Choices
from explorer.domains.transformer.modules.encoder import HeterogeneousEncoder
from explorer.domains.transformer.modules.tasks import IGNORED, MaskedLanguageModel
from explorer.domains.transformer.training.corpus import MaskedText
from explorer.domains.transformer.training.loop import ReportIntervals, TrainingStep, accelerator, make_folder, train
from explorer.domains.transformer.training.order import INITIAL, derived_seed
from explorer.domains.transformer.training.saved import Description, digest, save_task
from graphdb.errors import InputError


def pretrain(
    model: Choices,
    text: MaskedText,
    folder: Path,
    *,
    initial: HeterogeneousEncoder | None = None,
    schedule: ReportIntervals | None = None,
    report: Callable[[TrainingStep], None] = lambda step: None,
) -> dict[str, float]:
    """Train a model to predict masked tokens, continuing from the folder's checkpoint if there is one.

    Args:
        model: the model dictionary.
        text: text to train on, with the configuration.
        folder: folder for the checkpoint, the metrics and finally the model; created if it does not exist.
        initial: encoder of the same sizes with the initial weights, such as transferred ones; None for random weights.
        schedule: schedule of reports and checkpoints.
        report: function called with the progress.

    Returns:
        `mlm_loss` (nats) and `mlm_accuracy` over the masked tokens of the held-out sequences.

    Raises:
        InputError: the model is illegal, or the checkpoint is corrupt or belongs to another training.
    """
    config, tokenizer = text.config, text.tokenizer
    devices = accelerator(config)
    generator = torch.Generator(devices.device).manual_seed(derived_seed(config.seed, INITIAL))
    description = Description(model, len(tokenizer), config.sequence_length)
    encoder = description.encoder(generator, config.dropout)
    if initial is not None:
        _check_sizes(encoder, initial)
        encoder.load_state_dict(initial.state_dict())
    task = MaskedLanguageModel(encoder)
    identity = {
        "task": "masked-language-model",
        "model": dict(model),
        "config": config.model_dump(),
        "data": text.identity,
        "initial": None if initial is None else digest(initial.state_dict()),
    }
    make_folder(folder)
    steps = config.total_steps(len(text.training))
    train(task, text.batch, steps, config, folder, identity, devices, schedule or ReportIntervals(), report)
    if devices.is_main_process:
        save_task(folder, task, description, tokenizer)
    return held_out_measures(task, text, devices)


@torch.no_grad()
def held_out_measures(task: MaskedLanguageModel, text: MaskedText, devices: Any) -> dict[str, float]:
    """Mean cross-entropy in nats and accuracy over the masked tokens of the held-out sequences.

    Args:
        task: language model; left in evaluation mode.
        text: text with the held-out sequences.
        devices: an `accelerate.Accelerator`.
    """
    task.eval()
    loss, right, asked = 0.0, 0, 0
    for make in text.held_out_batches():
        batch = {name: value.to(devices.device) for name, value in make().items()}
        with devices.autocast():
            output = task(**batch)
        where = batch["labels"] != IGNORED
        count = int(where.sum())
        loss += float(output.loss) * count
        right += int((output.logits.argmax(dim=-1)[where] == batch["labels"][where]).sum())
        asked += count
    return {"mlm_loss": loss / max(1, asked), "mlm_accuracy": right / max(1, asked)}


def _check_sizes(encoder: HeterogeneousEncoder, initial: HeterogeneousEncoder) -> None:
    wanted, given = encoder.state_dict(), initial.state_dict()
    for name in sorted(wanted.keys() | given.keys()):
        if name not in given or name not in wanted or wanted[name].shape != given[name].shape:
            raise InputError(f"The initial weights do not fit the model: {name} is missing or of another shape.")
