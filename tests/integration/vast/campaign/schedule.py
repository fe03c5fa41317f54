"""What happens in the run of a seed: the market, the work, what goes wrong, and where watchers die."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from job_watcher.rehearsal.vast import (
    Conduct,
    HostOffer,
    Mishap,
    RequestFault,
)
from lib.jobspec import JobSpec, normalize_job_spec
from tests.integration.vast.fault_draws import drawn_fault

#: What a watcher does that a successor must make sense of. It is killed right before and right after each.
_ACTS: Final = (
    *("ledger.open_epoch", "ledger.plan", "ledger.keep_key", "ledger.change", "ledger.charge"),
    *("ledger.note_host", "ledger.note_work", "ledger.pin"),
    *("provider.rent", "provider.list", "provider.destroy", "provider.bill", "provider.offers"),
    *("queue.claim", "queue.begin", "queue.complete", "queue.adopt", "queue.renew"),
)
#: Requests in whose middle it is killed: before Vast has done what was asked, and after, before its answer.
_REQUESTS: Final = ("create", "destroy", "list", "search", "user", "charges")
BOUNDARIES: Final = (
    *(f"{act} {side}" for act in _ACTS for side in ("before", "after")),
    *(f"request.{request} {side}" for request in _REQUESTS for side in ("undone", "unanswered")),
)
_MISHAPS: Final = (
    *(Mishap.OUTBID, Mishap.EXIT, Mishap.OFFLINE, Mishap.UNKNOWN, Mishap.SSH_DEAD),
    *(Mishap.GPU_GONE, Mishap.CUT, Mishap.KEYS_LOST, Mishap.DIRECT_DEAD),
)
#: Seconds of the company.
BOOT: Final = Conduct(null_s=2.0, created_s=1.0, loading_s=10.0, ssh_after_s=3.0)
_TEXT: Final = "The tide turns twice a day, and nobody has ever been able to argue with it. "


@dataclass(frozen=True, slots=True)
class Schedule:
    """One run. `deaths` are those of the watchers in the order in which they are started.

    `befalls` are mishaps, each once so many jobs are settled, to the oldest machine that runs then.
    """

    seed: int
    offers: Sequence[HostOffer]
    faults: Sequence[RequestFault]
    befalls: Sequence[tuple[int, Mishap]]
    deaths: Sequence[tuple[str, int]]
    first: Sequence[JobSpec]
    later: Sequence[JobSpec]  # enqueued when the first are settled
    settings: dict[str, str]
    bids: bool  # whether interruptible machines may be rented
    freezes: bool  # the leader that is replaced in the middle stands still, and comes back
    pause_s: float  # between the first jobs and the later ones
    seen_after_s: float
    gone_after_s: float
    is_throttled: bool

    def told(self) -> str:
        """It in one line, for whoever looks into a failure."""
        faults = ", ".join(f"{fault.name} of {fault.route} from the {fault.nth}." for fault in self.faults)
        befalls = ", ".join(f"{mishap} after {count}" for count, mishap in self.befalls)
        deaths = ", ".join(f"{step} ({nth}.)" for step, nth in self.deaths)
        return f"seed {self.seed}: dies at {deaths}; faults: {faults}; befalls: {befalls}; {self.settings}"


def schedule_of(seed: int) -> Schedule:
    """The run of a seed. The first death of each run is another boundary than the one of the seed before."""
    chance = random.Random(seed)
    deaths = [(BOUNDARIES[seed * 7 % len(BOUNDARIES)], 1)]
    deaths += [(chance.choice(BOUNDARIES), chance.randint(1, 3)) for _ in range(chance.randint(0, 2))]
    first, later = chance.randint(2, 4), chance.randint(1, 2)
    specs = list(_jobs(chance, first + later))
    return Schedule(
        seed=seed,
        offers=tuple(_market(chance)),
        faults=tuple(drawn_fault(chance, latest=8, most=3) for _ in range(chance.randint(1, 4))),
        befalls=tuple(
            (chance.randint(0, first - 1), chance.choice(_MISHAPS)) for _ in range(chance.randint(0, 2))
        ),
        deaths=tuple(deaths),
        first=specs[:first],
        later=specs[first:],
        settings={
            "MAX_MACHINES": str(chance.randint(1, 2)),
            "IDLE_HOLD_SECONDS": chance.choice(["0", "2"]),
            "SPEND_CAP_HOUR": chance.choice(["1", "2"]),
            "MAX_DPH": "0.45",
        },
        bids=chance.random() < 0.5,
        freezes=chance.random() < 0.4,
        pause_s=chance.choice([0.0, 0.0, 30.0, 90.0]),
        seen_after_s=chance.choice([0.0, 0.0, 40.0, 90.0]),
        gone_after_s=chance.choice([0.0, 5.0, 60.0]),
        is_throttled=chance.random() < 0.3,
    )


def _jobs(chance: random.Random, count: int) -> Iterator[JobSpec]:
    """Some seconds of audio each; one in ten cannot be spoken."""
    for number in range(count):
        speaker = "Nobody" if chance.random() < 0.1 else "Ryan"
        text = f"Beat number {number}. " + _TEXT * chance.randint(1, 6)
        yield normalize_job_spec({"output_name": f"tides/{number:02d}", "speaker": speaker, "text": text})


def short_jobs(count: int) -> list[JobSpec]:
    """Some seconds of audio each."""
    texts = [f"Beat number {number}. {2 * _TEXT}" for number in range(count)]
    return [
        normalize_job_spec({"output_name": f"tides/{number:02d}", "speaker": "Ryan", "text": text})
        for number, text in enumerate(texts)
    ]


def _market(chance: random.Random) -> Iterator[HostOffer]:
    """Some bad hosts, which are cheap, enough good ones, and one that is too dear."""
    for number in range(1, 3):
        ill: dict[str, Any] = chance.choice(
            [
                {"stuck_at": chance.choice(["null", "created", "loading"])},
                {"gpu_shown": "Tesla T4"},
                {"befalls": ((chance.uniform(0, 60), chance.choice(_MISHAPS)),)},
                {"stuck_at": "loading", "message": "net/http: TLS handshake timeout"},
            ]
        )
        if chance.random() < 0.5:
            yield good_host(number, 0.10 + number / 50, replace(BOOT, **ill))
    for number in range(3, 10):
        dearer = 0.5 if chance.random() < 0.1 else 0.0
        yield replace(good_host(number, 0.20 + number / 50, BOOT), surcharge=dearer)
    yield good_host(10, 0.60, BOOT)


def good_host(number: int, dph: float, conduct: Conduct = BOOT) -> HostOffer:
    """Good as far as one can see; the lower its price, the sooner it is taken."""
    return HostOffer(number, dph_base=dph, min_bid=dph / 2, conduct=conduct)
