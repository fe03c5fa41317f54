"""A simulated machine: it starts, passes or fails its checks, speaks jobs from its spool, or misbehaves.

It is brought up to date whenever somebody looks, so it costs nothing while nobody does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from job_watcher.rehearsal.files import MemoryFiles
from lib.spool import ErrorClass, ResultError, ResultFile, SpoolJob, SpoolResult
from lib.spool.layout import CANCEL, INBOX, OUTBOX, RESULT, WORK, entry_of
from lib.voices import engine_facts, estimated_audio_s


class Character(StrEnum):
    """What kind of machine a host gives us."""

    GOOD = "good"
    SLOW = "slow"  # a quarter of the speed that was promised
    SLOTH = "sloth"  # starts four times as slowly
    DEAD = "dead"  # never answers
    FAKE = "fake"  # another GPU than offered: fails its checks
    LIAR = "liar"  # says done, and the audio is not what its hash says
    MUTE = "mute"  # stops answering after a while and bills on
    CRASHER = "crasher"  # every third job ends in an engine failure


@dataclass(slots=True)
class AtHand:
    """The job that is being spoken."""

    entry: str
    job: SpoolJob
    started: float
    done: float


class SimMachine:
    """The inside of one rental. Times are the world's."""

    def __init__(
        self,
        character: Character,
        *,
        speed: float,
        answers_at: float,
        engine: str,
        audio_s: Mapping[str, float] | None = None,
    ) -> None:
        self.character, self.engine = character, engine
        self._audio_s = audio_s or {}
        self.speed = speed / 4 if character is Character.SLOW else speed
        self.answers_at = answers_at
        self.files = MemoryFiles()
        self.finished = 0
        self.spoken_s = 0.0  # seconds of work, for telling idle time from useful time
        self._free_at = answers_at
        self._seen_at = answers_at
        self._at_hand: AtHand | None = None

    def answers(self, now: float) -> bool:
        """Whether it is up and talks."""
        if self.character is Character.DEAD or now < self.answers_at:
            return False
        return not (self.character is Character.MUTE and now > self.answers_at + 300.0)

    def advance(self, now: float) -> None:
        """Do the work of the time since it was last looked at."""
        while now > self._seen_at:
            if self._at_hand is None and not self._take():
                break
            job = self._at_hand
            if job is None or job.done > now:
                break
            self._finish(job)
        self._seen_at = max(self._seen_at, now)

    def _take(self) -> bool:
        """Take the oldest job of the inbox; what was withdrawn or canceled is not taken."""
        folders = self.files.folders
        inbox = folders.get(INBOX, {})
        name = next(iter(inbox), None)
        entry = entry_of(name) if name else None
        if name is None or entry is None:
            return False
        data = inbox.pop(name)
        folders.setdefault(WORK, {})[name] = data
        job = SpoolJob.from_bytes(data)
        started = max(self._free_at, self._seen_at)
        work = self._seconds(job) / self.speed + 0.5
        self._at_hand = AtHand(entry, job, started, started + work)
        return True

    def _finish(self, job: AtHand) -> None:
        folders = self.files.folders
        folders.get(WORK, {}).pop(f"{job.entry}.json", None)
        self._at_hand, self._free_at = None, job.done
        self.finished += 1
        self.spoken_s += job.done - job.started
        canceled = folders.get(CANCEL, {}).pop(job.entry, None) is not None
        folder = folders.setdefault(f"{OUTBOX}/{job.entry}", {})
        result = self._outcome(job, folder, canceled=canceled)
        folder[RESULT] = result.to_bytes()

    def _outcome(self, job: AtHand, folder: dict[str, bytes], *, canceled: bool) -> SpoolResult:
        error = None
        if canceled:
            error = ResultError(ErrorClass.CANCELED, "It was canceled.")
        elif self.character is Character.CRASHER and self.finished % 3 == 0:
            error = ResultError(ErrorClass.ENGINE, "The engine failed.")
        if error is not None:
            return SpoolResult(job.entry, job.job.request_id, job.started, job.done, record={}, error=error)
        data = f"audio of {job.job.request_id}".encode()
        digest = hashlib.sha256(data).hexdigest()
        folder["take-01.wav"] = b"x" * len(data) if self.character is Character.LIAR else data
        record = {"engine": self.engine, "seconds": self._seconds(job.job)}
        files = (ResultFile("take-01.wav", len(data), digest, 1),)
        return SpoolResult(job.entry, job.job.request_id, job.started, job.done, record, files)

    def _seconds(self, job: SpoolJob) -> float:
        """Seconds of audio that a job makes, all takes together."""
        known = self._audio_s.get(job.request_id)
        if known is not None:
            return known
        rate = engine_facts(self.engine).characters_per_second
        return estimated_audio_s(job.spec["text"], rate) * int(job.spec.get("variants", 1))
