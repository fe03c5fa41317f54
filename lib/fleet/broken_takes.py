"""Tells which machine makes more broken speech than its peers: a GPU that computes wrongly says so nowhere.

Pure. Engines break one take in a hundred anywhere; what breaks them more often here than on the others, with
texts of the same queue, is the machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

#: Of the machines beside it together; fewer say nothing of what is usual.
_LEAST_OF_PEERS: Final = 100
_LEAST_BROKEN: Final = 5
#: What counts with the peers, so that a few of theirs that are all sound do not make one here improbable: as
#: many as the worst engine that is known breaks, 15 in a thousand.
_USUAL_SPOKEN, _USUAL_BROKEN = 200, 3
#: How improbable that many have to be with the peers' share. It is looked at after each job, so it is small.
_IMPROBABLE: Final = 1e-6


class TakeCount(NamedTuple):
    """Pieces that a machine spoke, those said again included, and how many of them were broken."""

    spoken: int = 0
    broken: int = 0

    def plus(self, spoken: int, broken: int) -> TakeCount:
        """With more of them."""
        return TakeCount(self.spoken + spoken, self.broken + broken)

    def at_most(self, spoken: int) -> TakeCount:
        """The same share of so many at most."""
        return TakeCount(spoken, self.broken * spoken // self.spoken) if self.spoken > spoken else self


def suspects(counts: Mapping[str, TakeCount]) -> frozenset[str]:
    """The machines that break more than chance explains, by name; one alone is never suspected.

    Each peer counts as much as the machine itself at most: a count is what a machine tells of itself, and one
    that claims a million sound ones would make all others suspect.
    """
    found = set()
    for name, count in counts.items():
        most = max(count.spoken, _LEAST_OF_PEERS)
        peers = [other.at_most(most) for peer, other in counts.items() if peer != name]
        spoken, broken = sum(peer.spoken for peer in peers), sum(peer.broken for peer in peers)
        if is_suspect(count, TakeCount(spoken, broken)):
            found.add(name)
    return frozenset(found)


def is_suspect(count: TakeCount, peers: TakeCount) -> bool:
    """Whether so many broken ones are improbable where the peers' share is the usual one."""
    if count.broken < _LEAST_BROKEN or peers.spoken < _LEAST_OF_PEERS:
        return False
    share = (peers.broken + _USUAL_BROKEN) / (peers.spoken + _USUAL_SPOKEN)
    return _chance_of_at_least(count.broken, count.spoken * share) < _IMPROBABLE


def _chance_of_at_least(found: int, expected: float) -> float:
    """The tail of Poisson's distribution: that of many rare things that do not depend on each other."""
    if expected <= 0:
        return 1.0 if found <= 0 else 0.0
    if found <= expected:
        return 1.0
    term = math.exp(found * math.log(expected) - expected - math.lgamma(found + 1))
    total, number = 0.0, found
    while term > total * 1e-12:
        total += term
        number += 1
        term *= expected / number
    return total
