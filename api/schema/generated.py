"""GraphQL types generated from option models: the arguments of simulators, and the settings of recipes.

An enumeration becomes a GraphQL enum: an `Enum` class of a simulator under its own name, one of a recipe under the
recipe's title and its name, the choices of a `Literal` under the title and the name of the field. Mappings, and
options that the command line reads with a special function, are JSON.

No client may name a file on the server: options with paths are left out, and where the command line takes a name or a
file, a client gives the name or, as JSON, the content of the file.
"""

# graphene has no types.
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import enum
import inspect
import math
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, cast

import graphene
from graphql import Undefined
from pydantic import BaseModel

from api.schema.scalars import JSON
from explorer.contracts.domain import RecipeEntry, SimulatorEntry
from explorer.contracts.options import Option, options_of
from graphdb.errors import InputError

_SCALARS = {bool: graphene.Boolean, int: graphene.Int, float: graphene.Float, str: graphene.String}
_LARGEST_INT = 2**31 - 1
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]{0,100}")
_SECTION = re.compile(r"^(Args|Attributes|Example|Returns|Raises):", re.MULTILINE)


class Names:
    """The generated types by name, so that a name has only one meaning in a schema.

    Args:
        reserved: the names of other types.
    """

    def __init__(self, reserved: Collection[str] = ()) -> None:
        self._reserved = frozenset(reserved)
        self._enumerations: dict[str, Any] = {}
        self._inputs: set[str] = set()

    def enumeration(self, name: str, members: type[enum.Enum], description: str) -> Any:
        """Returns the GraphQL enum of an `Enum`; an existing one is reused if it has the same values.

        Args:
            name: the name of the type.
            members: the members with their values.
            description: the description of the type.

        Raises:
            InputError: another type, or an enum with other values, has the name.
        """
        known = self._enumerations.get(name)
        if known is not None:
            if _values(known._meta.enum) != _values(members):
                raise InputError(
                    f"The enumeration {name} has the values {', '.join(_values(members))}; another of that name has "
                    f"{', '.join(_values(known._meta.enum))}, and a name has one meaning in the API."
                )
            return known
        self._claim(name)
        self._enumerations[name] = graphene.Enum.from_enum(members, name=name, description=description)
        return self._enumerations[name]

    def input(self, name: str, fields: Mapping[str, Any], description: str) -> Any:
        """Returns a new input type.

        Args:
            name: the name of the type.
            fields: name -> `InputField`.
            description: one sentence.

        Raises:
            InputError: another type has the name.
        """
        self._claim(name)
        if name in self._enumerations:
            raise InputError(f"The API has two types of the name {name}; a name has one meaning.")
        self._inputs.add(name)
        return type(name, (graphene.InputObjectType,), {"__doc__": description, **fields})

    def _claim(self, name: str) -> None:
        checked_name(name)
        if name in self._reserved or name in self._inputs:
            raise InputError(f"The API has two types of the name {name}; a name has one meaning.")


def checked_name(name: str) -> str:
    """Returns the name if GraphQL can use it.

    Raises:
        InputError: GraphQL cannot use the name.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise InputError(
            f"The API cannot use the name {name[:100]!r}; allowed: letters a to z and digits, a letter first."
        )
    return name


def title_of(entry: SimulatorEntry | RecipeEntry) -> str:
    """An entry's title as part of GraphQL names: `steel-truss` becomes `SteelTruss`, `SteelTruss` stays."""
    return _capitalised(entry.title or entry.name)


def mutation_name(entry: SimulatorEntry) -> str:
    """The name of the mutation that runs a simulator.

    Raises:
        InputError: GraphQL cannot use the name.
    """
    return checked_name(f"simulate{title_of(entry)}")


def field_name(name: str) -> str:
    """A registered name as a field name: `steel-truss` becomes `steel_truss`, which clients see as `steelTruss`."""
    return checked_name(re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_"))


def reachable(model: type[BaseModel], hidden: Collection[str] = ()) -> tuple[Option, ...]:
    """The options that a client may set: all except those that name files on the server.

    Args:
        model: the option model.
        hidden: the names of options that are set in another way.
    """
    return tuple(option for option in options_of(model) if option.type is not Path and option.name not in hidden)


def described(option: Option, title: str, names: Names, *, prefixed: bool = False) -> dict[str, Any]:
    """The arguments of `graphene.Argument` and `graphene.InputField` for an option: its type, default and description.

    An option with a default is never null; one whose default is None, or not a plain value, may be omitted or null.

    Args:
        option: the option.
        title: the title of the owner, for the names of enumerations.
        names: the generated types.
        prefixed: whether the names of `Enum` classes also begin with the title.

    Raises:
        InputError: an enumeration has the name of another type.
    """
    default = Undefined if option.required else default_of(option)
    return {
        "type_": _type(option, title, names, prefixed),
        "required": default is not None,
        "default_value": Undefined if default is None else default,
        "description": _description(option),
    }


def plain_type_of(option: Option) -> Any:
    """The type of an option's value, or of each value of a list, with choices as texts."""
    if _is_json(option) or option.type is None:
        return JSON
    if option.type is int and isinstance(option.default, int) and abs(option.default) > _LARGEST_INT:
        return graphene.BigInt
    return _SCALARS[option.type]


def default_of(option: Option) -> Any:
    """The default that the schema shows; None if there is none, or none that GraphQL can express."""
    value = plain(option.default)
    if _is_json(option) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value


def chosen(options: Collection[Option], given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings to pass on: those of the client.

    Values that equal the option model's defaults are left out, because some settings may only be given if they have an
    effect.

    Args:
        options: the options that a client may set.
        given: name -> value, with the defaults of the schema filled in.

    Raises:
        InputError: a text could be the name of a file, which the command line would read.
    """
    settings: dict[str, Any] = {}
    for option in options:
        value = plain(given.get(option.name))
        if option.flag.read is not None and isinstance(value, str) and not _PLAIN_NAME.fullmatch(value):
            raise InputError(
                f"{option.name} is {value!r:.80}; allowed: JSON, or a name of at most 100 letters, digits, '-' and '_'."
            )
        if value is not None and value != default_of(option):
            settings[option.name] = value
    return settings


def plain(value: Any) -> Any:
    """A value as plain JSON: enumeration members as their values, all collections as lists."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in dict(value).items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    return value


def _description(option: Option) -> str | None:
    """The help text, with a note if the command line reads a file."""
    if option.flag.read is not None:
        return f"{option.help} The API takes JSON in place of a file.".strip()
    return option.help or None


def _is_json(option: Option) -> bool:
    return option.mapping or option.type is None or option.flag.read is not None


def _type(option: Option, title: str, names: Names, prefixed: bool) -> Any:
    if _is_json(option):
        return JSON
    kind = _enumeration(option, title, names, prefixed) if option.choices else plain_type_of(option)
    return graphene.List(graphene.NonNull(kind)) if option.repeated else kind


def _enumeration(option: Option, title: str, names: Names, prefixed: bool) -> Any:
    members = option.enumeration
    if members is not None:
        name = (title if prefixed else "") + members.__name__
        text = _SECTION.split(inspect.cleandoc(members.__doc__ or ""))[0].strip()
        return names.enumeration(name, members, text or f"Values of {option.name}.")
    name = title + _capitalised(option.name)
    pairs = {_member(choice): choice for choice in option.choices}
    if len(pairs) < len(option.choices):
        raise InputError(f"The choices of {name} are {', '.join(option.choices)}; some of them have the same name.")
    made = cast("type[enum.Enum]", enum.Enum(name, pairs))
    return names.enumeration(name, made, option.help or f"Values of {option.name}.")


def _member(choice: str) -> str:
    name = re.sub(r"[^A-Za-z0-9]+", "_", choice).upper()
    return name if name[:1].isalpha() else f"_{name}"


def _capitalised(text: str) -> str:
    parts = re.split(r"[^A-Za-z0-9]+", text)
    return "".join(part[:1].upper() + part[1:] for part in parts)


def _values(members: type[enum.Enum]) -> dict[str, Any]:
    return {name: member.value for name, member in members.__members__.items()}
