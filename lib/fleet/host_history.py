"""Remembers failures of hosts: a failed one is often the cheapest offer again a minute later."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

from lib.fleet.model import Host

HALF_LIFE_S: Final = 7 * 86_400.0  # trouble counts half after a week: hosts get repaired
BANNING: Final = frozenset({"wrong_gpu", "corrupt_output"})  # it lied; no waiting makes that better
_COOL_DOWN_S: Final = (3_600.0, 6 * 3_600.0, 3 * 86_400.0)  # first, second, any further failure
#: Noted of a host that stayed mute, once it is known that the next one would have, too.
EXCUSED: Final = "excused"
#: What a machine fails with that cannot be made to speak, be it for its own fault or for ours.
MUTE: Final = frozenset({"engine", "install"})
_NOT_ITS_FAULT: Final = frozenset({"outbid", "refused", "no_bundle", "bad_image", EXCUSED})


class HostIncident(NamedTuple):
    """One failure, or one piece of good work, of a host."""

    machine_id: str
    reason: str
    ok: bool
    at: float


def remembered(notes: Iterable[HostIncident], now: float) -> dict[str, Host]:
    """Weigh what hosts did, newest counting most; good work takes half a failure back.

    A ban is for ever. A cool-down grows with the number of recent failures and begins at the last one. That
    it stayed mute is forgotten of a host that was excused later.
    """
    told = list(notes)
    excused = {note.machine_id: note.at for note in told if note.reason == EXCUSED}
    found: dict[str, Host] = {}
    for note in told:
        if note.reason in _NOT_ITS_FAULT:
            continue
        if note.reason in MUTE and note.at <= excused.get(note.machine_id, -math.inf):
            continue
        host = found.get(note.machine_id, Host(note.machine_id))
        weight = 0.5 ** (max(0.0, now - note.at) / HALF_LIFE_S)
        found[note.machine_id] = _after(host, note, weight)
    return found


def _after(host: Host, note: HostIncident, weight: float) -> Host:
    if note.ok:
        trouble = max(0.0, host.trouble - weight / 2)
        return Host(host.machine_id, trouble, host.avoid_until, host.banned, host.reasons)
    failures = len(host.reasons)
    pause = _COOL_DOWN_S[min(failures, len(_COOL_DOWN_S) - 1)]
    return Host(
        host.machine_id,
        host.trouble + weight,
        max(host.avoid_until, note.at + pause),
        host.banned or note.reason in BANNING,
        (*host.reasons, note.reason),
    )


def objection(host: Host | None, now: float) -> str | None:
    """Why this host is not rented from now; None when nothing speaks against it."""
    if host is None:
        return None
    if host.banned:
        return f"banned: {host.reasons[-1]}"
    if now < host.avoid_until:
        return f"failed before: {host.reasons[-1]}"
    return None
