"""The resident worker: loads the model once, then turns spool jobs into results until it is asked to stop.

Three threads. The main one speaks. A second one levels, encodes and publishes what was spoken, so that the
engine does not wait for encoders and disks; it is at most two jobs behind. A third repeats the heartbeat.

Whoever judges a death of this process looks at the heartbeat: the job it names was at hand. What an earlier
worker held when it ended is therefore finished alone, to its last byte, before anything else is begun: if it
was the encoder that died of it, the next death names the right job.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from lib.clock import Clock
from lib.spool import (
    MAX_STARTS,
    ErrorClass,
    Heartbeat,
    SpoolUnusable,
    TakenJob,
    WorkerSpool,
    WorkerState,
)
from synth.jobs import EngineShelf, GivenUp, JobRun, JobSpeaker
from synth.stop import StopSignal
from synth.takes import Performance

_MOST_BEHIND: Final = 2
_LOOK_EVERY_S: Final = 0.1  # a client that cannot ring the bell is heard this soon
_PROGRESS_EVERY_S: Final = 0.2


class _GiveBack(Exception):
    """The worker stops; the job at hand goes back to the inbox."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How a worker behaves."""

    engine: str  # of jobs that name a speaker; loaded at the start
    grace_s: float = 5.0  # after the wish to stop, the job at hand may still take this long
    once: bool = False  # stop when the inbox is empty
    beat_every_s: float = 1.0  # also while a model loads and in the middle of a long piece


class Worker:
    """Serves one spool that has been entered. `say` takes a line for people."""

    def __init__(
        self,
        spool: WorkerSpool,
        speaker: JobSpeaker,
        shelf: EngineShelf,
        stop: StopSignal,
        clock: Clock,
        options: WorkerOptions,
        say: Callable[[str], None],
    ) -> None:
        self._spool, self._speaker, self._shelf = spool, speaker, shelf
        self._stop, self._clock, self._options, self._say = stop, clock, options, say
        self._pulse = _Pulse(spool, clock, options)
        self._behind: deque[Future[None]] = deque()

    def run(self) -> None:
        """Work until asked to stop (or, with `once`, until nothing waits).

        Raises:
            lib.errors.JobRunnerError: the engine cannot be loaded, or the spool cannot be used.
            lib.spool.SpoolFull: the spool cannot be used now; the jobs at hand stay in work/.
        """
        self._pulse.beat(WorkerState.LOADING)
        with self._pulse.repeated():
            self._shelf.get(self._options.engine)
            self._say(f"ready: engine {self._options.engine}, spool {self._spool.root}")
            with ThreadPoolExecutor(1, thread_name_prefix="finish") as finisher:
                try:
                    self._serve(finisher)
                finally:
                    self._catch_up(0)
        self._pulse.beat(WorkerState.STOPPED)

    def _serve(self, finisher: ThreadPoolExecutor) -> None:
        while not self._stop.asked:
            taken = self._spool.take(1)
            for item in taken:
                self._work(item, finisher)
            if taken:
                continue
            self._catch_up(0)
            if self._options.once:
                return
            self._pulse.keep(WorkerState.IDLE)
            self._spool.wait(_LOOK_EVERY_S, [self._stop.fd])

    def _work(self, taken: TakenJob, finisher: ThreadPoolExecutor) -> None:
        run = JobRun.of(taken, self._clock.now())
        try:
            performance = self._perform(taken, run)
        except _GiveBack:
            self._spool.give_back(taken.entry)
        except SpoolUnusable:
            raise  # nothing is wrong with the job
        except Exception as error:  # one bad job must not end the worker; its result says what happened
            result = run.failed(error, self._clock.now())
            self._publish(run, lambda: self._spool.publish(run.entry, result))
            self._say(f"failed: {run.request_id}: {result.error.message if result.error else ''}")
        else:
            if not taken.left:
                self._spool.set_aside(taken.entry)
            self._catch_up(_MOST_BEHIND - 1)
            self._behind.append(finisher.submit(self._finish, performance, run))
            if taken.left:
                self._catch_up(0)

    def _perform(self, taken: TakenJob, run: JobRun) -> Performance:
        entry = taken.entry
        if taken.job is None:
            raise GivenUp(ErrorClass.BAD_INPUT, taken.problem or "The job file cannot be read.")
        if self._spool.canceled(entry):
            raise GivenUp(ErrorClass.CANCELED, "The job was canceled before it began.")
        if not self._spool.begin(entry):
            raise GivenUp(ErrorClass.POISON, f"{MAX_STARTS} workers ended while they worked on this job.")
        self._pulse.beat(WorkerState.WORKING, entry)

        def on_piece(done: int, total: int) -> None:
            self._pulse.keep(self._state(), entry, done, total)
            if self._spool.canceled(entry):
                raise GivenUp(ErrorClass.CANCELED, f"The job was canceled after {done} of {total} pieces.")
            if done < total and self._stop.seconds_since() > self._options.grace_s:
                raise _GiveBack

        return self._speaker.speak(taken.job, run, on_piece)

    def _finish(self, performance: Performance, run: JobRun) -> None:
        """In the second thread."""
        result = self._speaker.finish(performance, run, self._spool.scratch(run.entry))
        self._publish(run, lambda: self._spool.publish(run.entry, result))

    def _publish(self, run: JobRun, publish: Callable[[], None]) -> None:
        publish()
        self._pulse.finished += 1

    def _catch_up(self, most: int) -> None:
        """Wait until at most `most` jobs are behind. Raises what went wrong with one (a full disk)."""
        while len(self._behind) > most:
            self._behind.popleft().result()

    def _state(self) -> WorkerState:
        return WorkerState.DRAINING if self._stop.asked else WorkerState.WORKING


class _Pulse:
    """Writes the heartbeat: at once for a new state, else not more often than anyone would look.

    A thread repeats the last one while the others are busy for long, so that a heart that stands still means
    a process that stands still.
    """

    def __init__(self, spool: WorkerSpool, clock: Clock, options: WorkerOptions) -> None:
        self._spool, self._clock, self._every_s = spool, clock, options.beat_every_s
        self._beat = Heartbeat(os.getpid(), WorkerState.LOADING, 0.0, clock.now(), options.engine, 0)
        self._last = float("-inf")
        self._lock = threading.Lock()
        self.finished = 0

    def keep(self, state: WorkerState, entry: str | None = None, done: int = 0, total: int = 0) -> None:
        """Write if the state is new or the last beat is old enough."""
        every = _PROGRESS_EVERY_S if entry else self._every_s
        if state is not self._beat.state or self._clock.monotonic() - self._last >= every:
            self.beat(state, entry, done, total)

    def beat(self, state: WorkerState, entry: str | None = None, done: int = 0, total: int = 0) -> None:
        """Write now."""
        with self._lock:
            self._beat = replace(
                self._beat,
                state=state,
                entries=(entry,) if entry else (),
                pieces_done=done,
                pieces=total,
            )
            self._write()

    @contextlib.contextmanager
    def repeated(self) -> Iterator[None]:
        """Write the last beat again whenever it grows old, as long as the context lasts."""
        ended = threading.Event()

        def repeat() -> None:
            while not ended.wait(self._every_s):
                with self._lock, contextlib.suppress(SpoolUnusable):  # the main thread finds out and says so
                    if self._clock.monotonic() - self._last >= self._every_s:
                        self._write()

        thread = threading.Thread(target=repeat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _write(self) -> None:
        self._last = self._clock.monotonic()
        self._beat = replace(self._beat, at=self._clock.now(), finished=self.finished)
        self._spool.beat(self._beat)
