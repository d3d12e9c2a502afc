"""The display of long work: a spinner or a bar on stderr, and a sentence on how to continue after an interruption."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from explorer.cli.output import errors
from graphdb.errors import UnavailableError

if TYPE_CHECKING:
    from explorer.contracts.session import Progress


class Display:
    """Shows the current work: a spinner until its progress is known, then a bar.

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
            self._spinner = errors.status(phase)
            self._spinner.start()
        else:
            self._spinner.update(phase)

    def advance(self, progress: Progress) -> None:
        """Shows the progress of the work."""
        if self._bars is None:
            self._start(progress.total)
        self._bars.update(
            self._bars.task_ids[0],
            completed=progress.done,
            total=progress.total,
            description=progress.phase,
            best="" if progress.best is None else f"best {progress.best:.4f}",
            left="" if progress.left_s is None else f"{progress.left_s:.0f} s left",
            refused=f"{progress.refused} cannot run" if progress.refused else "",
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
            *(TextColumn(f"{{task.fields[{name}]}}", markup=False) for name in ("best", "left")),
            TextColumn("[dim]{task.fields[refused]}"),
            TextColumn("{task.description}", style="dim", markup=False),
            console=errors,
        )
        self._bars.add_task("", total=total, title=self._title, best="", left="", refused="")
        self._bars.start()


@contextmanager
def displayed(title: str) -> Iterator[Display]:
    """Yields a display, and closes it at the end of the `with` block."""
    display = Display(title)
    try:
        yield display
    finally:
        display.close()


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
