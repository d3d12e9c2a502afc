"""The areas of accelerators by formula: what the simulator reports, for thousands of accelerators at once."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.contracts.optimiser import Vector
from explorer.domains.accelerator.acceltran.chip.area import areas
from explorer.domains.accelerator.acceltran.chip.components import components
from explorer.domains.accelerator.acceltran.settings.run import run_settings
from explorer.toolkit.option_space import OptionSpace

_LOGIC = ("tile_x", "pe", "lanes_per_pe", "mac_per_lane", "softmax_per_pe", "non_linearity")
_BUFFERS = ("activation_buffer_mb", "weight_buffer_mb", "mask_buffer_mb")


class Areas:
    """Areas in mm2, from a table of the logic and one of each buffer.

    Clock tree, control and interconnect are a share of everything else, so the area is a sum of four terms.
    """

    def __init__(self, space: OptionSpace, settings: Mapping[str, Any]) -> None:
        """
        Args:
            space: space of the accelerators; their vectors hold the index of each decision.
            settings: all settings of the simulator.
        """
        self._space = space
        self._run = run_settings(settings)
        self._column = {name: place for place, name in enumerate(space.options)}

    def __call__(self, vectors: Vector) -> Vector:
        """The areas of n accelerators in vector form, shape `(n,)`."""
        logic, buffers = self._tables
        index = vectors.astype(np.intp)
        total: Vector = logic[tuple(index[:, self._column[name]] for name in _LOGIC)]
        for name, table in zip(_BUFFERS, buffers, strict=True):
            total = total + table[index[:, self._column[name]]]
        return total

    @cached_property
    def _tables(self) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
        """The area of the logic by its six decisions, and of each buffer by its size."""
        options = self._space.options
        first = self._space.from_vector(self._space.bounds[0])
        buffers = []
        for name in _BUFFERS:
            sizes = np.array([self._area({**first, name: size}) for size in options[name]])
            share = (sizes[-1] - sizes[0]) / (options[name][-1] - options[name][0])  # per MiB
            buffers.append(share * np.array(options[name], dtype=np.float64))
        smallest = sum(float(table[0]) for table in buffers)
        shape = tuple(len(options[name]) for name in _LOGIC)
        logic = np.zeros(shape)
        for place in itertools.product(*map(range, shape)):
            chosen = {name: options[name][index] for name, index in zip(_LOGIC, place, strict=True)}
            logic[place] = self._area({**first, **chosen, "tile_y": chosen["tile_x"]}) - smallest
        return logic, buffers

    def _area(self, choices: Mapping[str, Any]) -> float:
        run = self._run
        return sum(areas(components(choices, run.training, run.overlay), run.switches).values())
