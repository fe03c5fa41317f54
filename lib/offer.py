"""An offer: a machine that a provider would rent us now. What `lib.providers` finds and `lib.fleet` judges.

It stands below both, for neither knows the other. Money is whole micro-dollars (a millionth of a US dollar),
times are seconds since the epoch, sizes GB, networks megabits a second.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offer:
    """A machine that somebody would rent us now.

    `hourly_micros` includes the disk we need; for an interruptible offer it is the bid.
    `fee_micros` is what our downloads would cost there. `perf` is the provider's own figure of the GPU's
    power, a guess at speed where we have not measured.

    The defaults are for reckoning with offers that nobody makes. Who tells what a provider offers says all of
    it: a fact left out would pass for a good one.
    """

    id: str
    machine_id: str
    host_id: str
    gpu: str
    hourly_micros: int
    fee_micros: int = 0
    perf: float = 1.0
    reliability: float = 1.0
    cuda: float = 0.0
    driver: int = 0
    vram_gb: float = 24.0
    disk_gb: float = 100.0
    down_mbps: float = 1000.0
    up_mbps: float = 1000.0
    direct_ports: int = 1
    contract_end: float | None = None
    interruptible: bool = False
    verified: bool = True
