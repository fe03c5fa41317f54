"""Which files a process has open."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def open_below(folder: Path) -> list[str]:
    """Those below a folder, or the folder, that this process has open, whatever else it opens and closes."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # closed since it was listed
            found.append(os.readlink(descriptor))
    return [place for place in found if place == str(folder) or place.startswith(f"{folder}/")]
