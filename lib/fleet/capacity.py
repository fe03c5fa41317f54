"""How many jobs a machine holds at once, and what it makes with so many.

It is given work once in a pass, so between two passes it lives on what it holds. With too little it idles,
however fast it is and whatever it costs.
"""

from __future__ import annotations

import math

from lib.fleet.model import Demand, Policy

#: Work for this many passes is held: a pass itself takes time, and the next one may come late.
_PASSES = 1.5
#: No machine holds more of the unfinished jobs than this share: it may be lost, and is found out late.
_SHARE = 3


def jobs_to_hold(demand: Demand, speed: float, policy: Policy) -> int:
    """Jobs that a machine of this speed (seconds of audio a second) holds: one spoken, the rest for the time
    until it is looked after again.

    Never fewer than `policy.slots`; beyond those, never more than `policy.most_slots` or a third of the
    unfinished jobs.
    """
    job_s = max(1e-3, demand.audio_s_per_job / speed)
    between = math.ceil(_PASSES * policy.pass_s / job_s)
    return max(policy.slots, min(1 + between, policy.most_slots, demand.jobs // _SHARE))


def throughput(demand: Demand, speed: float, policy: Policy) -> float:
    """Seconds of audio a second that such a machine makes of this work, its idle time between passes counted.

    Of short jobs a faster machine makes no more than it can hold from one pass to the next.
    """
    held = jobs_to_hold(demand, speed, policy)
    return min(speed, max(0.01, held * demand.audio_s_per_job / policy.pass_s))
