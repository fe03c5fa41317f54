"""The threads behind the one that speaks: the engine waits for no encoder and no disk.

One levels and encodes, a job at a time, so that long ones leave the cores to the engine. A few others have
what it made on the disk and publish it, several at once: each waits for the disk, which takes in together
what comes together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Final, Self

from lib.spool import SpoolResult
from synth.speech.kept_pieces import KeptPieces
from synth.speech.takes import Performance
from synth.worker.jobs import JobAtHand, let_go

#: A busy disk takes up to 250 ms for a result, the built-in engine 75 for a take of 6 s.
_PUBLISHERS: Final = 6


class Finishers:
    """Finishes jobs in the order they are handed over; a context manager, whose end waits for all of them.

    What is handed over waits for `begin`: between two calls of the engine its thread asks the disk about the
    next job, and would wait for the interpreter at each answer.

    `finish` makes the files, `publish` puts the result into the outbox, `told` hears of each that lies there,
    in that order.
    """

    def __init__(
        self,
        finish: Callable[[Performance, JobAtHand], SpoolResult],
        publish: Callable[[SpoolResult], None],
        told: Callable[[SpoolResult], None],
    ) -> None:
        self._finish, self._publish, self._told = finish, publish, told
        self._encoder = ThreadPoolExecutor(1, thread_name_prefix="finish")
        self._publishers = ThreadPoolExecutor(_PUBLISHERS, thread_name_prefix="publish")
        self._handed_over: deque[tuple[Performance, JobAtHand]] = deque()
        self._behind: deque[Future[Future[None]]] = deque()
        self._before: Future[None] | None = None  # of the job that was finished last

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.begin()
        self._encoder.shutdown()
        self._publishers.shutdown()

    def take(self, performance: Performance, job: JobAtHand) -> None:
        """Finish what was spoken, from the next `begin` on."""
        self._handed_over.append((performance, job))

    def begin(self) -> None:
        """Finish what was handed over, beside the engine or whatever else takes its time now."""
        while self._handed_over:
            self._behind.append(self._encoder.submit(self._encode, *self._handed_over.popleft()))

    def catch_up(self, most: int) -> None:
        """Wait until at most `most` jobs are behind.

        Raises what went wrong with one (a full disk), as soon as that is known.
        """
        self.begin()
        while self._behind and (len(self._behind) > most or _ended(self._behind[0])):
            self._behind.popleft().result().result()

    def _encode(self, performance: Performance, job: JobAtHand) -> Future[None]:
        result = self._finish(performance, job)
        # without the job: what was spoken for it would stay in memory while the disk is waited for
        self._before = self._publishers.submit(self._put, result, job.kept, self._before)
        return self._before

    def _put(self, result: SpoolResult, kept: KeptPieces | None, before: Future[None] | None) -> None:
        self._publish(result)
        let_go(kept, None if result.error is None else result.error.error_class)
        if before is not None:
            wait([before])  # it was begun before this one
        self._told(result)


def _ended(job: Future[Future[None]]) -> bool:
    """Whether it is published, or will not be."""
    return job.done() and (job.exception() is not None or job.result().done())
