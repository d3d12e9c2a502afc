"""Users' YAML files: small, without repeated keys, aliases, and values that YAML takes for others than they seem."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from explorer.toolkit.json_file import read_text
from explorer.toolkit.reading import shown
from graphdb.errors import InputError

LARGEST_FILE_BYTES = 1 << 20

_BOOLEANS = ("true", "false")
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*|0x[0-9a-fA-F]+|[0-9]+\.[0-9]*([eE][-+]?[0-9]+)?|\.[0-9]+([eE][-+]?[0-9]+)?)")
"""Numbers that mean the same to people, JSON and all versions of YAML."""


def read_yaml(file: Path, what: str) -> Any:
    """The content of a YAML file.

    Args:
        file: the file to read.
        what: the expected content, for messages.

    Raises:
        InputError: the file is unreadable, larger than 1 MiB or not YAML, or has a repeated key, an alias, or a value
            that YAML 1.1 takes for another than it seems: 0512 for 330, 1:30 for 90, 1_000 for 1000, yes for true.
    """
    text = read_text(file, f"The {what} {file}", LARGEST_FILE_BYTES, f"a {what}")
    try:
        _refuse_surprises(file, yaml.compose(text, Loader=yaml.SafeLoader))
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError(f"{file}{where}: {getattr(error, 'problem', None) or 'not YAML'}; YAML is needed.") from error
    except InputError:
        raise
    except (RecursionError, ValueError) as error:
        raise InputError(f"{file} is nested too deeply or holds a value out of range; YAML is needed.") from error


def _refuse_surprises(file: Path, node: yaml.Node | None) -> None:
    """Refuses what people and YAML read differently.

    These are repeated keys, of which YAML silently keeps the last; aliases, which hide values from readers; and plain
    words and numbers that YAML 1.1 takes for another value.
    """
    seen: set[int] = set()

    def walk(part: yaml.Node) -> None:
        if id(part) in seen:
            raise InputError(f"{file}, line {part.start_mark.line + 1}: aliases are not allowed; write the entry out.")
        seen.add(id(part))
        if isinstance(part, yaml.ScalarNode):
            _refuse_misread(file, part)
        if isinstance(part, yaml.SequenceNode):
            for item in part.value:
                walk(item)
        if isinstance(part, yaml.MappingNode):
            keys = [key.value for key, _ in part.value]
            for key, value in part.value:
                if isinstance(key.value, str) and keys.count(key.value) > 1:
                    line = key.start_mark.line + 1
                    raise InputError(f"{file}, line {line}: the key {shown(key.value)} stands there twice.")
                if isinstance(key, yaml.ScalarNode):
                    _refuse_misread(file, key)
                walk(value)

    if node is not None:
        walk(node)


def _refuse_misread(file: Path, scalar: yaml.ScalarNode) -> None:
    """Refuses a plain word or number whose meaning in YAML 1.1 is not what it seems."""
    text, kind = str(scalar.value), scalar.tag.rpartition(":")[2]
    if scalar.style is not None:  # in quotes
        return
    if kind == "bool" and text.lower() not in _BOOLEANS:
        meaning = yaml.safe_load(text)
        advice = f"write {'true' if meaning else 'false'}, or the word in quotes"
    elif kind in ("int", "float") and text.strip("-+.").isalpha():  # .nan and .inf, which are what they seem
        return
    elif kind in ("int", "float") and not _NUMBER.fullmatch(text):
        meaning = yaml.safe_load(text)
        advice = "write a plain decimal number, or the text in quotes"
    else:
        return
    line = scalar.start_mark.line + 1
    raise InputError(f"{file}, line {line}: YAML takes {shown(text)} for {shown(meaning)}; {advice}.")
