"""The design spaces of FlexiBERT 1: all heads of a layer are of one type.

Source: `design_space_test.yaml`, `design_space_small.yaml` and `design_space.yaml` of txf_design-space. The first is
the space of the published search.
"""

from __future__ import annotations

from dataclasses import replace

from explorer.contracts.space import Choices
from explorer.domains.transformer.model import HEAD_KINDS
from explorer.domains.transformer.spaces.layered import LayeredSpace, Options
from explorer.domains.transformer.standard import from_standard, is_standard, standard_violations

PUBLISHED = Options(
    depths=(2, 4),
    hidden=(128, 256),
    head_counts=(2, 4),
    head_kinds=("sa_sdp", "sa_wma", "l_dft", "l_dct", "c_5", "c_9"),
    mixed=False,
    stacks=(1, 3),
    widths=(512, 1024),
)
SMALL = replace(PUBLISHED, head_kinds=HEAD_KINDS, stacks=(1, 2, 3), widths=(512, 1024, 2048))
LARGE = replace(SMALL, depths=(2, 4, 6), hidden=(128, 256, 512), head_counts=(2, 4, 8), widths=(512, 1024, 2048, 4096))


class _FlexiBert1Space(LayeredSpace):
    """Also accepts model dictionaries of FlexiBERT 1 (with the keys `n` and `p`), and keeps them in the form of 2.0."""

    def violations(self, choices: Choices) -> list[str]:
        """The reasons why `choices`, which may be any JSON value, are illegal in either form."""
        if not is_standard(choices):
            return super().violations(choices)
        return standard_violations(choices) or super().violations(from_standard(choices))

    def normalise(self, choices: Choices) -> Choices:
        """The dictionary of FlexiBERT 2.0, with heads in the order of the types."""
        return super().normalise(from_standard(choices) if is_standard(choices) else choices)


class FlexiBert1Space(_FlexiBert1Space):
    """3,317,817,600 encoders of 2 or 4 layers: the space of the published search."""

    name = "flexibert"

    def __init__(self) -> None:
        super().__init__(PUBLISHED)


class SmallFlexiBert1Space(_FlexiBert1Space):
    """Encoders from BERT-Tiny to BERT-Mini."""

    name = "flexibert_small"

    def __init__(self) -> None:
        super().__init__(SMALL)


class LargeFlexiBert1Space(_FlexiBert1Space):
    """Encoders from BERT-Tiny to beyond BERT-Small."""

    name = "flexibert_large"

    def __init__(self) -> None:
        super().__init__(LARGE)
