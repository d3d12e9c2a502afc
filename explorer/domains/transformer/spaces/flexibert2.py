"""The design space of FlexiBERT 2.0: heterogeneous encoders, 1.69e88 of them.

Source: `global_search/design_space/design_space.yaml` and the embedding of the published code of EdgeTran.
"""

from __future__ import annotations

from explorer.domains.transformer.model import HEAD_KINDS
from explorer.domains.transformer.spaces.layered import LayeredSpace, Options

PUBLISHED = Options(
    depths=(2, 4, 6, 8, 10, 12),
    hidden=(128, 256, 512, 768),
    head_counts=(2, 4, 8, 12),
    head_kinds=HEAD_KINDS,
    mixed=True,
    stacks=(1, 2, 3),
    widths=(256, 512, 1024, 2048, 3072, 4096),
)
"""258 feed-forward stacks, 21,805 multisets of heads and 4 widths: 22,502,760 options for a layer."""


class FlexiBert2Space(LayeredSpace):
    """Encoders whose layers may have any multiset of head types.

    The vector form is the published one of 37 integers. The order of the indices of stacks and heads has no metric
    meaning, so a search by graph suits this space better.
    """

    name = "flexibert2"

    def __init__(self) -> None:
        super().__init__(PUBLISHED)
