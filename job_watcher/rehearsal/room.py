"""The folder of a rehearsal: made, and taken away, with all but the audio; and how it is interrupted."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

from job_watcher.rehearsal.onlooker import Stoppable, end
from job_watcher.rehearsal.vast.request_log import RequestJournal
from lib.cli.signals import Terminated
from lib.errors import BadInput

#: What a signal did before, as `signal.signal` gives it and takes it.
Former = Callable[[int, FrameType | None], Any] | int | None
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def a_folder(*, keep: bool) -> Iterator[Path]:
    """A fresh folder for all that a rehearsal writes; it is gone afterwards, unless it is to be kept."""
    folder = Path(tempfile.mkdtemp(prefix="job-runner-rehearsal-"))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def audio_in(folder: Path) -> Path:
    """Where in the folder of a rehearsal finished audio lies under its names."""
    return folder / "storage" / "outputs"


def bring_out(audio: Path, out: Path | None) -> Path | None:
    """Copy what lies in `audio` to `out` (None: a fresh folder of its own); None where there is nothing.

    Raises:
        BadInput: it cannot be written there.
    """
    if not any(audio.rglob("*")):
        return None
    place = out.absolute() if out else Path(tempfile.mkdtemp(prefix="rehearsed-audio-"))
    try:
        shutil.copytree(audio, place, dirs_exist_ok=True)
    except (OSError, shutil.Error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadInput(f"The audio cannot be written to {place}: {reason}.") from None
    return place


def write_requests(journal: RequestJournal, file: Path) -> None:
    """Write every request that the company had, one JSON value a line; without how it was authorized."""
    with file.open("w", encoding="utf-8") as lines:
        for entry in journal.entries():
            told = {
                "at": round(entry.at, 3),
                "request": entry.line,
                "by": entry.key,
                "query": dict(entry.query),
                "body": entry.body.decode("utf-8", "replace"),
                "status": entry.status,
                "faults": entry.faults,
            }
            lines.write(json.dumps(told) + "\n")


class Interruption:
    """Ctrl-C, SIGTERM and a closed terminal, within the block: they end the watcher, once there is one.

    Before, they raise; while everything is cleared away, they are not heard, for that is what they ask for.

    Threads: the main thread.
    Raises: KeyboardInterrupt, Terminated.
    """

    def __init__(self) -> None:
        self._watcher: Stoppable | None = None
        self._is_over = False
        self._former = dict[int, Former]()
        self._thread: threading.Thread | None = None
        self.by: int | None = None

    def __enter__(self) -> Interruption:
        for number in _SIGNALS:
            self._former[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *raised: object) -> None:
        for number, former in self._former.items():
            signal.signal(number, former)

    @contextlib.contextmanager
    def ends(self, watcher: Stoppable) -> Iterator[None]:
        """Within the block, an interruption ends this watcher; after it, nothing more."""
        self._watcher = watcher
        try:
            yield
        finally:
            self._watcher = None
            self._is_over = True

    def join(self) -> None:
        """Wait until the watcher has been told."""
        if self._thread is not None:
            self._thread.join()

    def check(self) -> None:
        """Raise what it stands for, if there was one."""
        if self.by is not None:
            raise KeyboardInterrupt if self.by == signal.SIGINT else Terminated

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.by is not None or self._is_over:
            return
        self.by = number
        if self._watcher is None:
            self.check()
        else:  # what it does takes locks that the interrupted code may hold
            self._thread = threading.Thread(
                target=end, args=(self._watcher,), name="interruption", daemon=True
            )
            self._thread.start()
