"""What was asked to be changed, by whom, and what came of it: a line before, a line after."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lib.clock import Clock, rfc3339
from lib.errors import BadConfiguration

_PLACE: Final = Path("console/audit.jsonl")


class AuditLog:
    """`console/audit.jsonl` in the data folder, for its owner alone; only ever appended to.

    A change that was asked for stands there before it is made, so that a process that is killed in between
    leaves no change without its line.

    Threads: any.
    Raises:
        BadConfiguration: from the constructor, where the file cannot be written.
        OSError: from `write`.
    """

    def __init__(self, data: Path, clock: Clock) -> None:
        self.path, self._clock = data / _PLACE, clock
        self._lock, self._torn = threading.Lock(), False
        try:
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file = os.open(self.path, flags, 0o600)
            size = os.fstat(self._file).st_size
            self._torn = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"
        except OSError as error:
            raise BadConfiguration(
                f"the audit log {self.path} cannot be written: {error.strerror}; give this user that right"
            ) from None

    def write(self, what: str, told: Mapping[str, Any]) -> None:
        """Append a line. Only ASCII, without a line break: nobody writes a second line through a name.

        What a full disk or a lost process left of a line ends before this one begins.
        """
        line = json.dumps({"at": rfc3339(self._clock.now()), "event": what, **told})
        with self._lock:
            data = b"\n" * self._torn + f"{line}\n".encode()
            written = os.write(self._file, data)
            self._torn = written < len(data) if written else self._torn
            if written < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        """Write no more."""
        os.close(self._file)
