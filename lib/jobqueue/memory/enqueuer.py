"""Accepts lists of jobs into memory, and makes next revisions. The caller holds the lock."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence

from lib.jobqueue.codec import Intake
from lib.jobqueue.lifecycle import JobEvent
from lib.jobqueue.memory.store import Job, Store
from lib.jobqueue.model import TERMINAL, Changed, EnqueueOutcome, JobState, Outcome
from lib.jobqueue.options import QueueOptions


class MemoryEnqueuer:
    """As the script `enqueue` does it, for any number of jobs at once."""

    def __init__(self, store: Store, options: QueueOptions) -> None:
        self._store, self._options = store, options

    def enqueue(self, items: Sequence[Intake], changed: Changed, *, dry_run: bool) -> list[EnqueueOutcome]:
        """As the port says."""
        seen: dict[str, Intake] = {}
        outcomes = [self._compare(item, seen, changed) for item in items]
        conflict = any(item.outcome is Outcome.CONFLICT for item in outcomes) and changed is not Changed.SKIP
        added = {  # each once, however often the call names it
            item.request_id
            for item in outcomes
            if item.outcome in (Outcome.CREATED, Outcome.REPLACED) and not self._is_open(item.request_id)
        }
        unfinished = sum(job.state not in TERMINAL for job in self._store.jobs.values())
        if conflict or (added and unfinished + len(added) > self._options.max_depth):
            instead = Outcome.WITHHELD if conflict else Outcome.REJECTED
            known = self._store.known
            return [_refused(item, instead, known(item.request_id) is not None) for item in outcomes]
        return outcomes if dry_run else self._carry_out(outcomes, seen)

    def _is_open(self, request_id: str) -> bool:
        job = self._store.known(request_id)
        return job is not None and job.state not in TERMINAL

    def _compare(self, item: Intake, seen: dict[str, Intake], changed: Changed) -> EnqueueOutcome:
        store, request_id = self._store, item.request_id
        job = store.known(request_id)
        before = seen.setdefault(request_id, item)
        if job is None and before is item:
            return EnqueueOutcome(request_id, Outcome.CREATED, store.first_state(item))
        same = (job.item if job else before).fingerprint == item.fingerprint
        outcome = Outcome.DUPLICATE if same else Outcome.CONFLICT
        if job is None:
            return EnqueueOutcome(request_id, outcome, store.first_state(before))
        if changed is Changed.REPLACE and before.fingerprint == item.fingerprint:
            outcome = _replacing(outcome, job, item)
        return EnqueueOutcome(request_id, outcome, job.state, store.ends(job), job.revision)

    def _carry_out(self, outcomes: list[EnqueueOutcome], seen: Mapping[str, Intake]) -> list[EnqueueOutcome]:
        store = self._store
        order = store.take_orders(len(seen))
        first = {item.request_id: item.outcome for item in reversed(outcomes)}
        for at, (request_id, item) in enumerate(seen.items()):
            outcome = first[request_id]
            if outcome is Outcome.CREATED:
                store.accept(item, order + at)
            elif outcome is not Outcome.CONFLICT:
                if outcome is Outcome.REPLACED:  # its old record keeps its old order
                    self._replace(item)
                store.jobs[request_id].order = order + at
                if outcome is Outcome.UPDATED:
                    self._update(item)
        return [self._told(outcome) for outcome in outcomes]

    def _told(self, outcome: EnqueueOutcome) -> EnqueueOutcome:
        """With the state and revision that the job has now, where this call changed it."""
        if outcome.outcome not in (Outcome.REPLACED, Outcome.UPDATED):
            return outcome
        job, ends = self._store.jobs[outcome.request_id], self._store.ends
        return dataclasses.replace(outcome, state=job.state, dedup_until=ends(job), revision=job.revision)

    def _replace(self, item: Intake) -> None:
        """Make other content the next revision, as if it were new; the lease number goes on."""
        store, request_id = self._store, item.request_id
        old = store.jobs[request_id]
        if old.state in TERMINAL:
            store.revisions.setdefault(request_id, []).append(store.finished(request_id))
            del store.history[request_id]
        if old.state is JobState.RUNNING:
            store.leases.pop(request_id, None)
        now = store.now_ms()
        since = old.since if old.state is JobState.WAITING else now
        store.move(request_id, JobEvent.REPLACED)
        store.jobs[request_id] = Job(
            item, JobState.WAITING, now, since, old.lease_no, order=old.order, revision=old.revision + 1
        )
        self._line_up_again(request_id, old.item.priority)

    def _update(self, item: Intake) -> None:
        """Take over what stands outside the fingerprint; a running job goes on as it was leased."""
        store, request_id = self._store, item.request_id
        job = store.jobs[request_id]
        was = job.item.priority
        job.item = dataclasses.replace(item, priority=was) if job.state is JobState.RUNNING else item
        if job.result is not None:
            job.result["callback_data"] = json.loads(item.callback_data)
        if job.state is JobState.DELAYED and job.attempt == 0:
            if store.first_state(item) is JobState.DELAYED:
                store.line_up(request_id)
                return
            job.due = None
            store.move(request_id, JobEvent.DUE)
        if job.state is JobState.WAITING:
            self._line_up_again(request_id, was)

    def _line_up_again(self, request_id: str, priority: str) -> None:
        """Give a waiting job its place by the priority and time that it has now; it stood at `priority`."""
        store = self._store
        job = store.jobs[request_id]
        later = store.first_state(job.item) is JobState.DELAYED
        stands = request_id in store.streams[priority] or request_id in store.leases
        if later or job.item.priority != priority or not stands:
            store.streams[priority].pop(request_id, None)
            store.leases.pop(request_id, None)
            job.since = store.now_ms()
            if later:
                store.move(request_id, JobEvent.DEFERRED)
            store.line_up(request_id)


def _replacing(outcome: Outcome, job: Job, item: Intake) -> Outcome:
    """What replacing makes of a known job."""
    if outcome is Outcome.CONFLICT:
        return Outcome.REPLACED
    if job.state is JobState.DONE:
        changed = job.result is not None and job.result.get("callback_data", {}) != json.loads(
            item.callback_data
        )
    else:
        changed = job.item.payload != item.payload
    return Outcome.UPDATED if changed else outcome


def _refused(outcome: EnqueueOutcome, instead: Outcome, known: bool) -> EnqueueOutcome:
    """A job of a call that is not carried out."""
    if outcome.outcome in (Outcome.REPLACED, Outcome.UPDATED):
        return dataclasses.replace(outcome, outcome=instead)
    if known:
        return outcome
    if outcome.outcome is Outcome.CONFLICT:
        return dataclasses.replace(outcome, state=None)
    return dataclasses.replace(outcome, outcome=instead, state=None)
