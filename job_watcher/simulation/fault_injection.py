"""Carries out a schedule of faults: what each does to the world when it begins, and when it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from job_watcher.simulation.conditions import Conditions
from job_watcher.simulation.fault_schedule import MOST_OFF_S, Fault, Planned
from job_watcher.simulation.market import Lot
from job_watcher.simulation.network import WatcherClock
from lib.providers.rental import RentalStatus


class Computer(Protocol):
    """A computer that a watcher runs on."""

    clock: WatcherClock

    def drain(self) -> None:
        """Drain the watcher, as a deploy does."""
        ...


class Troubled(Protocol):
    """A world that a fault can befall."""

    conditions: Conditions

    @property
    def processes(self) -> Sequence[Computer]:
        """Its watchers."""
        ...

    def lied(self) -> None:
        """A fault of lying lists is over."""
        ...

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something later."""
        ...


def begin(world: Troubled, planned: Planned) -> None:
    """Start a fault; one that lasts ends by itself."""
    conditions, kind = world.conditions, planned.kind
    conditions.tell("", "fault", str(planned))
    if kind in (Fault.CRASH, Fault.PAUSE):
        conditions.armed.append(planned)
    elif kind is Fault.DRAIN:
        world.processes[planned.watcher].drain()
    elif kind in _AT_ONCE:
        conditions.market.advance(conditions.now)
        _AT_ONCE[kind](conditions, planned)
    elif kind not in conditions.active:
        conditions.active[kind] = planned
        if kind is Fault.CLOCK_JUMP:
            world.processes[planned.watcher].clock.offset = conditions.chance.choice(
                (-MOST_OFF_S, -30.0, 60.0, MOST_OFF_S)
            )
        elif kind is Fault.PRICES:
            conditions.market.price_factor = conditions.chance.uniform(0.6, 1.8)
        elif kind is Fault.NO_CREDIT:
            conditions.market.credit_micros = -1
        world.after(planned.seconds, lambda: end(world, planned))


def end(world: Troubled, planned: Planned) -> None:
    """End a fault that lasted."""
    conditions = world.conditions
    del conditions.active[planned.kind]
    conditions.tell("", "fault over", planned.kind.value)
    if planned.kind in (Fault.LIST_EMPTY, Fault.LIST_SHORT):
        world.lied()
    elif planned.kind is Fault.CLOCK_JUMP:
        world.processes[planned.watcher].clock.offset = 0.0
    elif planned.kind is Fault.PRICES:
        conditions.market.price_factor = 1.0
    elif planned.kind is Fault.NO_CREDIT:
        conditions.market.credit_micros = 50_000_000


def _victim(conditions: Conditions, *, interruptible: bool = False) -> Lot | None:
    lots = [
        lot
        for lot in conditions.market.living()
        if lot.label.startswith("jw|") and (lot.offer.interruptible or not interruptible)
    ]
    return conditions.chance.choice(lots) if lots else None


def _preempt(conditions: Conditions, planned: Planned) -> None:
    lot = _victim(conditions, interruptible=True)
    if lot is not None:
        conditions.market.halt(lot, RentalStatus.STOPPED, planned.seconds)


def _offline(conditions: Conditions, planned: Planned) -> None:
    lot = _victim(conditions)
    if lot is not None:
        conditions.market.halt(lot, RentalStatus.OFFLINE, planned.seconds)


def _vanish(conditions: Conditions, planned: Planned) -> None:
    lot = _victim(conditions)
    if lot is not None:
        conditions.market.vanish(lot)


def _break(conditions: Conditions, planned: Planned) -> None:
    lot = _victim(conditions)
    if lot is not None:
        conditions.market.halt(lot, RentalStatus.BROKEN, None)


def _zombie(conditions: Conditions, planned: Planned) -> None:
    lot = _victim(conditions)
    if lot is not None:
        lot.ignores = conditions.chance.randint(1, 5)


def _fall_sick(conditions: Conditions, planned: Planned) -> None:
    lot = _victim(conditions)
    if lot is not None and planned.sickness is not None and lot.machine.answers(conditions.now):
        lot.machine.fall_sick(planned.sickness, conditions.now)
        conditions.tell("", "sick", f"{lot.instance}: {planned.sickness.value}")


def _raise_price(conditions: Conditions, planned: Planned) -> None:
    lot = _victim(conditions)
    if lot is not None:
        lot.hourly_micros = round(lot.hourly_micros * 1.3)


def _lose_lock(conditions: Conditions, planned: Planned) -> None:
    conditions.lock.owner, conditions.lock.epoch, conditions.lock.until = "", 0, 0.0


_AT_ONCE: Final[Mapping[Fault, Callable[[Conditions, Planned], None]]] = {
    Fault.PREEMPTION: _preempt,
    Fault.OFFLINE: _offline,
    Fault.VANISH: _vanish,
    Fault.BROKEN: _break,
    Fault.ZOMBIE: _zombie,
    Fault.PRICE_RAISED: _raise_price,
    Fault.SICKNESS: _fall_sick,
    Fault.REDIS_LOSES_LOCK: _lose_lock,
}
