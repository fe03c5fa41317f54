"""Enqueueing: a small file in one step; a large one staged in chunks, then accepted in one step."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from lib.clock import Clock
from lib.jobqueue.codec import Intake, intake
from lib.jobqueue.errors import QueueBusy
from lib.jobqueue.model import Changed, EnqueueOutcome, JobState, Outcome
from lib.jobqueue.options import QueueOptions
from lib.jobqueue.redis.script_calls import JobNote, ScriptCalls
from lib.jobspec import JobSpec
from lib.redislink.errors import ServerFull

CHUNK_JOBS: Final = 500  # one script of this size holds up other clients for some 10 ms
_CHUNK_BYTES: Final = 1_000_000
_OPEN_PAUSE_MS: Final = 30_000  # a producer silent for longer has given up its staged batch
_PUBLISH_PAUSE_MS: Final = 2_000  # a producer silent for longer gets help from a worker
_BUSY_FOR_S: Final = 10.0
_NO_LIMIT: Final = 2**53  # jobs; there was room for the whole file when it was committed


class _Again(Exception):
    """Another producer is in the way, or took over; start over after a moment."""


class Enqueuer:
    """Accepts lists of jobs through the scripts."""

    def __init__(self, calls: ScriptCalls, options: QueueOptions, clock: Clock) -> None:
        self._calls = calls
        self._options = options
        self._clock = clock

    def enqueue(self, specs: Sequence[JobSpec], *, changed: Changed, dry_run: bool) -> list[EnqueueOutcome]:
        """As the port says."""
        items = [intake(spec) for spec in specs]
        firsts: dict[str, Intake] = {}
        for item in items:
            firsts.setdefault(item.request_id, item)
        at_odds = any(item.fingerprint != firsts[item.request_id].fingerprint for item in items)
        refused = at_odds and changed is not Changed.SKIP  # the call conflicts with itself
        word, notes = self._patiently(list(_chunks(firsts.values())), changed, dry_run or refused)
        by_id = _first_outcomes(firsts.values(), "conflict" if refused else word, notes)
        return [
            by_id[item.request_id]
            if item is firsts[item.request_id]
            else self._repeated(item, firsts[item.request_id], by_id[item.request_id])
            for item in items
        ]

    def _repeated(self, item: Intake, first: Intake, outcome: EnqueueOutcome) -> EnqueueOutcome:
        """A second job of one id in a call, judged like a second call."""
        same = item.fingerprint == first.fingerprint
        if outcome.outcome is Outcome.CREATED:
            return replace(outcome, outcome=Outcome.DUPLICATE if same else Outcome.CONFLICT)
        if same:
            return outcome
        if outcome.outcome is not Outcome.CONFLICT:  # the first is the known one, or would have been
            return replace(outcome, outcome=Outcome.CONFLICT)
        notes = self._calls.enqueue([item], Changed.REFUSE, self._options.max_depth, dry_run=True).notes
        return replace(outcome, outcome=Outcome(notes[0].outcome)) if notes else outcome

    def _patiently(
        self, chunks: list[list[Intake]], changed: Changed, dry_run: bool
    ) -> tuple[str, dict[str, JobNote]]:
        """Enqueue, and again while another producer is in the way."""
        give_up = self._clock.monotonic() + _BUSY_FOR_S
        while True:
            try:
                if dry_run:
                    return self._look(chunks, changed)
                return self._enqueue(chunks, changed)
            except _Again:
                if self._clock.monotonic() > give_up:
                    raise QueueBusy(
                        "another producer is enqueueing some of the same request ids; "
                        "nothing was enqueued, run the same command again in half a minute"
                    ) from None
                self._clock.sleep(0.1)
            except ServerFull as error:
                raise error.as_enqueue() from None

    def _enqueue(self, chunks: list[list[Intake]], changed: Changed) -> tuple[str, dict[str, JobNote]]:
        if len(chunks) == 1:
            return self._chunk(chunks[0], changed)
        if not chunks:
            return "ok", {}
        word, notes = self._staged(chunks, changed)
        known = [item for chunk in chunks for item in chunk if _is_known(notes.get(item.request_id))]
        if word == "ok":  # what was known before is asked for again, and replaced, once the new is accepted
            for chunk in _chunks(known):
                notes.update(self._of_accepted(chunk, changed))
        return word, notes

    def _of_accepted(self, chunk: list[Intake], changed: Changed) -> dict[str, JobNote]:
        """Ask for known jobs of a file that is accepted: no part is refused where the whole was not."""
        give_up = self._clock.monotonic() + _BUSY_FOR_S
        # what another producer replaced since it was looked at is told of that job alone
        each = Changed.SKIP if changed is Changed.REFUSE else changed
        while True:
            try:
                return self._chunk(chunk, each, _NO_LIMIT)[1]
            except _Again:
                if self._clock.monotonic() > give_up:
                    raise QueueBusy(
                        "another producer is enqueueing some of the same request ids; the new jobs were "
                        "enqueued, and not all of the known ones asked for again; run the same command again "
                        "in half a minute"
                    ) from None
                self._clock.sleep(0.1)

    def _chunk(
        self, chunk: list[Intake], changed: Changed, max_depth: int | None = None
    ) -> tuple[str, dict[str, JobNote]]:
        while True:
            reply = self._calls.enqueue(chunk, changed, max_depth or self._options.max_depth)
            if reply.word == "busy":
                raise _Again
            if reply.word != "staged":
                return reply.word, _by_id(chunk, reply.notes)
            self.publish(reply.batch)

    def _look(self, chunks: list[list[Intake]], changed: Changed) -> tuple[str, dict[str, JobNote]]:
        notes: dict[str, JobNote] = {}
        words = set()
        room = self._options.max_depth
        for chunk in chunks:
            reply = self._calls.enqueue(chunk, changed, room, dry_run=True)
            if reply.word == "busy":
                raise _Again
            known = sum(note.outcome != "created" for note in reply.notes)
            room -= len(chunk) - known + _revived(reply.notes)
            words.add(reply.word)
            notes.update(_by_id(chunk, reply.notes))
        word = next((word for word in ("conflict", "full") if word in words), "ok")
        return word, notes

    def _staged(self, chunks: list[list[Intake]], changed: Changed) -> tuple[str, dict[str, JobNote]]:
        batch = secrets.token_hex(8)
        notes: dict[str, JobNote] = {}
        for number, chunk in enumerate(chunks):
            reply = self._calls.stage(chunk, batch, _OPEN_PAUSE_MS, first=number == 0)
            if reply.word != "ok":
                self.discard(batch, own=True)
                raise _Again
            notes.update(_by_id(chunk, [_meant(note, changed) for note in reply.notes]))
        if changed is Changed.REFUSE and any(note.outcome == "conflict" for note in notes.values()):
            self.discard(batch, own=True)
            return "conflict", notes
        revived = _revived(notes.values())
        word = self._calls.commit(batch, _PUBLISH_PAUSE_MS, self._options.max_depth - revived)
        if word != "ok":
            self.discard(batch, own=True)
            if word == "lost":
                raise _Again
            return word, notes
        self.publish(batch)
        return word, notes

    def publish(self, batch: str) -> None:
        """Move a committed batch into the streams, chunk by chunk."""
        while self._calls.publish(batch, CHUNK_JOBS, _PUBLISH_PAUSE_MS) > 0:
            pass

    def discard(self, batch: str, *, own: bool = False) -> None:
        """Take back a batch that was not committed, chunk by chunk."""
        while self._calls.discard(batch, CHUNK_JOBS, own=own) > 0:
            pass

    def look_after(self, care: Sequence[tuple[str, str]]) -> None:
        """Finish or discard the batches of producers that died in the middle."""
        for batch, state in care:
            if state == "committed":
                self.publish(batch)
            else:
                self.discard(batch)


def _chunks(items: Iterable[Intake]) -> Iterator[list[Intake]]:
    chunk: list[Intake] = []
    size = 0
    for item in items:
        if chunk and (len(chunk) >= CHUNK_JOBS or size + len(item.payload) > _CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += len(item.payload)
    if chunk:
        yield chunk


def _by_id(chunk: Sequence[Intake], notes: Iterable[JobNote]) -> dict[str, JobNote]:
    return {chunk[note.position].request_id: note for note in notes}


def _is_known(note: JobNote | None) -> bool:
    return note is not None and note.outcome != Outcome.CREATED.value


def _meant(note: JobNote, changed: Changed) -> JobNote:
    """What is to become of a job that `stage` found known: that script does not replace."""
    replacing = changed is Changed.REPLACE and note.outcome == Outcome.CONFLICT.value
    return note._replace(outcome=Outcome.REPLACED.value) if replacing else note


def _revived(notes: Iterable[JobNote]) -> int:
    """How many finished jobs are to be worked on again: they count towards the depth limit like new ones."""
    return sum(note.outcome == Outcome.REPLACED.value and note.dedup_until_ms is not None for note in notes)


_NOT_CREATED: Final = {"conflict": Outcome.WITHHELD, "full": Outcome.REJECTED}


def _first_outcomes(
    items: Iterable[Intake], word: str, notes: dict[str, JobNote]
) -> dict[str, EnqueueOutcome]:
    """The outcome per request id, of its first job in the call."""
    fresh = _NOT_CREATED.get(word, Outcome.CREATED)
    outcomes = {}
    for item in items:
        note = notes.get(item.request_id)
        if note is None or note.outcome == "created":
            state = note.state if note else JobState.WAITING
            outcome = EnqueueOutcome(item.request_id, fresh, state if fresh is Outcome.CREATED else None)
        else:
            until = None if note.dedup_until_ms is None else note.dedup_until_ms / 1000
            found = Outcome(note.outcome)
            if word in _NOT_CREATED and found in (Outcome.REPLACED, Outcome.UPDATED):
                found = fresh
            outcome = EnqueueOutcome(item.request_id, found, note.state, until, note.revision)
        outcomes[item.request_id] = outcome
    return outcomes
