"""The data folder: made when it is missing, and known to be writable before any work begins."""

from __future__ import annotations

from pathlib import Path

from lib.errors import BadConfiguration
from lib.files import try_write


def ensure_data_folder(path: Path) -> Path:
    """Make the folder (mode 0700 for the new ones) and try a write in it; return it.

    Raises:
        BadConfiguration: it cannot be made or written, is no folder, or the disk is full.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        try_write(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BadConfiguration(
            f"the data folder {path} cannot be used: {reason}; "
            "free space, give this user the right to write there, or set JOBS_DATA_DIR to another folder"
        ) from None
    return path
