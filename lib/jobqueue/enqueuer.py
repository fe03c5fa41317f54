"""Enqueueing: a small file in one step; a large one staged in chunks, then accepted in one step."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Final

from lib.clock import Clock
from lib.jobqueue.codec import Intake, intake
from lib.jobqueue.errors import QueueBusy
from lib.jobqueue.faces import Faces, Note
from lib.jobqueue.model import EnqueueOutcome, JobState, Outcome
from lib.jobqueue.options import QueueOptions
from lib.jobspec import JobSpec

CHUNK_JOBS: Final = 500  # one script of this size holds up other clients for some 10 ms
_CHUNK_BYTES: Final = 1_000_000
_OPEN_PAUSE_MS: Final = 30_000  # a producer silent for longer has given up its staged batch
_PUBLISH_PAUSE_MS: Final = 2_000  # a producer silent for longer gets help from a worker
_BUSY_FOR_S: Final = 10.0


class _Again(Exception):
    """Another producer is in the way, or took over; start over after a moment."""


class Enqueuer:
    """Accepts lists of jobs through the scripts."""

    def __init__(self, faces: Faces, options: QueueOptions, clock: Clock) -> None:
        self._faces = faces
        self._options = options
        self._clock = clock

    def enqueue(
        self, specs: Sequence[JobSpec], *, skip_conflicts: bool, dry_run: bool
    ) -> list[EnqueueOutcome]:
        """As the port says."""
        items = [intake(spec) for spec in specs]
        firsts, repeats = _apart(items)
        mode = "dry" if dry_run else "skip" if skip_conflicts else "all"
        if not skip_conflicts and any(same is False for _, same in repeats.values()):
            mode = "dry"  # the call conflicts with itself: only say what the rest would have been
        chunks = list(_chunks(firsts))
        give_up = self._clock.monotonic() + _BUSY_FOR_S
        while True:
            try:
                word, notes = self._enqueue(chunks, mode, skip_conflicts)
                break
            except _Again:
                if self._clock.monotonic() > give_up:
                    raise QueueBusy(
                        "another producer is enqueueing some of the same request ids; "
                        "nothing was enqueued, run the same command again in half a minute"
                    ) from None
                self._clock.sleep(0.1)
        conflict = not skip_conflicts and any(same is False for _, same in repeats.values())
        return _outcomes(items, firsts, repeats, "conflict" if conflict else word, notes)

    def _enqueue(
        self, chunks: list[list[Intake]], mode: str, skip_conflicts: bool
    ) -> tuple[str, dict[str, Note]]:
        if mode == "dry":
            return self._look(chunks, skip_conflicts)
        if len(chunks) > 1:
            return self._staged(chunks, mode)
        notes: dict[str, Note] = {}
        word = "ok"
        for chunk in chunks:
            word, found = self._faces.enqueue(chunk, mode, self._options.max_depth)
            if word == "busy":
                raise _Again
            notes = {chunk[note.position].request_id: note for note in found}
        return word, notes

    def _look(self, chunks: list[list[Intake]], skip_conflicts: bool) -> tuple[str, dict[str, Note]]:
        notes: dict[str, Note] = {}
        words = set()
        room = self._options.max_depth
        for chunk in chunks:
            word, found = self._faces.enqueue(chunk, "dry", room)
            if word == "busy":
                raise _Again
            known = sum(note.outcome != "created" for note in found)
            room -= len(chunk) - known
            words.add("ok" if word == "conflict" and skip_conflicts else word)
            notes.update({chunk[note.position].request_id: note for note in found})
        word = next((word for word in ("conflict", "full") if word in words), "ok")
        return word, notes

    def _staged(self, chunks: list[list[Intake]], mode: str) -> tuple[str, dict[str, Note]]:
        batch = secrets.token_hex(8)
        notes: dict[str, Note] = {}
        for number, chunk in enumerate(chunks):
            word, found = self._faces.stage(chunk, batch, _OPEN_PAUSE_MS, first=number == 0)
            if word != "ok":
                self.discard(batch, own=True)
                raise _Again
            notes.update({chunk[note.position].request_id: note for note in found})
        if mode == "all" and any(note.outcome == "conflict" for note in notes.values()):
            self.discard(batch, own=True)
            return "conflict", notes
        word = self._faces.commit(batch, _PUBLISH_PAUSE_MS, self._options.max_depth)
        if word != "ok":
            self.discard(batch, own=True)
            if word == "lost":
                raise _Again
            return word, notes
        self.publish(batch)
        return word, notes

    def publish(self, batch: str) -> None:
        """Move a committed batch into the streams, chunk by chunk."""
        while self._faces.publish(batch, CHUNK_JOBS, _PUBLISH_PAUSE_MS) > 0:
            pass

    def discard(self, batch: str, *, own: bool = False) -> None:
        """Take back a batch that was not committed, chunk by chunk."""
        while self._faces.discard(batch, CHUNK_JOBS, own=own) > 0:
            pass

    def look_after(self, care: Sequence[tuple[str, str]]) -> None:
        """Do for dead producers what they cannot do any more."""
        for batch, state in care:
            if state == "committed":
                self.publish(batch)
            else:
                self.discard(batch)


def _apart(items: Sequence[Intake]) -> tuple[list[Intake], dict[int, tuple[str, bool]]]:
    """The first of each id; and by position the others, with whether they equal the first."""
    seen: dict[str, Intake] = {}
    repeats: dict[int, tuple[str, bool]] = {}
    for position, item in enumerate(items):
        first = seen.setdefault(item.request_id, item)
        if first is not item:
            repeats[position] = (item.request_id, first.fingerprint == item.fingerprint)
    return list(seen.values()), repeats


def _chunks(items: Sequence[Intake]) -> Iterator[list[Intake]]:
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


_NOT_CREATED: Final = {"conflict": Outcome.WITHHELD, "full": Outcome.REJECTED}


def _outcomes(
    items: Sequence[Intake],
    firsts: Sequence[Intake],
    repeats: dict[int, tuple[str, bool]],
    word: str,
    notes: dict[str, Note],
) -> list[EnqueueOutcome]:
    fresh = _NOT_CREATED.get(word, Outcome.CREATED)
    by_id: dict[str, EnqueueOutcome] = {}
    for item in firsts:
        note = notes.get(item.request_id)
        if note is None or note.outcome == "created":
            state = note.state if note else JobState.WAITING
            by_id[item.request_id] = EnqueueOutcome(
                item.request_id, fresh, state if fresh is Outcome.CREATED else None
            )
        else:
            until = None if note.dedup_until_ms is None else note.dedup_until_ms / 1000
            by_id[item.request_id] = EnqueueOutcome(item.request_id, Outcome(note.outcome), note.state, until)
    outcomes = []
    for position, item in enumerate(items):
        outcome = by_id[item.request_id]
        if position in repeats:
            same = repeats[position][1]
            outcome = EnqueueOutcome(
                item.request_id,
                Outcome.DUPLICATE if same else Outcome.CONFLICT,
                outcome.state,
                outcome.dedup_until,
            )
        outcomes.append(outcome)
    return outcomes
