"""`ProgramOptions`: the options that a program depends on besides the model."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from explorer.domains.accelerator.acceltran.settings.run import RunSettings, TrainingRule


class ProgramOptions(NamedTuple):
    """The options that a program depends on besides the model; the last nine are corrections.

    Attributes:
        batch: number of sequences.
        length: number of tokens in a sequence.
        vocabulary: number of rows of the embedding table.
        training, causal, first_layer_only, recompute, optimiser: as in `RunSettings`.
        weights_once, embedding_rows, residual, head_merge, elementwise, activation_shape, dependencies, write_back,
        backward: the corrections of a program in `switches`.
    """

    batch: int
    length: int
    vocabulary: int
    training: bool
    causal: bool
    first_layer_only: bool
    recompute: bool
    optimiser: TrainingRule
    weights_once: bool
    embedding_rows: bool
    residual: bool
    head_merge: bool
    elementwise: bool
    activation_shape: bool
    dependencies: bool
    write_back: bool
    backward: bool

    @property
    def gradients(self) -> bool:
        """Whether the corrected backward graph follows, which reads results of the forward pass."""
        return self.training and self.backward

    @property
    def keeps(self) -> bool:
        """Whether the results of normalisations, non-linearities and the sum with the positions are stored."""
        return self.dependencies or self.gradients

    @property
    def density(self) -> float:
        """Share of the entries of a score matrix that the mask leaves, counted by element."""
        return (self.length + 1) / (2 * self.length) if self.causal else 1.0

    @property
    def scores(self) -> int:
        """Number of scores of one head that the mask leaves."""
        length = self.length
        return self.batch * (length * (length + 1) // 2 if self.causal else length * length)

    def weights(self, elements: int) -> int:
        """Number of elements that are transferred for a weight of `elements`."""
        return elements if self.weights_once else self.batch * elements

    def activations(self, width: int) -> int:
        """Number of elements of an activation of a given width."""
        return self.batch * self.length * width


@lru_cache(maxsize=256)
def program_options(batch_size: int, settings: RunSettings) -> ProgramOptions:
    """The options that the settings of a run imply."""
    on = settings.switches
    return ProgramOptions(
        batch_size,
        settings.sequence_length,
        settings.vocabulary,
        settings.training,
        settings.causal,
        settings.first_layer_only,
        settings.recompute,
        settings.optimiser,
        *(
            name in on
            for name in (
                "weights-once",
                "embedding-rows",
                "residual",
                "head-merge",
                "elementwise",
                "activation-shape",
                "dependencies",
                "write-back",
                "backward",
            )
        ),
    )
