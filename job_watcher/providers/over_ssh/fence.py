"""Lets a machine be touched only while this watcher leads, and notes when it answered last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from job_watcher.provisioning.ports import NotLeading
from lib.clock import Clock
from lib.spool import Files, HostUnreachable
from lib.workers import WorkerDeath, WorkerHost


class FencedHost:
    """A `WorkerHost` whose worker is told nothing by a watcher that was stopped and leads no more.

    The machine knows no epoch, so the lock is asked right before each call.

    Threads: as `WorkerHost`.
    Raises: NotLeading from everything that touches the machine, when another watcher leads.
    """

    def __init__(self, host: WorkerHost, leads: Callable[[], bool], clock: Clock) -> None:
        self.name, self.machine, self.remote = host.name, host.machine, host.remote
        self.is_idle = True
        self._host, self._leads, self._clock = host, leads, clock
        self._failed_since: float | None = None
        self.trouble: HostUnreachable | None = None  # why the last call failed; None while it answers

    def silent_for(self) -> float:
        """Seconds for which every call failed; 0 while it answers."""
        since = self._failed_since
        return 0.0 if since is None else self._clock.monotonic() - since

    def files(self) -> Files:
        """The spool's files, each call fenced."""
        self._check()
        try:
            found = self._host.files()
        except HostUnreachable as error:
            self._note(error)
            raise
        return cast(Files, _FencedFiles(found, self._check, self._note))

    def tend(self) -> WorkerDeath | None:
        """Keep the worker going."""
        self._check()
        return self._host.tend()

    def restart(self) -> None:
        """End the worker now; a new one is started later."""
        self._check()
        self._host.restart()

    def stop(self, grace: float) -> None:
        """End nothing: the work goes on, for the next leader to adopt."""

    def end(self, grace: float) -> None:
        """End the worker, which has nothing to do."""
        self._check()
        self._host.stop(grace)

    def _check(self) -> None:
        if not self._leads():
            raise NotLeading("This watcher does not lead any more: its machines are another one's.")

    def _note(self, trouble: HostUnreachable | None) -> None:
        self.trouble = trouble
        if trouble is None:
            self._failed_since = None
        elif self._failed_since is None:
            self._failed_since = self._clock.monotonic()


#: They ask nothing of the machine.
_NEAR = frozenset({"listen", "heard", "wait"})


class _FencedFiles:
    """Every method of `Files`, behind the fence."""

    def __init__(
        self, files: Files, check: Callable[[], None], note: Callable[[HostUnreachable | None], None]
    ) -> None:
        self._files, self._check, self._note = files, check, note

    def __getattr__(self, method: str) -> Any:
        call, check, note = getattr(self._files, method), self._check, self._note
        if method in _NEAR:
            return call

        def fenced(*args: Any, **kwargs: Any) -> Any:
            check()
            try:
                found = call(*args, **kwargs)
            except HostUnreachable as error:
                note(error)
                raise
            note(None)
            return found

        return fenced
