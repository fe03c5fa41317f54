"""The machines of one term: brings their workers to the dispatcher, and takes away what is broken."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from job_watcher.providers.over_ssh.bootstrap import reason_of
from job_watcher.providers.over_ssh.fence import FencedHost
from job_watcher.providers.over_ssh.keeper import MachineKeeper
from job_watcher.providers.over_ssh.ports import Stage
from job_watcher.provisioning.ports import NotLeading
from lib.clock import Clock
from lib.dispatch import Dispatcher
from lib.errors import JobRunnerError, Unavailable
from lib.jobqueue import Term
from lib.workers import WorkerHost

_IDLE_AWAY_S: Final = 10.0


class Fleet:
    """`Machines` of provider ssh.

    `away_s` is how long a machine may be silent before its jobs go to the others. One that has none loses
    nothing by being looked at anew, and so is out after ten seconds: what is told of it is true.

    Threads: the loop's only; `facts` and `trouble` any.
    Raises: as `Machines`.
    """

    def __init__(
        self,
        keepers: Sequence[MachineKeeper],
        leads: Callable[[], bool],
        clock: Clock,
        *,
        away_s: float,
        ahead: int,
    ) -> None:
        self._keepers, self._leads, self._clock, self._away_s = tuple(keepers), leads, clock, away_s
        self._ahead = ahead  # jobs that each worker holds
        self._used: dict[str, tuple[FencedHost, MachineKeeper]] = {}
        self._doing: dict[str, list[dict[str, Any]]] = {}
        self._silent: dict[str, float] = {}

    def begin(self) -> None:
        """Begin to get the machines ready, each in its own thread."""
        for keeper in self._keepers:
            keeper.begin()

    def step(self, dispatcher: Dispatcher, term: Term) -> None:
        """Add the workers of machines that are there, and adopt what runs on them; remove broken ones."""
        for keeper in self._keepers:
            self._judge(dispatcher, keeper)
        fresh = [
            (host, keeper) for keeper in self._keepers for host in keeper.hosts if host.name not in self._used
        ]
        for host, keeper in fresh:
            self._add(dispatcher, host, keeper)
        if fresh:
            dispatcher.adopt(term)
        self._doing = {keeper.name: self._workers(dispatcher, keeper) for keeper in self._keepers}
        self._silent = {keeper.name: self._silence_of(keeper) for keeper in self._keepers}

    def settled(self) -> bool:
        """Whether each machine was tried."""
        return all(keeper.tried for keeper in self._keepers)

    def trouble(self) -> JobRunnerError | None:
        """What keeps every machine from being used; None when one is ready or on the way."""
        standings = [keeper.standing for keeper in self._keepers]
        if not self.settled() or any(standing.stage is not Stage.OUT for standing in standings):
            return None
        return Unavailable(f"No machine of SSH_MACHINES can be used. {standings[0].sentence}")

    def leave(self, grace: float) -> None:
        """End the workers that hold nothing; the others go on, for the next watcher."""
        idle = [host for host, _ in self._used.values() if host.is_idle]
        enders = [threading.Thread(target=_end, args=(host, grace), daemon=True) for host in idle]
        for ender in enders:
            ender.start()
        for ender in enders:
            ender.join()

    def close(self) -> None:
        """Touch no machine any more."""
        for keeper in self._keepers:
            keeper.close()

    def facts(self) -> Mapping[str, Any]:
        """What the registry is told: each machine, how it is and what it does; why none can be used."""
        trouble = self.trouble()
        return {
            "no_machine": None if trouble is None else trouble.message,
            "fleet": [
                {
                    "machine": keeper.name,
                    **keeper.standing.to_json(),
                    "silent_seconds": self._silent.get(keeper.name, 0.0),
                    "workers": self._doing.get(keeper.name, []),
                }
                for keeper in self._keepers
            ],
        }

    # --- hosts -------------------------------------------------------------------------------------------

    def _add(self, dispatcher: Dispatcher, host: WorkerHost, keeper: MachineKeeper) -> None:
        fenced = FencedHost(host, self._leads, self._clock)
        self._used[host.name] = (fenced, keeper)
        dispatcher.add(fenced, lambda: self._ahead if keeper.open else 0, replaceable=True)

    def _judge(self, dispatcher: Dispatcher, keeper: MachineKeeper) -> None:
        """Take the machine's hosts away when one of them is broken, or it is silent, or out."""
        mine = [host for host, owner in self._used.values() if owner is keeper]
        if not mine:
            return
        if keeper.standing.stage is Stage.OUT:
            self._remove(dispatcher, mine, keeper.standing.reason, lost=False)
            return
        for host in mine:
            view = dispatcher.view(host.name)
            if view is not None and view.failing:
                sentence = f"The worker {host.name} is broken ({view.failing}); it is started anew."
                self._remove(dispatcher, mine, view.failing, lost=True)
                host.restart()
                keeper.reject(view.failing, sentence)
                return
        self._judge_silence(dispatcher, keeper, mine)

    def _judge_silence(
        self, dispatcher: Dispatcher, keeper: MachineKeeper, mine: Sequence[FencedHost]
    ) -> None:
        silent = min(host.silent_for() for host in mine)
        idle = all(view.busy == 0 for host in mine if (view := dispatcher.view(host.name)) is not None)
        if silent <= (min(_IDLE_AWAY_S, self._away_s) if idle else self._away_s):
            return
        trouble = mine[0].trouble
        reason = "unreachable" if trouble is None else reason_of(trouble)
        self._remove(dispatcher, mine, reason, lost=False)
        why = "" if trouble is None else f" {trouble.message}"
        keeper.reject(reason, f"{keeper.name} could not be used for {silent:.0f} s.{why}")

    def _silence_of(self, keeper: MachineKeeper) -> float:
        silences = (host.silent_for() for host, owner in self._used.values() if owner is keeper)
        return round(min(silences, default=0.0), 1)

    def _remove(self, dispatcher: Dispatcher, hosts: Sequence[FencedHost], why: str, *, lost: bool) -> None:
        for host in hosts:
            self._used.pop(host.name, None)
            dispatcher.remove(host.name, why=why, lost=lost)

    def _workers(self, dispatcher: Dispatcher, keeper: MachineKeeper) -> list[dict[str, Any]]:
        found = []
        for host, owner in self._used.values():
            view = dispatcher.view(host.name) if owner is keeper else None
            if view is None:
                continue
            host.is_idle = view.busy == 0
            job = view.oldest_job
            found.append(
                {
                    "host": view.name,
                    "busy": view.busy,
                    "finished": view.settled,
                    "job": None if job is None else job.request_id,
                    "job_seconds": round(view.oldest_job_s, 1) if job is not None else None,
                }
            )
        return found


def _end(host: FencedHost, grace: float) -> None:
    with contextlib.suppress(NotLeading):  # then its worker is the next leader's
        host.end(grace)
