"""However a shell leaves the streams, and whenever Ctrl-C comes, a command ends with at most one sentence.

A start of the command line takes half a second, so that one process runs all commands of a case where it can.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from explorer import registry
from explorer.cli import main
from graphdb.errors import StorageFullError
from graphdb.settings import Settings
from graphdb.store import Store
from tests.explorer.conftest import Run
from tests.places import ROOT

KEY = registry.preset("bert-tiny").key
COMMANDS = {
    "help": ["--help"],
    "table": ["study", "list"],
    "drawing": ["show", KEY[:12]],
    "json": ["show", KEY[:12], "--json"],
    "error": ["show", "naïve €"],
    "usage": ["db", "stop", "--now"],
}
EACH = """
import os, sys
from explorer.cli import main
names, stream = sys.argv[1], sys.argv[2]
for name, arguments in eval(names).items():
    if stream == "full":
        os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
    if stream == "pipe":
        reading, writing = os.pipe()
        os.close(reading)
        os.dup2(writing, 1)
    sys.argv = ["explorer", *arguments]
    sys.stderr.write(f"status {name} {main.run()}\\n")
    if stream == "text":
        print("=====", flush=True)
"""


@pytest.fixture
def environment(server_settings: Settings, store: Store) -> dict[str, str]:
    """The environment of a process that works on a store with one design."""
    store.architectures.add([registry.preset("bert-tiny")])
    return server_settings.environment() | {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}


def each(environment: dict[str, str], stream: str) -> tuple[list[bytes], bytes]:
    """What each of the commands writes to standard output, and what all write to standard error."""
    done = subprocess.run(
        [sys.executable, "-c", EACH, repr(COMMANDS), stream], capture_output=True, env=environment, check=True
    )
    return done.stdout.split(b"=====\n"), done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_an_encoding_without_boxes_gives_similar_letters(environment: dict[str, str], encoding: str) -> None:
    outputs, errors = each(environment | {"PYTHONIOENCODING": encoding}, "text")
    told = {name: out.decode(encoding) for name, out in zip(COMMANDS, outputs, strict=False)}
    assert "Traceback" not in errors.decode(encoding)
    assert "+-" in told["help"]
    assert "|" in told["drawing"] and "sa_sdp" in told["drawing"]
    assert json.loads(told["json"])["key"] == KEY
    written = "na\\xefve \\u20ac" if encoding == "ascii" else "naïve \\u20ac"
    assert written in errors.decode(encoding)
    assert [line.split()[-1] for line in errors.decode(encoding).splitlines() if line.startswith("status")] == [
        *("0", "0", "0", "0"),
        *("2", "2"),
    ]


def test_a_full_device_is_one_sentence(environment: dict[str, str]) -> None:
    _, errors = each(environment, "full")
    sentence = "Error: The output cannot be written: No space left on device."
    lines = errors.decode().splitlines()
    for name, said in zip(COMMANDS, zip(lines[::2], lines[1::2], strict=True), strict=True):
        assert said[1] == f"status {name} 2"
        assert said[0] == sentence or (name in ("error", "usage") and said[0].startswith("Error: "))


def test_a_pipe_without_a_reader_is_quiet(environment: dict[str, str]) -> None:
    _, errors = each(environment, "pipe")
    lines = errors.decode().splitlines()
    assert [line for line in lines if line.startswith("status")][:4] == [
        f"status {name} 1" for name in ("help", "table", "drawing", "json")
    ]
    assert len(lines) == len(COMMANDS) + 2  # the last two are refused whatever the output is


@pytest.mark.parametrize(
    ("redirection", "status", "said"),
    [
        (">/dev/full", 2, "Error: The output cannot be written: No space left on device.\n"),
        (">&-", 0, ""),
        (">&- 2>&- <&-", 0, ""),
        ("2>/dev/full", 0, ""),
    ],
)
def test_a_process_ends_in_order_too(tmp_path: Path, redirection: str, status: int, said: str) -> None:
    """Python writes at its very end what is left, and would tell that it cannot."""
    line = f'"{sys.executable}" -m explorer.cli.main db status --json {redirection}'
    environment = os.environ | {"EXPLORER_DATA": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (status, said)


def test_without_standard_input_a_question_is_not_answered(tmp_path: Path) -> None:
    line = f'"{sys.executable}" -m explorer.cli.main db wipe <&-'
    environment = os.environ | {"EXPLORER_DATA": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


INTERRUPTING = """
import os, signal, sys
moment, *sys.argv = sys.argv[1:]
signal.signal(signal.SIGINT, signal.default_int_handler)
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == moment:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
from explorer.cli.main import main
sys.meta_path.insert(0, Finder())
main()
"""


@pytest.mark.parametrize(
    ("moment", "command"),
    [
        ("explorer.cli.commands", ["--help"]),
        ("rich.console", ["--help"]),
        ("explorer.registry", ["--help"]),
        ("numpy", ["space", "flexibert2"]),
        ("graphdb.embedded", ["db", "status"]),
    ],
)
def test_ctrl_c_during_imports_is_one_line(moment: str, command: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTING, moment, "explorer", *command],
        capture_output=True,
        text=True,
        env=os.environ | {"EXPLORER_DATA": str(tmp_path), "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (130, "Interrupted.\n")


def raising(error: BaseException) -> object:
    """A function that raises an error whatever it is given."""

    def act(*_: object, **__: object) -> None:
        raise error

    return act


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "/data/a.json"), "/data/a.json cannot be used: Permission denied."),
        (OSError(28, "No space left on device", "/data/a.json"), "The disk of /data/a.json is full."),
        (OSError(24, "Too many open files", "/data/a.json"), "raise the limit with: ulimit -n 1024."),
        (StorageFullError("The disk of /data is full."), "The disk of /data is full."),
    ],
)
def test_what_the_system_refuses_is_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    monkeypatch.setattr("graphdb.embedded.status", raising(error))
    ended = run("db", "status")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("Error: ") and ended.err.endswith(f"{said}\n") and ended.err.count("\n") == 1


def test_a_fault_of_the_program_leaves_its_traceback_in_a_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphdb.embedded.status", raising(KeyError("peak")))
    monkeypatch.delenv(main.DEBUG, raising=False)
    ended = run("db", "status")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("Error: A fault of explorer (KeyError: 'peak'); its traceback is in ")
    log = Path(ended.err.split()[-1].rstrip("."))
    assert "Traceback" in log.read_text()
    log.unlink()
    monkeypatch.setenv(main.DEBUG, "1")
    assert "Traceback" in run("db", "status").err


def test_handlers_and_streams_are_as_before(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGINT)
    streams = (sys.stdout, sys.stdout.errors, sys.stderr, sys.stderr.errors)
    seen = []
    monkeypatch.setattr(
        "graphdb.embedded.status", lambda *_: seen.append(signal.getsignal(signal.SIGINT)) or raising(KeyError("x"))()
    )
    for handler in (signal.default_int_handler, signal.SIG_IGN, raising(KeyboardInterrupt())):
        signal.signal(signal.SIGINT, handler)  # type: ignore[arg-type]
        run("db", "status")
        assert signal.getsignal(signal.SIGINT) is handler
    signal.signal(signal.SIGINT, before)
    assert seen[1:] == [signal.SIG_IGN, handler]
    assert seen[0] is not signal.default_int_handler
    assert (sys.stdout, sys.stdout.errors, sys.stderr, sys.stderr.errors) == streams
