"""Principal components, which reduce the embeddings of several members to one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Projection:
    """An affine map: `(x - mean) @ components`.

    Attributes:
        mean: shape `(inputs,)`.
        components: shape `(inputs, width)`.
    """

    mean: Array
    components: Array

    @classmethod
    def of(cls, rows: Array, width: int) -> Projection:
        """The projection of `rows`, shape `(n, inputs)`, on their `width` directions of largest variance.

        The results have mean 0 and mean square norm 1; directions that `rows` do not span give zeros.
        """
        mean = rows.mean(axis=0)
        centred = rows - mean
        _, _, directions = np.linalg.svd(centred, full_matrices=False)
        kept = directions[:width]
        largest = np.argmax(np.abs(kept), axis=1)
        kept = kept * np.sign(kept[np.arange(len(kept)), largest])[:, None]  # the sign of a direction is arbitrary
        components = np.zeros((rows.shape[1], width))
        components[:, : len(kept)] = kept.T
        norm = float(np.sqrt(np.square(centred @ components).sum(axis=1).mean()))
        return cls(mean, components / norm if norm > 1e-9 else components)

    def apply(self, rows: Array) -> NDArray[np.float32]:
        """The projected rows: shape `(n, width)` from `(n, inputs)`."""
        projected: NDArray[np.float32] = ((rows - self.mean) @ self.components).astype(np.float32)
        return projected
