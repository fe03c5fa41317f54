"""Is it alive, and its numbers: however many ask, the servers are asked seldom."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, Final, Generic, TypeVar

from starlette.concurrency import run_in_threadpool

from job_console.route_services import ConsoleParts
from job_console.stream.seats import Seats
from lib.clock import Clock
from lib.errors import JobRunnerError
from lib.events.gauge_page import LabelledGauge, gauge_page
from lib.jobqueue import Snapshot
from lib.pipeline.counts import PipelineCounts, count_pipelines
from lib.pipeline.ledger import Transaction

T = TypeVar("T")
_PULSE_S: Final = 1.0
_ANSWER_S: Final = 2.0
_NUMBERS_S: Final = 10.0


class SharedLook(Generic[T]):
    """What one look found, for all who ask until it is `keep_s` old; those who come meanwhile wait for it.

    Threads: one, that of the event loop.
    Raises: what the look raises, to everybody who waited for it.
    """

    def __init__(self, look: Callable[[], Awaitable[T]], keep_s: float, clock: Clock) -> None:
        self._look, self._keep_s, self._clock = look, keep_s, clock
        self._found: tuple[float, asyncio.Task[T]] | None = None

    async def get(self) -> T:
        """What is known."""
        now = self._clock.monotonic()
        if self._found is None or (self._found[1].done() and now - self._found[0] >= self._keep_s):
            self._found = (now, asyncio.create_task(self._looked()))
        return await asyncio.shield(self._found[1])  # who hangs up takes it from nobody else

    async def _looked(self) -> T:
        return await self._look()


class ConsolePulse:
    """Whether queue and database answer. Threads: one, that of the event loop. Raises: nothing."""

    def __init__(self, parts: ConsoleParts) -> None:
        self._asks: dict[str, Callable[[], object]] = {
            "queue": parts.queue.last_event_id,
            "database": partial(parts.ledger.look, _look_at_the_time),
        }
        self._asked: dict[str, asyncio.Task[bool]] = {}
        self._shared = SharedLook(self._look, _PULSE_S, parts.clock)

    async def feel(self) -> dict[str, Any]:
        """Both, as `healthz` says it."""
        return await self._shared.get()

    async def _look(self) -> dict[str, Any]:
        answers = await asyncio.gather(*(self._answers(name) for name in self._asks))
        words = {name: "up" if up else "down" for name, up in zip(self._asks, answers, strict=True)}
        return {"ok": all(answers), **words}

    async def _answers(self, name: str) -> bool:
        """Whether one answers soon. One that still tries is not asked again: each try has a thread."""
        asked = self._asked.get(name)
        if asked is None or asked.done():
            asked = self._asked[name] = asyncio.create_task(_ask(self._asks[name]))
        done, _ = await asyncio.wait({asked}, timeout=_ANSWER_S)
        return bool(done) and asked.result()


def _look_at_the_time(transaction: Transaction) -> float:
    return transaction.now


async def _ask(question: Callable[[], object]) -> bool:
    try:
        await asyncio.to_thread(
            question
        )  # not in the threads of routes, which may all wait for a dead server
    except JobRunnerError:
        return False
    return True


class Numbers:
    """The page of metrics. Threads: one, that of the event loop. Raises Unavailable."""

    def __init__(self, parts: ConsoleParts, seats: Seats) -> None:
        self._parts, self._seats = parts, seats
        self._shared = SharedLook(self._look, _NUMBERS_S, parts.clock)

    async def text(self) -> bytes:
        """The page for a scraper."""
        return await self._shared.get()

    async def _look(self) -> bytes:
        streams = self._seats.taken
        return await run_in_threadpool(self._page, streams)

    def _page(self, streams: int) -> bytes:
        snapshot, counts = self._parts.queue.snapshot(), count_pipelines(self._parts.ledger)
        return gauge_page([*_of_queue(snapshot), *_of_pipelines(counts), _of_streams(streams)])


def _of_streams(streams: int) -> LabelledGauge:
    return LabelledGauge("job_console_streams", "Streams of events that are open", (), {(): streams})


def _of_queue(shot: Snapshot) -> Iterator[LabelledGauge]:
    states = ("waiting", "pending", "delayed", "done", "failed", "canceled")
    values: dict[tuple[str, ...], float] = {(state,): getattr(shot, state) for state in states}
    yield LabelledGauge("job_queue_jobs", "Jobs of the queue by state", ("state",), values)
    yield LabelledGauge(
        "job_queue_oldest_waiting_seconds",
        "How long the job that became waiting first has been so",
        (),
        {(): shot.oldest_waiting_s or 0.0},
    )
    yield LabelledGauge("job_queue_paused", "1 while nothing is given out", (), {(): float(shot.paused)})


def _of_pipelines(counts: PipelineCounts) -> Iterator[LabelledGauge]:
    stage, gate = ("dag", "stage", "state"), ("dag", "stage", "decision")
    runs: dict[tuple[str, ...], float] = {key: many for key, many in counts.runs.items()}
    yield LabelledGauge("pipeline_runs", "Runs by state", ("dag", "state"), runs)
    yield LabelledGauge(
        "pipeline_stages", "Stages by state", stage, {key: found.many for key, found in counts.stages.items()}
    )
    yield LabelledGauge(
        "pipeline_stage_seconds",
        "What the stages in a state took together, from their begin to their end",
        stage,
        {key: found.seconds for key, found in counts.stages.items()},
    )
    yield LabelledGauge(
        "pipeline_gates", "Gates by decision", gate, {key: found.many for key, found in counts.gates.items()}
    )
    yield LabelledGauge(
        "pipeline_gate_seconds",
        "How long gates waited together until they were decided",
        gate,
        {key: found.seconds for key, found in counts.gates.items()},
    )
