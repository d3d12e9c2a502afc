"""Facts about a process from the operating system; without `/proc`, only whether it is alive."""

from __future__ import annotations

import os
from pathlib import Path


def start_time(pid: int) -> str:
    """The start time of the process on the kernel's clock; a later process with the same number has another one."""
    fields = _stat(pid)
    return fields[19] if fields else ""


def is_alive(pid: int, started: str) -> bool:
    """Whether the process that started at that time is still running (a zombie is not)."""
    if Path("/proc/self/stat").exists():
        fields = _stat(pid)
        return bool(fields) and fields[0] not in "ZX" and fields[19] == started
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def resident_memory_bytes(pid: int) -> int | None:
    """Resident memory of the process; None if the system does not report it."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()  # the name in parentheses may hold spaces
