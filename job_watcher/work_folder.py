"""The folder that one watcher process works in, locked for as long as the process lives.

A watcher that starts after a crash takes the same folder again and finds there what its predecessor held:
its spool with finished audio, and its journal of leases.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from lib.errors import BadConfiguration, TryAgain
from lib.files import take_lock, write_whole

_IDENTITY = re.compile(r"[0-9a-f]{16}")
_MOST_WATCHERS = 64  # on one data folder; more is a runaway supervisor, not a plan


@dataclass(frozen=True, slots=True)
class Slot:
    """`<data>/watchers/<number>/`, held by this process until it ends."""

    folder: Path
    lock: int  # file descriptor; the kernel frees the lock with the process, also after SIGKILL

    @property
    def journal(self) -> Path:
        """The leases this watcher holds."""
        return self.folder / "leases"

    @property
    def scratch(self) -> Path:
        """What is only passing through: empty at the start, whatever a killed watcher left there."""
        return self.folder / "scratch"

    @property
    def pieces(self) -> Path:
        """What rented machines spoke so far of long texts."""
        return self.folder / "pieces"

    @property
    def rejected(self) -> Path:
        """The best takes of jobs that failed for none being good enough."""
        return self.folder / "rejected"

    def identity(self) -> str:
        """What tells this folder from any other, also when the machine gets another name.

        Raises:
            BadConfiguration: it cannot be written down.
        """
        file = self.folder / "id"
        try:
            known = file.read_text(encoding="ascii", errors="replace").strip() if file.exists() else ""
            if not _IDENTITY.fullmatch(known):
                known = secrets.token_hex(8)
                write_whole(file, known.encode(), sync=True)
        except OSError as error:
            raise BadConfiguration(
                f"The watcher cannot write {file}: {error.strerror}. "
                "Set JOBS_DATA_DIR to a folder this user may write."
            ) from error
        return known

    def release(self) -> None:
        """Let another watcher have the folder."""
        os.close(self.lock)


def take_slot(data_dir: Path) -> Slot:
    """Lock the first free folder under `<data>/watchers/`.

    Raises:
        BadConfiguration: the data folder cannot be written.
        TryAgain: every one is taken.
    """
    for number in range(_MOST_WATCHERS):
        folder = data_dir / "watchers" / str(number)
        try:
            # First the one above: what `parents` makes gets the usual mode, which may let others in.
            folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.mkdir(exist_ok=True, mode=0o700)
            lock = take_lock(folder / "lock")
        except OSError as error:
            raise BadConfiguration(
                f"The watcher cannot write its folder {folder}: {error.strerror}. "
                "Set JOBS_DATA_DIR to a folder this user may write."
            ) from error
        if lock is not None:
            slot = Slot(folder, lock)
            shutil.rmtree(slot.scratch, ignore_errors=True)
            return slot
    raise TryAgain(f"All {_MOST_WATCHERS} watcher folders under {data_dir} are in use; stop a watcher first.")
