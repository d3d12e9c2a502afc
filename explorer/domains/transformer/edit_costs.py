"""The costs of editing a Transformer: the line on which FlexiBERT places the labels of blocks.

Source: `generate_dissimilarity_matrix` of `embeddings/utils/graph_util.py`, txf_design-space: input, output, add_norm,
then feed-forwards by width, then linear transforms, attention heads and convolutions by the layer's hidden width and
their type, with a gap of one before each family. The published widths come from an unordered set; here they ascend. A
width between two in the list is placed between them on a logarithmic scale; beyond the ends the line continues, below
the first width by at most one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log2

from explorer.contracts.metric import Metric
from explorer.contracts.space import Choices
from explorer.domains.transformer.hierarchy import common_prefix
from explorer.domains.transformer.model import layers_of
from explorer.domains.transformer.spaces.flexibert2 import PUBLISHED
from explorer.domains.transformer.spaces.layered import Options
from graphdb.architecture import Block
from graphdb.errors import InputError

_FIXED = {"input": 0.0, "output": 1.0, "add_norm": 2.0}
_FAMILIES = ("l", "sa", "c")


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
        if block.kind == "feed_forward":
            return 4.0 + _rank(int(block.attributes["width"]), self.widths)
        if block.kind not in self._heads:
            known = ", ".join([*_FIXED, "feed_forward", *self._heads])
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
        return places


GENERAL = EditCosts.of(PUBLISHED)
"""The costs for models of any space, with the widths and types of FlexiBERT 2.0, which include those of FlexiBERT 1."""


def _beginning(first: Choices, second: Choices) -> int:
    return common_prefix(layers_of(first), layers_of(second))


METRIC = Metric(GENERAL.place, ("flexibert", "flexibert_large", "flexibert2"), beginning=_beginning)
"""The edit distance of the domain."""


def _rank(size: int, sizes: Sequence[int]) -> float:
    """The position of a size in a list; fractional if it is between two sizes."""
    if size in sizes or len(sizes) == 1:
        return float(sizes.index(size)) if size in sizes else max(-1.0, log2(size / sizes[0]))
    upper = next((i for i in range(1, len(sizes)) if size < sizes[i]), len(sizes) - 1)
    step = log2(sizes[upper] / sizes[upper - 1])
    return max(-1.0, upper - 1 + log2(size / sizes[upper - 1]) / step)
