"""A simulated machine: it starts, passes or fails its checks, speaks jobs from its spool, or misbehaves.

It is brought up to date whenever somebody looks, so it costs nothing while nobody does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from job_watcher.simulation.files import MemoryFiles
from job_watcher.simulation.spoken_results import spoken_record
from lib.spool import (
    MAX_STARTS,
    Heartbeat,
    ResultError,
    ResultErrorClass,
    SpoolJob,
    SpoolResult,
    WorkerState,
)
from lib.spool.layout import CANCEL, HEARTBEAT, INBOX, OUTBOX, RESULT, WORK, entry_of
from lib.voices import engine_facts, estimated_audio_s

_PIECES: Final = 20  # of a job
_OOM_AFTER_S: Final = 15.0  # at a job, until its worker runs out of memory


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


class Sickness(StrEnum):
    """What befalls a machine that worked: it answers on, and bills on."""

    GPU_GONE = "gpu gone"  # its checks say so; every job fails
    DISK_FULL = "disk full"  # its checks say so; no job ends
    OOM_LOOP = "oom loop"  # its worker ends at each job, again and again
    WEDGED = "wedged"  # its worker stands still, its heartbeat too
    STUCK_JOB = "stuck job"  # its heartbeat goes on, its job never ends


_GATES: Final[Mapping[Sickness, str]] = {Sickness.GPU_GONE: "gpu_gone", Sickness.DISK_FULL: "disk_full"}
_ENDLESS: Final = frozenset({Sickness.DISK_FULL, Sickness.WEDGED, Sickness.STUCK_JOB})


@dataclass(slots=True)
class AtHand:
    """The job that is being spoken."""

    entry: str
    job: SpoolJob
    started: float
    work_s: float
    done: float
    starts: int = 1  # workers that had it at hand


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
        self.sickness: Sickness | None = None
        self.sick_at: float | None = None
        self.owed_since: float | None = None  # since when it is sick with a job at hand
        self._free_at = answers_at
        self._seen_at = answers_at
        self._at_hand: AtHand | None = None
        self._worker = (1, answers_at)  # process id and start
        self._beat_at = 0.0

    @property
    def gate(self) -> str:
        """What its checks say: "" for all is well, else the code of the one that fails."""
        return "" if self.sickness is None else _GATES.get(self.sickness, "")

    def fall_sick(self, sickness: Sickness, now: float) -> None:
        """From now on it is broken that way; a machine falls sick once."""
        if self.sickness is None:
            self.look(now)  # the last sign of life of one that will give none
            self.sickness, self.sick_at = sickness, now
            self.owed_since = now if self._at_hand is not None else None

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
            if job is None or self._stands_still(job, now) or job.done > now:
                break
            self._finish(job)
        self._seen_at = max(self._seen_at, now)

    def look(self, now: float) -> None:
        """Be looked at from outside: the work is done up to now, and so is the sign of life.

        That is written when somebody can read it, not each time the world's clock moves: it costs much more.
        """
        self.advance(now)
        if self.sickness is not Sickness.WEDGED and now >= self.answers_at and now != self._beat_at:
            self._beat(now)

    def _stands_still(self, job: AtHand, now: float) -> bool:
        """Whether sickness keeps the job from ending; workers that run out of memory are started anew."""
        if self.sickness in _ENDLESS:
            return True
        if self.sickness is not Sickness.OOM_LOOP or self._canceled(job):
            return False
        begun = max(job.started, self.sick_at or 0.0, self._worker[1])
        while begun + _OOM_AFTER_S <= now and job.starts < MAX_STARTS:
            begun += _OOM_AFTER_S
            job.starts += 1
            self._worker = (self._worker[0] + 1, begun)
        job.done = begun if job.starts >= MAX_STARTS else float("inf")
        return job.starts < MAX_STARTS

    def _canceled(self, job: AtHand) -> bool:
        canceled = job.entry in self.files.folders.get(CANCEL, {})
        if canceled and self.sickness is Sickness.OOM_LOOP:
            job.done = min(job.done, self._worker[1] + _OOM_AFTER_S)
        return canceled

    def _beat(self, now: float) -> None:
        at_hand = self._at_hand
        entries = () if at_hand is None else (at_hand.entry,)
        state = WorkerState.IDLE if at_hand is None else WorkerState.WORKING
        self._beat_at = now
        pid, started = self._worker
        done, pieces = (0, 0) if at_hand is None else (self._pieces_done(at_hand, now), _PIECES)
        beat = Heartbeat(pid, state, now, started, self.engine, self.finished, entries, done, pieces)
        self.files.folders.setdefault("", {})[HEARTBEAT] = beat.to_bytes()

    def _pieces_done(self, job: AtHand, now: float) -> int:
        """How many are spoken by the worker that has it at hand."""
        if self.sickness in _ENDLESS:
            now = min(now, self.sick_at or now)
        spoken = (now - max(job.started, self._worker[1])) / job.work_s
        return max(0, min(_PIECES, int(spoken * _PIECES)))

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
        self._at_hand = AtHand(entry, job, started, work, started + work)
        if self.sickness is not None and self.owed_since is None:
            self.owed_since = started
        return True

    def _finish(self, job: AtHand) -> None:
        folders = self.files.folders
        folders.get(WORK, {}).pop(f"{job.entry}.json", None)
        self._at_hand, self._free_at = None, job.done
        self.finished += 1
        canceled = folders.get(CANCEL, {}).pop(job.entry, None) is not None
        folder = folders.setdefault(f"{OUTBOX}/{job.entry}", {})
        result = self._outcome(job, folder, canceled=canceled)
        folder[RESULT] = result.to_bytes()

    def _outcome(self, job: AtHand, folder: dict[str, bytes], *, canceled: bool) -> SpoolResult:
        asked = job.job
        error = self._error(job, canceled=canceled)
        record = None
        if error is None:
            count = _variants(asked)
            data = [f"take {number} of {asked.request_id}".encode() for number in range(1, count + 1)]
            record = spoken_record(self.engine, data, self._seconds(asked) / count)
            for take, audio in zip(record.takes, data, strict=True):
                lie = self.character is Character.LIAR
                folder[take.audio.file] = b"x" * len(audio) if lie else audio
        return SpoolResult(
            entry=job.entry,
            request_id=asked.request_id,
            started_at=job.started,
            finished_at=job.done,
            record=record,
            error=error,
            fingerprint=asked.fingerprint,
        )

    def _error(self, job: AtHand, *, canceled: bool) -> ResultError | None:
        if canceled:
            return ResultError(ResultErrorClass.CANCELED, "It was canceled.")
        if self.sickness is Sickness.OOM_LOOP and job.starts >= MAX_STARTS:
            return ResultError(
                ResultErrorClass.POISON, f"{MAX_STARTS} workers ended while they worked on this job."
            )
        if self.sickness is Sickness.GPU_GONE:
            return ResultError(ResultErrorClass.ENGINE, "The GPU is gone.")
        if self.character is Character.CRASHER and self.finished % 3 == 0:
            return ResultError(ResultErrorClass.ENGINE, "The engine failed.")
        return None

    def _seconds(self, job: SpoolJob) -> float:
        """Seconds of audio that a job makes, all takes together."""
        known = self._audio_s.get(job.request_id)
        if known is not None:
            return known
        rate = engine_facts(self.engine).letters_per_second
        spec = job.spec
        one_take_s = estimated_audio_s(
            spec["text"],
            rate,
            pronounce=spec.get("pronounce"),
            speed=spec.get("speed", 1.0),
            language=spec.get("language", "English"),
        )
        return one_take_s * _variants(job)


def _variants(job: SpoolJob) -> int:
    return int(job.spec.get("variants", 1))
