"""What must hold when a simulated day is over, whatever happened in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from job_watcher.rehearsal.faults import Fault
from job_watcher.rehearsal.world import World, ours
from lib.fleet import Caps
from lib.fleet.money import windows
from lib.jobqueue import TERMINAL, JobState
from lib.machines.labels import parse_label
from lib.machines.model import Category, MachineRow

_HOUR = 3600
#: A price that was raised is paid until it is seen; a clock that is off moves spending to another hour.
#: Days with neither keep every cap to the micro-dollar.
_EXCUSES = frozenset({Fault.PRICE_RAISED, Fault.CLOCK_JUMP})
_TOLERANCE = 1.06


def broken_promises(world: World) -> list[str]:
    """Every promise that does not hold, as sentences."""
    return [*_jobs(world), *_machines(world), *_bill(world), *_caps(world)]


def _jobs(world: World) -> Iterator[str]:
    """No job lost, one result each, its audio in the store."""
    conditions, queue = world.conditions, world.conditions.queue
    for _, specs in world.scenario.arrivals:
        for spec in specs:
            record = queue.job(spec.request_id)
            if record is None or (record.state not in TERMINAL and not _out_of_money(world)):
                yield f"{spec.request_id} is {record.state.value if record else 'lost'} at the end"
                continue
            if record.state not in TERMINAL:
                continue
            finished = queue.result(spec.request_id)
            if record.state is JobState.DONE:
                result = finished.result if finished else None
                if not result or result["sha256"] not in conditions.store:
                    yield f"{spec.request_id} is done and its audio is not in the store"
            elif not finished or not finished.error:
                yield f"{spec.request_id} failed without a reason"


def _out_of_money(world: World) -> bool:
    """Whether the batch's cap ends it, or the day's leaves it for tomorrow."""
    caps = world.scenario.caps
    total = sum(_spent_by_token(world).values())
    return total > caps.day // 2 or (caps.batch is not None and total > caps.batch // 2)


def _machines(world: World) -> Iterator[str]:
    """None is left, and none that lived was unknown to the ledger."""
    for instance in ours(world.conditions):
        yield f"{instance} is still rented at the end"
    for row in world.conditions.ledger.open_rows():
        yield f"{row.token} is still {row.state} in the ledger at the end"
    for lot in world.conditions.market.lots.values():
        label = parse_label(lot.label)
        if label is not None and world.conditions.ledger.row(label.token) is None:
            yield f"{lot.instance} was rented and is not in the ledger"


def _bill(world: World) -> Iterator[str]:
    """The ledger says what the company charges, to the micro-dollar."""
    conditions = world.conditions
    for token, micros in _spent_by_token(world).items():
        charges = conditions.ledger.charges(token)
        ours_ = sum(item.micros for item in charges)
        if ours_ != micros:
            guess = sum(item.micros for item in charges if item.category is Category.ADJUSTMENT)
            yield f"{token} cost {micros} and the ledger says {ours_} (of these {guess} by our own count)"


def _spent_by_token(world: World) -> dict[str, int]:
    spent: dict[str, int] = defaultdict(int)
    for item in world.conditions.market.bill(0.0):
        label = parse_label(item.label)
        if label is not None:
            spent[label.token] += item.micros
    return spent


def _caps(world: World) -> Iterator[str]:
    """No window of the calendar, no machine and no batch cost more than its cap."""
    caps = world.scenario.caps
    excused = any(fault.kind in _EXCUSES for fault in world.scenario.faults)
    tolerance = _TOLERANCE if excused else 1.0
    by_hour: dict[int, int] = defaultdict(int)
    for item in world.conditions.market.bill(0.0):
        label = parse_label(item.label)
        if label is not None and not _made_late(world, label.token):
            by_hour[item.hour] += item.micros
    by_token = {
        token: spent for token, spent in _spent_by_token(world).items() if not _made_late(world, token)
    }
    for name, begin, cap, spent in _windows(by_hour, caps):
        if spent > cap * tolerance:
            yield f"the {name} at {begin:.0f} cost {spent} with a cap of {cap}"
    for token, spent in by_token.items():
        if spent > caps.machine * tolerance:
            yield f"{token} cost {spent} with a cap of {caps.machine} for one machine"
    total = sum(by_token.values())
    if caps.batch is not None and total > caps.batch * tolerance:
        yield f"the batch cost {total} with a cap of {caps.batch}"


def _made_late(world: World, token: str) -> bool:
    """Whether it was made minutes after its call, when its reservation had ended: no cap holds that."""
    return any(event.event == "never_came" for event in world.conditions.ledger.history(token))


def _windows(by_hour: dict[int, int], caps: Caps) -> Iterable[tuple[str, float, int, int]]:
    seen = set()
    for hour in by_hour:
        for window in windows(caps, float(hour * _HOUR))[::2]:
            if (window.name, window.begin) in seen:
                continue
            seen.add((window.name, window.begin))
            spent = sum(m for h, m in by_hour.items() if window.begin <= h * _HOUR < window.end)
            yield window.name, window.begin, window.cap, spent


def rows_of(world: World) -> list[MachineRow]:
    """Every row that was ever planned, oldest first."""
    tokens = dict.fromkeys(told.token for told in world.conditions.story if told.kind == "planned")
    rows = (world.conditions.ledger.row(token) for token in tokens)
    return [row for row in rows if row is not None]
