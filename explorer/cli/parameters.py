"""Flags and positional arguments of a command, generated from option models.

A user's input is text, or a list of texts, until here, where each value is converted to the type of its option. A text
that cannot be converted stays as it is, so that the option model refuses it with its own message.
"""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.markup import escape

from explorer.contracts.options import Option, options_of
from explorer.toolkit.assignments import parsed_value, split_assignments

_LONGEST_CHOICES = 40
_METAVARS: Mapping[Any, str] = {
    bool: "true|false",
    int: "INTEGER",
    float: "NUMBER",
    Path: "PATH",
    str: "TEXT",
    None: "JSON",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A flag or a positional argument of a command.

    Attributes:
        name: the name of its value.
        flags: its flags, such as `--seed`, or `--on/--off`; empty for a positional argument.
        help: the description, with limits and default.
        metavar: the placeholder for the value in the help text.
        type: the type on the command line: `bool` for a switch, `str`, or `list` for a value that may be repeated.
        required: whether the command refuses to run without it.
        value: converts the value from the command line.
        hidden: whether the help text leaves it out.
    """

    name: str
    flags: tuple[str, ...] = ()
    help: str = ""
    metavar: str = "TEXT"
    type: type[bool] | type[str] | type[list[str]] = str
    required: bool = False
    value: Callable[[Any], Any] = lambda given: given
    hidden: bool = False

    def signature(self) -> inspect.Parameter:
        """The parameter from which typer makes a flag or a positional argument."""
        about: dict[str, Any] = {"help": escape(self.help), "hidden": self.hidden, "show_default": False}
        if self.type is not bool:
            about["metavar"] = self.metavar
        declared = typer.Option(*self.flags, **about) if self.flags else typer.Argument(**about)
        kind: Any = {bool: bool | None, str: str | None}.get(self.type, list[str] | None)
        default = inspect.Parameter.empty if self.required else None
        return inspect.Parameter(
            self.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, declared]
        )


def parameters_of(
    model: type[BaseModel], *, without: Iterable[str] = (), defaults: Mapping[str, Any] | None = None
) -> list[Parameter]:
    """A parameter for each option of a model, required ones first.

    Args:
        model: the option model.
        without: names of fields, and flags, that the command itself defines.
        defaults: name -> default instead of the model's.

    Raises:
        InputError: a field has a type that cannot be a flag.
    """
    own = set(without)
    options = [one for one in options_of(model) if one.name not in own and own.isdisjoint(one.names)]
    made = [_parameter(option, (defaults or {}).get(option.name, option.default)) for option in options]
    return sorted(made, key=lambda parameter: not parameter.required)


def taken(parameters: Iterable[Parameter]) -> list[str]:
    """The names and flags that an option model of the same command cannot use."""
    return [name for parameter in parameters for name in (parameter.name, *parameter.flags)]


def given_values(parameters: Iterable[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Name -> value for the parameters that the user gave.

    Args:
        parameters: the parameters of the command.
        given: name -> value from the command line; None or an empty list if it was not given.

    Raises:
        InputError: a file cannot be read, or an assignment has no name.
    """
    return {one.name: one.value(given[one.name]) for one in parameters if given.get(one.name) not in (None, [], ())}


def converted(option: Option, text: str) -> Any:
    """The value of a text in the option's type; the text itself if it cannot be converted."""
    members: Iterable[Enum] = option.enumeration or ()
    for member in members:
        if str(member.value) == text:
            return member
    with suppress(ValueError):
        if option.type is int:
            return int(text)
        if option.type is float:
            return float(text)
        if option.type is Path:
            return Path(text)
        if option.type is None:
            return parsed_value(text)
    return {"true": True, "false": False}.get(text, text) if option.type is bool else text


def _parameter(option: Option, default: Any) -> Parameter:
    return Parameter(
        option.name,
        _flags(option, default),
        _help(option, default),
        _metavar(option),
        list[str] if option.repeated or option.mapping else bool if _is_switch(option) else str,
        option.required,
        _reader(option),
    )


def _is_switch(option: Option) -> bool:
    return option.type is bool and not (option.repeated or option.mapping)


def _flags(option: Option, default: Any) -> tuple[str, ...]:
    """`--on` alone if the default is off, `--on/--no-on` otherwise."""
    if not _is_switch(option) or default is False:
        return option.names
    first, *others = option.names
    return f"{first}/--no-{first.removeprefix('--')}", *others


def _reader(option: Option) -> Callable[[Any], Any]:
    if option.flag.read is not None:
        return option.flag.read
    if option.mapping:
        flag = (*option.names, option.name)[0]
        return lambda texts: {name: converted(option, text) for name, text in split_assignments(texts, flag).items()}
    if option.repeated:
        return lambda texts: [converted(option, text) for text in texts]
    return (lambda given: given) if _is_switch(option) else (lambda text: converted(option, text))


def _metavar(option: Option) -> str:
    if option.flag.metavar:
        return option.flag.metavar
    if option.flag.argument:
        return option.name.upper()
    choices = "|".join(option.choices)
    value = choices if 0 < len(choices) <= _LONGEST_CHOICES else _METAVARS[option.type]
    return f"NAME={value}" if option.mapping else value


def _help(option: Option, default: Any) -> str:
    """The description, with choices, limits and default in brackets."""
    notes = []
    if len("|".join(option.choices)) > _LONGEST_CHOICES:
        notes.append(f"one of {', '.join(option.choices)}")
    if option.limits:
        notes.append(option.limits.removeprefix("of "))
    if (option.repeated or option.mapping) and "repeatable" not in option.help:
        notes.append("repeatable")
    shown = _shown(default)
    if shown and not option.required and "[default" not in option.help:
        notes.append(f"default: {shown}")
    text = option.help if not option.help or option.help[-1] in ".])" else f"{option.help}."
    return f"{text} [{'; '.join(notes)}]".strip() if notes else text


def _shown(default: Any) -> str:
    if default is None or default is False or default in ("", [], (), {}, frozenset()):
        return ""
    if default is True:
        return "on"
    if isinstance(default, Enum):
        return str(default.value)
    if isinstance(default, list | tuple | set | frozenset):
        return ", ".join(_shown(part) for part in default)
    if isinstance(default, float) and math.isfinite(default):
        return f"{default:g}"
    return json.dumps(default, default=str) if isinstance(default, Mapping) else str(default)
