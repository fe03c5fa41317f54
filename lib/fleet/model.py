"""The values that the fleet's decisions read: plain, free of any queue, ledger or provider.

Times are seconds since the epoch, durations seconds, money whole micro-dollars (a millionth of a US dollar),
sizes GB, networks megabits a second. Speed is seconds of audio made in a second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from lib.fleet.lifecycle import State
from lib.units import MICROS

HOUR: Final = 3600
PASS_S: Final = 10.0  # between two passes of the loop while there is something to do


class Seen(StrEnum):
    """What the latest credible listing says about a machine."""

    NOT_LOOKED = "not looked"  # no listing could be believed
    STARTING = "starting"
    RUNNING = "running"
    STOPPED = "stopped"  # outbid, credit gone, contract over: it bills its disk and does nothing
    OFFLINE = "offline"  # the host is away; it may come back and bill again
    BROKEN = "broken"  # the provider reports an error that will not mend itself
    ABSENT = "absent"


@dataclass(slots=True)
class Machine:
    """One open row of the ledger with all that was observed of it in this pass."""

    token: str
    state: State
    since: float
    instance: str | None
    gpu: str
    machine_id: str
    hourly_micros: int
    expires_at: float
    created_at: float
    fee_micros: int = 0
    interruptible: bool = False
    batch: str = ""
    seen: Seen = Seen.NOT_LOOKED
    listed_micros: int | None = None  # the price the provider lists for it
    absent_for: float | None = None  # seconds between the first and latest credible listing without it
    unseen_at_s: float = 0.0  # how long this process had known it when that latest listing came
    absences: int = 0
    empty_absences: bool = False  # every listing that lacked it was wholly empty
    confirmed_absent: bool = False  # asked for by its id, the provider does not know it
    running_for: float | None = None  # since it began to run, where this process saw it begin
    answered_at: float | None = None  # when it last answered us itself
    stalled_s: float = 0.0  # since it last came further on its way up, where the provider shows that
    is_image_bad: bool = False  # it is broken, for a reason that lies in the image
    gate: str | None = None  # None: checks go on; "": passed; else the code of the one that failed
    busy: int = 0  # jobs at hand
    idle_since: float | None = None
    job_s: float = 0.0  # what one job takes there
    known_s: float = 0.0  # how long this process has known it, by a clock that never jumps
    settled: int = 0  # jobs it finished for this process
    failures: int = 0  # results in a row that were wrong or broken
    deaths: int = 0  # of its workers in a row, without a result between
    silent_s: float = 0.0  # since its worker's heartbeat last changed, while it owes work
    still_s: float = 0.0  # since its worker last spoke a piece, while a job is at hand there
    job_age_s: float = 0.0  # how long the oldest job that was begun there is at hand
    job_due_s: float = 0.0  # what that job should take there, by its own length
    accused: bool = False  # two different jobs ended workers there
    suspect: bool = False  # its speech is broken more often than that of the others
    failing: str = ""  # the dispatcher's own reason to have it taken away; a code


@dataclass(frozen=True, slots=True)
class Demand:
    """The work there is: jobs that wait and jobs on machines, with the audio one job makes on average."""

    waiting: int = 0
    running: int = 0
    delayed: int = 0  # not to be done yet: they wait for their time, or for their next try
    audio_s_per_job: float = 30.0
    engine: str = "hibari"
    resumable: bool = True
    preemptions: int = 0  # recent ones of this work
    measured: bool = True  # the length of a job is known, not guessed

    @property
    def jobs(self) -> int:
        """Jobs that are not finished."""
        return self.waiting + self.running

    @property
    def audio_s(self) -> float:
        """Seconds of audio to be made."""
        return self.jobs * self.audio_s_per_job


@dataclass(frozen=True, slots=True)
class Policy:
    """How the fleet behaves. Defaults are right for narration on consumer GPUs."""

    max_machines: int = 4
    slots: int = 2  # jobs on a machine at once, at least: one spoken, one ready
    most_slots: int = 32  # at most: each is handed over, watched and renewed in every pass
    pass_s: float = PASS_S
    drain_target_s: float = 1800.0  # finish the backlog within this, if the caps allow
    idle_hold_s: float | None = None  # None: by cost
    longest_hold_s: float = 1800.0
    max_life_s: float = 8 * 3600.0
    usual_life_s: float = 3600.0  # asked for at least: a promise of money costs nothing by itself
    least_life_s: float = 1500.0  # not rented for less
    settle_s: float = 600.0  # before the end of its time a machine takes nothing new
    drain_limit_s: float = 900.0
    boot_limit_s: float = 1500.0  # until the checks are passed
    stall_limit_s: float = 600.0  # without coming further, until it runs
    silence_s: float = 240.0  # more than a lease: its jobs are given away by then
    lag_s: float = 120.0  # a fresh rental may be missing from listings that long
    apart_s: float = 30.0  # between two listings that prove an absence
    empty_patience_s: float = 300.0  # an empty listing proves an absence only after this
    talking_s: float = 60.0  # a machine that answered since is there, whatever listings say
    overprice: float = 1.05
    standing_share: float = 0.06  # of its price, what a machine costs that does not run yet: its disk
    running_start_s: float = 20.0  # of a cold start, what it runs before it takes work, where never measured
    boot_s: float = 90.0  # start of container and engine, beside downloads
    download_gb: float = 8.0
    speed: float = 8.0  # for a GPU of perf 1.0 that nobody measured
    forgiven_failures: int = 2
    forgiven_deaths: int = 2  # of workers in a row
    unproven_hold_s: float = 120.0  # the longest that an idle machine is held whose last workers ended
    wedged_s: float = 240.0  # a worker that owes work and whose heartbeat stands still for longer
    still_limit_s: float = 600.0  # without a piece spoken: many times what the longest one takes
    # What a machine says of its pieces may be wrong. A job that is at hand for longer than both of these
    # does not end: seconds, and times what it should take there.
    job_limit_s: float = 900.0
    job_limit_factor: float = 10.0
    least_reliability: float = 0.95
    least_cuda: float = 12.0
    least_driver: int = 0
    least_vram_gb: float = 8.0
    least_disk_gb: float = 20.0
    least_down_mbps: float = 200.0
    need_direct_ports: bool = False
    interruptible: bool = True
    preemptions_until_on_demand: int = 2


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that may be spent, in micro-dollars. Hours, days and months are those of the UTC calendar."""

    hour: int = 2 * MICROS
    day: int = 10 * MICROS
    month: int = 100 * MICROS
    machine: int = 5 * MICROS
    batch: int | None = None
    hourly_price: int = MICROS  # of one machine
    credit_floor: int = MICROS


@dataclass(frozen=True, slots=True)
class Host:
    """What is remembered of a physical machine: its weight of failures, and until when it is avoided."""

    machine_id: str
    trouble: float = 0.0
    avoid_until: float = 0.0
    banned: bool = False
    reasons: tuple[str, ...] = field(default=())
