"""An offer: a machine that a provider would rent us now. What `lib.providers` finds and `lib.fleet` judges.

It stands below both, for neither knows the other. Money is whole micro-dollars (a millionth of a US dollar),
times are seconds since the epoch, sizes GB, networks megabits a second.
"""

from __future__ import annotations

import re
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


def same_gpu(offered: str, listed: str) -> bool:
    """Whether nvidia-smi may mean the GPU of an offer, by its model and by words that mean a weaker one.

    Companies and NVIDIA write the same name in many ways (`RTX 6000Ada`, `RTX 6000 Ada Generation`;
    `H100 SXM`, `H100 80GB HBM3`), and a host that lied is never rented again: so only what is plainly another
    one counts.
    """
    wanted, has = offered.casefold(), listed.casefold()
    model = _MODEL.search(wanted)
    same = model is None or model[0] in re.split(r"[^a-z0-9]|(?<=[0-9])(?=[a-z])", has)
    return same and _kinds(has) <= _kinds(wanted)


def is_gpu_of_name(offered: str, benched: str) -> bool:
    """Whether two names mean one GPU for sure, for what was measured on it: model, family and kind.

    What makers and drivers add of memory, of the socket and of themselves says nothing of that.
    """
    return bool(words := _words(offered)) and words == _words(benched)


def _words(name: str) -> set[str]:
    bare = _ADDED.sub(" ", name.casefold())
    return {_SAME_WORD.get(word, word) for word in _WORD.findall(bare)}


_ADDED = re.compile(r"\b(?:nvidia|geforce|generation|sxm\d?|hbm\d?e?|\d+ ?gb)\b")
_WORD = re.compile(r"[a-z]\d{2,4}(?!\d)|\b[a-z]\d(?!\d)|\d+|[a-z]+")
_SAME_WORD = {"q": "quadro", "s": "super"}
_MODEL = re.compile(r"[a-z]?[0-9]{2,4}")
_KIND = re.compile(r"\b(ti|super|laptop)\b|(?<=[0-9])\s?(d)\b|(?<=[0-9])(s)\b")


def _kinds(name: str) -> set[str]:
    return {found[1] or found[2] or "super" for found in _KIND.finditer(name)}
