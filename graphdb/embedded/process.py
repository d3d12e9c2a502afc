"""What the operating system says of a process; where `/proc` is missing, only whether it lives."""

from __future__ import annotations

import os
from pathlib import Path


def start_time(pid: int) -> str:
    """When the process started, as the kernel counts time; a later process of the same number has another start."""
    fields = _stat(pid)
    return fields[19] if fields else ""


def is_alive(pid: int, started: str) -> bool:
    """Whether the very process that started then still runs (a zombie does not)."""
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
    """Resident memory of the process; None where the system does not say."""
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
