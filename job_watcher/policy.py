"""What the watcher concludes from what it sees. Nothing here acts or asks anybody."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from job_watcher.holdings import Holding
from lib.spool import Heartbeat, Phase

#: Seconds after its `timeout_s` that a job's worker gets to end it by itself.
TIMEOUT_GRACE = 10.0


class Vigil:
    """Watches one worker's heartbeat after another, by our own clock; a worker's may be wrong.

    A worker is known by its process id and its start. Once `buried` it proves nothing any more: what it last
    said must not be held against the jobs of the next one.
    """

    def __init__(self, now: float) -> None:
        self._beat: Heartbeat | None = None
        self._since = now
        self._buried: tuple[int, float] | None = None

    def see(self, beat: Heartbeat | None, now: float) -> None:
        """Take note of the last beat; `now` is in monotonic seconds."""
        if beat is not None and beat != self._beat:
            self._beat, self._since = beat, now

    def bury(self, now: float) -> None:
        """That worker has ended; another one may begin."""
        self._buried = _identity(self._beat)
        self._since = now

    def silent_for(self, now: float) -> float:
        """Seconds without a new beat, or since the last worker ended."""
        return now - self._since

    def at_hand(self, phases: Mapping[str, Phase]) -> str | None:
        """The entry that the living worker has at hand; None when it has none, or has not said yet.

        Others may lie in work/ too: they are spoken already and only being written.
        """
        if self._beat is None or _identity(self._beat) == self._buried:
            return None
        entry = next(iter(self._beat.entries), None)
        return entry if entry is not None and phases.get(entry) is Phase.WORK else None


def _identity(beat: Heartbeat | None) -> tuple[int, float] | None:
    return None if beat is None else (beat.pid, beat.started_at)


def is_hung(
    vigil: Vigil, held: Collection[str], phases: Mapping[str, Phase], now: float, *, silence_s: float
) -> bool:
    """Whether a worker that should be at work shows no sign of life."""
    owed = any(phases.get(entry) in (Phase.INBOX, Phase.WORK) for entry in held)
    return owed and vigil.silent_for(now) > silence_s


def overdue(holdings: Sequence[Holding], phases: Mapping[str, Phase], now: float) -> list[Holding]:
    """Jobs that run so far over their `timeout_s` that their worker must hang."""
    late = []
    for holding in holdings:
        limit = holding.lease.spec.timeout_s
        if limit is None or holding.began_at is None or phases.get(holding.entry) is Phase.OUTBOX:
            continue
        if now - holding.began_at > limit + TIMEOUT_GRACE:
            late.append(holding)
    return late


def homeless(holdings: Sequence[Holding], phases: Mapping[str, Phase]) -> set[str]:
    """Entries we hold that lie nowhere in the spool: somebody removed them."""
    return {holding.entry for holding in holdings if holding.entry not in phases}
