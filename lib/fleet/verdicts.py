"""Decides what happens to each machine now: one verdict at a time, from what was observed.

Every function answers for one state, most urgent reason first, so that the order can be read. A verdict is an
edge of the transition table with a reason code and a sentence; who carries it out writes it down first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from lib.fleet.lifecycle import MachineEvent, State
from lib.fleet.model import Demand, Machine, Policy, Seen

#: The reason code of a machine that could not load the image.
BAD_IMAGE: Final = "bad_image"
_JOBS_TO_SETTLE: Final = 2.5  # the one that is spoken, the one that waits for it, and half one to be sure


class MachineVerdict(NamedTuple):
    """What happens to a machine, and why."""

    event: MachineEvent
    reason: str


def proven_absent(machine: Machine, policy: Policy, now: float) -> bool:
    """Whether the machine is certainly not there.

    Two credible listings apart must lack it, and one that was wholly empty counts only after a patience: an
    empty answer is what a broken endpoint gives. Where its id is known, asking for it must say the same;
    where not, the last of them must have come when even a slow listing would have shown it, and nothing is
    known of one that was rented a moment ago. A machine that talks to us exists, whatever lists say.
    """
    if machine.answered_at is not None and now - machine.answered_at < policy.talking_s:
        return False
    if machine.absences < 2 or machine.absent_for is None or machine.absent_for < policy.apart_s:
        return False
    if machine.instance is not None:
        # What is rented just now is shown to nobody yet: neither in a list nor to who asks for its id.
        is_new = machine.state is State.RENTED and now - machine.created_at < policy.lag_s
        return machine.confirmed_absent and not is_new
    if machine.empty_absences and machine.absent_for < policy.empty_patience_s:
        return False
    return machine.unseen_at_s >= policy.lag_s


def worth_asking(machine: Machine, policy: Policy) -> bool:
    """Whether to ask the provider for this one machine: two listings apart lack it."""
    return (
        machine.instance is not None
        and machine.absences >= 2
        and machine.absent_for is not None
        and machine.absent_for >= policy.apart_s
    )


def verdict(
    machine: Machine, demand: Demand | None, policy: Policy, *, now: float, hold: float
) -> MachineVerdict | None:
    """What should happen to this machine now; None: nothing.

    `demand` is None when the queue cannot be asked: then no machine is unwanted. `hold` is how long an idle
    machine is kept, in seconds.
    """
    return _BY_STATE[machine.state](_Case(machine, demand, policy, now, hold))


class _Case(NamedTuple):
    machine: Machine
    demand: Demand | None
    policy: Policy
    now: float
    hold: float


def _planned(case: _Case) -> MachineVerdict | None:
    """A row still planned when a pass begins was left by a watcher that ended between two steps."""
    return MachineVerdict(MachineEvent.UNCLEAR, "interrupted")


def _unknown(case: _Case) -> MachineVerdict | None:
    if case.machine.seen not in (Seen.NOT_LOOKED, Seen.ABSENT):
        return MachineVerdict(MachineEvent.FOUND, "label")
    if proven_absent(case.machine, case.policy, case.now):
        return MachineVerdict(MachineEvent.NEVER_CAME, "two listings")
    return None


def _gone(case: _Case) -> MachineVerdict | None:
    looked = case.machine.seen in (Seen.ABSENT, Seen.NOT_LOOKED)
    if looked and proven_absent(case.machine, case.policy, case.now):
        return MachineVerdict(MachineEvent.VANISHED, "two listings")
    return None


def _halted(case: _Case) -> MachineVerdict | None:
    """Stopped by somebody else: it bills its disk, does nothing, and would bill again when it resumes."""
    if case.machine.seen is Seen.STOPPED:
        return MachineVerdict(MachineEvent.STOPPED, "outbid" if case.machine.interruptible else "stopped")
    if case.machine.seen is Seen.BROKEN:
        return MachineVerdict(MachineEvent.FAILED, BAD_IMAGE if case.machine.is_image_bad else "broken")
    return None


def _ends_soon(case: _Case) -> bool:
    """Whether the time left is needed for what it has: a job begun now would not be finished."""
    machine = case.machine
    return machine.expires_at - case.now < max(case.policy.settle_s, _JOBS_TO_SETTLE * machine.job_s)


def _overpriced(case: _Case) -> MachineVerdict | None:
    listed = case.machine.listed_micros
    if listed is not None and listed > case.machine.hourly_micros * case.policy.overprice:
        return MachineVerdict(MachineEvent.OVERPRICED, "price")
    return None


def _rented(case: _Case) -> MachineVerdict | None:
    machine, policy = case.machine, case.policy
    found = _gone(case) or _halted(case)
    if found:
        return found
    if machine.gate:
        return MachineVerdict(MachineEvent.FAILED, machine.gate)
    if case.now - machine.since > policy.boot_limit_s:
        return MachineVerdict(MachineEvent.FAILED, "boot_timeout")
    if machine.seen is Seen.STARTING and machine.stalled_s > policy.stall_limit_s:
        return MachineVerdict(MachineEvent.FAILED, "boot_stalled")
    if _ends_soon(case):
        return MachineVerdict(MachineEvent.EXPIRING, "end of its time")
    if overpriced := _overpriced(case):
        return overpriced
    if case.demand is not None and not case.demand.jobs:
        return MachineVerdict(MachineEvent.UNWANTED, "no work left")
    return MachineVerdict(MachineEvent.PASSED, "checks") if machine.gate == "" else None


def _silent(case: _Case) -> MachineVerdict | None:
    """Silent for longer than its leases last: its jobs go elsewhere, and it must not bill on."""
    heard = case.machine.since if case.machine.answered_at is None else case.machine.answered_at
    if case.now - heard > case.policy.silence_s:
        return MachineVerdict(
            MachineEvent.SILENT, "offline" if case.machine.seen is Seen.OFFLINE else "silent"
        )
    return None


def _unwell(case: _Case) -> MachineVerdict | None:
    """Broken though it answers: it would bill on for nothing, and hold its jobs."""
    machine, policy = case.machine, case.policy
    if machine.gate:
        return MachineVerdict(MachineEvent.FAILED, machine.gate)
    if machine.failing:
        return MachineVerdict(MachineEvent.FAILED, machine.failing)
    if machine.accused:
        return MachineVerdict(MachineEvent.FAILED, "accused")
    if machine.failures > policy.forgiven_failures:
        return MachineVerdict(MachineEvent.FAILED, "corrupt_output")
    if machine.deaths > policy.forgiven_deaths:
        return MachineVerdict(MachineEvent.FAILED, "worker_ends")
    if machine.silent_s > policy.wedged_s:
        return MachineVerdict(MachineEvent.FAILED, "wedged")
    if machine.still_s > policy.still_limit_s:
        return MachineVerdict(MachineEvent.FAILED, "stuck_job")
    if machine.job_age_s > max(policy.job_limit_s, policy.job_limit_factor * machine.job_due_s):
        return MachineVerdict(MachineEvent.FAILED, "endless_job")
    if machine.suspect:
        return MachineVerdict(MachineEvent.FAILED, "broken_takes")
    return None


def _ready(case: _Case) -> MachineVerdict | None:
    machine = case.machine
    found = _gone(case) or _halted(case) or _silent(case) or _unwell(case)
    if found:
        return found
    if overpriced := _overpriced(case):
        return overpriced
    if _ends_soon(case):
        return MachineVerdict(MachineEvent.EXPIRING, "end of its time")
    if case.demand is None or case.demand.waiting or machine.busy or machine.idle_since is None:
        return None
    # What is held for later work must be able to do it.
    hold = min(case.hold, case.policy.unproven_hold_s) if machine.deaths else case.hold
    if case.now - machine.idle_since >= hold:
        return MachineVerdict(MachineEvent.UNWANTED, f"idle for {case.now - machine.idle_since:.0f} s")
    return None


def _draining(case: _Case) -> MachineVerdict | None:
    machine, policy = case.machine, case.policy
    found = _gone(case) or _halted(case) or _silent(case) or _unwell(case)
    if found:
        return found
    if not machine.busy:
        return MachineVerdict(MachineEvent.EMPTY, "drained")
    limit = max(policy.drain_limit_s, _JOBS_TO_SETTLE * machine.job_s)
    if case.now - machine.since > limit or machine.expires_at - case.now < 60.0:
        return MachineVerdict(MachineEvent.OVERDUE, "drain limit")
    return None


_BY_STATE: Final[Mapping[State, Callable[[_Case], MachineVerdict | None]]] = {
    State.PLANNED: _planned,
    State.UNKNOWN: _unknown,
    State.RENTED: _rented,
    State.READY: _ready,
    State.DRAINING: _draining,
    State.LEAVING: _gone,
    State.GONE: lambda _: None,
}


def blind(machines: Iterable[Machine], problem: str | None, policy: Policy, now: float) -> str | None:
    """Why we cannot see what we pay for, and must rent nothing; None when we can.

    A listing that failed or is incomplete says nothing. One that lacks a machine we believe in is a
    contradiction until that machine is found or proven gone. A rental with an unknown outcome may exist.
    """
    if problem is not None:
        return problem
    for machine in machines:
        if machine.state is State.UNKNOWN or machine.state is State.PLANNED:
            return f"whether {machine.token} exists is not known yet"
        old = max(now - machine.created_at, machine.known_s) > policy.lag_s
        if machine.seen is Seen.ABSENT and machine.state is not State.LEAVING and old:
            return f"{machine.token} is missing from the provider's listing"
    return None
