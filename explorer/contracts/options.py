"""Option models: one pydantic model says what may be set, and every surface is made from it.

The command line makes flags of an option model and the API makes input types, so a field may only have a type that both
know: texts, numbers, booleans, enumerations and `Literal`s, paths, lists of these, mappings from names to one of these,
and `None` beside any of them. A field of another type is refused when its model is registered, unless a `Flag` says how
the field is read, or that no surface shows it.
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
    """How a field appears where its name and type do not say; annotate the field with it.

    Attributes:
        names: flags in place of the one that is made of the field's name, such as `("-k",)`.
        argument: on the command line, a position and no flag.
        internal: on no surface; set by the product itself.
        read: makes the value from a user's text, such as a file's content from its path; the API takes JSON instead.
        metavar: what stands for the value in the help text.

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
    """One field of an option model, as surfaces see it.

    Attributes:
        name: of the field.
        type: of the value, or of each value; None for any JSON value.
        enumeration: the `Enum` that `choices` are the values of; None for a `Literal` or a free value.
        choices: the values that are allowed; empty for any.
        repeated: whether the value is a list.
        mapping: whether the value is a mapping from names.
        required: whether there is no default.
        default: None where it is required, or None itself.
        help: description of the field.
        allowed: what may be given, as error messages and help texts say it.
        limits: of a number, such as `from 1 to 64`; empty for none.
        flag: how it appears.

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
        """Its flags on the command line; none for a position."""
        if self.flag.argument:
            return ()
        return self.flag.names or (f"--{self.name.replace('_', '-')}",)


RESERVED = ("--help", "--json")
"""Flags that every command has."""


@cache
def options_of(model: type[BaseModel]) -> tuple[Option, ...]:
    """The fields of an option model that surfaces show, in order.

    Raises:
        InputError: a field has a type that can be no flag, or a flag that another field or every command has.
    """
    every = (_option(model, name, field) for name, field in model.model_fields.items())
    shown = tuple(option for option in every if not option.flag.internal)
    flags = [*RESERVED, *(flag for option in shown for flag in option.names)]
    twice = [flag for at, flag in enumerate(flags) if flag in flags[:at]]
    if twice:
        raise InputError(f"The flag {twice[0]} of {model.__module__}.{model.__qualname__} is taken already.")
    return shown


def checked(model: type[Model], given: Mapping[str, Any], what: str, *, strict: bool | None = None) -> Model:
    """Settings read by their model.

    Args:
        model: says what is allowed.
        given: by the user.
        what: the settings are of, for messages.
        strict: False to read numbers and booleans out of texts, as flags give them; None to leave it to the model.

    Raises:
        InputError: an unknown name or a value that is not allowed; the message says which, and what is allowed.
    """
    try:
        return model.model_validate(_with_members(model, given), strict=strict)
    except ValidationError as error:
        raise InputError(refusal(error, model, what)) from None


def _with_members(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` with the members of enumerations in the place of their values, which is how JSON has them."""
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
    """The first fault that pydantic found, as one sentence: the place, what was found and what is allowed.

    Args:
        error: raised when `model` read a value.
        model: that read it.
        what: the settings are of.
    """
    first = error.errors(include_url=False)[0]
    if first["type"] == "value_error":  # raised by a validator of ours, which says more
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
    """Names of the fields that a user may set."""
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
                f"The field {name} of {model.__module__}.{model.__qualname__} has a type that can be no flag: "
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
        TypeError: it can be no flag.
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
    """What a field allows, in words."""
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
