"""Watchers of a campaign: processes of `job-watcher run`, in the company's time, each with its own death.

They are forked by a process that has loaded the program, which saves two seconds of processor time for each;
nothing else of it is common to them.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final, cast

from job_watcher import wiring
from job_watcher.logs import log_as
from job_watcher.providers.rented import wiring as rented
from job_watcher.providers.rented.machine_patience import MachinePatience
from job_watcher.providers.vast import wiring as on_vast
from job_watcher.providers.wiring import Given, Runs
from job_watcher.signals import drain_on_signals
from job_watcher.simulation.network import Tripwire
from lib.cli.failures import guarded
from lib.fleet import Policy
from lib.jobqueue import JobQueue
from lib.machines import open_ledger
from lib.providers.vast.provider import VastProvider
from tests.integration.vast.campaign.company_time import CompanyTime

#: How many times as fast the company's time runs.
SPEED: Final = 20.0
_PERIOD_S: Final = 0.5  # of this computer: ten seconds of the company
_OF_PROVIDER: Final = ("rent", "list", "destroy", "bill", "offers", "credit_micros")
#: What a watcher loads when it needs it; "pytest", because a child loads its parent's main program, too.
_LOADED: Final = (
    *("lib.jobqueue.redis.queue", "lib.providers.vast.sdk"),
    *("sqlalchemy.dialects.sqlite", "pydantic.main", "lib.textnorm.frontend", "pytest"),
)
#: Of this computer, for machines that are a hand's breadth away.
_PATIENCE: Final = MachinePatience(
    reach_s=30.0,
    first_s=0.1,
    lease_every_s=1.0,
    fresh_s=6.0,
    loop_s=20.0,
    recheck_s=3.0,
    confirm_after_s=(0.5, 2.0, 5.0),
)


@dataclass(frozen=True, slots=True)
class WatcherOrder:
    """What a watcher is started with. `death` is the boundary where it ends, and at which time there."""

    settings: Mapping[str, str]
    folder: Path  # of the campaign: the time, the log, what is told of deaths
    bids: bool  # whether interruptible machines may be rented
    death: tuple[str, int] | None = None


class Death:
    """SIGKILL of this process at one boundary. Threads: any, of which the first to come there ends it."""

    def __init__(self, order: WatcherOrder) -> None:
        self._step, self._left = order.death or ("", 0)
        self._file = order.folder / "deaths"

    def __call__(self, step: str) -> None:
        """A boundary is reached."""
        if step != self._step:
            return
        self._left -= 1
        if self._left == 0:
            with self._file.open("a") as told:
                told.write(f"{os.getpid()} {step}\n")
            os.kill(os.getpid(), signal.SIGKILL)


def _hastened(policy: Policy, *, bids: bool) -> Policy:
    """What is counted by this computer's time, as the work is, gets less patience."""
    return replace(policy, interruptible=bids, wedged_s=30.0, still_limit_s=30.0, job_limit_s=60.0)


def _watch(order: WatcherOrder) -> None:
    """The process."""
    os.setsid()
    os.environ.clear()
    os.environ.update(order.settings)
    log = os.open(order.folder / "watcher.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    trip, clock = Death(order), CompanyTime(order.folder / "time")

    def tripped_ledger(*args: Any, **kwargs: Any) -> Tripwire:
        return Tripwire(open_ledger(*args, **kwargs), "ledger", trip)

    def open_watcher(given: Given) -> Runs:
        queue = cast(JobQueue, Tripwire(given.parts.queue, "queue", trip))
        given = replace(given, parts=replace(given.parts, queue=queue))
        pace = rented.RentingPace(_PERIOD_S, clock, _PATIENCE)
        return on_vast.open_watcher(given, partial(_hastened, bids=order.bids), pace)

    setattr(rented, open_ledger.__name__, tripped_ledger)
    for method in _OF_PROVIDER:
        setattr(VastProvider, method, _tripped(getattr(VastProvider, method), f"provider.{method}", trip))
    sys.exit(guarded(lambda: _run(open_watcher), program="job-watcher", args=["run"]))


def _run(open_provider: Callable[[Given], Runs]) -> int:
    """As the command does."""

    def log(form: str) -> None:
        log_as(form, verbose=False)

    opened = wiring.open_watcher(redis_url=None, slots=None, log=log, runs=open_provider)
    with opened as watcher:
        drain_on_signals(watcher)
        watcher.run()
    return 0


def _tripped(call: Callable[..., Any], name: str, trip: Callable[[str], None]) -> Callable[..., Any]:
    def wired(*args: Any, **kwargs: Any) -> Any:
        trip(f"{name} before")
        answer = call(*args, **kwargs)
        trip(f"{name} after")
        return answer

    return wired


class Watchers:
    """Starts them, knows which of them live, and ends them.

    Threads: `kill` any; the others one.
    Raises: OSError where no process can be started.
    """

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__name__, *_LOADED])
        self.living: list[ForkServerProcess] = []

    def start(self, order: WatcherOrder) -> ForkServerProcess:
        """One more."""
        process = self._context.Process(target=_watch, args=(order,))
        process.start()
        self.living.append(process)
        return process

    def ended(self) -> list[int]:
        """The exit statuses of those that ended since the last time; -9 is SIGKILL."""
        over = [process for process in self.living if process.exitcode is not None]
        self.living = [process for process in self.living if process not in over]
        return [cast(int, process.exitcode) for process in over]

    def kill(self, pid: int, number: signal.Signals = signal.SIGKILL) -> None:
        """Signal one, if it lives still."""
        for process in self.living:
            if process.pid == pid and process.exitcode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

    def end(self) -> list[int]:
        """Tell all to end; their exit statuses."""
        for process in self.living:
            process.terminate()
        for process in self.living:
            process.join(30)
        return self.ended()

    def close(self) -> None:
        """End all at once."""
        for process in self.living:
            process.kill()
            process.join()
