"""Users' YAML files: small, without repeated keys and aliases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from explorer.toolkit.reading import shown
from graphdb.errors import InputError

LARGEST_FILE_BYTES = 1 << 20


def read_yaml(file: Path, what: str) -> Any:
    """The content of a YAML file.

    Args:
        file: the file to read.
        what: the expected content, for messages.

    Raises:
        InputError: the file is unreadable, larger than 1 MiB or not YAML, or has a repeated key or an alias.
    """
    try:
        with file.open(encoding="utf-8") as stream:
            text = stream.read(LARGEST_FILE_BYTES + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"The {what} {file} cannot be read: {reason}.") from error
    if len(text) > LARGEST_FILE_BYTES:
        raise InputError(f"The {what} {file} is larger than {LARGEST_FILE_BYTES >> 20} MiB.")
    try:
        _refuse_repeats(file, yaml.compose(text, Loader=yaml.SafeLoader))
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError(f"{file}{where}: {getattr(error, 'problem', None) or 'not YAML'}; YAML is needed.") from error
    except InputError:
        raise
    except (RecursionError, ValueError) as error:
        raise InputError(f"{file} is nested too deeply or holds a value out of range; YAML is needed.") from error


def _refuse_repeats(file: Path, node: yaml.Node | None) -> None:
    """Refuses repeated keys, of which YAML silently keeps the last, and aliases, which hide values from readers."""
    seen: set[int] = set()

    def walk(part: yaml.Node) -> None:
        if id(part) in seen:
            raise InputError(f"{file}, line {part.start_mark.line + 1}: aliases are not allowed; write the entry out.")
        seen.add(id(part))
        if isinstance(part, yaml.SequenceNode):
            for item in part.value:
                walk(item)
        if isinstance(part, yaml.MappingNode):
            keys = [key.value for key, _ in part.value]
            for key, value in part.value:
                if isinstance(key.value, str) and keys.count(key.value) > 1:
                    line = key.start_mark.line + 1
                    raise InputError(f"{file}, line {line}: the key {shown(key.value)} stands there twice.")
                walk(value)

    if node is not None:
        walk(node)
