"""The data folder: made when it is missing, writable and closed to others before any work begins."""

from __future__ import annotations

import contextlib
import stat
from pathlib import Path
from typing import Final

from lib.errors import BadConfiguration
from lib.files import try_write

#: What only we use: fencing tokens, logs, the queue's files. Nobody has a reason to share it.
_OURS: Final = ("redis", "watchers", "executions", "up", "webhooks")
#: Where audio is kept unless STORAGE_URL says otherwise. Who opens it to others may mean it.
_STORE: Final = "storage"


def ensure_data_folder(path: Path) -> Path:
    """Make the folder (mode 0700 for the new ones) and try a write in it; return it.

    One that exists keeps its mode, for it may hold other things (systemd makes it with 0755). Where others
    may look into it, what we put there is closed to them instead.

    Raises:
        BadConfiguration: it cannot be made, written or closed, is no folder, or the disk is full.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        try_write(path)
        _close_to_others(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BadConfiguration(
            f"the data folder {path} cannot be used: {reason}; "
            "free space, give this user the right to write there, or set JOBS_DATA_DIR to another folder"
        ) from None
    return path


def _close_to_others(data: Path) -> None:
    """See that nothing of ours in an open folder can be read by others. Raises OSError, BadConfiguration."""
    if not _is_open(data):
        return
    with contextlib.suppress(FileExistsError):  # what else stands there, the store says when it is used
        (data / _STORE).mkdir(exist_ok=True, mode=0o700)
    for folder in (data / name for name in _OURS):
        if not folder.is_dir() or not _is_open(folder):
            continue
        with contextlib.suppress(PermissionError):  # of another user: the next look tells
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) & ~0o077)
        if _is_open(folder):
            raise BadConfiguration(
                f"others may look into {folder}, and this user cannot change that; "
                "run chmod go= on it as its owner, or set JOBS_DATA_DIR to another folder"
            )


def _is_open(folder: Path) -> bool:
    return bool(folder.stat().st_mode & 0o077)
