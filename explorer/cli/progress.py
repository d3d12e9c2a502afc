"""The display of long work on stderr: a spinner or a bar on a terminal, lines elsewhere; and how to continue it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from explorer.cli.output import errors
from explorer.cli.streams import holds_unicode, write_error
from explorer.toolkit.durations import duration
from graphdb.errors import UnavailableError

if TYPE_CHECKING:
    from explorer.contracts.session import Progress

LINE_S = 10.0
"""The least time between two lines in a log, and the most that long work is silent there."""


class Display(Protocol):
    """What shows the current work."""

    def report(self, phase: str) -> None:
        """Shows a few words about the current work."""

    def advance(self, progress: Progress) -> None:
        """Shows the progress of the work."""

    def close(self) -> None:
        """Ends the display; may be repeated."""


class Bars:
    """Shows the current work on a terminal: a spinner until its progress is known, then a bar.

    Args:
        title: the text before the bar.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._spinner: Any = None
        self._bars: Any = None

    def report(self, phase: str) -> None:
        """Shows a few words about the current work."""
        if self._bars is not None:
            self._bars.update(self._bars.task_ids[0], description=phase)
        elif self._spinner is None:
            self._spinner = errors.status(phase, spinner="dots" if holds_unicode(errors.file) else "line")
            self._spinner.start()
        else:
            self._spinner.update(phase)

    def advance(self, progress: Progress) -> None:
        """Shows the progress of the work."""
        if self._bars is None:
            self._start(progress.total)
        reached, left, refused = _words(progress)
        self._bars.update(
            self._bars.task_ids[0],
            completed=progress.done,
            total=progress.total,
            description=progress.phase,
            reached=reached,
            left=left,
            refused=refused,
        )

    def close(self) -> None:
        """Ends the spinner or the bar; may be repeated."""
        for shown in (self._spinner, self._bars):
            if shown is not None:
                shown.stop()
        self._spinner = None

    def _start(self, total: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        if self._spinner is not None:
            self._spinner.stop()
            self._spinner = None
        self._bars = Progress(
            TextColumn("[bold]{task.fields[title]}"),
            BarColumn(),
            MofNCompleteColumn(),
            *(TextColumn(f"{{task.fields[{name}]}}", markup=False) for name in ("reached", "left")),
            TextColumn("[dim]{task.fields[refused]}"),
            TextColumn("{task.description}", style="dim", markup=False),
            console=errors,
        )
        self._bars.add_task("", total=total, title=self._title, reached="", left="", refused="")
        self._bars.start()


class Lines:
    """Writes lines about the current work, for a log: one at its start, then at most one in ten seconds.

    Args:
        title: the beginning of each line.
        write: writes a line.
        clock: seconds on a steady clock.
        at_once: whether the first line comes at the start; otherwise it comes after ten seconds, for work that is
            most often quick.
    """

    def __init__(
        self,
        title: str,
        write: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        *,
        at_once: bool = True,
    ) -> None:
        self._title = title
        self._write = write
        self._clock = clock
        self._started = clock()
        self._due = self._started + (0.0 if at_once else LINE_S)
        self._phase = ""
        self._progress: Progress | None = None
        self._lock = threading.Lock()

    def report(self, phase: str) -> None:
        """Notes a few words about the current work, and writes a line if one is due."""
        self._phase = phase
        self.speak()

    def advance(self, progress: Progress) -> None:
        """Notes the progress of the work, and writes a line if one is due."""
        self._progress, self._phase = progress, progress.phase
        self.speak()

    def speak(self) -> float:
        """Writes a line if one is due; returns the seconds until the next one."""
        with self._lock:
            now = self._clock()
            if now >= self._due:
                self._write(self._line(now - self._started))
                self._due = now + LINE_S
            return self._due - now

    def close(self) -> None:
        """Does nothing: a log has no line to clear."""

    def _line(self, elapsed_s: float) -> str:
        parts = []
        if self._progress is not None:
            parts.append(f"{self._progress.done:,} of {self._progress.total:,}")
        if self._phase and self._phase != self._title:
            parts.append(self._phase)
        if self._progress is not None:
            parts += filter(None, _words(self._progress))
        if elapsed_s >= 1:
            parts.append(f"{duration(elapsed_s)} so far")
        return f"{self._title}: {', '.join(parts)}" if parts else self._title


@contextmanager
def displayed(title: str, *, at_once: bool = True) -> Iterator[Display]:
    """Yields a display, and closes it at the end of the `with` block.

    Args:
        title: the text before a bar, or the beginning of a line.
        at_once: whether a log tells the start of the work, or only that it takes more than ten seconds.
    """
    if errors.is_terminal:
        display: Display = Bars(title)
        try:
            yield display
        finally:
            display.close()
        return
    lines = Lines(title, write_error, at_once=at_once)
    ended = threading.Event()
    # The work may be silent for minutes; the lines are not.
    speaking = threading.Thread(target=_keep_speaking, args=(lines, ended), daemon=True)
    speaking.start()
    try:
        yield lines
    finally:
        ended.set()
        speaking.join()


@contextmanager
def working(phase: str, *, at_once: bool = True) -> Iterator[None]:
    """Shows slow work whose progress is not known; see `displayed`."""
    with displayed(phase, at_once=at_once) as display:
        display.report(phase)
        yield


def _keep_speaking(lines: Lines, ended: threading.Event) -> None:
    left_s = LINE_S
    while not ended.wait(left_s):
        left_s = lines.speak()


def _words(progress: Progress) -> tuple[str, str, str]:
    """What a search has reached, the time left and the number of refused designs; empty where there is none."""
    return (
        ", ".join(_reached(progress)),
        "" if progress.left_s is None else f"{duration(progress.left_s)} left",
        f"{progress.refused} cannot run" if progress.refused else "",
    )


def _reached(progress: Progress) -> Iterator[str]:
    """The best performance, the hypervolume, the kind of the latest step, and the improvement expected of it."""
    if progress.best is not None:
        trial = "" if progress.incumbent is None else f" (trial {progress.incumbent})"
        yield f"best {progress.best:.4f}{trial}"
    if progress.hypervolume is not None:
        yield f"hypervolume {progress.hypervolume:.4g}"
    if progress.origin:
        yield f"step {progress.origin}"
    if progress.expectation is not None:
        yield f"{progress.expectation:.2g} expected"


@contextmanager
def resumable(how: str, kept: str) -> Iterator[None]:
    """Says how to continue work that was ended by Ctrl-C or by the loss of the database or of a worker.

    Args:
        how: the sentence to add to the message about the loss.
        kept: the message after Ctrl-C.

    Raises:
        Interrupted: in place of KeyboardInterrupt.
        UnavailableError: the database or a worker was lost; the message says how to continue.
    """
    from explorer.contracts.session import Interrupted

    try:
        yield
    except Interrupted:
        raise
    except KeyboardInterrupt:
        raise Interrupted(kept) from None
    except UnavailableError as error:
        raise UnavailableError(f"{error} {how}") from error
