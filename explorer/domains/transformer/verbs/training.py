"""`explorer pretrain` and `explorer finetune`: train a FlexiBERT model, and store what it reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from explorer.cli.output import AsJson, architecture_json, console, emit, errors, measurement_json, number, short, table
from graphdb.architecture import Architecture, Scalar
from graphdb.connection import open_store
from graphdb.errors import InputError
from graphdb.measurement import Measurement
from graphdb.settings import Settings

if TYPE_CHECKING:
    from explorer.domains.transformer.training.config import TrainingConfig
    from explorer.domains.transformer.training.loop import Progress
    from explorer.domains.transformer.training.start import Start
    from explorer.domains.transformer.transfer import Rule

VERSION = "1"
"""Of what is measured; another one would give other figures."""
VOCABULARY = 50_265
"""Tokens of RoBERTa."""

pretraining = typer.Typer(help="Train a model on text, by masked language modelling.", no_args_is_help=True)
finetuning = typer.Typer(help="Train a pre-trained model for a task.", no_args_is_help=True)

ConfigFile = Annotated[Path | None, typer.Option("--config", help="JSON or YAML file of hyperparameters.")]
Changes = Annotated[
    list[str] | None, typer.Option("--set", help="name=value, a hyperparameter such as steps=1000; repeatable.")
]
ReportEvery = Annotated[int, typer.Option(help="Updates between two lines of metrics.jsonl.")]
CheckpointEvery = Annotated[int, typer.Option(help="Updates between two checkpoints.")]


@pretraining.callback()
def pretrain() -> None:
    """Train a model on text, by masked language modelling."""


@finetuning.callback()
def finetune() -> None:
    """Train a pre-trained model for a task."""


@pretraining.command("flexibert", epilog="Example: explorer pretrain flexibert bert-tiny --corpus a.txt --out tiny")
def pretrain_flexibert(
    model: Annotated[str, typer.Argument(help="Preset, key of the database, or JSON file.")],
    corpus: Annotated[
        list[str],
        typer.Option(
            help="Text, Markdown, CSV, JSON or JSONL file, repeatable; or a data set of the hub, name[:part]."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for checkpoint, metrics and model; what it holds is gone on from.")],
    recipe: Annotated[str, typer.Option(help="Published recipe to begin with.")] = "flexibert2-pretraining",
    config: ConfigFile = None,
    changes: Changes = None,
    tokenizer: Annotated[
        str | None, typer.Option(help="Folder or name on the hub. [default: byte-level BPE of the corpus]")
    ] = None,
    vocabulary: Annotated[int, typer.Option(help="Most tokens of a tokenizer made of the corpus.")] = VOCABULARY,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Folder of a trained model to begin with, whose tokenizer is then the default."),
    ] = None,
    rule: Annotated[
        str | None,
        typer.Option(help="How its weights are taken over: flexibert, ordered or projected. [default: ordered]"),
    ] = None,
    report_every: ReportEvery = 100,
    checkpoint_every: CheckpointEvery = 1000,
    json: AsJson = False,
) -> None:
    """Pre-train a FlexiBERT model; its loss on text held out is stored. The same command goes on after any end."""
    from explorer.domains.transformer.training import start
    from explorer.domains.transformer.training.corpus import load_corpus, masked_text, tokenizer_of
    from explorer.domains.transformer.training.loop import Schedule
    from explorer.domains.transformer.training.pretraining import pretrain as run
    from explorer.domains.transformer.training.saved import digest

    if rule is not None and source is None:
        raise InputError("--rule has no effect by itself; allowed with --from.")
    chosen = _rule(rule or "ordered")
    schedule = Schedule(report_every, checkpoint_every)
    settings = _config(recipe, config, changes)
    architecture = _architecture(model)
    if source is not None and tokenizer is None:
        tokenizer = start.tokenizer_folder(source)
    with errors.status("Reading the corpus"):
        data = load_corpus(corpus)
        text = masked_text(data, tokenizer_of(data, out, tokenizer, vocabulary), settings)
    inherited = None
    if source is not None:
        inherited = start.transferred(source, architecture.choices, len(text.tokenizer), settings, chosen)
    with _shown(out) as report:
        initial = None if inherited is None else inherited.encoder
        measures = run(architecture.choices, text, out, initial=initial, schedule=schedule, report=report)
    about: dict[str, Any] = {"corpus": _names(corpus), "data": text.identity}
    if inherited is not None:
        model_key = _inherit(architecture, inherited, chosen)
        about["start"] = {"rule": chosen, "model": model_key, "weights": digest(inherited.encoder.state_dict())}
    measurement = _measurement("mlm", architecture, settings, about, measures)
    _finish(architecture, measurement, out, json)


@finetuning.command("flexibert", epilog="Example: explorer finetune flexibert tiny --task sst2")
def finetune_flexibert(
    pretrained: Annotated[Path, typer.Argument(help="Folder of a trained model.")],
    task: Annotated[str | None, typer.Option(help="Task of GLUE: cola, sst2, mrpc, stsb, qqp, mnli ...")] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="CSV, JSON or JSONL file with the columns text, text_pair if need be, label; repeatable."),
    ] = None,
    validation: Annotated[
        list[Path] | None, typer.Option(help="File to measure on. [default: a tenth of the data at most]")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the result. [default: the task in PRETRAINED]")] = None,
    recipe: Annotated[
        str, typer.Option(help="Published recipe to begin with; flexibert1-finetuning for the other.")
    ] = "flexibert2-finetuning",
    config: ConfigFile = None,
    changes: Changes = None,
    report_every: ReportEvery = 100,
    checkpoint_every: CheckpointEvery = 1000,
    json: AsJson = False,
) -> None:
    """Fine-tune a trained model on GLUE or on own data; what it reaches is stored. The same command goes on."""
    from explorer.domains.transformer.training.examples import glue_text, own_text
    from explorer.domains.transformer.training.finetuning import finetune as run
    from explorer.domains.transformer.training.loop import Schedule
    from explorer.domains.transformer.training.saved import read_description

    if (task is None) == (not data):
        raise InputError("One of --task and --data is needed, and not both.")
    if validation and not data:
        raise InputError("--validation has no effect with --task; allowed with --data.")
    schedule = Schedule(report_every, checkpoint_every)
    settings = _config(recipe, config, changes)
    architecture = _architecture(read_description(pretrained).model)
    with errors.status("Reading the data"):
        text = glue_text(task) if task else own_text(data or [], settings, validation or [])
    folder = out or pretrained / (task or (data or [])[0].stem)
    with _shown(folder) as report:
        found = run(pretrained, text, settings, folder, schedule=schedule, report=report)
    named = {"task": task} if task else {"data": _names(map(str, data or []))}
    measurement = _measurement(
        "glue" if task else "finetuning", architecture, settings, named | {"inputs": found.identity}, found.measures
    )
    _finish(architecture, measurement, folder, json)


def _rule(name: str) -> Rule:
    from explorer.domains.transformer.transfer import RULES

    for rule in RULES:
        if rule == name:
            return rule
    raise InputError(f"--rule is {name!r}; allowed: {', '.join(RULES)}.")


def _inherit(architecture: Architecture, start: Start, rule: str) -> str:
    """Keep whose weights a model began with; the key of that one."""
    from explorer.domains.transformer.transfer import HOW

    source = _architecture(start.source)
    if source.key != architecture.key:
        with open_store(Settings.from_environment()) as store:
            step: dict[str, Scalar] = {"rule": rule, "ratio": start.ratio}
            store.architectures.add_derived(architecture.key, source.key, HOW, step)
    return source.key


def _config(recipe: str, file: Path | None, changes: list[str] | None) -> TrainingConfig:
    from explorer.domains.transformer.training import config
    from explorer.services.references import parse_settings

    found = config.recipe(recipe)
    if file is not None:
        found = config.read_config(file, found)
    return config.changed(found, parse_settings(changes or []), "--set")


def _architecture(model: str | Mapping[str, Any]) -> Architecture:
    """The model, stored; the database is not held open while a training may take days."""
    from explorer.services.references import resolve_architecture

    with open_store(Settings.from_environment()) as store:
        architecture = resolve_architecture(store, model, domain="transformer")
        store.architectures.add([architecture])
    return architecture


def _names(given: Iterable[str]) -> list[str]:
    """Files without their folders, which say nothing about the result; names on the hub as they are."""
    return [Path(name).name if Path(name).is_file() else name for name in given]


def _measurement(
    simulator: str,
    architecture: Architecture,
    config: TrainingConfig,
    data: dict[str, Any],
    measures: Mapping[str, float],
) -> Measurement:
    settings = config.model_dump(exclude={"seed"}) | data
    return Measurement(simulator, VERSION, {"model": architecture.key}, settings, measures, config.seed)


@contextmanager
def _shown(folder: Path) -> Iterator[Callable[[Progress], None]]:
    """A bar of the progress; Ctrl-C ends in a sentence on how to go on."""
    bars = Bars(
        TextColumn("[bold]training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
        console=errors,
    )
    began = errors.status("Training")  # until there is a loss to be shown, or a refusal

    def report(progress: Progress) -> None:
        if not bars.tasks:
            began.stop()
            bars.start()
            bars.add_task("")
        words = f"loss {progress.loss:.4f}, {progress.sequences_per_s:.0f} sequences/s"
        bars.update(bars.task_ids[0], completed=progress.step, total=progress.steps, description=words)

    began.start()
    try:
        yield report
    except KeyboardInterrupt:
        errors.print(f"Interrupted; the same command goes on from what {folder} holds.", markup=False, soft_wrap=True)
        raise typer.Exit(130) from None
    finally:
        began.stop()
        if bars.tasks:
            bars.stop()


def _finish(architecture: Architecture, measurement: Measurement, folder: Path, json: bool) -> None:
    with open_store(Settings.from_environment()) as store:
        store.measurements.add([measurement])
    if json:
        emit(measurement_json(measurement) | {"model": architecture_json(architecture), "folder": str(folder)})
        return
    rows = table(f"{short(architecture.key)} in {folder}", "measure", "value")
    for name, value in measurement.measures.items():
        rows.add_row(name, number(value))
    console.print(rows)
    console.print(f"stored as {short(measurement.key)}", highlight=False, markup=False)
