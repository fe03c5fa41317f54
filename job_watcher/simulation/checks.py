"""Checks the promises that must hold when a simulated day is over, whatever happened in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from job_watcher.simulation.fault_schedule import MOST_OFF_S, Fault
from job_watcher.simulation.machine import Sickness
from job_watcher.simulation.world import World, ours
from lib.fleet import Caps
from lib.fleet.money import windows
from lib.jobqueue import TERMINAL, JobState
from lib.machines.labels import parse_label
from lib.machines.model import Category, MachineRow
from lib.storage import StoredArtifact

_HOUR = 3600
#: A clock that is off ends reservations late; on all other days caps hold to the micro-dollar.
_CLOCK_TOLERANCE = 1.06
_OVERSTAY_S = 120.0
#: What can keep a machine from being given back in time, where it does not end itself.
_HINDRANCES = frozenset(
    {
        *(Fault.CRASH, Fault.PAUSE, Fault.DRAIN, Fault.REDIS_DOWN, Fault.REDIS_LOSES_LOCK, Fault.CLOCK_JUMP),
        *(Fault.REFUSING, Fault.RATE_LIMIT, Fault.LOST_CALL, Fault.ZOMBIE, Fault.LATE_RENT, Fault.LOST_REPLY),
        *(Fault.LIST_BROKEN, Fault.LIST_PARTIAL, Fault.LEDGER_REPLIES),
    }
)


#: What keeps a watcher from seeing, or from being told, that a machine is broken.
_BLINDING = frozenset(
    {Fault.PARTITION, Fault.QUEUE_REPLIES, Fault.LIST_EMPTY, Fault.LIST_SHORT, Fault.OFFLINE}
)
#: From falling sick (or from the next job's begin) until the destroy call, at most; seconds.
_BROKEN_LIMIT_S = {
    Sickness.GPU_GONE: 180.0,
    Sickness.DISK_FULL: 180.0,
    Sickness.WEDGED: 420.0,
    Sickness.OOM_LOOP: 600.0,
    Sickness.STUCK_JOB: 780.0,
}


def broken_promises(world: World, *, unfinished: bool = True) -> list[str]:
    """Every promise that does not hold, as sentences.

    `unfinished` is whether a job that still waits breaks one: not where limits forbid to rent for it.
    """
    return [
        *_jobs(world, unfinished=unfinished),
        *_names(world),
        *_machines(world),
        *_too_many(world),
        *_overstays(world),
        *_broken_kept(world),
        *_bill(world),
        *_caps(world),
        *_payers(world),
    ]


def _jobs(world: World, *, unfinished: bool) -> Iterator[str]:
    """No job lost, one result each, its audio in the store."""
    conditions, queue = world.conditions, world.conditions.queue
    broke = _without_money(world)
    for _, specs in world.scenario.arrivals:
        for spec in specs:
            owed = unfinished and (spec.batch or "") not in broke
            record = queue.job(spec.request_id)
            if record is None or (record.state not in TERMINAL and owed):
                yield f"{spec.request_id} is {record.state.value if record else 'lost'} at the end"
                continue
            if record.state not in TERMINAL:
                continue
            finished = queue.result(spec.request_id)
            if record.state is JobState.DONE:
                done = finished.done() if finished else None
                artifacts = [StoredArtifact.of(take.main) for take in done.takes] if done else []
                if not artifacts or not all(map(conditions.storage.verify, artifacts)):
                    yield f"{spec.request_id} is done and its audio is not in the store"
            elif not finished or not finished.error:
                yield f"{spec.request_id} failed without a reason"


def _names(world: World) -> Iterator[str]:
    """Under a name lies what was published for the latest asking, and what only older ones had is gone."""
    store = world.store
    for name, (claim, files) in store.newest.items():
        for path, artifact in files.items():
            if not store.stands(artifact, path):
                yield f"{path} does not hold the audio of {claim.request_id}, which was asked for last"
        for path in store.paths_of(name) - set(files):
            yield f"{path} is left of a job that was asked for before {claim.request_id}"


def _without_money(world: World) -> set[str]:
    """The batches that their cap ends, or the day's leaves for tomorrow."""
    caps, by_token = world.scenario.caps, _spent_by_token(world)
    batches = batches_of(world)
    if sum(by_token.values()) > caps.day // 2:
        return batches
    spent = by_batch(world, by_token)
    return {name for name in batches if caps.batch is not None and spent[name] > caps.batch // 2}


def batches_of(world: World) -> set[str]:
    """The batches of all jobs of the day."""
    return {spec.batch or "" for _, specs in world.scenario.arrivals for spec in specs}


def by_batch(world: World, by_token: Mapping[str, float]) -> dict[str, float]:
    """What machines cost, by the batch that each was rented for."""
    spent: dict[str, float] = defaultdict(float)
    for token, micros in by_token.items():
        row = world.conditions.ledger.row(token)
        if row is not None:
            spent[row.intent.batch] += micros
    return spent


def _payers(world: World) -> Iterator[str]:
    """No machine was rented for a batch that has no jobs."""
    batches = batches_of(world)
    for row in rows_of(world):
        if row.intent.batch not in batches:
            yield f"{row.token} was rented for the batch {row.intent.batch!r}, which has no jobs"


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


def _too_many(world: World) -> Iterator[str]:
    """Never more rentals at once than allowed, however they end. One that was made minutes after its call
    is left out: nobody knew of it."""
    most = world.scenario.policy.max_machines
    steps: list[tuple[float, int]] = []
    for lot in world.conditions.market.lots.values():
        label = parse_label(lot.label)
        if label is None or lot.late or _made_late(world, label.token):
            continue
        steps += [(lot.started_at, 1), (lot.destroyed_at or world.conditions.now, -1)]
    living = 0
    for at, change in sorted(steps):
        living += change
        if living > most:
            yield f"{living} machines were rented at {at:.0f}, and {most} are allowed"
            return


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
    """No window of the calendar, no machine and no batch cost more than its cap, as far as we decide it."""
    caps = world.scenario.caps
    off = any(fault.kind is Fault.CLOCK_JUMP for fault in world.scenario.faults)
    tolerance = _CLOCK_TOLERANCE if off else 1.0
    by_hour: dict[int, float] = defaultdict(float)
    within_hour: dict[int, float] = defaultdict(float)
    by_token: dict[str, float] = defaultdict(float)
    for token, hour, micros, at_edge in _agreed(world):
        by_hour[hour] += micros
        within_hour[hour] += micros * (1.0 - at_edge) if off else micros
        by_token[token] += micros
    for name, begin, cap, spent in _windows(by_hour, within_hour, caps):
        if spent > cap * tolerance:
            yield f"the {name} at {begin:.0f} cost {spent:.0f} with a cap of {cap}"
    for token, spent in by_token.items():
        if spent > caps.machine * tolerance:
            yield f"{token} cost {spent:.0f} with a cap of {caps.machine} for one machine"
    for batch, spent in by_batch(world, by_token).items():
        if caps.batch is not None and spent > caps.batch * tolerance:
            yield f"the batch {batch!r} cost {spent:.0f} with a cap of {caps.batch}"


def _agreed(world: World) -> Iterator[tuple[str, int, float, float]]:
    """The bill of our machines as (token, hour, micro-dollars), at the price and for the time we agreed to,
    and which share of it was spent so near to the hour's edges that a clock may take it for another hour's.

    Caps are kept by reservations. A price that the provider raises, and time that it or a dead watcher adds
    to a machine's reserved time, are in no decision of ours; `_overstays` looks after the latter.
    """
    for lot in world.conditions.market.lots.values():
        label = parse_label(lot.label)
        row = None if label is None else world.conditions.ledger.row(label.token)
        if row is None or _made_late(world, row.token):
            continue
        share = min(1.0, row.intent.hourly_micros / lot.hourly_micros)
        for (category, hour), micros in lot.bills.items():
            if category == "bandwidth":
                yield row.token, hour, micros, 0.0
                continue
            begin, end = max(float(hour * _HOUR), lot.started_at), min((hour + 1.0) * _HOUR, lot.billed_to)
            length = max(end - begin, 1.0)
            kept = (min(end, row.intent.expires_at) - begin) / length
            inner = min(end, (hour + 1.0) * _HOUR - MOST_OFF_S) - max(begin, hour * _HOUR + MOST_OFF_S)
            yield row.token, hour, micros * share * max(0.0, kept), 1.0 - max(0.0, inner) / length


def _overstays(world: World) -> Iterator[str]:
    """Where nothing hinders us, no machine is kept for longer than its reservation."""
    if any(fault.kind in _HINDRANCES for fault in world.scenario.faults):
        return
    for lot in world.conditions.market.lots.values():
        label = parse_label(lot.label)
        row = None if label is None else world.conditions.ledger.row(label.token)
        until = lot.destroyed_at or world.conditions.now
        if row is not None and until > row.intent.expires_at + _OVERSTAY_S:
            late = until - row.intent.expires_at
            yield f"{row.token} was kept {late:.0f} s longer than its reservation"


def _broken_kept(world: World) -> Iterator[str]:
    """Where nothing hinders us, a machine that is broken and answers is given back soon."""
    if any(fault.kind in _HINDRANCES | _BLINDING for fault in world.scenario.faults):
        return
    for lot in world.conditions.market.lots.values():
        machine = lot.machine
        if machine.sick_at is None or machine.sickness is None or not lot.label.startswith("jw|"):
            continue
        until = lot.destroyed_at or world.conditions.now
        if not machine.answers(until):  # its silence is what is judged
            continue
        since = max(machine.sick_at, machine.answers_at) if machine.gate else machine.owed_since
        if since is None:  # without work nobody can tell, and nothing is owed
            continue
        if until - since > _BROKEN_LIMIT_S[machine.sickness]:
            late = until - since
            yield f"{lot.instance} was broken ({machine.sickness.value}) and billed on for {late:.0f} s"


def _made_late(world: World, token: str) -> bool:
    """Whether it was made minutes after its call, when its reservation had ended: no cap holds that."""
    return any(event.event == "never_came" for event in world.conditions.ledger.history(token))


def _windows(
    by_hour: dict[int, float], within_hour: dict[int, float], caps: Caps
) -> Iterable[tuple[str, float, int, float]]:
    seen = set()
    for hour in by_hour:
        for window in windows(caps, float(hour * _HOUR))[::2]:
            if (window.name, window.begin) in seen:
                continue
            seen.add((window.name, window.begin))
            counted = within_hour if window.end - window.begin <= _HOUR else by_hour
            spent = sum(m for h, m in counted.items() if window.begin <= h * _HOUR < window.end)
            yield window.name, window.begin, window.cap, spent


def rows_of(world: World) -> list[MachineRow]:
    """Every row that was ever planned, oldest first."""
    tokens = dict.fromkeys(told.token for told in world.conditions.story if told.kind == "planned")
    rows = (world.conditions.ledger.row(token) for token in tokens)
    return [row for row in rows if row is not None]
