"""`explorer pretrain` and `explorer finetune`: train a FlexiBERT model and store its scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.contracts.session import Descent, Interrupted, Progress, Session
from explorer.contracts.table import Column, Findings, Table, architecture_json, measurement_json, number, short, words
from explorer.domains.transformer.measures import MEASURES
from explorer.domains.transformer.model import layers_of
from explorer.domains.transformer.verbs.options import FinetuneOptions, PretrainOptions
from explorer.toolkit.assignments import parsed_assignments
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.measurement import Measurement

if TYPE_CHECKING:
    from explorer.domains.transformer.training.config import TrainingConfig
    from explorer.domains.transformer.training.loop import TrainingStep

VERSION = "1"
"""Version of the measurement; it changes whenever a result changes."""


def pretrain(session: Session, options: PretrainOptions) -> Findings:
    """Pre-train a FlexiBERT model by masked language modelling, and store its loss on held-out text."""
    if options.rule is not None and options.source is None:
        raise InputError("--rule has no effect without --from.")
    session.report("loading the training libraries")
    from explorer.domains.transformer.training import start
    from explorer.domains.transformer.training.corpus import load_corpus, masked_text, tokenizer_of
    from explorer.domains.transformer.training.loop import ReportIntervals
    from explorer.domains.transformer.training.pretraining import pretrain as run
    from explorer.domains.transformer.training.saved import digest
    from explorer.domains.transformer.transfer import HOW

    rule = options.rule or "ordered"
    schedule = ReportIntervals(options.report_every, options.checkpoint_every)
    settings = _config(options.recipe, options.config, options.changes)
    architecture = _stored(session, options.model)
    tokenizer = options.tokenizer
    if options.source is not None and tokenizer is None:
        tokenizer = start.tokenizer_folder(options.source)
    session.report("reading the corpus")
    data = load_corpus(options.corpus)
    text = masked_text(data, tokenizer_of(data, options.out, tokenizer, options.vocabulary), settings)
    inherited = None
    if options.source is not None:
        inherited = start.transferred(options.source, architecture.choices, len(text.tokenizer), settings, rule)
    with _shown(session, options.out) as report:
        initial = None if inherited is None else inherited.encoder
        measures = run(architecture.choices, text, options.out, initial=initial, schedule=schedule, report=report)
    about: dict[str, Any] = {"corpus": _names(options.corpus), "data": text.identity}
    if inherited is not None:
        parent = _stored(session, inherited.source)
        if parent.key != architecture.key:
            session.descend([Descent(architecture, parent, HOW, {"rule": rule, "ratio": inherited.ratio})])
        about["start"] = {"rule": rule, "model": parent.key, "weights": digest(inherited.encoder.state_dict())}
    return _kept(session, architecture, _measurement("mlm", architecture, settings, about, measures), options.out)


def finetune(session: Session, options: FinetuneOptions) -> Findings:
    """Fine-tune a trained model on GLUE or on a user's data, and store its scores."""
    if (options.task is None) == (not options.data):
        raise InputError("Either --task or --data is needed, but not both.")
    if options.validation and not options.data:
        raise InputError("--validation has no effect with --task; allowed with --data.")
    session.report("loading the training libraries")
    from explorer.domains.transformer.training.examples import glue_text, own_text
    from explorer.domains.transformer.training.finetuning import finetune as run
    from explorer.domains.transformer.training.loop import ReportIntervals
    from explorer.domains.transformer.training.saved import read_description

    schedule = ReportIntervals(options.report_every, options.checkpoint_every)
    settings = _config(options.recipe, options.config, options.changes)
    architecture = _stored(session, read_description(options.pretrained).model)
    session.report("reading the data")
    text = glue_text(options.task) if options.task else own_text(options.data, settings, options.validation)
    folder = options.out or options.pretrained / (options.task or options.data[0].stem)
    with _shown(session, folder) as report:
        tuned = run(options.pretrained, text, settings, folder, schedule=schedule, report=report)
    named = {"task": options.task} if options.task else {"data": _names(map(str, options.data))}
    simulator = "glue" if options.task else "finetuning"
    about = named | {"inputs": tuned.identity}
    return _kept(session, architecture, _measurement(simulator, architecture, settings, about, tuned.measures), folder)


def _config(recipe: str, file: Path | None, changes: Sequence[str]) -> TrainingConfig:
    from explorer.domains.transformer.training import config

    chosen = config.recipe(recipe)
    if file is not None:
        chosen = config.read_config(file, chosen)
    return config.changed(chosen, parsed_assignments(changes), "--set")


def _stored(session: Session, model: str | Mapping[str, Any]) -> Architecture:
    """Store the model; the database is not held open during a training, which may take days."""
    architecture = session.resolve(model, domain="transformer")
    layers_of(architecture.choices)  # refuses a decoder before anything is stored or read
    session.add([architecture])
    session.release()
    return architecture


def _names(given: Iterable[str]) -> list[str]:
    """Names of files without their folders, which do not affect the result; names on the hub unchanged."""
    return [Path(name).name if Path(name).is_file() else name for name in given]


def _measurement(
    simulator: str,
    architecture: Architecture,
    config: TrainingConfig,
    about: Mapping[str, Any],
    measures: Mapping[str, float],
) -> Measurement:
    """The measurement of a training, to be stored.

    Args:
        simulator: name under which it is stored.
        architecture: model that was trained.
        config: hyperparameters.
        about: other values that the result depends on.
        measures: name -> value.
    """
    settings = config.model_dump(exclude={"seed"}) | dict(about)
    return Measurement(simulator, VERSION, {"model": architecture.key}, settings, measures, config.seed)


@contextmanager
def _shown(session: Session, folder: Path) -> Iterator[Callable[[TrainingStep], None]]:
    """Show the progress of a training; Ctrl-C ends with a sentence on how to continue."""

    def report(step: TrainingStep) -> None:
        words = f"loss {step.loss:.4f}, {step.sequences_per_s:.0f} sequences/s"
        session.advance(Progress(step.step, step.steps, words))

    session.report("training")  # until there is a loss to show, or a refusal
    try:
        yield report
    except KeyboardInterrupt:
        raise Interrupted(f"Interrupted; the same command continues from the checkpoint in {folder}.") from None


def _kept(session: Session, architecture: Architecture, measurement: Measurement, folder: Path) -> Findings:
    session.keep([measurement])
    rows = [[name, number(value)] for name, value in measurement.measures.items()]
    return Findings(
        json=measurement_json(measurement, MEASURES)
        | {"model": architecture_json(architecture), "folder": str(folder)},
        shown=[
            Table(f"{short(architecture.key)} in {folder}", (words("measure"), Column("value")), rows),
            f"stored as {short(measurement.key)}",
        ],
    )
