"""The YAML files of AccelTran's publication: an accelerator (`config/`), and a design space (`design_space/`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from explorer.contracts.domain import Reader, SpaceReader
from explorer.contracts.space import Choices
from explorer.domains.accelerator.elector.free import FreeAccelTranSpace
from explorer.domains.accelerator.elector.hardware import HYPERPARAMETERS
from explorer.domains.accelerator.elector.presets import preset
from explorer.domains.accelerator.elector.space import ElectorSpace
from explorer.toolkit.reading import among, key_violations, listed, refused, shown
from graphdb.architecture import Architecture
from graphdb.errors import InputError

_TILES = ("tile_b", "tile_x", "tile_y")
_SAME = ("non_linearity", "pe", "lanes_per_pe", "mac_per_lane", "softmax_per_pe", "batch_size")
_BUFFERS = ("activation_buffer", "weight_buffer", "mask_buffer")
_SIZES = tuple(f"{name}_size" for name in _BUFFERS)
_MEMORY_PARTS = ("banks", "ranks", "channels")
_SCHEDULER = {"compute_ops": True, "memory_ops": False}
"""Kind of operation -> whether the published scheduler cuts it into tiles."""


class OwnAccelTranSpace(ElectorSpace):
    """A space with values that ELECTOR does not have; its designs are designs of `acceltran_free`."""

    name = FreeAccelTranSpace.name

    def graph_of(self, choices: Choices) -> Architecture:
        """The block graph, as a design of `acceltran_free`."""
        free = FreeAccelTranSpace()
        return free.graph_of(free.normalise(choices))


def is_accelerator(value: object) -> bool:
    """Whether a value has the form of a file in AccelTran's `config/`."""
    return isinstance(value, dict) and "main_memory" in value and "tile" in value


def accelerator_choices(value: Mapping[str, Any]) -> Choices:
    """The choices of such a file.

    Raises:
        InputError: a key is missing or unknown, or the file asks for what the simulator cannot do.
    """
    _check("The file", value, ("tile", *_SAME, *_SIZES, "main_memory"), ("loop_unrolling", "scheduler"))
    _check("tile", value["tile"], _TILES)
    choices = {name: value["tile"][name] for name in _TILES} | {name: value[name] for name in _SAME}
    choices |= {f"{name}_mb": value[f"{name}_size"] for name in _BUFFERS}
    memory = value["main_memory"]
    _check("main_memory", memory, ("type", *_MEMORY_PARTS), ("mode",))
    mode = "lb" if memory["type"] == "dram" else "hb"
    if memory.get("mode", mode) != mode:
        raise InputError(refused("The mode of main_memory", memory["mode"], f"{mode} for {shown(memory['type'])}"))
    choices["memory"] = "_".join(str(memory[name]) for name in ("type", *_MEMORY_PARTS))
    if "loop_unrolling" in value:
        choices["loop_order"] = value["loop_unrolling"]
    if "scheduler" in value:
        choices["issue_width"] = _issue_width(value["scheduler"])
    return choices


def is_space(value: object) -> bool:
    """Whether a value has the form of a file in AccelTran's `design_space/`."""
    return isinstance(value, dict) and "main_memory_config" in value and "tile" in value


def space_of(value: Any, place: str) -> ElectorSpace:
    """The space of such a file: a part of ELECTOR's if it has only its values, otherwise one of its own.

    Args:
        value: content of the file.
        place: name of the file, for messages.

    Raises:
        InputError: a key is missing or unknown, or a value is not allowed.
    """
    try:
        options = _options(value)
    except InputError as error:
        raise InputError(f"{place}: {error}") from error
    published = all(among(one, HYPERPARAMETERS[name]) for name, values in options.items() for one in values)
    return ElectorSpace(options) if published else OwnAccelTranSpace(options)


def _options(value: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    _check("The file", value, ("tile", *_SAME, *_SIZES, "main_memory_config"))
    _check("tile", value["tile"], _TILES)
    given = {name: value["tile"][name] for name in _TILES} | {name: value[name] for name in _SAME}
    given |= {f"{name}_mb": value[f"{name}_size"] for name in _BUFFERS}
    given["memory"] = list(_memories(value["main_memory_config"]))
    for name, values in given.items():
        if not isinstance(values, list) or not values:
            raise InputError(refused(name, values, "a list of values"))
        if any(among(one, values[:i]) for i, one in enumerate(values)):
            raise InputError(f"{name} is {shown(values)}; each value counts once.")
    if given["tile_y"] != given["tile_x"]:
        raise InputError(refused("tile_y", given["tile_y"], "the values of tile_x"))
    _check_values(given)
    return {name: tuple(given[name]) for name in HYPERPARAMETERS}


def _check_values(given: Mapping[str, list[Any]]) -> None:
    free, legal = FreeAccelTranSpace(), preset("edge").choices
    for name in HYPERPARAMETERS:
        for one in given[name]:
            tile_y = {"tile_y": one} if name == "tile_x" else {}
            faults = free.violations({**legal, name: one, **tile_y})
            if faults:
                raise InputError(faults[0])


def _memories(given: Any) -> Iterator[str]:
    if not isinstance(given, dict) or not all(isinstance(parts, list) for parts in given.values()):
        raise InputError(refused("main_memory_config", given, "technologies with lists of banks, ranks and channels"))
    for technology, variants in given.items():
        for parts in variants:
            _check(f"A memory {shown(technology)}", parts, _MEMORY_PARTS)
            yield "_".join(str(part) for part in (technology, *(parts[name] for name in _MEMORY_PARTS)))


def _issue_width(scheduler: Any) -> Any:
    _check("scheduler", scheduler, tuple(_SCHEDULER))
    for kind, tiled in _SCHEDULER.items():
        _check(f"{kind} of scheduler", scheduler[kind], ("tiled", "batch_size"))
        if scheduler[kind]["tiled"] is not tiled:
            raise InputError(refused(f"tiled in {kind} of scheduler", scheduler[kind]["tiled"], str(tiled).lower()))
    if not among(scheduler["memory_ops"]["batch_size"], [1]):
        given = scheduler["memory_ops"]["batch_size"]
        raise InputError(refused("batch_size in memory_ops of scheduler", given, "1"))
    return scheduler["compute_ops"]["batch_size"]


def _check(what: str, value: Any, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    if not isinstance(value, dict):
        raise InputError(refused(what, value, f"a mapping with the keys {listed(required)}"))
    faults = key_violations(value, required, optional)
    if faults:
        raise InputError(f"{what}: {faults[0]}")


READERS = (Reader("an accelerator of AccelTran's simulator", is_accelerator, accelerator_choices),)
SPACE_READERS = (SpaceReader("a design space of AccelTran's simulator", space_of, is_space),)
