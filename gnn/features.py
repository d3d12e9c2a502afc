"""Attributes of blocks and edges as fixed numeric columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphdb.architecture import Scalar

MAXIMUM_VALUES = 64  # distinct texts kept per attribute; free text would only widen the features

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NumericColumn:
    """A numeric attribute: sign(v) log(1 + |v| / unit), standardised. `unit` is the smallest magnitude seen."""

    name: str
    unit: float
    mean: float
    scale: float

    @classmethod
    def of(cls, name: str, values: Sequence[float]) -> NumericColumn:
        """The column that standardises `values`, which must not be empty."""
        array = np.asarray(values, dtype=np.float64)
        magnitudes = np.abs(array[array != 0.0])
        unit = float(magnitudes.min()) if magnitudes.size else 1.0
        compressed = _compress(array, unit)
        spread = float(compressed.std())
        return cls(name, unit, float(compressed.mean()), spread if spread > 1e-6 else 1.0)

    def transform(self, value: float) -> float:
        """The standardised value."""
        return (float(_compress(np.float64(value), self.unit)) - self.mean) / self.scale


@dataclass(frozen=True, slots=True)
class CategoryColumn:
    """A boolean or textual attribute: one bit per value seen, and one for any other."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class FeatureTable:
    """The fixed columns for the attributes of blocks, or of edges.

    A number takes two columns (value, presence), a text or boolean one per value seen and one for any other value.
    Attributes unknown to the table are left out; absent attributes give zeros.
    """

    numeric: tuple[NumericColumn, ...]
    categories: tuple[CategoryColumn, ...]

    @classmethod
    def of(cls, attributes: Iterable[Mapping[str, Scalar]]) -> FeatureTable:
        """The table of all attributes that occur, in alphabetical order."""
        numbers: dict[str, list[float]] = {}
        texts: dict[str, dict[str, int]] = {}
        for item in attributes:
            for name, value in item.items():
                if _is_number(value):
                    numbers.setdefault(name, []).append(float(value))
                else:
                    counts = texts.setdefault(name, {})
                    counts[_text(value)] = counts.get(_text(value), 0) + 1
        return cls(
            tuple(NumericColumn.of(name, numbers[name]) for name in sorted(numbers)),
            tuple(CategoryColumn(name, _commonest(texts[name])) for name in sorted(texts)),
        )

    @property
    def width(self) -> int:
        """The number of columns."""
        return 2 * len(self.numeric) + sum(len(column.values) + 1 for column in self.categories)

    def row(self, attributes: Mapping[str, Scalar]) -> list[float]:
        """The `width` numbers of one block or edge."""
        cells: list[float] = []
        for number in self.numeric:
            value = attributes.get(number.name)
            cells += [number.transform(float(value)), 1.0] if value is not None and _is_number(value) else [0.0, 0.0]
        for category in self.categories:
            bits = [0.0] * (len(category.values) + 1)
            given = attributes.get(category.name)
            if given is not None and not _is_number(given):
                text = _text(given)
                bits[category.values.index(text) if text in category.values else -1] = 1.0
            cells += bits
        return cells

    def to_json(self) -> dict[str, Any]:
        """The table as JSON."""
        return {
            "numeric": [[column.name, column.unit, column.mean, column.scale] for column in self.numeric],
            "categories": [[column.name, list(column.values)] for column in self.categories],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FeatureTable:
        """The table that `to_json` wrote."""
        return cls(
            tuple(NumericColumn(str(n), float(u), float(m), float(s)) for n, u, m, s in value["numeric"]),
            tuple(CategoryColumn(str(n), tuple(map(str, values))) for n, values in value["categories"]),
        )


def _compress(value: Array | np.float64, unit: float) -> Array:
    return np.asarray(np.sign(value) * np.log1p(np.abs(value) / unit))


def _is_number(value: Scalar) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _commonest(counts: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(sorted(sorted(counts, key=lambda text: (-counts[text], text))[:MAXIMUM_VALUES]))
