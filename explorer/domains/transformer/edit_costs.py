"""The costs of editing a Transformer: the line on which FlexiBERT places the labels of blocks.

Source: `generate_dissimilarity_matrix` of `embeddings/utils/graph_util.py`, txf_design-space: input, output, add_norm,
then feed-forwards by width, then linear transforms, attention heads and convolutions by the layer's hidden width and
their type, with a gap of one before each family. The published widths come from an unordered set; here they ascend. A
width between two in the list is placed between them on a logarithmic scale; beyond the ends the line continues, below
the first width by at most one place.

Blocks of decoders, of which nothing is published, stand beside what they resemble: embedding and language head beside
input and output, additions and normalisations between add_norm and the feed-forwards, a gated feed-forward half a place
above a plain one of its width, and heads of keys and values and causal heads after the last family of encoders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import takewhile
from math import log2

from explorer.contracts.metric import Metric
from explorer.contracts.space import Choices
from explorer.domains.transformer.decoder.graph import ADD, EMBEDDING, GATED, HEAD, KEY_VALUE, LANGUAGE_HEAD
from explorer.domains.transformer.decoder.model import Decoder, decoder_of
from explorer.domains.transformer.hierarchy import common_prefix
from explorer.domains.transformer.model import is_decoder, sorted_layers_of
from explorer.domains.transformer.spaces.flexibert2 import PUBLISHED
from explorer.domains.transformer.spaces.layered import Options
from graphdb.architecture import Block
from graphdb.errors import InputError

_FIXED = {
    "input": 0.0,
    "output": 1.0,
    "add_norm": 2.0,
    EMBEDDING: 0.5,
    LANGUAGE_HEAD: 1.5,
    ADD: 2.25,
    "layer_norm": 2.5,
    "rms_norm": 2.75,
}
_FEED_FORWARDS = {"feed_forward": 4.0, GATED: 4.5}
_FAMILIES = ("l", "sa", "c")
_DECODER_HEADS = (KEY_VALUE, HEAD)


@dataclass(frozen=True)
class EditCosts:
    """The line for given widths and head types.

    Attributes:
        hidden: hidden widths of layers, ascending.
        widths: widths of feed-forwards, ascending.
        kinds: types of heads.
    """

    hidden: tuple[int, ...]
    widths: tuple[int, ...]
    kinds: tuple[str, ...]

    @classmethod
    def of(cls, options: Options) -> EditCosts:
        """The line for a space with these options."""
        return cls(tuple(sorted(options.hidden)), tuple(sorted(options.widths)), tuple(options.head_kinds))

    def place(self, block: Block) -> float:
        """The position of a block on the line.

        Raises:
            InputError: it is not a block of a Transformer.
        """
        if block.kind in _FIXED:
            return _FIXED[block.kind]
        if block.kind in _FEED_FORWARDS:
            return _FEED_FORWARDS[block.kind] + _rank(int(block.attributes["width"]), self.widths)
        if block.kind not in self._heads:
            known = ", ".join([*_FIXED, *_FEED_FORWARDS, *self._heads])
            raise InputError(f"A block of type {block.kind!r} has no place in an edit distance; allowed: {known}.")
        start, number, of = self._heads[block.kind]
        return start + of * _rank(int(block.attributes["hidden"]), self.hidden) + number

    @cached_property
    def _heads(self) -> dict[str, tuple[float, int, int]]:
        """Type -> start of its family, its number in the family, and the size of the family."""
        places: dict[str, tuple[float, int, int]] = {}
        start = 5.0 + len(self.widths)
        for family in _FAMILIES:
            members = [kind for kind in self.kinds if kind.split("_")[0] == family]
            places |= {kind: (start, number, len(members)) for number, kind in enumerate(members)}
            start += len(members) * len(self.hidden) + 1.0
        return places | {kind: (start, number, len(_DECODER_HEADS)) for number, kind in enumerate(_DECODER_HEADS)}


GENERAL = EditCosts.of(PUBLISHED)
"""The costs for models of any space, with the widths and types of FlexiBERT 2.0, which include those of FlexiBERT 1."""


def _beginning(first: Choices, second: Choices) -> int:
    if is_decoder(first) or is_decoder(second):
        return _same_layers(decoder_of(first), decoder_of(second)) if is_decoder(first) and is_decoder(second) else 0
    return common_prefix(sorted_layers_of(first), sorted_layers_of(second))


def _same_layers(first: Decoder, second: Decoder) -> int:
    """Number of layers, counted from the input, that are the same in both; 0 if anything but the layers differs."""
    if replace(first, layers=()) != replace(second, layers=()):
        return 0
    pairs = zip(first.layers, second.layers, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


METRIC = Metric(GENERAL.place, ("flexibert", "flexibert_large", "flexibert2"), beginning=_beginning)
"""The edit distance of the domain."""


def _rank(size: int, sizes: Sequence[int]) -> float:
    """The position of a size in a list; fractional if it is between two sizes."""
    if size in sizes or len(sizes) == 1:
        return float(sizes.index(size)) if size in sizes else max(-1.0, log2(size / sizes[0]))
    upper = next((i for i in range(1, len(sizes)) if size < sizes[i]), len(sizes) - 1)
    step = log2(sizes[upper] / sizes[upper - 1])
    return max(-1.0, upper - 1 + log2(size / sizes[upper - 1]) / step)
