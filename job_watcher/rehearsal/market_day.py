"""The market of a rehearsal, from a number; and how time is made short in it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from job_watcher.rehearsal.vast import Conduct, HostOffer, a_market
from job_watcher.rehearsal.vast.lifecycle import Lags
from lib.fleet import Policy
from lib.fleet.model import PASS_S

_NULL_S: Final = 5.0
_CREATED_S: Final = 5.0
_LOADING_S: Final = (50.0, 90.0)
_SSH_S: Final = 10.0
_IMAGE_GB: Final = 0.2
_PRICES: Final = (0.85, 1.2)  # of what hosts usually ask
_SHORT_S: Final = 0.2  # no step of a machine is shorter: people want to see it


def market_of(seed: int, speed: float) -> Sequence[HostOffer]:
    """The hosts of one day: prices and boot times as `seed` has them, boot times `speed` times as short."""
    return tuple(_hosts(random.Random(seed), speed))


def _hosts(chance: random.Random, speed: float) -> Iterator[HostOffer]:
    for host in a_market():
        factor = chance.uniform(*_PRICES)
        conduct = Conduct(
            null_s=_shorter(_NULL_S, speed),
            created_s=_shorter(_CREATED_S, speed),
            loading_s=_shorter(chance.uniform(*_LOADING_S), speed),
            ssh_after_s=_shorter(_SSH_S, speed),
            image_gb=_IMAGE_GB,
        )
        yield replace(
            host,
            dph_base=round(host.dph_base * factor, 3),
            min_bid=round(host.min_bid * factor, 3),
            conduct=conduct,
        )


def _shorter(seconds: float, speed: float) -> float:
    return max(_SHORT_S, seconds / speed)


def period_of(speed: float) -> float:
    """Seconds between two passes of the loop."""
    return max(2.5, PASS_S / speed)


def hasten_lags(lags: Lags, speed: float) -> None:
    """Have the company's lists be less far behind, too."""
    lags.gone_after_s = _shorter(lags.gone_after_s, speed)
    lags.exited_after_s = _shorter(lags.exited_after_s, speed)


def hastened(policy: Policy, speed: float) -> Policy:
    """The policy with less patience, as machines come up and go sooner.

    What real processes and connections need is not cut below what they may take on a busy computer.
    """

    def shorter(seconds: float, least: float) -> float:
        return min(seconds, max(least, seconds / speed))

    # What needs a GPU is large: where there is none, and others use the cores, it takes minutes to load.
    is_large = policy.least_vram_gb > 0
    return replace(
        policy,
        boot_limit_s=shorter(policy.boot_limit_s / 2, 400.0 if is_large else 60.0),
        silence_s=shorter(policy.silence_s, 60.0),
        lag_s=shorter(policy.lag_s, 8.0),
        apart_s=shorter(policy.apart_s, 3.0),
        empty_patience_s=shorter(policy.empty_patience_s, 15.0),
        talking_s=shorter(policy.talking_s, 4.0),
        drain_limit_s=shorter(policy.drain_limit_s, 90.0),
        wedged_s=shorter(policy.wedged_s, 90.0),
        still_limit_s=shorter(policy.still_limit_s, 400.0 if is_large else 90.0),
    )
