"""Watches one host's heartbeat: what its worker last said, how long ago, which jobs it had at hand."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from lib.spool import Heartbeat, Phase, WorkerState


class HeartbeatMonitor:
    """Watches one worker after another by our own clock; a worker's may be wrong.

    A worker is known by its process id and its start. Once `bury` was called it proves nothing any more: what
    it last said must not be held against the jobs of the next one. Times are monotonic seconds.

    Threads: any.
    Raises: nothing.
    """

    def __init__(self, now: float) -> None:
        self._beat: Heartbeat | None = None
        self._since = self._beat_at = self._moved_at = now
        self._buried: tuple[int, float] | None = None
        self._followed: tuple[str, ...] | None = None
        self._lock = threading.Lock()

    @property
    def beat(self) -> Heartbeat | None:
        """The latest heartbeat."""
        return self._beat

    def see(self, beat: Heartbeat | None, now: float) -> None:
        """Take note of what the heartbeat file holds now."""
        with self._lock:
            if beat is None or beat == self._beat:
                return
            before = _identity(self._beat)
            if before not in (None, self._buried, _identity(beat)):
                assert self._beat is not None
                self._followed = self._beat.entries
            if self._beat is None or _standing(beat) != _standing(self._beat):
                self._moved_at = now
            self._beat, self._since, self._beat_at = beat, now, now

    def bury(self, now: float) -> None:
        """Note that the worker has ended; another one may begin."""
        with self._lock:
            self._buried, self._since, self._followed = _identity(self._beat), now, None

    def unseen_end(self) -> tuple[str, ...] | None:
        """The entries at hand of a worker whose end nobody reported and which another one followed; once."""
        with self._lock:
            followed, self._followed = self._followed, None
            return followed

    def silent_for(self, now: float) -> float:
        """Seconds in which a living worker has given no sign: since its last beat or a predecessor's end."""
        return now - self._since

    def still_for(self, now: float) -> float:
        """Seconds since the worker last took a job up, finished one, or spoke a piece of one."""
        return now - self._moved_at

    def loads_for(self) -> tuple[str, ...]:
        """The entries for which the living worker loads a model now."""
        with self._lock:
            beat = self._beat
            if beat is None or beat.state is not WorkerState.LOADING or _identity(beat) == self._buried:
                return ()
            return beat.entries

    def heard_at(self) -> float:
        """When a beat came last. The end of a worker is no sign of life."""
        return self._beat_at

    def at_hand(self, phases: Mapping[str, Phase]) -> tuple[str, ...]:
        """The entries that the living worker has at hand; none when it has not said yet.

        Others may lie in work/ too: they are spoken already and only being written.
        """
        with self._lock:
            if self._beat is None or _identity(self._beat) == self._buried:
                return ()
            return tuple(entry for entry in self._beat.entries if phases.get(entry) is Phase.WORK)


def _identity(beat: Heartbeat | None) -> tuple[int, float] | None:
    return None if beat is None else (beat.pid, beat.started_at)


def _standing(beat: Heartbeat) -> tuple[tuple[str, ...], int, int]:
    """How far its work is."""
    return beat.entries, beat.pieces_done, beat.finished
