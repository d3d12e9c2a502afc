"""Long work in a log: a line at the start, then at most one in ten seconds, with how far it is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from explorer import registry
from explorer.cli import progress
from explorer.cli.progress import Bars, Lines, displayed
from explorer.contracts.listening import listening, tell
from explorer.contracts.session import Progress
from explorer.services.session import DatabaseSession
from graphdb.settings import Settings
from graphdb.store import Store
from tests.explorer.conftest import Run


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_line_at_the_start_and_then_one_in_ten_seconds(clock: Clock) -> None:
    said: list[str] = []
    lines = Lines("walls", said.append, clock)
    lines.advance(Progress(0, 1200, "measuring"))
    for done in range(1, 1200):
        clock.now_s = 1000 + done / 10
        lines.advance(Progress(done, 1200, "measuring", left_s=(1200 - done) / 10, best=0.5, refused=done // 600))
    assert said[:2] == [
        "walls: 0 of 1,200, measuring",
        "walls: 100 of 1,200, measuring, best 0.5000, 1 min 50 s left, 10 s so far",
    ]
    assert said[-1].startswith("walls: 1,1") and said[-1].endswith("1 cannot run, 1 min 50 s so far")
    assert len(said) == 12


def test_silent_work_is_told_of_too(clock: Clock) -> None:
    said: list[str] = []
    lines = Lines("map", said.append, clock)
    lines.report("training: 3 %")
    clock.now_s += 4
    lines.report("training: 4 %")
    assert lines.speak() == 6
    clock.now_s += 6
    assert lines.speak() == 10
    clock.now_s += 153
    lines.speak()
    assert said == ["map: training: 3 %", "map: training: 4 %, 10 s so far", "map: training: 4 %, 2 min 43 s so far"]


def test_quick_work_is_not_told_of(clock: Clock) -> None:
    said: list[str] = []
    lines = Lines("beam", said.append, clock, at_once=False)
    lines.report("simulating")
    clock.now_s += 9.9
    lines.advance(Progress(7, 10, "simulating"))
    assert said == []
    clock.now_s += 0.1
    lines.speak()
    assert said == ["beam: 7 of 10, simulating, 10 s so far"]


def test_the_display_speaks_by_itself(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A thread asks for lines until the work ends; here one is due at once."""
    monkeypatch.setattr(progress, "LINE_S", 0.0)
    with displayed("walls") as display:
        assert isinstance(display, Lines)
        said = ""
        while not said:  # ends by the thread alone, as nothing is reported here
            said = capsys.readouterr().err
    assert said.startswith("walls\n")


def test_a_terminal_has_bars(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with displayed("walls") as display:
        assert isinstance(display, Bars)
        display.report("making ready")
        display.advance(Progress(1, 2, "measuring", left_s=3.0))
    assert "1/2" in capsys.readouterr().err


def test_a_log_that_is_full_does_not_end_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open("w")  # noqa: SIM115 - closing it fails, as it should
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", full)
        with displayed("walls") as display:
            display.report("measuring")
    with pytest.raises(OSError, match="No space"):
        full.close()


def test_commands_that_take_long_say_so_at_once(run: Run) -> None:
    loaded = run("load", "--json")
    assert loaded.err.splitlines()[0] == "Loading the published data"
    assert loaded.json["architectures"]["added"] > 800
    swept = run("explore", "elector", "--model", "bert-tiny", "--samples", "3", "--workers", "1", "--json")
    assert swept.err.splitlines()[0].startswith("elector: 0 of 3, measuring")
    simulated = run("simulate", "acceltran", "--model", "bert-nano", "--accelerator", "edge", "--json")
    assert simulated.status == 0, simulated.err


def test_a_detailed_run_tells_how_far_it_is(store: Store, server_settings: Settings) -> None:
    """The measures and the key are those of a run that nobody listens to."""
    seen: list[Progress] = []
    pair = {"model": registry.preset("bert-tiny"), "accelerator": registry.preset("edge")}
    with DatabaseSession(server_settings, advance=seen.append) as session:
        measured = session.measure("acceltran", pair, {"engine": "detailed"})
    shares = [one.done / one.total for one in seen]
    assert len(shares) > 10 and shares == sorted(shares) and 0 < shares[0] < 0.1 and 0.9 < shares[-1] <= 1
    alone = registry.simulator("acceltran").run(pair, {"engine": "detailed"})
    assert (alone.key, alone.measures) == (measured.key, measured.measures)


def test_whoever_listens_last_is_told() -> None:
    heard: list[tuple[str, int, int]] = []
    tell(1, 2)
    with listening(lambda done, total: heard.append(("outer", done, total))):
        with listening(lambda done, total: heard.append(("inner", done, total))):
            tell(3, 4)
        tell(5, 6)
    tell(7, 8)
    assert heard == [("inner", 3, 4), ("outer", 5, 6)]
