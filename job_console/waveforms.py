"""Waveforms of audio files that have none beside them: made by a process of `synth`, once, and kept."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from lib.errors import BadInput, JobFailed, TryAgain
from lib.files import sweep_drafts
from lib.jobs.synth_process import run_synth

_WAITS_S: Final = 20.0
_TAKES_S: Final = 60.0  # at most, from when it is begun
_MOST_WAITING: Final = 12  # a page has eight players; each that waits holds one of few threads
_MOST_KEPT: Final = 500  # files of at most 100 KB
_MOST_REFUSED: Final = 500
_LARGEST: Final = 1 << 30  # bytes of audio: three hours of WAV
#: The JSON of audiowaveform, version 2.
PEAKS: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["version", "channels", "sample_rate", "samples_per_pixel", "bits", "length", "data"],
    "properties": {
        "version": {"type": "integer"},
        "channels": {"type": "integer"},
        "sample_rate": {"type": "integer"},
        "samples_per_pixel": {"type": "integer"},
        "bits": {"type": "integer"},
        "length": {"type": "integer", "description": "how many pairs"},
        "data": {
            "type": "array",
            "items": {"type": "integer"},
            "description": "the lowest and the highest level of each part, one after the other",
        },
    },
}


class NoWaveform(BadInput):
    """A file is no audio that can be drawn."""


def content_tag(sha256: str, found: os.stat_result) -> str:
    """Names what a file holds now: what was recorded of it, and whether it is as it was."""
    return f"{sha256[:16]}-{found.st_size:x}-{found.st_mtime_ns:x}"


def _by_synth(audio: Path, target: Path) -> str:
    """Make the file; "" or why it cannot be made."""
    status, told = run_synth(
        ["peaks", str(audio), "--out", str(target)], doing="Drawing the waveform", within_s=_TAKES_S
    )
    if not status:
        return ""
    return str(told.get("error", {}).get("message", "no reason was given")).replace(str(audio), "it")


class Waveforms:
    """A folder of waveforms by content, bounded in number. One is made at a time.

    `make` writes the waveform of an audio file to a path, and says why it cannot.

    Threads: any.
    """

    def __init__(
        self,
        folder: Path,
        make: Callable[[Path, Path], str] = _by_synth,
        *,
        most_kept: int = _MOST_KEPT,
        most_waiting: int = _MOST_WAITING,
    ) -> None:
        self._places = threading.BoundedSemaphore(most_waiting)
        self._folder, self._make, self._most_kept = folder, make, most_kept
        self._making = threading.Lock()
        self._refused: dict[str, str] = {}  # by tag: what is no audio is not tried for each who looks

    def of_file(self, descriptor: int, name: str, tag: str) -> bytes:
        """The waveform of an open file, which is called `name`; `tag` names its content.

        Raises:
            NoWaveform: it has none: it is no audio, or too long.
            TryAgain: others are being made.
        """
        place = self._folder / f"{tag}.json"
        if (kept := _read(place)) is not None:
            return kept
        if not self._places.acquire(blocking=False):
            raise _others_first(name)
        try:
            return self._in_turn(descriptor, name, tag, place)
        finally:
            self._places.release()

    def _in_turn(self, descriptor: int, name: str, tag: str, place: Path) -> bytes:
        if not self._making.acquire(timeout=_WAITS_S):
            raise _others_first(name)
        try:
            kept = _read(place)
            return self._made(descriptor, name, tag, place) if kept is None else kept
        finally:
            self._making.release()

    def _made(self, descriptor: int, name: str, tag: str, place: Path) -> bytes:
        why = self._refused.get(tag) or self._attempt(descriptor, place)
        if why:
            while len(self._refused) >= _MOST_REFUSED:
                del self._refused[next(iter(self._refused))]
            self._refused[tag] = why
            raise NoWaveform(f"{name} has no waveform: {why}")
        _forget_oldest(self._folder, self._most_kept)
        return place.read_bytes()

    def _attempt(self, descriptor: int, place: Path) -> str:
        if os.fstat(descriptor).st_size > _LARGEST:
            return f"it is longer than {_LARGEST} bytes"
        place.parent.mkdir(mode=0o700, exist_ok=True)
        sweep_drafts(place.parent)
        try:  # by its descriptor: what lies at its name may be another file by now
            return self._make(Path(f"/proc/{os.getpid()}/fd/{descriptor}"), place)
        except JobFailed as error:
            return error.message


def _others_first(name: str) -> TryAgain:
    return TryAgain(f"the waveform of {name} waits for others that are being made; ask again")


def _read(place: Path) -> bytes | None:
    try:
        data = place.read_bytes()
    except OSError:
        return None
    with contextlib.suppress(OSError):
        os.utime(place)  # what is looked at stays longest
    return data


def _forget_oldest(folder: Path, most: int) -> None:
    kept = sorted(folder.glob("*.json"), key=lambda each: each.stat().st_mtime)
    for each in kept[:-most]:
        each.unlink(missing_ok=True)
