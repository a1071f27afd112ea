"""Who this process is among the workers of one ledger, and whether another one still lives."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path

_START_FIELD = (
    19  # of /proc/<pid>/stat behind the command's closing bracket: when the process began, in clock ticks
)


def worker_name() -> str:
    """A name no other process has: host, process id, when it began, and a random part."""
    pid = os.getpid()
    return f"{socket.gethostname()}/{pid}/{_began(pid)}/{uuid.uuid4().hex[:8]}"


def is_dead(name: str) -> bool:
    """Whether the worker is known to have ended. One on another host may live: only its lease tells."""
    host, pid, began, _ = (name.split("/") + [""] * 4)[:4]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    return _began(int(pid)) != began


def _began(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _signalled(pid)
    state, *_ = fields = stat.rpartition(")")[2].split()
    return "gone" if state in {"Z", "X"} else fields[_START_FIELD]


def _signalled(pid: int) -> str:
    """Where there is no /proc: a process that can be signalled lives."""
    if Path("/proc/self/stat").exists():
        return "gone"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "gone"
    except PermissionError:
        return "alive"
    return "alive"
