"""Tells when machines fail by our own fault, so that another one would be paid for in vain."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

from lib.fleet.host_history import EXCUSED, MUTE, HostIncident
from lib.fleet.verdicts import BAD_IMAGE

#: Seconds; what failed longer ago says nothing of what is set now, and nothing is rented for as long.
LOOKED_BACK_ON_S: Final = 3600.0
_BAD_IMAGES: Final = 2  # machines that could not load the image: it is not their fault then
_MUTE_MACHINES: Final = 4  # that cannot be made to speak, with no good work between: the next cannot either


class OwnFault(NamedTuple):
    """What of ours is wrong: "image" or "programs"; on how many machines, and whose blame is to be lifted."""

    kind: str
    machines: int
    innocent: tuple[str, ...] = ()  # machine ids that have not been excused yet


def own_fault(notes: Iterable[HostIncident]) -> OwnFault | None:
    """Judge what hosts did since the watcher began, within `LOOKED_BACK_ON_S`; None: another one may do."""
    told = list(notes)
    unloaded = {note.machine_id for note in told if note.reason == BAD_IMAGE}
    if len(unloaded) >= _BAD_IMAGES:
        return OwnFault("image", len(unloaded))
    worked = max((note.at for note in told if note.ok), default=-math.inf)
    mute = {note.machine_id: note.at for note in told if note.at > worked and note.reason in MUTE}
    if len(mute) < _MUTE_MACHINES:
        return None
    excused = {note.machine_id: note.at for note in told if note.reason == EXCUSED}
    innocent = tuple(name for name, at in mute.items() if excused.get(name, -math.inf) < at)
    return OwnFault("programs", len(mute), innocent)
