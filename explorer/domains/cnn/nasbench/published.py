"""Networks by the texts of their publications: strings of cells, digits of layers, and hashes that `show` prints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from explorer.contracts.domain import Reader
from explorer.contracts.space import Choices
from explorer.domains.cnn.nasbench import cell_space, macro_space
from explorer.domains.cnn.nasbench.cells import EDGES, OPERATIONS, text_of
from explorer.domains.cnn.nasbench.counts import BLOCKS, IDENTITY, LAYERS
from explorer.domains.cnn.nasbench.tables import cell_indices, cell_number
from graphdb.architecture import Architecture
from graphdb.errors import InputError

_BLOCKS = (IDENTITY, *BLOCKS)
_FIELD = "architecture"
_CELL = re.compile(r"\|(\w+)~0\|\+\|(\w+)~0\|(\w+)~1\|\+\|(\w+)~0\|(\w+)~1\|(\w+)~2\|")
_DIGITS = re.compile(f"[0-2]{{{len(LAYERS)}}}")


def choices_of(text: str) -> Choices:
    """The choices of a published text.

    Args:
        text: the string of a NAS-Bench-201 cell, or the digits of a NAS-Bench-Macro network.

    Raises:
        InputError: it is neither.
    """
    if _DIGITS.fullmatch(text):
        return macro_space.choices_of([_BLOCKS[int(digit)] for digit in text])
    cell = _CELL.fullmatch(text)
    if cell is None:
        raise InputError(
            f"The architecture is {text[:120]!r}; allowed: a cell such as |none~0|+|none~0|none~1|+|none~0|none~1|"
            f"skip_connect~2|, or {len(LAYERS)} digits from 0 to {len(_BLOCKS) - 1}."
        )
    for operation in cell.groups():
        if operation not in OPERATIONS:
            raise InputError(f"An operation of the cell is {operation[:60]!r}; allowed: {', '.join(OPERATIONS)}.")
    return cell_space.choices_of(cell.groups())


def architecture_of(text: str) -> Architecture:
    """The network of a published text.

    Raises:
        InputError: the text is not one.
    """
    choices = choices_of(text)
    if len(choices) == len(EDGES):
        return cell_space.NasBench201Space().build(choices)
    return macro_space.NasBenchMacroSpace().build(choices)


def reference_hashes(choices: Choices) -> dict[str, str]:
    """Published source -> its name of a network: string and index in NAS-Bench-201, digits in NAS-Bench-Macro."""
    if choices.keys() == set(macro_space.DECISIONS):
        return {"nasbench_macro": "".join(str(_BLOCKS.index(one)) for one in macro_space.blocks_of(choices))}
    operations = cell_space.operations_of(choices)
    index = int(cell_indices()[cell_number(operations)])
    return {"nasbench201": text_of(operations), "nasbench201 index": str(index)}


def _read(value: Mapping[str, Any]) -> Choices:
    return choices_of(value[_FIELD])


def _matches(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() == {_FIELD} and isinstance(value[_FIELD], str)


READERS = (Reader("a published network of NAS-Bench-201 or NAS-Bench-Macro", _matches, _read),)
