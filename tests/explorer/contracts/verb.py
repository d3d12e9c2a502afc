"""What every verb must keep: subclass `VerbContract` and name the verb in a fixture."""

from __future__ import annotations

import inspect

import pytest
from pydantic import BaseModel

from explorer.contracts.options import options_of
from explorer.contracts.verb import Verb, resolved
from tests.explorer.cli.parsing import parse, words_of


class VerbContract:
    """The tests; a subclass gives the fixture `verb`."""

    @pytest.fixture
    def verb(self) -> Verb:
        """The verb that is tested."""
        raise NotImplementedError

    def test_its_options_can_be_flags_and_say_what_they_are(self, verb: Verb) -> None:
        assert issubclass(verb.options, BaseModel)
        assert [option.name for option in options_of(verb.options) if not option.help] == []

    def test_its_help_is_made_of_sentences(self, verb: Verb) -> None:
        assert verb.help[0].isupper()
        assert verb.help.endswith(".")
        assert "\n" not in verb.help

    def test_its_help_names_every_flag(self, verb: Verb, capsys: pytest.CaptureFixture[str]) -> None:
        parse([*_command(verb), "--help"])
        text = capsys.readouterr().out
        for option in options_of(verb.options):
            for shown in option.names or (option.name.upper(),):
                assert shown in text

    def test_its_example_is_a_command_line_of_its_own(self, verb: Verb) -> None:
        words = words_of(verb.example)
        assert words[: len(_command(verb))] == _command(verb)
        parse(words)

    def test_what_it_runs_takes_a_session_and_options(self, verb: Verb) -> None:
        assert len(inspect.signature(resolved(verb.run)).parameters) == 2


def _command(verb: Verb) -> list[str]:
    """The words that it is called by."""
    return f"{verb.group} {verb.name}".split()
