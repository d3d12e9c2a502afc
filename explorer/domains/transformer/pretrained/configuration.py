"""`FlexiBertConfig`: the configuration of a FlexiBERT model in `config.json`."""

# mypy does not see the types of transformers.
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from typing import Any

from explorer.contracts.space import Choices
from explorer.domains.transformer.model import layers_of, model_violations
from explorer.domains.transformer.training.extras import extra
from explorer.toolkit.reading import is_integer, refused
from graphdb.errors import InputError

transformers = extra("transformers")

MODEL_TYPE = "flexibert"
_MINI = {"l": 2, "o": [["sa_sdp_64"] * 2] * 2, "h": [128, 128], "f": [[512], [512]]}
_MOST = 1 << 24


class FlexiBertConfig(transformers.PreTrainedConfig):  # type: ignore[name-defined]
    """Configuration of a FlexiBERT model.

    Args:
        design: the model dictionary (`l`, `o`, `h`, `f`); BERT-Tiny by default.
        vocab_size: number of tokens.
        max_position_embeddings: length of the longest sequence in tokens.
        hidden_dropout_prob: share of embeddings, probabilities and outputs that training sets to zero.
        tie_word_embeddings: whether the head of a language model shares the word embeddings.

    Raises:
        InputError: the dictionary is illegal, or a number is out of range.
    """

    model_type = MODEL_TYPE

    def __init__(
        self,
        design: Choices | None = None,
        vocab_size: int = 30522,
        max_position_embeddings: int = 512,
        hidden_dropout_prob: float = 0.1,
        tie_word_embeddings: bool = True,
        **others: Any,
    ) -> None:
        self.design = _MINI if design is None else design
        violations = model_violations(self.design)
        sizes = {"vocab_size": vocab_size, "max_position_embeddings": max_position_embeddings}
        violations += [
            refused(name, value, f"a whole number from 1 to {_MOST}")
            for name, value in sizes.items()
            if not is_integer(value) or not 1 <= value <= _MOST
        ]
        share = hidden_dropout_prob
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1:
            violations.append(refused("hidden_dropout_prob", share, "0 to below 1"))
        if violations:
            raise InputError(f"The configuration of a FlexiBERT model is illegal: {violations[0]}")
        self.vocab_size = vocab_size
        self.max_position_embeddings = max_position_embeddings
        self.hidden_dropout_prob = hidden_dropout_prob
        self.tie_word_embeddings = tie_word_embeddings
        self.type_vocab_size = 1
        layers = layers_of(self.design)
        self.num_hidden_layers = len(layers)
        self.hidden_size = layers[-1].hidden
        for derived in ("type_vocab_size", "num_hidden_layers", "hidden_size"):
            others.pop(derived, None)  # derived from the design, whatever a file says
        super().__init__(**others)
