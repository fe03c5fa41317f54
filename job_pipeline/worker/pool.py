"""The processes of a worker, warm and waiting, and the one thread that talks to them."""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from job_pipeline.log_tags import tell
from job_pipeline.worker.look_ahead import PATIENCE_S, LookAhead
from job_pipeline.worker.messages import BrokenMessage, Outcome, outcome_from, task_message
from job_pipeline.worker.news import GatheredNews
from job_pipeline.worker.task_process import TaskProcess
from lib.clock import Clock
from lib.pipeline.work import ClaimedTask, Failed, Released

log = logging.getLogger(__name__)

#: A guard that is told to end everything has this long before it is killed itself.
_GRACE_S: Final = 1.0
#: Ends wait so long at most for others that are written with them, and only while no process waits for work.
_GATHER_S: Final = 0.05
#: A process that could not import the pipelines is started again after this long.
_AGAIN_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """A task is at work no more. `outcome` None: it was stopped, and whoever stopped it knows why."""

    task: ClaimedTask
    outcome: Outcome | Released | None


@dataclass(frozen=True, slots=True)
class ProcessReady:
    """A process waits for tasks; `digests` are of the code that it imported, by pipeline."""

    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ProcessBroken:
    """A process could not import the pipelines, for this reason; another try follows by itself."""

    reason: str


News = TaskEnded | ProcessReady | ProcessBroken


@dataclass(slots=True)
class _Slot:
    process: TaskProcess | None = None
    ready: bool = False
    task: ClaimedTask | None = None
    began: float = 0.0  # the task; monotonic
    deadline: float | None = None  # of the task; monotonic
    verdict: Failed | None = None  # what the end of the process will mean for the task
    ending_since: float | None = None
    forced: bool = False
    broken: bool = False  # it said that it could not import the pipelines
    begin_at: float = 0.0  # when a process is to be started here


class TaskPool:
    """Carries out tasks in processes of their own, one at a time in each, and stops those that take too long.

    `told` hears of whatever happens, in the pool's thread; it must be quick and must not raise. While the
    pool is supplied it hears of several things at once, a little later: each time costs its listener as much
    as a task does. A process that ends, or is ended with its task, is replaced.

    Threads: any; the processes belong to the pool's own.
    Raises: nothing.
    """

    def __init__(
        self,
        dags: Sequence[str],
        count: int,
        told: Callable[[News], None],
        *,
        clock: Clock,
        folder: Path,
        allow_placeholders: bool = False,
    ) -> None:
        self._dags, self._clock = tuple(dags), clock
        self._folder, self._allow_placeholders = folder.absolute(), allow_placeholders
        self._slots = [_Slot() for _ in range(count)]
        self._lock = threading.Lock()
        self._idle = 0  # processes that could begin a task
        self._waiting: deque[tuple[float, ClaimedTask]] = deque()  # that no process has begun, and since when
        self._look_ahead = LookAhead(count)
        self._ahead = 0  # how many may wait while all processes are busy
        self._commands: deque[Callable[[], None]] = deque()
        self._news = GatheredNews(told, clock)
        self._closing = self._closed = False
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)
        self._selector.register(self._woken, selectors.EVENT_READ, self._hear_commands)
        self._thread = threading.Thread(target=self._run, name="tasks", daemon=True)
        self._thread.start()

    @property
    def free(self) -> int:
        """How many tasks could begin now, or soon: while they are short some may wait here.

        None while it is supplied: to fetch many at once costs the ledger less than to fetch each.
        """
        with self._lock:
            room = self._idle + self._ahead - len(self._waiting)
            return 0 if self._is_supplied() else max(0, room)

    @property
    def is_supplied(self) -> bool:
        """Whether every process has work and more than half of what may wait waits: there is no hurry."""
        with self._lock:
            return self._is_supplied()

    def _is_supplied(self) -> bool:
        return self._idle <= 0 and len(self._waiting) > self._ahead // 2

    def begin(self, task: ClaimedTask) -> None:
        """Carry out a task as soon as a process is free; its time begins then.

        One that no process is free for within a second is given back: the end of it is `Released`.
        """
        self.begin_all([task])

    def begin_all(self, tasks: Sequence[ClaimedTask]) -> None:
        """`begin` for several."""
        since = self._clock.monotonic()
        with self._lock:
            self._waiting.extend((since, task) for task in tasks)
        self._command(self._hand_out)

    def stop(self, task: ClaimedTask) -> None:
        """Stop a task, if it is at work; its end is told without an outcome."""
        self._command(partial(self._stop, task))

    def close(self) -> None:
        """End every process with all that came from it; on return they are gone. Later calls do nothing."""
        self._command(self._close)
        self._thread.join()
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._selector.close()
        os.close(self._woken)
        os.close(self._wake)

    def _command(self, command: Callable[[], None]) -> None:
        with self._lock:
            if self._closed:
                return
            self._commands.append(command)
            with contextlib.suppress(BlockingIOError):  # full: it is awake already
                os.write(self._wake, b".")

    def _hear_commands(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, 4096)
        while self._commands:
            self._commands.popleft()()

    # From here on: the pool's thread

    def _run(self) -> None:
        while not self._closing or any(slot.process for slot in self._slots):
            now = self._clock.monotonic()
            for slot in self._slots:
                self._tend(slot, now)
            self._give_back(now)
            if self._news and self._news_due_s(now) <= 0:
                self._news.tell()
            for key, _ in self._selector.select(self._pause_s(now)):
                key.data()
        self._news.tell()

    def _pause_s(self, now: float) -> float | None:
        ahead = [at for slot in self._slots if (at := self._next(slot)) is not None]
        if self._news:
            ahead.append(now + self._news_due_s(now))
        with self._lock:
            if self._waiting and self._idle < len(self._waiting):
                ahead.append(self._waiting[0][0] + PATIENCE_S)
        return max(0.0, min(ahead) - now) if ahead else None

    def _news_due_s(self, now: float) -> float:
        """How much longer what was not told yet may wait for more."""
        hurries = self._closing or not self.is_supplied
        return 0.0 if hurries else self._news.since + _GATHER_S - now

    def _next(self, slot: _Slot) -> float | None:
        """When this slot needs a look without anything being heard of it."""
        if slot.process is None:
            return None if self._closing else slot.begin_at
        if slot.ending_since is not None:
            return None if slot.forced else slot.ending_since + _GRACE_S
        return slot.deadline

    def _tend(self, slot: _Slot, now: float) -> None:
        due = self._next(slot)
        if due is None or now < due:
            return
        if slot.process is None:
            self._start(slot)
        elif slot.ending_since is not None:
            slot.forced = True
            slot.process.force_end()
        elif slot.task is not None:
            limit = slot.task.timeout_s
            self._end(slot, Failed(error=f"it did not end within {limit:g} s, its time-out, and was stopped"))

    def _give_back(self, now: float) -> None:
        """Let others have what waited too long behind tasks that are longer than the last ones were."""
        late: list[ClaimedTask] = []
        with self._lock:
            while self._waiting and now - self._waiting[0][0] >= PATIENCE_S:
                late.append(self._waiting.popleft()[1])
            if late:
                self._look_ahead.took(PATIENCE_S)
                self._ahead = self._look_ahead.count
        for task in late:
            self._news.add(TaskEnded(task, Released(why="no process of its worker became free")))

    def _start(self, slot: _Slot) -> None:
        try:
            process = TaskProcess(self._dags)
        except OSError as error:
            slot.begin_at = self._clock.monotonic() + _AGAIN_S
            self._news.add(ProcessBroken(f"no process can be started: {error}"))
            return
        slot.process, slot.ready, slot.ending_since, slot.forced = process, False, None, False
        self._selector.register(process.talk, selectors.EVENT_READ, partial(self._hear, slot))
        self._selector.register(process.watch, selectors.EVENT_READ, partial(self._see_end, slot))
        self._selector.register(process.output, selectors.EVENT_READ, partial(self._read, slot))

    def _hand_out(self) -> None:
        """Give waiting tasks to free processes."""
        for slot in filter(self._is_free, self._slots):
            with self._lock:
                if not self._waiting:
                    return
                slot.task = self._waiting.popleft()[1]
                self._idle -= 1
            self._begin(slot, slot.task)

    def _begin(self, slot: _Slot, task: ClaimedTask) -> None:
        assert slot.process is not None
        slot.began = self._clock.monotonic()
        slot.deadline = slot.began + task.timeout_s
        slot.process.lines.begin()
        folder = os.path.join(self._folder, task.run)
        slot.process.say(task_message(task, folder, allow_placeholders=self._allow_placeholders))
        if slot.process.is_unsent:
            self._listen_for(slot, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def _recount(self) -> None:
        with self._lock:
            self._idle = sum(map(self._is_free, self._slots))
            self._ahead = self._look_ahead.count

    def _is_free(self, slot: _Slot) -> bool:
        return slot.ready and slot.task is None and slot.ending_since is None

    def _listen_for(self, slot: _Slot, what: int) -> None:
        assert slot.process is not None
        self._selector.modify(slot.process.talk, what, partial(self._hear, slot))

    def _hear(self, slot: _Slot) -> None:
        process = slot.process
        if process is None:
            return
        if process.is_unsent and not process.send_rest():
            self._listen_for(slot, selectors.EVENT_READ)
        try:
            messages = process.hear()
            if messages is None:  # it ends; its guard will say how
                self._unregister(process.talk)
            for message in messages or ():
                self._take(slot, message)
        except BrokenMessage as error:
            self._end(slot, Failed(error=f"its process does not make sense any more: {error}"))

    def _take(self, slot: _Slot, message: Mapping[str, Any]) -> None:
        if "ready" in message:
            slot.ready = True
            self._free_again(slot, ProcessReady(dict(message["ready"])))
        elif "broken" in message:
            slot.broken = True
            self._news.add(ProcessBroken(str(message["broken"])))
        elif slot.task is not None and slot.ending_since is None:
            outcome = outcome_from(message)
            self._look_ahead.took(self._clock.monotonic() - slot.began)
            self._read(slot)
            self._tell_rest(slot)
            task, slot.task, slot.deadline = slot.task, None, None
            self._free_again(slot, TaskEnded(task, outcome))

    def _free_again(self, slot: _Slot, news: News) -> None:
        self._recount()
        self._hand_out()
        self._news.add(news)

    def _read(self, slot: _Slot) -> None:
        process = slot.process
        lines = process.printed() if process is not None else []
        if process is not None and lines is None:
            self._unregister(process.output)
        for line in lines or ():
            self._tell(slot, line)

    def _tell_rest(self, slot: _Slot) -> None:
        for line in slot.process.lines.end() if slot.process is not None else ():
            self._tell(slot, line)

    def _tell(self, slot: _Slot, line: str) -> None:
        task = slot.task
        if task is None:
            tell(log, "stage", "printed", line)
        else:
            tell(log, "stage", "printed", line, run=task.run, task=task.name, attempt=task.attempt)

    def _unregister(self, line: Any) -> None:
        with contextlib.suppress(KeyError, ValueError):  # it was closed, and is out already
            self._selector.unregister(line)

    def _stop(self, task: ClaimedTask) -> None:
        with self._lock:
            stay = deque(each for each in self._waiting if each[1] is not task)
            waited, self._waiting = len(stay) < len(self._waiting), stay
        if waited:
            self._news.add(TaskEnded(task, None))
        for slot in self._slots:
            if slot.task is task:
                self._end(slot, None)

    def _end(self, slot: _Slot, verdict: Failed | None) -> None:
        if slot.process is None or slot.ending_since is not None:
            return
        slot.verdict, slot.deadline = verdict, None
        slot.ending_since = self._clock.monotonic()
        slot.process.ask_to_end()
        self._recount()

    def _see_end(self, slot: _Slot) -> None:
        """A process and all that came from it are gone, or its guard is."""
        process = slot.process
        how = process.how_it_ended() if process is not None else None
        if process is None or how is None:
            return
        self._hear(slot)  # it may have answered before
        self._read(slot)
        self._tell_rest(slot)
        for line in (process.talk, process.watch, process.output):
            self._unregister(line)
        process.close()
        asked, task, was_ready = slot.ending_since is not None, slot.task, slot.ready
        verdict = slot.verdict if asked else Failed(error=f"its process ended before it did: {how}")
        if not was_ready and not asked and not slot.broken:
            self._news.add(ProcessBroken(f"a process ended while it imported the pipelines: {how}"))
        pause = 0.0 if was_ready or asked else _AGAIN_S
        self._clear(slot, self._clock.monotonic() + pause)
        if task is not None:
            self._news.add(TaskEnded(task, verdict))

    def _clear(self, slot: _Slot, begin_at: float) -> None:
        slot.process, slot.task, slot.deadline, slot.verdict = None, None, None, None
        slot.ready, slot.broken, slot.ending_since, slot.forced = False, False, None, False
        slot.begin_at = begin_at
        self._recount()

    def _close(self) -> None:
        self._closing = True
        with self._lock:
            waiting, self._waiting = [task for _, task in self._waiting], deque()
        for task in waiting:
            self._news.add(TaskEnded(task, None))
        for slot in self._slots:
            self._end(slot, None)
