"""A trial of FlexiBERT's search as a real training: masked language modelling on a user's own text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from explorer.contracts.simulator import Simulator
from explorer.domains.transformer.parameters import parameter_count
from explorer.domains.transformer.training import config
from explorer.domains.transformer.training.checkpoint import FILE, write_text
from explorer.domains.transformer.training.config import TrainingConfig
from explorer.domains.transformer.training.corpus import FORMATS, load_corpus, masked_text, tokenizer_of
from explorer.domains.transformer.training.pretraining import pretrain
from explorer.domains.transformer.training.start import transferred
from explorer.domains.transformer.transfer import Rule
from explorer.recipes.flexibert.simulator import PARAMETERS
from explorer.search.threads import one_thread
from graphdb.architecture import Architecture
from graphdb.errors import InputError
from graphdb.measurement import Measurement
from graphdb.settings import Settings

BASE = "flexibert2-pretraining"
"""Published recipe that a training begins with."""
_MEASURES = "measures.json"


class TrainingSettings(BaseModel):
    """What a training takes, besides the model.

    Attributes:
        corpus: text files, or a data set of the hub.
        digest: SHA-256 of the files; None for a data set of the hub.
        tokenizer: folder or name on the hub; None for one made of the corpus.
        vocabulary: most tokens of a tokenizer made of the corpus.
        training: hyperparameters, all of them.
        parent: key of the measurement whose trained weights are taken over; None to begin anew.
        rule: of weight transfer; None without a parent.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    corpus: list[str] = Field(min_length=1)
    digest: str | None = None
    tokenizer: str | None = None
    vocabulary: int = Field(default=50_265, ge=261)
    training: dict[str, Any]
    parent: str | None = None
    rule: Rule | None = None

    @property
    def hyperparameters(self) -> TrainingConfig:
        """All of them, checked.

        Raises:
            InputError: an unknown name, or a value that is not allowed.
        """
        return config.changed(config.recipe(BASE), self.training, "The setting training")


class PretrainingSimulator(Simulator):
    """Trains a model on one core or the GPU, and measures it on text held out.

    The weights stay in the data directory, under the key of the measurement; a training that was killed goes on from
    its checkpoint there.
    """

    name = "flexibert-pretraining"
    version = "1"
    roles = MappingProxyType({"model": "transformer"})
    measures = MappingProxyType(
        {
            "accuracy": "share of masked tokens that are predicted rightly, 0 to 1",
            "mlm_accuracy": "the same",
            "mlm_loss": "cross-entropy of the masked tokens, in nats",
            "parameters": PARAMETERS,
        }
    )

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Checked and complete."""
        try:
            read = TrainingSettings.model_validate(dict(given))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise InputError(f"The setting {place}: {first['msg']}.") from error
        return read.model_dump() | {"training": read.hyperparameters.model_dump()}

    def pending(self, architectures: Mapping[str, Architecture], given: Mapping[str, Any]) -> Measurement:
        """The measurement that `run` will give, its measures still empty."""
        return self._measurement(architectures, self.settings(given), {})

    def run(self, architectures: Mapping[str, Architecture], settings: Mapping[str, Any]) -> Measurement:
        """One training.

        Raises:
            InputError: the corpus cannot be read, or the training diverges.
        """
        full = self.settings(settings)
        model = architectures["model"]
        found = _trained(model, TrainingSettings.model_validate(full), self._measurement(architectures, full, {}).key)
        return self._measurement(
            architectures,
            full,
            {"accuracy": found["mlm_accuracy"], **found, "parameters": float(parameter_count(model.choices))},
        )

    def _measurement(
        self, architectures: Mapping[str, Architecture], settings: Mapping[str, Any], measures: Mapping[str, float]
    ) -> Measurement:
        roles = {"model": architectures["model"].key}
        return Measurement(self.name, self.version, roles, settings, measures, settings["training"]["seed"])


def folder_of(key: str) -> Path:
    """Where the weights of a measurement are kept."""
    return Settings.from_environment().data_directory / "trained" / key


def digest_of(corpus: Sequence[str]) -> str | None:
    """SHA-256 of text files; None for a data set of the hub.

    Raises:
        InputError: a file cannot be read.
    """
    files = [Path(name) for name in corpus]
    if len(files) == 1 and files[0].suffix.lower() not in FORMATS and not files[0].exists():
        return None  # a name on the hub
    found = hashlib.sha256()
    for file in files:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise InputError(f"The corpus {file} cannot be read: {error.strerror}.") from error
        found.update(f"{len(content)}:".encode() + content)
    return found.hexdigest()


def _trained(model: Architecture, settings: TrainingSettings, key: str) -> dict[str, float]:
    folder = folder_of(key)
    finished = folder / _MEASURES
    if not finished.exists():  # else it was killed after the training and before its result was told
        if digest_of(settings.corpus) != settings.digest:
            raise InputError(f"The corpus {', '.join(settings.corpus)} has changed since this study began.")
        with one_thread():  # as many evaluations run side by side as there are workers
            measures = _train(model, settings, folder)
        write_text(finished, json.dumps(measures))
        (folder / FILE).unlink(missing_ok=True)  # three times the size of the weights, and no longer needed
    try:
        read = json.loads(finished.read_text(encoding="utf-8"))
        return {name: float(read[name]) for name in ("mlm_accuracy", "mlm_loss")}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{finished} is damaged; remove {folder}, and the training begins anew.") from error


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
