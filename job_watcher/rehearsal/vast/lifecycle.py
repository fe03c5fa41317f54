"""All instances of the fake Vast over time: their steps, what befalls them, and what each costs meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from job_watcher.rehearsal.vast.billing import BillingLedger
from job_watcher.rehearsal.vast.conduct import Mishap
from job_watcher.rehearsal.vast.instances import RentedInstance
from job_watcher.rehearsal.vast.machines import RehearsalMachine
from job_watcher.rehearsal.vast.market import Asks
from job_watcher.rehearsal.vast.refusal import ApiRefusal, no_such_instance

_QUEUED: Final = "Required resources are currently unavailable, state change queued."
_RUNNING: Final = "success, running {image}/ssh"
_RESTART_S: Final = 5.0
_OF_SSH: Final = frozenset({Mishap.SSH_DEAD, Mishap.DIRECT_DEAD, Mishap.PROXY_DEAD})
#: What a mishap does to the machine itself.
_TO_THE_MACHINE: Final[dict[Mishap, Callable[[RehearsalMachine], None]]] = {
    Mishap.CUT: RehearsalMachine.cut,
    Mishap.SSH_DEAD: RehearsalMachine.cut,
    Mishap.KEYS_LOST: RehearsalMachine.lose_keys,
    Mishap.KEYS_REFRESHED: RehearsalMachine.refresh_keys,
    Mishap.GPU_GONE: RehearsalMachine.lose_gpu,
}


@dataclass(slots=True)
class Lags:
    """How far Vast's answers are behind, seconds: new instances not listed yet, destroyed ones listed still,
    a stopped container that is still said to run.

    Threads: whoever holds the lock of the fake.
    Raises: nothing.
    """

    seen_after_s: float = 0.0
    gone_after_s: float = 5.0
    exited_after_s: float = 5.0


class Lifecycle:
    """Has everything happen at its time, in order, whenever it is told what time it is.

    `fit_out` gives a new or restarted instance its machine; None where machines are not wanted.

    Threads: whoever holds the lock of the fake.
    Raises: ApiRefusal.
    """

    def __init__(self, asks: Asks, ledger: BillingLedger, lags: Lags) -> None:
        self._asks = asks
        self._ledger = ledger
        self.lags = lags
        self.instances: dict[int, RentedInstance] = {}
        #: Told of each that is about to be destroyed, while its machine still runs.
        self.on_destroy: Callable[[RentedInstance], None] = lambda found: None
        self._plans: list[tuple[float, Mishap, int | None]] = []
        self._waiting: list[Mishap] = []
        self._is_broke = False

    def add(self, instance: RentedInstance, now: float) -> None:
        """One more is rented; it boots, unless it is born stopped."""
        self.instances[instance.id] = instance
        if instance.contract == "running":
            instance.plan_boot(now)
        else:
            instance.become(now, "exited")
        self.settle(instance, now)

    def plan(self, at: float, mishap: Mishap, instance: int | None) -> None:
        """Have it befall an instance then; None is the oldest that runs."""
        self._plans.append((at, mishap, instance))

    def living(self, instance: int) -> RentedInstance:
        """One that is not destroyed. Raises ApiRefusal."""
        found = self.instances.get(instance)
        if found is None or found.destroyed_at is not None:
            raise no_such_instance(instance)
        return found

    def seen(self, now: float) -> list[RentedInstance]:
        """Those that Vast shows, by id."""
        return [each for _, each in sorted(self.instances.items()) if self._is_seen(each, now)]

    def _is_seen(self, instance: RentedInstance, now: float) -> bool:
        if instance.destroyed_at is not None and now >= instance.destroyed_at + self.lags.gone_after_s:
            return False
        return now >= instance.created_at + self.lags.seen_after_s

    def destroy(self, instance: int, now: float) -> None:
        """Give it back: it costs nothing from now on, and its machine is gone with all that ran on it."""
        found = self.living(instance)
        self.on_destroy(found)
        found.destroyed_at, found.due = now, []
        found.intended = "stopped"
        self.settle(found, now)
        if found.machine:
            found.machine.remove()
        if not self._asks.is_busy(found.host.machine_id):
            self._asks.offer(found.host)

    def stop(self, found: RentedInstance, now: float) -> None:
        """End what runs on it; its disk is billed on. Its status follows later."""
        found.intended = found.contract = "stopped"
        found.queued = False
        found.due = [(now + self.lags.exited_after_s, "exited")]
        self._halt(found)
        self.settle(found, now)

    def start(self, found: RentedInstance, now: float) -> str:
        """Run a stopped one again, or queue that; returns Vast's words."""
        found.intended = "running"
        if self._asks.is_busy(found.host.machine_id):
            found.queued = True
            return _QUEUED
        if found.contract == "stopped":
            found.queued, found.contract = False, "running"
            found.become(now, "loading", "starting")
            found.due = [(now + _RESTART_S, "running")]
            self.settle(found, now)
        return "instance is starting"

    def repriced(self, found: RentedInstance, now: float) -> None:
        """Its price is another; one that was outbid runs again when it is enough."""
        if found.contract == "stopped" and found.gpu_price >= found.host.min_bid:
            self.start(found, now)
        self.settle(found, now)

    def restart(self, found: RentedInstance, now: float, status: str) -> None:
        """Reboot (or recycle, which forgets the disk); the GPU is kept."""
        if found.contract != "running":
            raise ApiRefusal(400, "invalid_args", "Instance is not running.")
        self._halt(found)
        if status == "recycling" and found.machine:
            found.machine.wipe()
        found.become(now, status)
        found.due = [(now + _RESTART_S, "running")]
        self.settle(found, now)

    def befall(self, found: RentedInstance, mishap: Mishap, now: float) -> None:
        """Have something happen to an instance at once."""
        acts: dict[Mishap, Callable[[RentedInstance, float], object]] = {
            Mishap.OUTBID: self.stop,
            Mishap.RESUME: self.start,
            Mishap.EXIT: self._exit,
            Mishap.OFFLINE: lambda each, at: self._away(each, at, "offline"),
            Mishap.UNKNOWN: lambda each, at: self._away(each, at, "unknown"),
            Mishap.ONLINE: self._back,
            Mishap.SSH_BACK: lambda each, at: each.troubles.difference_update(_OF_SSH),
        }
        act = acts.get(mishap)
        if act is None:
            found.troubles.add(mishap)
        else:
            act(found, now)
        self.settle(found, now)
        if found.machine and mishap in _TO_THE_MACHINE:
            _TO_THE_MACHINE[mishap](found.machine)

    def advance(self, now: float) -> None:
        """Have everything happen that is due by now, in its order."""
        while (due := min(self._due(), key=lambda each: each[0], default=None)) and due[0] <= now:
            self._ledger.settle(due[0])
            due[1](due[0])
        self._ledger.settle(now)
        for each in self.instances.values():
            if each.queued and each.destroyed_at is None and not self._asks.is_busy(each.host.machine_id):
                self.start(each, now)
            if each.machine and each.destroyed_at is None:
                each.machine.set_doors(*each.doors())  # a machine that has booted meanwhile opens them

    def _due(self) -> Iterator[tuple[float, Callable[[float], None]]]:
        """What comes next for each instance, each plan, and the credit."""
        for each in self.instances.values():
            if each.destroyed_at is None:
                if each.due and each.before_away is None:  # nothing goes on while its host is away
                    yield each.due[0][0], partial(self._step, each)
                if each.contract == "running":
                    yield each.end_date, partial(self.stop, each)
        for plan in self._plans:
            yield plan[0], partial(self._fulfil, plan)
        empty = None if self._is_broke else self._ledger.empty_at()
        if empty is not None:
            yield empty, self._go_broke

    def deposited(self) -> None:
        """There is more credit, or less: what that stops is stopped when next something is due."""
        self._is_broke = self._is_broke and self._ledger.credit <= 0

    def _go_broke(self, at: float) -> None:
        """Vast stops everything when the credit is used up; disks cost on."""
        self._is_broke = True
        for each in self.instances.values():
            if each.destroyed_at is None and each.contract == "running":
                self.stop(each, at)

    def _fulfil(self, plan: tuple[float, Mishap, int | None], at: float) -> None:
        """Do a planned mishap; one that is for any that runs waits until one does."""
        self._plans.remove(plan)
        _, mishap, instance = plan
        living = [each for each in self.instances.values() if each.destroyed_at is None]
        if instance is None:
            found = next((each for each in living if each.actual == "running" or each.before_away), None)
            if found is None:
                self._waiting.append(mishap)
        else:
            found = next((each for each in living if each.id == instance), None)
        if found is not None:
            self.befall(found, mishap, at)

    def _step(self, found: RentedInstance, at: float) -> None:
        """One step of an instance's own."""
        _, name = found.due.pop(0)
        conduct, image = found.host.conduct, str(found.request.get("image"))
        stuck_message = conduct.message if conduct.stuck_at == name else None
        match name:
            case "created":
                found.become(at, "created", stuck_message)
            case "loading":
                found.become(at, "loading", stuck_message or f"Pulling from {image}: 1 of 12 layers")
            case "pulling":
                found.become(at, "loading", f"Pulling from {image}: 9 of 12 layers")
            case "running":
                self._run(found, at, _RUNNING.format(image=image))
            case "ssh":
                found.ssh_up = True
            case "exited":
                found.become(at, "exited")
        self.settle(found, at)

    def _run(self, found: RentedInstance, at: float, message: str) -> None:
        conduct, is_first = found.host.conduct, found.ran_at is None
        found.become(at, "running", message)
        found.ran_at = at
        found.due = [(at + conduct.ssh_after_s, "ssh")]
        if found.machine:
            found.machine.start()
        self._plans += [(at, mishap, found.id) for mishap in self._waiting]
        self._waiting.clear()
        if is_first:
            self._plans += [(at + after, mishap, found.id) for after, mishap in conduct.befalls]
            self._ledger.traffic(found.id, at, down=conduct.image_gb * found.host.inet_down_cost)

    def _exit(self, found: RentedInstance, at: float) -> None:
        self._halt(found)
        found.due = []
        found.become(at, "exited", "container exited")

    def _away(self, found: RentedInstance, at: float, status: str) -> None:
        found.before_away = found.before_away or found.actual
        found.become(at, status)
        if found.machine and status == "offline":
            found.machine.cut()

    def _back(self, found: RentedInstance, at: float) -> None:
        if found.before_away is not None:
            found.become(at, found.before_away)
            found.before_away = None

    def _halt(self, found: RentedInstance) -> None:
        found.ssh_up = False
        if found.machine:
            found.machine.stop()

    def settle(self, found: RentedInstance, now: float) -> None:
        """Have bill and doors follow from what it is now."""
        gpu, disk = found.rates()
        self._ledger.set_rates(found.id, found.label, now, gpu=gpu, disk=disk)
        if found.machine:
            found.machine.set_doors(*(found.doors() if found.destroyed_at is None else (False, False)))
