"""Voices as they are now, where they are asked for again and again: a recording is hashed when it changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lib.clock import Clock
from lib.voices.registry import VoiceRegistry
from lib.voices.voicefile import Voice

#: A file that was written this lately may be written again without a new time on it.
_FRESH_S: Final = 2.0

_Mark = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _SeenVoice:
    voice: Voice
    marks: tuple[_Mark, ...]


class KnownVoices:
    """Answers as a new `VoiceRegistry` would. `registry` makes one, which reads nothing.

    Threads: any.
    Raises: as `VoiceRegistry.get`.
    """

    def __init__(self, registry: Callable[[], VoiceRegistry], clock: Clock) -> None:
        self._registry, self._clock = registry, clock
        self._seen: dict[str, _SeenVoice] = {}

    def get(self, name: str) -> Voice:
        """The voice of that name, checked with every file it names as they are now."""
        registry = self._registry()
        seen = self._seen.get(name)
        if seen is not None and registry.path_of(name) == seen.voice.path and self._is_same(seen):
            return seen.voice
        self._seen.pop(name, None)
        voice = registry.get(name)
        marks = _marks(voice)
        newest = max((mark[-1] for mark in marks), default=0) / 1e9
        if marks and self._clock.now() - newest > _FRESH_S:
            self._seen[name] = _SeenVoice(voice, marks)
        return voice

    def _is_same(self, seen: _SeenVoice) -> bool:
        return _marks(seen.voice) == seen.marks


def _marks(voice: Voice) -> tuple[_Mark, ...]:
    """What changes with its files, the time of the change last; () where one is gone."""
    files = [voice.path, *([voice.reference.audio] if voice.reference else [])]
    try:
        return tuple(map(_mark, files))
    except OSError:
        return ()


def _mark(path: Path) -> _Mark:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
