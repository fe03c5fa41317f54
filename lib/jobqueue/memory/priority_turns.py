"""Chooses the priorities that the next jobs come from, as `claim.lua` does; a test compares both."""

from __future__ import annotations

from collections.abc import Mapping

from lib.jobqueue.model import PRIORITIES

_ROUND = ("high",) * 6 + ("normal",) * 3 + ("low",)


def turns(turn: int, count: int, available: Mapping[str, int]) -> list[str]:
    """The priorities that the next `count` jobs come from, given how many each has.

    Six turns of ten look at high first, three at normal, one at low; a turn whose priority is empty goes to
    the highest that is not. So none starves, however many the others have.
    """
    left = dict(available)
    taken: list[str] = []
    quota = [_ROUND[(turn + number) % len(_ROUND)] for number in range(count)]
    for name in PRIORITIES:
        share = min(quota.count(name), left[name])
        taken += [name] * share
        left[name] -= share
    for name in PRIORITIES:
        share = min(count - len(taken), left[name])
        taken += [name] * share
    return taken
