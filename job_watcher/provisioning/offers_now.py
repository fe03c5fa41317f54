"""Scores the company's offers as they are now, with the terms by which the leader chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from job_watcher.bench_results import Benched
from job_watcher.provisioning.acquirer import MEMORY_S, incident_of, preemptions_lately
from lib.fleet import Caps, Demand, MachineEvent, Policy, Score, Speeds, best, ranked
from lib.fleet.host_history import remembered
from lib.jobs.costs import hours_of
from lib.machines.port import Ledger
from lib.offer import Offer
from lib.providers.rental import RentalProvider
from lib.units import MICROS

_MBIT_IN_GB = 8_000
_USUAL_JOBS = 20  # a small batch, where nothing is known of the work


@dataclass(frozen=True, slots=True)
class ScoredOffer:
    """An offer with its score. `chosen`: a machine would be rented there now.

    `download_gb` is what a new machine loads before its first job: image, packages and a model.
    """

    score: Score
    chosen: bool
    download_gb: float
    measured: bool = False  # its speed; else it is guessed

    @property
    def download_s(self) -> float:
        """How long that takes at the offer's network, as it is told."""
        return self.download_gb * _MBIT_IN_GB / max(1.0, self.score.offer.down_mbps)

    def to_json(self) -> dict[str, Any]:
        """An item of `instances --why --json`."""
        score, offer = self.score, self.score.offer
        return {
            "id": offer.id,
            "machine_id": offer.machine_id,
            "gpu": offer.gpu,
            "interruptible": offer.interruptible,
            "usd_per_hour": _dollars(offer.hourly_micros),
            "fee_usd": _dollars(offer.fee_micros),
            "speed": round(score.speed, 3),
            "speed_measured": self.measured,
            "usd_per_audio_hour": _dollars(score.total),
            "time_usd": _dollars(score.time),
            "start_usd": _dollars(score.start),
            "risk_usd": _dollars(score.risk),
            "objection": score.objection,
            "download_gb": round(self.download_gb, 3),
            "download_seconds": round(self.download_s, 1),
            "chosen": self.chosen,
        }


def _dollars(micros: float) -> str:
    return str((Decimal(round(micros)) / MICROS).quantize(Decimal("0.0001")))


def offers_now(
    provider: RentalProvider,
    policy: Policy,
    caps: Caps,
    engine: str,
    ledger: Ledger | None,
    now: float,
    *,
    jobs: int = _USUAL_JOBS,
    benched: Benched | None = None,
) -> Sequence[ScoredOffer]:
    """Every offer, the one to take first. Speeds are what the ledger's finished jobs tell, else a bench, and
    guessed from the GPU's power where there is neither; hosts are remembered.

    `jobs` is how many wait: a short batch is spoken cheaper where less is paid for the start.

    Raises:
        Unavailable: the company, or the ledger, does not answer.
    """
    preemptions = 0 if ledger is None else preemptions_lately(ledger, now)
    offers = offers_to_take(provider, policy, preemptions)
    notes = [] if ledger is None else ledger.host_notes(now - MEMORY_S)
    hosts = remembered(map(incident_of, notes), now)
    demand = Demand(waiting=jobs, engine=engine, measured=False, preemptions=preemptions)
    speeds = Speeds() if ledger is None else measured_speeds(ledger, engine, now)
    speeds.benched = benched or {}
    scores = ranked(offers, demand, policy, caps, speeds, hosts, now=now)
    chosen = best(scores)
    guessed = {score.offer.id for score in scores if speeds.known(engine, score.offer.gpu) is None}
    loads = policy.download_gb
    return [ScoredOffer(score, score is chosen, loads, score.offer.id not in guessed) for score in scores]


def offers_to_take(provider: RentalProvider, policy: Policy, preemptions: int) -> list[Offer]:
    """What the leader would choose among now: bids, too, until machines were taken away too often.

    Raises:
        Unavailable: the company does not answer.
    """
    offers = list(provider.offers(interruptible=False))
    if policy.interruptible and preemptions < policy.preemptions_until_on_demand:
        offers += provider.offers(interruptible=True)
    return offers


def measured_speeds(ledger: Ledger, engine: str, now: float) -> Speeds:
    """What the loop would have learned from the jobs and starts of the last thirty days, the newest last.

    The ledger does not tell which engine spoke a job: all are taken for the one that speaks now.

    Raises:
        Unavailable: the ledger does not answer.
    """
    since = now - MEMORY_S
    paid = ledger.paid(*hours_of(since, now))
    gpus, speeds = {row.token: row.intent.gpu for row in paid.rows}, Speeds()
    for work in sorted((work for work in paid.work if work.at >= since), key=lambda work: work.at):
        speeds.measured(engine, gpus[work.token], work.audio_ms / 1000, work.work_ms / 1000)
    created = {row.token: row.intent.created_at for row in paid.rows}
    for event in sorted(paid.events, key=lambda event: event.at):
        if event.event == MachineEvent.PASSED.name.lower() and event.at >= since:
            speeds.started(gpus[event.token], event.at - created[event.token])
    return speeds
