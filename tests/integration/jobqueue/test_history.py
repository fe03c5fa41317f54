"""Workers killed and stopped at random, a server that dies, lines that are changed meanwhile: each revision
ends once in effect (Q33-Q36, Q42).

What is checked is the recorded history: what the producer was told, what the workers saw accepted, the
event stream and the records that are left.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lib.jobqueue import (
    TERMINAL,
    Changed,
    Event,
    FinishedJob,
    JobQueue,
    JobState,
    Outcome,
    QueueOptions,
    connect,
)
from lib.jobqueue.lifecycle import JobEvent, advance
from lib.jobs.results import ending_or_record
from tests.contract.jobqueue.jobs import job
from tests.integration.servers import Server
from tests.warm.process import WarmProcess

OPTIONS = QueueOptions(lost_limit=1000, events_max=10_000_000)


@dataclass
class Crew:
    """Worker processes under random signals; one that was killed is replaced under a new name."""

    url: str
    folder: Path
    chance: random.Random
    size: int
    lease_ms: int
    running: list[WarmProcess] = field(default_factory=list)
    stopped: dict[int, float] = field(default_factory=dict)
    hired: int = 0
    strikes: Counter[str] = field(default_factory=Counter)

    def hire(self) -> None:
        """One more worker."""
        self.hired += 1
        name = f"w{self.hired}"
        argv = ["job-runner", self.url, name, str(self.folder / name), str(self.lease_ms)]
        call = "tests.integration.jobqueue.history_worker:main"
        with (self.folder / "said").open("ab") as said:
            worker = WarmProcess(argv, call, cwd=self.folder, environ=os.environ, out=said.fileno())
        self.running.append(worker)

    def strike(self) -> None:
        """Kill one, or stop one for longer than its lease; wake those stopped long enough."""
        for worker in self.running:
            if self.stopped.get(worker.pid, float("inf")) + 1.5 * self.lease_ms / 1000 < time.monotonic():
                worker.send_signal(signal.SIGCONT)
                del self.stopped[worker.pid]
        ready = [worker for worker in self.running if self._ready(worker)]
        if len(ready) < 2:  # recovery is measured while somebody is there to take a job back
            return
        victim = self.chance.choice(ready)
        if self.chance.random() < 0.5:
            self.strikes["killed"] += 1
            victim.kill()
            victim.wait()
            self.running.remove(victim)
            self.hire()
        else:
            self.strikes["stopped"] += 1
            victim.send_signal(signal.SIGSTOP)
            self.stopped[victim.pid] = time.monotonic()

    def _ready(self, worker: WarmProcess) -> bool:
        return worker.pid not in self.stopped and Path(worker.args[-2]).exists()

    def wake_all(self) -> None:
        """No worker stays stopped."""
        for worker in self.running:
            worker.send_signal(signal.SIGCONT)
        self.stopped.clear()

    def dismiss(self) -> None:
        """Kill all."""
        for worker in self.running:
            worker.kill()
            worker.wait()


@contextmanager
def crew_of(crew: Crew) -> Iterator[Crew]:
    """A full crew, dismissed at the end."""
    try:
        for _ in range(crew.size):
            crew.hire()
        yield crew
    finally:
        crew.dismiss()


def produce(queue: JobQueue, total: int, over_s: float, accepted: list[str]) -> None:
    """Enqueue in small files; each is repeated, as a producer does who is not sure."""
    size = 25
    for start in range(0, total, size):
        jobs = [job(f"j{number}") for number in range(start, min(start + size, total))]
        first = queue.enqueue(jobs)
        again = queue.enqueue(jobs)
        assert {item.outcome for item in first} <= {Outcome.CREATED, Outcome.DUPLICATE}
        assert {item.outcome for item in again} == {Outcome.DUPLICATE}
        accepted += [spec.request_id for spec in jobs]
        time.sleep(over_s * size / total)


@dataclass
class Editor:
    """Changes lines under their ids, and withdraws jobs and puts them back, while the rest goes on."""

    queue: JobQueue
    chance: random.Random
    accepted: Sequence[str]
    asked: dict[str, list[str]] = field(default_factory=dict)  # the text of each revision after the first

    def work(self, producer: threading.Thread) -> None:
        """Edit until the producer is through."""
        while producer.is_alive():
            time.sleep(self.chance.uniform(0.01, 0.04))
            if self.accepted:
                self._edit(self.chance.choice(self.accepted))

    def _edit(self, request_id: str) -> None:
        if self.chance.random() < 0.2:
            self.queue.cancel(request_id)  # refused where it is done
            self.queue.retry([request_id])
            return
        texts = self.asked.setdefault(request_id, [])
        text = f"Line {len(texts) + 2} of {request_id}."
        changed = job(request_id, text=text)
        (first,) = self.queue.enqueue([changed], changed=Changed.REPLACE)
        (again,) = self.queue.enqueue([changed], changed=Changed.REPLACE)
        texts.append(text)
        assert first.outcome in (Outcome.REPLACED, Outcome.DUPLICATE)  # the reply to the first may be lost
        assert again.outcome is Outcome.DUPLICATE
        assert first.revision == again.revision == len(texts) + 1


def run(
    server: Server,
    folder: Path,
    *,
    total: int,
    size: int,
    over_s: float,
    restarts: int,
    seed: int,
    lease_ms: int,
    late_ms: int,
) -> None:
    chance = random.Random(seed)
    queue = connect(server.url, OPTIONS, patience_s=30)
    accepted: list[str] = []
    producer = threading.Thread(target=produce, args=(queue, total, over_s, accepted))
    editor = Editor(connect(server.url, OPTIONS, patience_s=30), random.Random(seed), accepted)
    editing = threading.Thread(target=editor.work, args=(producer,))
    began = time.monotonic()
    with crew_of(Crew(server.url, folder, chance, size, lease_ms)) as crew:
        producer.start()
        editing.start()
        next_restart = began + over_s / (restarts + 1)
        while queue.snapshot().outstanding or producer.is_alive() or editing.is_alive():
            crew.strike()
            if crew.strikes["restarts"] < restarts and time.monotonic() > next_restart:
                crew.strikes["restarts"] += 1
                next_restart += over_s / (restarts + 1)
                server.kill()
                server.start()
            time.sleep(chance.uniform(0.02, 0.12))
            assert time.monotonic() - began < over_s * 3 + 60, queue.snapshot()
        crew.wake_all()
        settle(queue)
    events = all_events(queue)
    check(queue, accepted, total, folder, events)
    archived = check_revisions(queue, editor, events)
    assert archived, "no job was replaced once it was done: the run proves nothing"
    assert min(crew.strikes["killed"], crew.strikes["stopped"]) > 0
    assert crew.strikes["restarts"] == restarts
    late = recoveries(events)
    assert late, "nothing was reclaimed: the run proves nothing"
    p99 = statistics.quantiles(late, n=100)[98] if len(late) > 1 else late[0]
    took = time.monotonic() - began
    edits = f"{sum(map(len, editor.asked.values()))} replaced, {archived} of them done before"
    told = f"{dict(crew.strikes)}, {edits}, {len(late)} reclaimed, p99 {p99:.3f} s, {took:.1f} s in all"
    print(told)
    assert p99 <= late_ms / 1000, told
    queue.close()
    editor.queue.close()


def settle(queue: JobQueue) -> None:
    """Give woken zombies the time to try their late writes."""
    quiet, last = 0, ""
    while quiet < 3:
        time.sleep(0.1)
        newest = queue.last_event_id()
        quiet, last = (quiet + 1 if newest == last else 0), newest


def all_events(queue: JobQueue) -> list[Event]:
    found: list[Event] = []
    while page := queue.follow_events(found[-1].id if found else "0-0", count=5000):
        found += page
    return found


def check(queue: JobQueue, accepted: list[str], total: int, folder: Path, events: Sequence[Event]) -> None:
    """No accepted job is lost, no revision ends twice, and the record is of the lease that ended it."""
    assert accepted == [f"j{number}" for number in range(total)]
    done: dict[tuple[str, int], list[int]] = defaultdict(list)
    claimed: Counter[tuple[str, int]] = Counter()
    for log in folder.iterdir():
        for line in log.read_text().splitlines():
            what, request_id, revision, lease_no, _ = line.split()
            if what == "done":
                done[request_id, int(revision)].append(int(lease_no))
            elif what == "claimed":
                claimed[request_id, int(lease_no)] += 1
    assert [key for key, count in claimed.items() if count > 1] == [], "a lease was given to two workers"
    assert [key for key, leases in done.items() if len(leases) > 1] == [], "a revision ended twice"
    for request_id, record in zip(accepted, queue.jobs(accepted), strict=True):
        assert record is not None, f"{request_id} is lost"
        assert record.state is JobState.DONE, record
        finished = queue.result(request_id)
        assert finished is not None
        assert finished.result is not None
        # a worker killed between the write and its note leaves no note
        assert done[request_id, finished.revision] in ([], [finished.result["lease_no"]])
        assert finished.lease_no == finished.result["lease_no"]
    histories: dict[str | None, list[JobEvent]] = defaultdict(list)
    for event in events:
        histories[event.request_id].append(JobEvent(event.kind))
    for request_id in accepted:
        check_life(request_id, histories[request_id])
    snapshot = queue.snapshot()
    assert (snapshot.done, snapshot.outstanding) == (total, 0)


def check_life(request_id: str, history: Sequence[JobEvent]) -> None:
    """Each step is one of the table: what is done, failed or canceled goes on by retry or replacement alone.

    Of a revision that is done nothing more happens, and the last one is.
    """
    state: JobState | None = None
    for number, event in enumerate(history):
        before, state = state, advance(state, event)
        if before in TERMINAL:
            assert event in (JobEvent.RETRIED, JobEvent.REPLACED), (request_id, history[: number + 1])
        if before is JobState.DONE:
            assert event is JobEvent.REPLACED, (request_id, history[: number + 1])
    assert state is JobState.DONE, (request_id, history)


def check_revisions(queue: JobQueue, editor: Editor, events: Sequence[Event]) -> int:
    """Revisions rise by one for each change; the last is what was asked for last; done ones stay readable.

    Returns how many were done when they were replaced.
    """
    replaced = Counter(event.request_id for event in events if event.kind == JobEvent.REPLACED)
    assert replaced == {name: len(texts) for name, texts in editor.asked.items()}
    ended: dict[str, set[int]] = defaultdict(set)  # the revisions that were done
    now: Counter[str] = Counter()
    for event in events:
        if event.kind == JobEvent.REPLACED and event.request_id:
            now[event.request_id] += 1
        elif event.kind == JobEvent.DONE and event.request_id:
            ended[event.request_id].add(now[event.request_id] + 1)
    archived = 0
    for request_id, texts in editor.asked.items():
        last = ending_or_record(queue, request_id)
        assert isinstance(last, FinishedJob)
        assert (last.revision, text_of(last)) == (len(texts) + 1, texts[-1])
        kept = {item.revision for item in queue.revisions(request_id) if item.state is JobState.DONE}
        assert kept == ended[request_id] - {last.revision}, (request_id, kept, ended[request_id])
        for revision in kept:
            earlier = ending_or_record(queue, request_id, revision)
            assert isinstance(earlier, FinishedJob)
            assert text_of(earlier) == ([job(request_id).text, *texts])[revision - 1]
        archived += len(kept)
    return archived


def text_of(finished: FinishedJob) -> str:
    """What was spoken, as the worker wrote it down."""
    assert finished.result is not None
    return str(finished.result["text"])


def recoveries(events: list[Event]) -> list[float]:
    """Seconds from the claim of a lease that was lost to the claim that took the job back."""
    since: dict[str | None, float] = {}
    late: list[float] = []
    for event in events:
        if event.kind == "reclaimed":
            late.append(event.at - since[event.request_id])
        if event.kind in ("claimed", "reclaimed"):
            since[event.request_id] = event.at
    return late


@pytest.fixture
def durable_server() -> Iterator[Server]:
    server = Server("--appendonly", "yes", "--appendfsync", "always")
    server.start()
    yield server
    server.remove()


def test_each_job_ends_once_though_workers_and_server_die(durable_server: Server, tmp_path: Path) -> None:
    """What late means here leaves room for a busy computer; the long run asks for twice the lease."""
    run(
        durable_server,
        tmp_path,
        total=2_000,
        size=4,
        over_s=8.0,
        restarts=2,
        seed=1,
        lease_ms=1000,
        late_ms=10_000,
    )


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(2))
def test_twenty_thousand_jobs_each_end_once(durable_server: Server, tmp_path: Path, seed: int) -> None:
    run(
        durable_server,
        tmp_path,
        total=20_000,
        size=8,
        over_s=120.0,
        restarts=12,
        seed=seed,
        lease_ms=2000,
        late_ms=4000,
    )
