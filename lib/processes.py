"""Says of a process of this machine whether it has ended, also after SIGKILL, from what it told of itself.

Only where that is certain: nothing is said of a process of another machine, another boot or another
container, nor where the system has no /proc.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_PROC: Final = Path("/proc")
_ENDED: Final = frozenset("ZX")  # dead, and only not yet collected by its parent
_STATE, _STARTED = 0, 19  # places behind the name in /proc/<pid>/stat


def this_process(proc: Path = _PROC) -> dict[str, Any] | None:
    """What tells this process from all others: its number, when it started, and where numbers mean that.

    None where the system does not say.
    """
    where, row = _where(proc), _row(proc, os.getpid())
    if where is None or row is None:
        return None
    return {"where": where, "pid": os.getpid(), "started": row[_STARTED]}


def has_ended(told: object, proc: Path = _PROC) -> bool:
    """Whether the process that told this of itself (`this_process`) has ended; False where none can tell."""
    if not isinstance(told, Mapping):
        return False
    pid, started = told.get("pid"), told.get("started")
    if type(pid) is not int or pid <= 0 or told.get("where") is None or told["where"] != _where(proc):
        return False
    row = _row(proc, pid)
    return row is None or row[_STARTED] != started or row[_STATE] in _ENDED


def _where(proc: Path) -> str | None:
    """The boot of this machine and the namespace of its process numbers, not to be read back."""
    try:
        boot = (proc / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = os.readlink(proc / "self/ns/pid")
    except (OSError, ValueError):
        return None
    return hashlib.sha256(f"{boot} {space}".encode()).hexdigest()[:16]


def _row(proc: Path, pid: int) -> list[str] | None:
    """The fields of a process behind its name, which may hold anything; None when there is none."""
    try:
        text = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    row = text.rpartition(")")[2].split()
    return row if len(row) > _STARTED else None
