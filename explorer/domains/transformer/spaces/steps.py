"""Small steps of layered models in vector form, fast enough for searches that look at thousands of models."""

from __future__ import annotations

from collections import Counter
from functools import cached_property

import numpy as np

from explorer.contracts.space import Vector
from explorer.domains.transformer.spaces.layered import LayeredSpace

_HEADS = 6  # exchanges of a head that are looked at in one layer


class Steps:
    """Legal models near a model: some of its neighbours, and models in which all layers change alike.

    The neighbours of a model of many layers are thousands, and one of them hardly differs in its costs. Steps of all
    layers, in which widths, heads or feed-forwards grow or shrink together, cross a large space in a few moves.
    """

    def __init__(self, space: LayeredSpace) -> None:
        self.space = space
        options = space.options
        self._depths = np.array(options.depths)
        self._exchanged: dict[int, list[int]] = {}
        self._widest = len(options.hidden) - 1

    def near(self, vector: Vector, most: int) -> Vector:
        """Up to `most` models one step away, those in which all layers change first; shape `(k, d)`."""
        depth = int(self._depths[int(vector[0])])
        layers = vector[1 : 1 + 3 * depth].reshape(depth, 3).astype(np.intp)
        rows = [self._with(vector, changed) for changed in self._together(layers)]
        rows += self._deeper(vector, layers)
        single = [(j, column, value) for j in range(depth) for column, value in self._one(*layers[j].tolist())]
        left = max(most - len(rows), 0)
        for j, column, value in single[:: max(1, -(-len(single) // left))] if left else ():
            row = vector.copy()
            row[1 + 3 * j + column] = value
            rows.append(row)
        distinct = {row.tobytes(): row for row in rows}
        distinct.pop(vector.tobytes(), None)
        return np.array(list(distinct.values())).reshape(-1, len(vector))

    def _with(self, vector: Vector, layers: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> Vector:
        row = vector.copy()
        row[1 : 1 + layers.size] = layers.ravel()
        return row

    def _together(
        self, layers: np.ndarray[tuple[int, ...], np.dtype[np.intp]]
    ) -> list[np.ndarray[tuple[int, ...], np.dtype[np.intp]]]:
        """Every layer one step wider or narrower, with longer or shorter stacks, or more or fewer heads."""
        changed = []
        for step in (-1, 1):
            wider = layers.copy()
            wider[:, 0] = np.clip(wider[:, 0] + step, 0, self._widest)
            changed.append(wider)
        for column, tables in ((1, self._stacks), (2, self._heads)):
            for table in tables:
                other = layers.copy()
                other[:, column] = table[other[:, column]]
                changed.append(other)
        return changed

    def _deeper(self, vector: Vector, layers: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> list[Vector]:
        """The next smaller depth, without the last layers, and the next larger, in which the last one is repeated."""
        place, rows = int(vector[0]), []
        if place > 0:
            row = vector.copy()
            row[0] = place - 1
            row[1 + 3 * int(self._depths[place - 1]) :] = 0.0
            rows.append(row)
        if place + 1 < len(self._depths):
            row = self._with(
                vector, np.vstack([layers, np.tile(layers[-1], (int(self._depths[place + 1]) - len(layers), 1))])
            )
            row[0] = place + 1
            rows.append(row)
        return rows

    def _one(self, hidden: int, stack: int, heads: int) -> list[tuple[int, int]]:
        """The steps of one layer: the column that changes, and its value."""
        steps = [(0, other) for other in (hidden - 1, hidden + 1) if 0 <= other <= self._widest]
        steps += [(1, int(table[stack])) for table in self._stacks]
        steps += [(2, int(table[heads])) for table in self._heads]
        steps += [(2, other) for other in self._exchanges(heads)]
        return [(column, value) for column, value in dict.fromkeys(steps) if value != (hidden, stack, heads)[column]]

    @cached_property
    def _stacks(self) -> list[np.ndarray[tuple[int, ...], np.dtype[np.intp]]]:
        """For every stack, the index of the one with narrower, wider, one fewer and one more product."""
        options = self.space.options
        index = options.feed_forward_index
        place = {width: at for at, width in enumerate(options.widths)}
        last = len(options.widths) - 1
        narrower, wider, shorter, longer = [], [], [], []
        for stack in options.feed_forwards:
            narrower.append(index[tuple(options.widths[max(place[width] - 1, 0)] for width in stack)])
            wider.append(index[tuple(options.widths[min(place[width] + 1, last)] for width in stack)])
            shorter.append(index.get(stack[:-1], index[stack]))
            longer.append(index.get((*stack, stack[-1]), index[stack]))
        return [np.array(table, dtype=np.intp) for table in (narrower, wider, shorter, longer)]

    @cached_property
    def _heads(self) -> list[np.ndarray[tuple[int, ...], np.dtype[np.intp]]]:
        """For every multiset of heads, the index of the one with fewer and with more heads of its commonest types."""
        options = self.space.options
        index, counts = options.attention_index, options.head_counts
        rank = {kind: at for at, kind in enumerate(options.head_kinds)}
        fewer, more = [], []
        for heads in options.attentions:
            place = counts.index(len(heads))
            common = Counter(heads)
            lower = counts[max(place - 1, 0)]
            left = list(heads)
            while len(left) > lower:
                left.remove(Counter(left).most_common(1)[0][0])
            fewer.append(index[tuple(sorted(left, key=rank.__getitem__))])
            added = counts[min(place + 1, len(counts) - 1)] - len(heads)
            kinds = [kind for kind, _ in common.most_common()] if options.mixed else [heads[0]]
            grown = [*heads, *(kinds[i % len(kinds)] for i in range(added))]
            more.append(index[tuple(sorted(grown, key=rank.__getitem__))])
        return [np.array(table, dtype=np.intp) for table in (fewer, more)]

    def _exchanges(self, heads: int) -> list[int]:
        """Multisets in which one head, or every head if they may not differ, is of another type."""
        if heads not in self._exchanged:
            options = self.space.options
            index, now = options.attention_index, options.attentions[heads]
            rank = {kind: at for at, kind in enumerate(options.head_kinds)}
            every: dict[int, None] = {}
            for kind in options.head_kinds:
                if not options.mixed:
                    every[index[(kind,) * len(now)]] = None
                    continue
                for old in dict.fromkeys(now):
                    changed = list(now)
                    changed[changed.index(old)] = kind
                    every[index[tuple(sorted(changed, key=rank.__getitem__))]] = None
            every.pop(heads, None)
            some = list(every)
            self._exchanged[heads] = some[:: max(1, -(-len(some) // _HEADS))]
        return self._exchanged[heads]
