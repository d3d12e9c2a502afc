"""The training loop, which runs on the devices that accelerate finds and continues from where it was stopped."""

from __future__ import annotations

import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from explorer.domains.transformer.modules.tasks import IGNORED, MaskedLanguageModel, SequenceClassifier
from explorer.domains.transformer.training.checkpoint import load_checkpoint, save_checkpoint, write_text
from explorer.domains.transformer.training.config import TrainingConfig
from explorer.domains.transformer.training.extras import extra
from explorer.domains.transformer.training.order import DROPOUT, derived_seed
from explorer.toolkit.replacing import unwritten
from graphdb.errors import InputError

METRICS = "metrics.jsonl"
PRECISIONS = {"float32": "no", "bfloat16": "bf16"}

REPORT_S = 5.0
"""The most seconds between two reports, however slow the updates between two rows of metrics are."""

Batch = dict[str, Tensor]
Task = MaskedLanguageModel | SequenceClassifier


@dataclass(frozen=True)
class TrainingStep:
    """The progress of a training.

    Attributes:
        step: number of updates done.
        steps: total number of updates.
        loss: mean loss since the last report, in nats, or squared error of a score.
        learning_rate: learning rate of the last update.
        sequences_per_s: mean speed since the training started or continued.
    """

    step: int
    steps: int
    loss: float
    learning_rate: float
    sequences_per_s: float


@dataclass(frozen=True)
class ReportIntervals:
    """Intervals between reports and between checkpoints, in updates; the result does not depend on them.

    Raises:
        InputError: an interval is below 1.
    """

    report_every: int = 100
    checkpoint_every: int = 1000

    def __post_init__(self) -> None:
        for name in ("report_every", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; allowed: 1 or more.")


def accelerator(config: TrainingConfig) -> Any:
    """The devices of the machine, in the precision of a configuration: an `accelerate.Accelerator`."""
    accelerate = extra("accelerate")
    # A process may train in several precisions one after the other; without this the second is refused.
    accelerate.state.AcceleratorState._reset_state()
    unused = accelerate.DistributedDataParallelKwargs(find_unused_parameters=True)  # absolute positions and pooler
    return accelerate.Accelerator(mixed_precision=PRECISIONS[config.precision], kwargs_handlers=[unused])


def make_folder(folder: Path) -> None:
    """Create the folder of a training.

    Raises:
        InputError: it cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be created: {error.strerror}.") from error


def train(
    task: Task,
    batch_of: Callable[[int], Batch],
    steps: int,
    config: TrainingConfig,
    folder: Path,
    identity: Mapping[str, Any],
    devices: Any,
    schedule: ReportIntervals,
    report: Callable[[TrainingStep], None] = lambda step: None,
) -> None:
    """Update the weights of `task` until `steps` updates are done, including those of the folder's checkpoint.

    Order, masking and dropout of an update depend only on the seed and the number of the update, and the checkpoint
    holds everything else. A training that was killed and continued therefore ends with the weights of an uninterrupted
    one: bit for bit on a CPU with the same number of threads.

    Args:
        task: module on the device of `devices`; left in evaluation mode.
        batch_of: number of an update -> its whole batch, including `labels`. Called in a separate thread.
        steps: total number of updates.
        config: configuration of the training.
        folder: existing folder of the checkpoint and the metrics.
        identity: value that a checkpoint must share with this training to continue from it.
        devices: an `accelerate.Accelerator`.
        schedule: schedule of reports and checkpoints.
        report: function called every `report_every` updates, at the end, and where updates are slow every few seconds.

    Raises:
        InputError: the checkpoint is corrupt or belongs to another training, or the loss is no longer finite.
        KeyboardInterrupt: the user stopped it; a checkpoint is written first.
    """
    optimiser = _adamw(task, config)
    done = load_checkpoint(folder, task, optimiser, identity)
    main = devices.is_main_process
    losses = _Losses(folder / METRICS, done) if main else None
    wrapped, _ = devices.prepare(task, optimiser)
    task.train()
    began, first = time.monotonic(), done
    reported = began
    with _interruption() as interrupted, ThreadPoolExecutor(1) as ahead:
        following: Future[Batch] | None = ahead.submit(batch_of, done) if done < steps else None
        while following is not None:
            batch = following.result()
            following = ahead.submit(batch_of, done + 1) if done + 1 < steps and not interrupted() else None
            rate = config.learning_rate_at(done, steps)
            loss = _update(wrapped, task, optimiser, batch, config, rate, done, devices)
            done += 1
            if losses is not None:
                losses.add(loss)
                now = time.monotonic()
                written = done % schedule.report_every == 0 or done == steps
                if written or now - reported >= REPORT_S:
                    speed = (done - first) * config.batch_size / (now - began)
                    report((losses.written if written else losses.reached)(done, steps, rate, speed))
                    reported = now
            stopped = interrupted()
            if main and (done % schedule.checkpoint_every == 0 or done == steps or stopped):
                _check_finite(float(loss), done, rate)
                save_checkpoint(folder, task, optimiser, done, identity)
            if stopped and done < steps:
                raise KeyboardInterrupt
    task.eval()


def _adamw(task: nn.Module, config: TrainingConfig) -> torch.optim.AdamW:
    """An AdamW optimiser that decays all weights except biases and layer norms."""
    kept = {
        parameter
        for module in task.modules()
        for name, parameter in module.named_parameters(recurse=False)
        if isinstance(module, nn.LayerNorm) or name == "bias"
    }
    groups = [
        {"params": [p for p in task.parameters() if p not in kept], "weight_decay": config.weight_decay},
        {"params": [p for p in task.parameters() if p in kept], "weight_decay": 0.0},
    ]
    betas = (config.adam_beta1, config.adam_beta2)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=betas, eps=config.adam_epsilon)


def _update(
    wrapped: nn.Module,
    task: Task,
    optimiser: torch.optim.Optimizer,
    batch: Batch,
    config: TrainingConfig,
    rate: float,
    step: int,
    devices: Any,
) -> Tensor:
    """Do one update with one whole batch; return the loss of this process's share of it."""
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.zero_grad()
    task.encoder.generator.manual_seed(derived_seed(config.seed, DROPOUT, step, devices.process_index))
    asked = (batch["labels"] != IGNORED).sum().clamp(min=1)
    parts = list(_parts(batch, config.micro_batch_size, devices))
    total = torch.zeros((), device=devices.device)
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        with nullcontext() if last else devices.no_sync(wrapped):
            # Each part is weighted by its number of labels, so that the sum is the loss of the whole batch.
            share = (part["labels"] != IGNORED).sum() / asked
            loss = wrapped(**{name: value.to(devices.device) for name, value in part.items()}).loss * share
            devices.backward(loss * devices.num_processes)  # processes average their gradients
        total += loss.detach()
    if config.largest_gradient_norm:
        devices.clip_grad_norm_(task.parameters(), config.largest_gradient_norm)
    optimiser.step()
    return total


def _parts(batch: Batch, size: int | None, devices: Any) -> Iterator[Batch]:
    """The rows of a batch that belong to this process, `size` at a time."""
    rows = torch.arange(len(batch["labels"])).tensor_split(devices.num_processes)[devices.process_index]
    for part in rows.split(size or max(1, len(rows))):
        yield {name: value[part] for name, value in batch.items()}


class _Losses:
    """Collects losses, and appends their means to the file of metrics."""

    def __init__(self, file: Path, done: int) -> None:
        self.file = file
        self.sum: Tensor | float = 0.0
        self.count = 0
        # Rows after the checkpoint belong to updates that are repeated.
        rows = file.read_text(encoding="utf-8").splitlines() if file.exists() and done else []
        write_text(file, "".join(f"{row}\n" for row in rows if _step_of(row) <= done))

    def add(self, loss: Tensor) -> None:
        self.sum = self.sum + loss.double()
        self.count += 1

    def written(self, step: int, steps: int, rate: float, speed: float) -> TrainingStep:
        """Write the mean loss since the last call.

        Args:
            step: number of updates done.
            steps: total number of updates.
            rate: learning rate of the last update.
            speed: sequences per second.

        Returns:
            The progress of the training.

        Raises:
            InputError: the loss is not finite.
        """
        reached = self.reached(step, steps, rate, speed)
        self.sum, self.count = 0.0, 0
        try:
            with self.file.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"step": step, "loss": reached.loss, "learning_rate": rate}) + "\n")
        except OSError as error:
            raise unwritten(self.file, error) from error
        return reached

    def reached(self, step: int, steps: int, rate: float, speed: float) -> TrainingStep:
        """The progress of the training, as `written` returns it, without writing it."""
        loss = float(self.sum) / self.count
        _check_finite(loss, step, rate)
        return TrainingStep(step, steps, loss, rate, speed)


def _check_finite(loss: float, step: int, rate: float) -> None:
    if not math.isfinite(loss):
        raise InputError(
            f"The loss is {loss} at step {step}: the training has diverged; try a learning_rate below {rate:g}."
        )


def _step_of(row: str) -> float:
    try:
        return float(json.loads(row)["step"])
    except (ValueError, KeyError, TypeError):  # half a line, written when the process was killed
        return float("inf")


@contextmanager
def _interruption() -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether Ctrl-C or SIGTERM came; a second one ends the training at once."""
    came = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        if came.is_set():
            raise KeyboardInterrupt
        came.set()

    if threading.current_thread() is not threading.main_thread():
        yield came.is_set
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, note) for number in numbers]
    try:
        yield came.is_set
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
