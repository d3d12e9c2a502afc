"""`Verb`: something that a user can do with a domain, as an option model and a function.

The command line is made from verbs: `explorer GROUP NAME ...` or, without a group, `explorer NAME ...`. A verb in the
group `simulate` that is named like a simulator stands in for the command that would be made for that simulator.
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

RESERVED = frozenset(("db", "load", "import", "export", "show", "similar", "space", "map", "study", "search", "serve"))
"""First words of the commands that every domain shares; no verb may begin with one."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One command.

    Attributes:
        name: last word of the command.
        help: one sentence in the imperative.
        options: what the user may give; an instance knows by `model_fields_set` what was given.
        run: `module:function`, called with the session and an instance of `options`; imported when it is called.
        group: first word of the command; empty for a command of one word.
        example: a whole command line.

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
        """Run it."""
        run: Callable[[Session, BaseModel], Findings] = resolved(self.run)
        return run(session, options)


def resolved(reference: str) -> Any:
    """What `module:attribute` names.

    Raises:
        ImportError: no such module, or it cannot be imported.
        AttributeError: nothing of that name in it.
    """
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)
