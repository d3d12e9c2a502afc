"""`Verb`: a command of a domain, as an option model and a function.

The command line is generated from verbs: `explorer GROUP NAME ...` or, without a group, `explorer NAME ...`. A verb in
the group `simulate` with the name of a simulator replaces the command that would be generated for that simulator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    from explorer.contracts.session import Session
    from explorer.contracts.table import Findings

RESERVED = frozenset(
    ("db", "load", "import", "export", "show", "list", "similar", "space", "map", "study", "search", "serve")
)
"""The first words of the commands that all domains share; no verb may begin with one."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One command.

    Attributes:
        name: the last word of the command.
        help: one sentence in the imperative.
        options: the option model; `model_fields_set` of an instance says what the user gave.
        run: `module:function`, called with the session and an instance of `options`; imported when it is called.
        group: the first word of the command; empty for a command of one word.
        example: a complete command line.

    Example:
        >>> class Options(BaseModel):
        ...     name: str
        >>> greet = Verb("greet", "Greet somebody.", Options, "bridge.verbs:greet", example="explorer greet --name Ada")
        >>> greet.group
        ''
    """

    name: str
    help: str
    options: type[BaseModel]
    run: str
    group: str = ""
    example: str = ""

    def __call__(self, session: Session, options: BaseModel) -> Findings:
        """Runs the verb."""
        run: Callable[[Session, BaseModel], Findings] = resolved(self.run)
        return run(session, options)


def resolved(reference: str) -> Any:
    """The object that `module:attribute` names.

    Raises:
        ImportError: there is no such module, or it cannot be imported.
        AttributeError: the module has no attribute of this name.
    """
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)
