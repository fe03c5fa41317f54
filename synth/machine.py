"""The machine this runs on, as far as speech cares."""

from __future__ import annotations

import os
import platform
import re
import shutil
from pathlib import Path
from typing import Final

_CPUINFO: Final = Path("/proc/cpuinfo")
_MODEL: Final = re.compile(r"^model name\s*:\s*(.+)$", re.MULTILINE)


def cpu_name() -> str:
    """The processor by its maker's name, where the system knows it; else its architecture."""
    try:
        found = _MODEL.search(_CPUINFO.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        found = None
    return " ".join(found[1].split()) if found else platform.processor() or platform.machine()


def cpu_count() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_bytes(folder: Path) -> int:
    """The free space where `folder` lies, or would lie."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free
