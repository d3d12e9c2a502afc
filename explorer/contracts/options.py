"""Option models: one pydantic model defines the settings, and every user interface is generated from it.

The command line generates flags from an option model and the API input types, so a field must have a type that both
support: texts, numbers, booleans, enumerations and `Literal`s, paths, lists of these, mappings from names to one of
these, and `None` as an alternative to any of them. A field of another type is refused when its model is registered,
unless a `Flag` says how the field is read, or that no user interface shows it.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from graphdb.errors import InputError

Model = TypeVar("Model", bound=BaseModel)
Scalar = type[bool] | type[int] | type[float] | type[str] | type[Path]
EnumerationClass = type[Enum]

_LONGEST_VALUE = 80


@dataclass(frozen=True, slots=True)
class Flag:
    """Annotation of a field whose name and type do not determine how it appears to users.

    Attributes:
        names: flags instead of the one derived from the field's name, such as `("-k",)`.
        argument: whether it is a positional argument on the command line, not a flag.
        internal: whether it is hidden from users and set by the product itself.
        read: converts a user's text to the value, such as a path to a file's content; the API takes JSON instead.
        metavar: the placeholder for the value in the help text.

    Example:
        >>> class Options(BaseModel):
        ...     count: typing.Annotated[int, Flag(names=("-n",))] = 10
        >>> options_of(Options)[0].flag.names
        ('-n',)
    """

    names: tuple[str, ...] = ()
    argument: bool = False
    internal: bool = False
    read: Callable[[str], Any] | None = None
    metavar: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """One field of an option model, as user interfaces see it.

    Attributes:
        name: the name of the field.
        type: the type of the value, or of each value; None for any JSON value.
        enumeration: the `Enum` whose values are the `choices`; None for a `Literal` or a free value.
        choices: the allowed values; empty for any.
        repeated: whether the value is a list.
        mapping: whether the value is a mapping from names.
        required: whether there is no default.
        default: the default; None if the field is required.
        help: the description of the field.
        allowed: the allowed values in words, for error messages and help texts.
        limits: the limits of a number, such as `from 1 to 64`; empty for none.
        flag: the field's `Flag`.

    Example:
        >>> class Options(BaseModel):
        ...     rule: Literal["safe", "bold"] = "safe"
        >>> (option,) = options_of(Options)
        >>> option.name, option.choices, option.default
        ('rule', ('safe', 'bold'), 'safe')
    """

    name: str
    type: Scalar | None
    enumeration: EnumerationClass | None
    choices: tuple[str, ...]
    repeated: bool
    mapping: bool
    required: bool
    default: Any
    help: str
    allowed: str
    limits: str
    flag: Flag

    @property
    def names(self) -> tuple[str, ...]:
        """Its flags on the command line; none for a positional argument."""
        if self.flag.argument:
            return ()
        return self.flag.names or (f"--{self.name.replace('_', '-')}",)


RESERVED = ("--help", "--json")
"""Flags that every command has."""


@cache
def options_of(model: type[BaseModel]) -> tuple[Option, ...]:
    """The fields of an option model that are shown to users, in order.

    Raises:
        InputError: a field has a type that cannot be a flag, or a flag that another field or every command has.
    """
    every = (_option(model, name, field) for name, field in model.model_fields.items())
    shown = tuple(option for option in every if not option.flag.internal)
    flags = [*RESERVED, *(flag for option in shown for flag in option.names)]
    twice = [flag for at, flag in enumerate(flags) if flag in flags[:at]]
    if twice:
        raise InputError(f"The flag {twice[0]} of {model.__module__}.{model.__qualname__} is taken already.")
    return shown


def checked(model: type[Model], given: Mapping[str, Any], what: str, *, strict: bool | None = None) -> Model:
    """Validates settings with their model.

    Args:
        model: defines what is allowed.
        given: the user's settings.
        what: the owner of the settings, for messages.
        strict: False to read numbers and booleans from texts, as flags give them; None to leave it to the model.

    Raises:
        InputError: a name is unknown or a value is not allowed; the message names it, and what is allowed.
    """
    try:
        return model.model_validate(_with_members(model, given), strict=strict)
    except ValidationError as error:
        raise InputError(refusal(error, model, what)) from None


def _with_members(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` with the members of enumerations in place of their values, which stand for them in JSON."""
    members = _enumerations(model)
    return {
        name: members[name].get(value, value) if name in members and isinstance(value, str) else value
        for name, value in given.items()
    }


@cache
def _enumerations(model: type[BaseModel]) -> Mapping[str, Mapping[str, Enum]]:
    """Field -> value -> member, for the fields that are members of an enumeration."""
    enumerations: dict[str, Mapping[str, Enum]] = {}
    for name, field in model.model_fields.items():
        try:
            shape = _shape(field.annotation)
        except TypeError:
            continue
        if shape.enumeration is not None and not shape.repeated and not shape.mapping:
            enumerations[name] = {str(member.value): member for member in shape.enumeration}
    return enumerations


def refusal(error: ValidationError, model: type[BaseModel], what: str) -> str:
    """The first error that pydantic reports, as one sentence: the place, what was found and what is allowed.

    Args:
        error: raised when `model` validated a value.
        model: the option model.
        what: the owner of the settings.
    """
    first = error.errors(include_url=False)[0]
    if first["type"] == "value_error":  # raised by one of our validators, whose message says more
        return str(first["msg"]).removeprefix("Value error, ")
    place = ".".join(str(part) for part in first["loc"])
    name = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
        return f"There is no setting {name[:_LONGEST_VALUE]!r} of {what}; allowed: {', '.join(shown_names(model))}."
    if first["type"] == "missing":
        return f"The setting {place} of {what} is missing; it has no default."
    field = model.model_fields.get(name)
    if field is None:
        return f"{what}: {first['msg']}."
    given = f"{first['input']!r:.{_LONGEST_VALUE}}"
    return f"The setting {place} of {what} is {given}; allowed: {_allowed(field)}."


def shown_names(model: type[BaseModel]) -> list[str]:
    """The names of the fields that a user may set."""
    return [
        name
        for name, field in model.model_fields.items()
        if not any(isinstance(part, Flag) and part.internal for part in field.metadata)
    ]


def _option(model: type[BaseModel], name: str, field: FieldInfo) -> Option:
    flag = next((part for part in field.metadata if isinstance(part, Flag)), Flag())
    shape = _Shape(None, None, (), False, False)
    if not flag.internal and flag.read is None:
        try:
            shape = _shape(field.annotation)
        except TypeError:
            raise InputError(
                f"The field {name} of {model.__module__}.{model.__qualname__} has a type that cannot be a flag: "
                f"{field.annotation}; allowed: text, numbers, booleans, choices, paths, lists and mappings of these, "
                "or a Flag that reads it."
            ) from None
    elif flag.read is not None:
        shape = _Shape(str, None, (), False, False)
    default = None if field.default is PydanticUndefined else field.default
    if field.default_factory is not None:
        default = field.get_default(call_default_factory=True, validated_data={})
    return Option(
        name,
        shape.type,
        shape.enumeration,
        shape.choices,
        shape.repeated,
        shape.mapping,
        field.is_required(),
        default,
        field.description or "",
        _allowed(field),
        _limits(field).strip(),
        flag,
    )


@dataclass(frozen=True, slots=True)
class _Shape:
    type: Scalar | None
    enumeration: EnumerationClass | None
    choices: tuple[str, ...]
    repeated: bool
    mapping: bool


def _shape(annotation: Any) -> _Shape:
    """The shape of a type.

    Raises:
        TypeError: the type cannot be a flag.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return _shape(arguments[0])
    if origin in (Union, types.UnionType):
        parts = [part for part in arguments if part is not type(None)]
        if len(parts) == 1:
            return _shape(parts[0])
        raise TypeError
    if origin is Literal and all(isinstance(choice, str) for choice in arguments):
        return _Shape(str, None, arguments, False, False)
    if origin in (list, tuple, frozenset, set):
        inner = _shape(arguments[0])
        if inner.repeated or inner.mapping:
            raise TypeError
        return _Shape(inner.type, inner.enumeration, inner.choices, True, False)
    if origin in (dict, Mapping, typing.Mapping) and arguments[0] is str:
        inner = _Shape(None, None, (), False, False) if arguments[1] is Any else _shape(arguments[1])
        return _Shape(inner.type, inner.enumeration, inner.choices, False, True)
    if isinstance(annotation, type):
        if issubclass(annotation, Enum):
            return _Shape(str, annotation, tuple(str(member.value) for member in annotation), False, False)
        for known in (bool, int, float, str, Path):
            if annotation is known:
                return _Shape(known, None, (), False, False)
    raise TypeError


_WORDS: Mapping[Any, str] = {
    bool: "true, false",
    int: "an integer",
    float: "a number",
    str: "text",
    Path: "a path",
}


def _allowed(field: FieldInfo) -> str:
    """The allowed values of a field, in words."""
    try:
        shape = _shape(field.annotation)
    except TypeError:
        return field.description or "another value"
    text = ", ".join(shape.choices) or (_WORDS[shape.type] if shape.type else "any JSON value") + _limits(field)
    if shape.mapping:
        return f"names, each with a value: {text}"
    return f"a list of: {text}" if shape.repeated else text


def _limits(field: FieldInfo) -> str:
    # pydantic keeps a limit as a value of one attribute, named after the comparison
    limits = {
        name: getattr(part, name) for part in field.metadata for name in ("ge", "gt", "le", "lt") if hasattr(part, name)
    }
    low = f"{limits['ge']}" if "ge" in limits else f"above {limits['gt']}" if "gt" in limits else ""
    high = f"{limits['le']}" if "le" in limits else f"below {limits['lt']}" if "lt" in limits else ""
    if low and high:
        return f" from {low} to {high}"
    if low:
        return f" {low}" if low.startswith("above") else f" of at least {low}"
    if high:
        return f" {high}" if high.startswith("below") else f" of at most {high}"
    return ""
