"""Why a job is where it is: one sentence for each reason (Q22)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lib.jobqueue import FinishedJob, JobRecord, JobState, Snapshot, WatcherInfo
from lib.jobqueue.admin.observed import PlaceInLine
from lib.jobs.advice import AUDIO_GONE
from lib.jobs.explain import Evidence, Reason, explain
from lib.jobs.names import StrangeName, Strangeness

NOW = 1_700_000_000.0


def record(state: JobState, **fields: Any) -> JobRecord:
    base: dict[str, Any] = {
        "request_id": "topic:a",
        "priority": "normal",
        "fingerprint": "v1:00",
        "max_attempts": 3,
        "attempt": 0,
        "excused": 0,
        "lost": 0,
        "poisoned": 0,
        "lease_no": 0,
        "enqueued_at": NOW - 60,
        "since": NOW - 60,
    }
    return JobRecord(state=state, **{**base, **fields})


def snapshot(**fields: Any) -> Snapshot:
    base: dict[str, Any] = {
        **dict.fromkeys(("waiting", "pending", "delayed", "stale_pel", "done", "failed", "canceled"), 0),
        "oldest_waiting_s": None,
        "paused": False,
        "lock_owner": "w-1",
        "watcher_last_seen": NOW,
        "server_time": NOW,
    }
    return Snapshot(**{**base, **fields})


def ended(state: JobState, **fields: Any) -> FinishedJob:
    base: dict[str, Any] = {
        "request_id": "topic:a",
        "finished_at": NOW,
        "enqueued_at": NOW,
        "started_at": None,
        "attempt": 1,
        "lost": 0,
        "lease_no": 1,
        "consumer": "w-1",
        "result": None,
        "error": None,
    }
    return FinishedJob(state=state, **{**base, **fields})


def error(name: str) -> dict[str, Any]:
    return {"class": name, "message": "It broke."}


def done_with(strange: StrangeName) -> Evidence:
    """A done job with something else under its name."""
    finished = ended(JobState.DONE, result={"output": "a.wav"})
    return Evidence(record(JobState.DONE), snapshot(), finished=finished, strange=strange)


W, D, R = JobState.WAITING, JobState.DELAYED, JobState.RUNNING
LIVE = frozenset({"w-1"})
LINE = PlaceInLine(3, False, False, True, 0)
TROUBLED = WatcherInfo("w-1", NOW, NOW, True, {"trouble": "No room."})
RUNNING = {"consumer": "w-1", "expires_at": NOW + 100, "attempt": 1, "lease_no": 1}

WITHOUT_MACHINES = WatcherInfo("w-1", NOW, NOW, live=True, data={"no_machine": "No machine is on."})
CASES: list[tuple[Reason, Evidence, str]] = [
    (
        Reason.NO_WATCHER,
        Evidence(record(W), snapshot(), place=LINE),
        "topic:a has waited for 1m00s because no watcher runs; start one with job-watcher run, or job-runner",
    ),
    (
        Reason.NO_MACHINE,
        Evidence(record(W), snapshot(watchers=(WITHOUT_MACHINES,)), LIVE, LINE),
        "has waited for 1m00s because the watcher says: No machine is on; it goes on by itself when one can",
    ),
    (
        Reason.PAUSED,
        Evidence(record(W), snapshot(paused=True), LIVE, LINE),
        "topic:a has waited for 1m00s because the queue is paused; job-runner resume lets it go on.",
    ),
    (
        Reason.PAUSED,
        Evidence(record(W), snapshot(paused=True), place=LINE),
        "the queue is paused and no watcher runs; job-runner resume, and start a watcher (job-watcher run,",
    ),
    (
        Reason.IN_LINE,
        Evidence(record(W), snapshot(pending=1), LIVE, LINE),
        "1m00s: 3 jobs of normal priority ahead of it, and 1 job is running; it starts when",
    ),
    (
        Reason.IN_LINE,
        Evidence(record(W), snapshot(), LIVE, PlaceInLine(1000, True, False, True, 0)),
        "more than 1000 jobs of normal priority ahead of it",
    ),
    (
        Reason.IN_LINE,
        Evidence(record(W), snapshot(), LIVE, PlaceInLine(0, False, False, True, 0)),
        "no jobs of normal priority ahead of it",
    ),
    (
        Reason.HANDED_BACK,
        Evidence(record(W), snapshot(), LIVE, PlaceInLine(0, False, True, True, 0)),
        "was handed back by a worker 1m00s ago and goes out before all others; the next free slot",
    ),
    (
        Reason.MISPLACED,
        Evidence(record(W), snapshot(), LIVE, PlaceInLine(0, False, False, False, 0)),
        "no worker would be given it; job-runner reconcile --apply gives it a new one.",
    ),
    (
        Reason.NOT_BEFORE,
        Evidence(record(D, due_at=NOW + 90), snapshot(), LIVE),
        "is not to start before 2023-11-14T22:14:50.000Z, in 1m30s; it starts by itself then",
    ),
    (
        Reason.BACKOFF,
        Evidence(record(D, due_at=NOW + 9, attempt=1, last_error=error("transient")), snapshot(), LIVE),
        "failed 1 time of at most 3 (transient: It broke) and is tried again at 2023-11-14T22:13:29.000Z",
    ),
    (
        Reason.DUE,
        Evidence(record(D, due_at=NOW - 9), snapshot()),
        "has been due for 9.0s and still waits because no watcher runs; start one with job-watcher run",
    ),
    (
        Reason.MISPLACED,
        Evidence(record(D), snapshot(), LIVE),
        "is delayed without a time, so it would never be due; job-runner reconcile --apply",
    ),
    (
        Reason.RUNNING,
        Evidence(record(R, progress={"pieces_done": 3, "pieces": 9}, **RUNNING), snapshot(), LIVE),
        "topic:a has been worked on by w-1 for 1m00s (attempt 1: pieces_done 3, pieces 9).",
    ),
    (
        Reason.RUNNING,
        Evidence(record(R, **RUNNING), snapshot(watchers=(TROUBLED,)), LIVE),
        "topic:a has been worked on by w-1 for 1m00s (attempt 1); the watcher says: No room.",
    ),
    (
        Reason.NOT_BEGUN,
        Evidence(record(R, **{**RUNNING, "attempt": 0}), snapshot(), LIVE),
        "in the hands of w-1 for 1m00s and is not begun yet",
    ),
    (
        Reason.WORKER_SILENT,
        Evidence(record(R, **RUNNING), snapshot()),
        "has not been seen lately; it goes to another watcher when the lease runs out, in 1m40s.",
    ),
    (
        Reason.LEASE_EXPIRED,
        Evidence(record(R, **{**RUNNING, "expires_at": NOW - 5}), snapshot()),
        "was leased to w-1 1m00s ago, and the lease ran out 5.0s ago; start a watcher (job-watcher run, or",
    ),
    (
        Reason.LEASE_EXPIRED,
        Evidence(record(R, **{**RUNNING, "expires_at": NOW - 5}), snapshot(), LIVE),
        "; the running watcher will reclaim the work by itself.",
    ),
    (
        Reason.LEASE_EXPIRED,
        Evidence(record(R, **{**RUNNING, "expires_at": NOW - 5}), snapshot(paused=True), LIVE),
        "; job-runner resume lets the running watcher reclaim the work.",
    ),
    (
        Reason.WORKER_SILENT,
        Evidence(record(R, **RUNNING), snapshot(paused=True)),
        "when the lease runs out, in 1m40s, once job-runner resume ended the pause.",
    ),
    (
        Reason.MISPLACED,
        Evidence(record(R, **{**RUNNING, "expires_at": None}), snapshot(), LIVE),
        "holds no lease, so nobody would take it back; job-runner reconcile --apply frees it.",
    ),
    (
        Reason.DONE,
        Evidence(
            record(JobState.DONE), snapshot(), finished=ended(JobState.DONE, result={"output": "a.wav"})
        ),
        "topic:a was done at 2023-11-14T22:12:20.000Z.",
    ),
    (
        Reason.ARTIFACT_GONE,
        Evidence(record(JobState.DONE), snapshot(), finished=ended(JobState.DONE), artifact_there=False),
        f"its audio is not in the store any more; {AUDIO_GONE}.",
    ),
    (
        Reason.REPLACED,
        done_with(StrangeName(Strangeness.REPLACED, "a.wav", "topic:b")),
        "and a.wav holds the audio of topic:b, which was asked for later; job-runner up FILE, with the file",
    ),
    (
        Reason.ANOTHER_ONES,
        done_with(StrangeName(Strangeness.ANOTHER_ONES, "a.wav")),
        "which was asked for before; job-runner reconcile --apply puts its own there.",
    ),
    (
        Reason.EDITED,
        done_with(StrangeName(Strangeness.EDITED, "a.wav")),
        "what lies at a.wav no job made: it was edited or put there by a person and stays; move it away",
    ),
    (
        Reason.UNPUBLISHED,
        done_with(StrangeName(Strangeness.UNPUBLISHED, "a.wav")),
        "its published file a.wav is missing; job-runner reconcile --apply puts it back.",
    ),
    (
        Reason.RECORD_GONE,
        Evidence(record(JobState.DONE), snapshot()),
        "topic:a is done since 2023-11-14T22:12:20.000Z, and its record is lost; job-runner reconcile",
    ),
    (
        Reason.UNSPECIFIED,
        Evidence(record(W), snapshot(), place=LINE, specified=False),
        "is waiting for 1m00s, and its specification is gone, so it cannot be spoken; job-runner reconcile",
    ),
    (
        Reason.FAILED,
        Evidence(
            record(JobState.FAILED, attempt=3),
            snapshot(),
            finished=ended(JobState.FAILED, error=error("transient")),
        ),
        "after 3 attempts (transient: It broke); job-runner retry topic:a tries it again.",
    ),
    (
        Reason.FAILED,
        Evidence(
            record(JobState.FAILED, attempt=1),
            snapshot(),
            finished=ended(JobState.FAILED, error=error("bad_input")),
        ),
        "after 1 attempt (bad_input: It broke); trying again would end the same way",
    ),
    (
        Reason.FAILED,
        Evidence(
            record(JobState.FAILED, attempt=2),
            snapshot(),
            finished=ended(JobState.FAILED, error=error("poison")),
        ),
        "it took its workers down, so look at its log first",
    ),
    (
        Reason.CANCELED,
        Evidence(
            record(JobState.CANCELED),
            snapshot(),
            finished=ended(JobState.CANCELED, error={"class": "canceled", "message": "canceled by request"}),
        ),
        "at 2023-11-14T22:12:20.000Z (canceled by request); job-runner retry topic:a puts it back.",
    ),
]


@pytest.mark.parametrize(("reason", "evidence", "words"), CASES)
def test_each_reason_has_its_sentence(reason: Reason, evidence: Evidence, words: str) -> None:
    """Q22."""
    explanation = explain(evidence)

    assert explanation.reason is reason
    assert words in explanation.sentence
    assert explanation.sentence.endswith(".")
    assert "\n" not in explanation.sentence


def test_every_reason_is_among_the_cases() -> None:
    assert {reason for reason, _, _ in CASES} == set(Reason)


def test_whatever_must_be_freed_says_by_what() -> None:
    """Q22."""
    free = {Reason.RUNNING, Reason.DONE}

    assert {reason for reason, seen, _ in CASES if explain(seen).frees is None} == free


def test_a_job_that_was_retried_counts_only_its_new_attempts() -> None:
    seen = Evidence(
        record(D, due_at=NOW + 9, attempt=4, excused=3, last_error=error("transient")), snapshot(), LIVE
    )

    assert "failed 1 time of at most 3" in explain(seen).sentence
    assert "failed 2 times" in explain(replace(seen, record=replace(seen.record, attempt=5))).sentence
