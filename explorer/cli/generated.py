"""Commands generated from the option models and verbs that domains declare."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import typer
from rich.markup import escape

from explorer.cli.lazy import Command, Entry, LazyGroup
from explorer.cli.notes import noted, noting
from explorer.cli.output import JSON_HELP, emit, errors, show
from explorer.cli.parameters import Parameter, given_values, parameters_of
from explorer.cli.progress import displayed
from explorer.contracts.options import checked
from explorer.contracts.session import Interrupted
from explorer.contracts.table import Findings
from graphdb.settings import Settings

if TYPE_CHECKING:
    from explorer.contracts.verb import Verb
    from explorer.services.session import DatabaseSession


@dataclass(frozen=True)
class Printed:
    """The results of a command that prints them in its own way.

    Attributes:
        json: the JSON for machines.
        show: prints the results for people.
    """

    json: Any
    show: Callable[[], None]


Run = Callable[[dict[str, Any]], Findings | Printed]
"""The user's values by name -> the results."""

INTERRUPTED = 130
_AS_JSON = Parameter("as_json", ("--json",), JSON_HELP, type=bool)


def command(name: str, help_text: str, parameters: Iterable[Parameter], run: Run, *examples: str) -> Command:
    """Makes a command with some parameters and `--json`.

    Args:
        name: the last word of the command.
        help_text: the help text.
        parameters: its flags and positional arguments.
        run: called with the user's values; its results are printed.
        examples: complete command lines.

    Returns:
        The command, to be run or added to a group.
    """
    own = list(parameters)

    def body(**given: Any) -> None:
        as_json = bool(given.pop("as_json"))
        try:
            findings = run(given_values(own, given))
        except Interrupted as error:
            errors.print(str(error), markup=False, soft_wrap=True)
            raise typer.Exit(INTERRUPTED) from None
        if isinstance(findings, Findings):
            show(findings, as_json)
        elif as_json:
            emit(findings.json)
        else:
            findings.show()

    signature = inspect.Signature([parameter.signature() for parameter in (*own, _AS_JSON)])
    body.__signature__ = signature  # type: ignore[attr-defined]
    body.__annotations__ = {one.name: one.annotation for one in signature.parameters.values()}
    app = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
    epilog = "\n\n".join(f"Example: {escape(example)}" for example in examples if example)
    app.command(name, help=escape(help_text), epilog=epilog or None)(body)
    made: Command = typer.main.get_command(app)  # type: ignore[assignment]
    return made


def verb_entry(verb: Verb) -> Entry:
    """The entry of a verb's command."""
    return Entry(lambda: verb.help, lambda arguments: _verb_command(verb))


def verb_groups(verbs: Iterable[Verb]) -> Mapping[str, Mapping[str, Entry]]:
    """The verbs of all domains by the first word of their commands; `""` for commands of one word."""
    groups: dict[str, dict[str, Entry]] = {}
    for verb in verbs:
        groups.setdefault(verb.group, {})[verb.name] = verb_entry(verb)
    return groups


def group_entry(name: str, entries: Mapping[str, Entry]) -> Entry:
    """A group of commands, described by its only command, or else by the names of its commands.

    Args:
        name: the name of the group.
        entries: name -> command.
    """

    def about() -> str:
        return next(iter(entries.values())).help() if len(entries) == 1 else f"One of {', '.join(entries)}."

    return Entry(about, lambda arguments: LazyGroup(name=name, help=escape(about()), entries=lambda: entries))


def session_of(display: Any, notes: list[str]) -> DatabaseSession:
    """A session with the database that the environment names.

    Args:
        display: shows the progress.
        notes: the list to which notes of reading are added; they are also printed.
    """
    from explorer.services.session import DatabaseSession

    return DatabaseSession(Settings.from_environment(), display.report, display.advance, noting(notes))


def _verb_command(verb: Verb) -> Command:
    spoken = f"{verb.group} {verb.name}".strip()

    def run(verb: Verb, given: dict[str, Any]) -> Findings:
        options = checked(verb.options, given, spoken, strict=False)
        notes: list[str] = []
        with displayed(verb.name, at_once=not verb.group) as display, session_of(display, notes) as session:
            return noted(verb(session, options), notes)

    return command(verb.name, verb.help, parameters_of(verb.options), partial(run, verb), verb.example)
