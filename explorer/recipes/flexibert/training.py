"""Trials of FlexiBERT's search by real training: masked language modelling on a user's text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from explorer.contracts.options import checked
from explorer.contracts.simulator import Roles, Simulator
from explorer.domains.transformer.measures import MLM_ACCURACY, MLM_LOSS, PARAMETERS
from explorer.domains.transformer.parameters import parameter_count
from explorer.domains.transformer.rules import Rule
from explorer.domains.transformer.training.checkpoint import FILE, write_text
from explorer.domains.transformer.training.corpus import FORMATS, load_corpus, masked_text, tokenizer_of
from explorer.domains.transformer.training.pretraining import pretrain
from explorer.domains.transformer.training.start import transferred
from explorer.recipes.flexibert.measures import ACCURACY, TRAINED_MEASURES
from explorer.recipes.flexibert.options import PRETRAINING, TrainingSettings
from explorer.recipes.flexibert.simulator import ROLES
from explorer.search.threads import one_thread
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.settings import Settings

_MEASURES = "measures.json"


class PretrainingSimulator(Simulator):
    """Trains a model on one core or the GPU, and measures it on held-out text.

    The weights are kept in the data directory, under the key of the measurement; a killed training continues from its
    checkpoint there.
    """

    name = PRETRAINING
    version = "1"
    roles = ROLES
    measures = TRAINED_MEASURES
    options = TrainingSettings

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The settings, checked and complete, with all hyperparameters of the training."""
        read = checked(TrainingSettings, given, self.name)
        return read.model_dump(mode="json") | {"training": read.hyperparameters.model_dump(mode="json")}

    def measured(self, architectures: Roles, settings: Mapping[str, Any]) -> Mapping[str, float]:
        """The loss and accuracy on held-out text after one training.

        Args:
            architectures: role -> architecture, with the model.
            settings: complete and checked.

        Raises:
            InputError: the corpus cannot be read, or the training diverges.
        """
        model = architectures["model"]
        key = self.measurement(architectures, settings, {}).key
        reached = _trained(model, checked(TrainingSettings, settings, self.name), key)
        return {
            ACCURACY.name: reached[MLM_ACCURACY.name],
            **reached,
            PARAMETERS.name: float(parameter_count(model.choices)),
        }

    def seed(self, settings: Mapping[str, Any]) -> int:
        """The seed of the training."""
        return int(settings["training"]["seed"])

    def chunk(self, settings: Mapping[str, Any]) -> int:
        """One, because a training takes a long time."""
        del settings
        return 1


def folder_of(key: str) -> Path:
    """The folder of the weights of a measurement."""
    return Settings.from_environment().data_directory / "trained" / key


def digest_of(corpus: Sequence[str]) -> str | None:
    """SHA-256 of text files; None for a data set on the hub.

    Raises:
        InputError: a file cannot be read.
    """
    files = [Path(name) for name in corpus]
    if len(files) == 1 and files[0].suffix.lower() not in FORMATS and not files[0].exists():
        return None  # a name on the hub
    digest = hashlib.sha256()
    for file in files:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise InputError(f"The corpus {file} cannot be read: {error.strerror}.") from error
        digest.update(f"{len(content)}:".encode() + content)
    return digest.hexdigest()


def _trained(model: Architecture, settings: TrainingSettings, key: str) -> dict[str, float]:
    """The loss and accuracy of a training, which is not repeated if it was finished before."""
    folder = folder_of(key)
    finished = folder / _MEASURES
    if not finished.exists():  # otherwise it was killed after the training and before its result was told
        if digest_of(settings.corpus) != settings.digest:
            raise InputError(f"The corpus {', '.join(settings.corpus)} has changed since this study began.")
        with one_thread():  # every worker runs an evaluation of its own at the same time
            measures = _train(model, settings, folder)
        write_text(finished, json.dumps(measures))
        (folder / FILE).unlink(missing_ok=True)  # three times the size of the weights, and no longer needed
    try:
        read = json.loads(finished.read_text(encoding="utf-8"))
        return {name: float(read[name]) for name in (MLM_ACCURACY.name, MLM_LOSS.name)}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{finished} is damaged; remove {folder} to train again.") from error


def _train(model: Architecture, settings: TrainingSettings, folder: Path) -> dict[str, float]:
    hyperparameters = settings.hyperparameters
    rows = load_corpus(settings.corpus)
    text = masked_text(rows, tokenizer_of(rows, folder, settings.tokenizer, settings.vocabulary), hyperparameters)
    initial = None
    if settings.parent is not None:
        rule: Rule = settings.rule or "ordered"
        tokens = len(text.tokenizer)
        initial = transferred(folder_of(settings.parent), model.choices, tokens, hyperparameters, rule).encoder
    return pretrain(model.choices, text, folder, initial=initial)
