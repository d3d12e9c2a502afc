"""The corrections of AccelTran's published simulators, each with the name that turns it on or off.

A run applies the corrections that its switches name: none give the published behaviour, all give the default.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from graphdb.errors import InputError

Part = Literal["program", "cost", "schedule", "energy"]


@dataclass(frozen=True, slots=True)
class Switch:
    """One correction.

    Attributes:
        part: part that it changes: the program, the cost of an operation or transfer, the scheduling, or the energy.
        published: behaviour of the published simulator.
        corrected: corrected behaviour.
    """

    part: Part
    published: str
    corrected: str


SWITCHES = MappingProxyType(
    {
        "weights-once": Switch(
            "program", "weights are loaded once for each sequence of the batch", "weights are loaded once"
        ),
        "embedding-rows": Switch(
            "program",
            "the whole embedding table is loaded and kept in the weight buffer",
            "the rows that the batch looks up are loaded as activations",
        ),
        "residual": Switch("program", "no residual addition", "each sublayer's input is added to its output"),
        "head-merge": Switch(
            "program",
            "the outputs of heads are stored one by one and never combined",
            "the outputs of the heads of a layer are summed into one tensor",
        ),
        "elementwise": Switch(
            "program", "no bias, position or scaling", "bias, position and 1/sqrt(d) are elementwise operations"
        ),
        "activation-shape": Switch(
            "program",
            "a non-linearity over each feed-forward input, after the last product too",
            "a non-linearity over each hidden feed-forward output",
        ),
        "dependencies": Switch(
            "program",
            "normalisation and feed-forward blocks do not wait for their operands",
            "an operation waits for the results that it reads",
        ),
        "write-back": Switch(
            "program", "no result leaves the chip", "outputs, and in training gradients and states, are written back"
        ),
        "backward": Switch(
            "program",
            "a backward graph with gradients in place of weights, and tensors that nothing stores",
            "the gradients of all operands and parameters, and the optimiser's step",
        ),
        "bandwidth": Switch("cost", "a GB/s counts as 20 Gbit/s: 2.5 times too fast", "a GB/s is 8 Gbit/s"),
        "data-bytes": Switch(
            "cost", "an access of 64 bytes moves 64 numbers", "numbers take their 20 bits of an access of 64 bytes"
        ),
        "mask-bytes": Switch("cost", "a mask bit is charged like a number", "a mask takes one bit for each number"),
        "effectual-pairs": Switch(
            "cost",
            "multiplications are skipped by the sparsity of one operand",
            "a multiplication is skipped where either operand is zero",
        ),
        "lane-imbalance": Switch(
            "cost",
            "the multipliers of a lane share the remaining work evenly",
            "a tile takes as long as the expected busiest multiplier of its lane",
        ),
        "operation-sparsity": Switch(
            "cost",
            "one sparsity for all activations",
            "each tensor has the sparsity that DynaTran gives it; tensors that it does not prune are dense",
        ),
        "row-normalisation": Switch(
            "cost",
            "softmax and layer norm treat a tile as a whole: no pass over full rows, sparse ones skipped",
            "softmax and layer norm pass over full rows: statistics, then values",
        ),
        "softmax-units": Switch(
            "schedule", "a softmax tile occupies all free softmax modules of an element", "a tile takes one module"
        ),
        "repeated-tiles": Switch(
            "schedule", "outside heads, one tile of each issue window runs twice", "each tile runs once"
        ),
        "dropped-tiles": Switch(
            "schedule",
            "tiles of another type inside an issue window are dropped",
            "an issue window ends where the type of its tiles changes",
        ),
        "refetch": Switch(
            "schedule",
            "data that do not fit stop the simulation, and evicted data never return",
            "data that do not fit, or were evicted, are streamed from main memory when they are needed",
        ),
        "buffer-reads": Switch(
            "energy",
            "filling a lane's FIFO from a buffer costs nothing",
            "each operand that is not reused is read from its buffer through the FIFO",
        ),
        "sparsity-modules": Switch(
            "energy", "pre- and post-sparsity modules and rounding cost nothing", "they work for each tile"
        ),
        "dataflow-dma": Switch(
            "energy", "dataflow and DMA modules cost nothing", "they work for each tile and transfer"
        ),
        "background": Switch(
            "energy", "an idle main memory costs nothing", "background and refresh power for the whole run"
        ),
        "retention": Switch("energy", "a buffer leaks only while it is written", "a buffer leaks while it holds data"),
        "wake-up": Switch(
            "energy", "power gating costs nothing", "a module that wakes up is charged for what it had saved at most"
        ),
        "control": Switch(
            "energy", "no clock tree, control and interconnect", "a stated share of the dynamic energy and of the area"
        ),
    }
)
"""Name -> correction, in the order in which corrections are listed."""

ALL = frozenset(SWITCHES)


def parse_switches(text: str) -> frozenset[str]:
    """The switches that `all`, `none`, or a list of names such as `bandwidth,residual` turns on.

    A list whose names all begin with `-` turns on all the others.

    Raises:
        InputError: a name is unknown, or only some names begin with `-`.
    """
    if text in {"all", "none"}:
        return ALL if text == "all" else frozenset()
    names = [name.strip() for name in text.split(",")]
    negative = [name.startswith("-") for name in names]
    for name in names:
        if name.removeprefix("-") not in SWITCHES:
            raise InputError(
                f"The correction {name!r:.60} of acceltran is unknown; allowed: all, none, {', '.join(SWITCHES)}."
            )
    if any(negative) and not all(negative):
        raise InputError(f"The corrections are {text!r:.200}; allowed: either all names or none begin with '-'.")
    return ALL - {name[1:] for name in names} if any(negative) else frozenset(names)


def switches_text(switches: Iterable[str]) -> str:
    """The shortest text that `parse_switches` reads back, always the same for the same switches."""
    chosen = frozenset(switches)
    if chosen in {ALL, frozenset()}:
        return "all" if chosen else "none"
    missing = [name for name in SWITCHES if name not in chosen]
    if len(missing) < len(chosen):
        return ",".join(f"-{name}" for name in missing)
    return ",".join(name for name in SWITCHES if name in chosen)
