"""Keeps what this process saw of each machine. A crash may lose it: that only delays conclusions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.dispatch import HostView
from lib.fleet import Machine, Seen, State
from lib.machines.labels import own_label
from lib.machines.model import MachineRow
from lib.providers.rental import Listing, Rental, RentalStatus

_SEEN: Mapping[RentalStatus, Seen] = {
    RentalStatus.STARTING: Seen.STARTING,
    RentalStatus.RUNNING: Seen.RUNNING,
    RentalStatus.STOPPED: Seen.STOPPED,
    RentalStatus.OFFLINE: Seen.OFFLINE,
    RentalStatus.BROKEN: Seen.BROKEN,
}


@dataclass(slots=True)
class Observation:
    """Sightings of one machine. Times are of the clock that never goes back.

    Threads: the loop's only.
    Raises: nothing.
    """

    answered_at: float
    began_at: float
    runs_since: float | None = None  # None: it does not, or it ran when it was first seen
    rental: Rental | None = None
    absent_since: float | None = None
    absent_until: float = 0.0
    absences: int = 0
    only_empty: bool = True
    confirmed_absent: bool = False
    progress: str = ""
    progress_at: float = 0.0
    gate: str | None = None
    destroy_at: float = 0.0
    destroy_tries: int = 0


@dataclass(slots=True)
class Observations:
    """Keeps the observations by token, and the rentals under our label that no row explains.

    Threads: the loop's only.
    Raises: nothing.
    """

    by_token: dict[str, Observation] = field(default_factory=dict)
    orphans: dict[str, float] = field(default_factory=dict)  # rental id: first seen

    def keep(self, rows: Iterable[MachineRow], now: float) -> None:
        """Begin a track for each open row, end those of closed ones.

        A machine counts as heard from when its track begins: a new leader gives it time to answer.
        """
        known = self.by_token
        self.by_token = {row.token: known.get(row.token) or Observation(now, now) for row in rows}

    def listed(self, listing: Listing, owner: str, now: float) -> list[tuple[str, Rental]]:
        """Enter a complete listing; returns the rentals of ours that are in no track, with their tokens."""
        present: dict[str, Rental] = {}
        strangers = []
        for rental in listing.rentals:
            label = own_label(rental.label, owner)
            if label is None:
                continue
            if label.token in self.by_token and label.token not in present:
                present[label.token] = rental
            else:
                strangers.append((label.token, rental))
        for token, observation in self.by_token.items():
            _sighted(observation, present.get(token), now, empty=not listing.rentals)
        return strangers


def _sighted(observation: Observation, rental: Rental | None, now: float, *, empty: bool) -> None:
    before, observation.rental = observation.rental, rental
    if rental is not None and before is not None and rental.status is not before.status:
        began = before.status is RentalStatus.STARTING and rental.status is RentalStatus.RUNNING
        observation.runs_since = now if began else None
    if rental is not None:
        if rental.progress != observation.progress or not rental.progress:
            observation.progress, observation.progress_at = rental.progress, now
        observation.absent_since, observation.absences, observation.only_empty = None, 0, True
        observation.confirmed_absent = False
        return
    observation.absent_since = now if observation.absent_since is None else observation.absent_since
    observation.absent_until = now
    observation.absences += 1
    observation.only_empty = observation.only_empty and empty


def machine_of(
    row: MachineRow,
    observation: Observation,
    view: HostView | None,
    *,
    job_s: float,
    job_due_s: float,
    listed: bool,
    wall: float,
    now: float,
) -> Machine:
    """The row as decisions see it. Readings of our own clock are moved to wall time by their age."""
    intent, rental = row.intent, observation.rental
    seen = Seen.NOT_LOOKED
    if listed:
        seen = Seen.ABSENT if rental is None else _SEEN[rental.status]
    return Machine(
        token=row.token,
        state=State(row.state),
        since=row.since,
        instance=row.instance,
        gpu=intent.gpu,
        machine_id=intent.machine_id,
        hourly_micros=intent.hourly_micros,
        expires_at=intent.expires_at,
        created_at=intent.created_at,
        fee_micros=intent.fee_micros,
        interruptible=intent.interruptible,
        batch=intent.batch,
        seen=seen,
        listed_micros=rental.hourly_micros if rental else None,
        absent_for=None
        if observation.absent_since is None
        else observation.absent_until - observation.absent_since,
        unseen_at_s=max(0.0, observation.absent_until - observation.began_at),
        absences=observation.absences,
        empty_absences=observation.only_empty,
        confirmed_absent=observation.confirmed_absent,
        running_for=None if observation.runs_since is None else now - observation.runs_since,
        answered_at=wall - (now - observation.answered_at),
        stalled_s=now - observation.progress_at if observation.progress else 0.0,
        is_image_bad=rental is not None and rental.is_image_bad,
        gate=observation.gate,
        job_s=job_s,
        known_s=now - observation.began_at,
        **({} if view is None else _of_work(view, wall, job_due_s)),
    )


def _of_work(view: HostView, wall: float, job_due_s: float) -> dict[str, Any]:
    """What the dispatcher knows of the machine."""
    return {
        "busy": view.busy,
        "idle_since": None if view.idle_for is None else wall - view.idle_for,
        "settled": view.settled,
        "failures": view.failures,
        "deaths": view.deaths,
        "silent_s": view.silent_for,
        "still_s": view.still_for,
        "job_age_s": view.oldest_job_s,
        "job_due_s": job_due_s,
        "accused": view.accused,
        "suspect": view.suspect,
        "failing": view.failing,
    }
