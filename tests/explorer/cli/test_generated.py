"""Commands made from a made-up option model: flags, values, help texts, and refusals."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from explorer.catalogue import Catalogue
from explorer.cli import generated, main
from explorer.cli.generated import Printed, command
from explorer.cli.output import say
from explorer.cli.parameters import parameters_of
from explorer.contracts.domain import Domain
from explorer.contracts.options import Flag, checked
from explorer.contracts.session import Interrupted
from explorer.contracts.table import Column, Findings, Table, words
from explorer.contracts.verb import Verb
from graphdb.errors import InputError


class Colour(StrEnum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


class Options(BaseModel):
    """A field of every kind."""

    target: Annotated[str, Flag(argument=True)] = Field(description="What is painted.")
    coats: int = Field(2, ge=1, le=9, description="Layers of paint")
    thickness_mm: float | None = Field(None, gt=0, description="Of a coat, in mm.")
    colour: Colour = Field(Colour.RED, description="Its colour.")
    finish: Literal["matt", "gloss"] | None = Field(None, description="How it shines.")
    files: list[Path] = Field(default_factory=list, description="Pictures.")
    shares: Mapping[str, float] = Field(default_factory=dict, description="Of pigments.")
    labels: dict[str, str] = Field(default_factory=dict, description="Texts.")
    settings: Annotated[dict[str, Any], Flag(names=("--set",))] = Field(default_factory=dict, description="More.")
    dry: bool = Field(False, description="Do not paint.")
    clean: bool = Field(True, description="Wash the brush.")
    recipe: Annotated[object, Flag(names=("-r", "--recipe"), read=lambda text: {"read": text})] = Field(
        None, description="Of the paint."
    )


def run(*arguments: str, does: Any = None) -> tuple[Any, Options | None]:
    """What a command of these options returns, and the options that it was given."""
    seen: list[Options] = []

    def body(given: dict[str, Any]) -> Findings | Printed:
        seen.append(checked(Options, given, "paint", strict=False))
        found: Findings | Printed = does() if does else Findings({"painted": True}, ["painted"])
        return found

    made = command("paint", "Paint [a wall].", parameters_of(Options), body, "explorer paint wall --coats 3")
    returned = made.main(list(arguments), prog_name="explorer paint", standalone_mode=False)
    return returned, seen[0] if seen else None


def given(*arguments: str) -> dict[str, Any]:
    """The options that were given, and no others."""
    options = run(*arguments)[1]
    assert options is not None
    return options.model_dump(exclude_unset=True)


def test_only_what_is_given_is_passed_on() -> None:
    assert given("wall") == {"target": "wall"}


def test_values_of_every_kind() -> None:
    assert given("wall", "--coats", "3", "--thickness-mm", "1e-1", "--colour", "blue", "--finish", "gloss") == {
        "target": "wall",
        "coats": 3,
        "thickness_mm": 0.1,
        "colour": Colour.BLUE,
        "finish": "gloss",
    }
    assert given("wall", "--files", "a", "--files", "b")["files"] == [Path("a"), Path("b")]
    assert given("wall", "--shares", "red=0.5", "--shares", "blue=1")["shares"] == {"red": 0.5, "blue": 1.0}
    assert given("wall", "--labels", "left=1", "--labels", "right=x=y")["labels"] == {"left": "1", "right": "x=y"}
    assert given("wall", "--set", "a=1", "--set", "b=[2]", "--set", "c=x")["settings"] == {"a": 1, "b": [2], "c": "x"}
    assert given("wall", "--dry", "--no-clean", "-r", "mix") == {
        "target": "wall",
        "dry": True,
        "clean": False,
        "recipe": {"read": "mix"},
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--coats", "0"), "The setting coats of paint is 0; allowed: an integer from 1 to 9."),
        (("--coats", "many"), "The setting coats of paint is 'many'; allowed: an integer from 1 to 9."),
        (("--coats", "-1"), "The setting coats of paint is -1; allowed: an integer from 1 to 9."),
        (("--thickness-mm", "nan"), "The setting thickness_mm of paint is nan; allowed: a number above 0."),
        (("--colour", "green"), "The setting colour of paint is 'green'; allowed: red, blue."),
        (("--shares", "red"), "--shares 'red' is not name=value."),
        (("--set", "a=1", "--set", "a=2"), "--set a is given twice."),
    ],
)
def test_bad_values_are_refused_in_one_sentence(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError) as refused:
        run("wall", *arguments)
    assert str(refused.value) == message


def test_help_says_all_about_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == (0, None)
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for part in (
        "Paint [a wall].",
        "TARGET",
        "What is painted.",
        "INTEGER Layers of paint. [from 1 to 9; default: 2]",
        "NUMBER Of a coat, in mm. [above 0]",
        "red|blue Its colour. [default: red]",
        "matt|gloss How it shines.",
        "PATH Pictures. [repeatable]",
        "NAME=NUMBER Of pigments. [repeatable]",
        "--dry",
        "--no-clean",
        "Wash the brush. [default: on]",
        "--recipe",
        "--json",
        "Example: explorer paint wall --coats 3",
    ):
        assert part in text, part


def test_findings_are_printed_for_people_or_for_machines(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table = Table("Walls [red]", [words("wall"), Column("coats")], [["[bold]north", "2"]], caption="all")
    pictures = [tmp_path / "wall.png", tmp_path / "wall.svg"]
    found = Findings({"walls": 1}, ["so [it] is", table], pictures)
    run("wall", does=lambda: found)
    text = capsys.readouterr().out
    for part in ("so [it] is", "Walls [red]", "[bold]north", "all", f"Picture: {pictures[0]}, {pictures[1]}"):
        assert part in text
    run("wall", "--json", does=lambda: found)
    assert capsys.readouterr().out == '{"walls": 1}\n'
    run("wall", does=lambda: Findings(None, [], [*pictures, tmp_path / "roof.png"]))
    assert "Pictures: " in capsys.readouterr().out
    run("wall", does=lambda: Findings(None, [], [tmp_path / "a.onnx"]))
    assert "File: " in capsys.readouterr().out
    run("wall", does=lambda: Printed(None, lambda: say("in its own way")))
    assert capsys.readouterr().out == "in its own way\n"


def test_an_interruption_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    def end() -> Findings:
        raise Interrupted("Interrupted; the same command goes on.")

    assert run("wall", does=end)[0] == 130
    assert capsys.readouterr().err == "Interrupted; the same command goes on.\n"


def test_verbs_of_several_domains_share_a_group() -> None:
    verbs = [Verb(name, f"Paint a {name}.", Options, "nowhere:run", group="paint") for name in ("wall", "roof")]
    groups = generated.verb_groups([*verbs, Verb("wash", "Wash.", Options, "nowhere:run")])
    assert {name: list(entries) for name, entries in groups.items()} == {"paint": ["wall", "roof"], "": ["wash"]}
    assert generated.group_entry("paint", groups["paint"]).help() == "One of wall, roof."
    assert generated.group_entry("", groups[""]).help() == "Wash."


def test_an_option_model_that_can_be_no_flags_is_refused_at_registration() -> None:
    class Nested(BaseModel):
        inner: Options | None = None

    domain = Domain("walls", {"all": "nowhere:Space"}, verbs=(Verb("paint", "Paint.", Nested, "nowhere:run"),))
    known = Catalogue()
    known.take("the package walls", lambda: domain, Domain)
    assert known.domains == {} and known.verbs == {}
    assert len(known.problems) == 1
    assert known.problems[0].startswith("The package walls is left out: The field inner of ")
    assert "cannot be a flag" in known.problems[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("chess",), "There is no command 'chess'; allowed: db, load"),
        (("db", "stop", "--now"), "--now"),
        (("simulate", "chess"), "There is no simulator 'chess'; allowed: "),
        (("export",), "Missing argument"),
        (("--speed",), "--speed"),
    ],
)
def test_what_typer_refuses_is_one_sentence_too(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["explorer", *arguments])
    assert main.run() == 2
    out, err = capsys.readouterr()
    assert out == ""
    text = " ".join(err.split())
    assert text.startswith("Error: ") and text.endswith(".") and words in text, text


def test_packages_that_were_left_out_are_named_at_every_start(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.registry.problems", lambda: ("The package [walls] is left out: it is bad.",))
    monkeypatch.setattr("sys.argv", ["explorer", "--help"])
    assert main.run() == 0
    assert capsys.readouterr().err == "The package [walls] is left out: it is bad.\n"
