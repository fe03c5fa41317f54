"""How often an address may ask: a bucket of permits each, which fills by time."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from typing import Final

from lib.clock import Clock

_MOST_KEPT: Final = 10_000
_ONE_HOLDERS: Final = 64  # bits of an IPv6 address: whoever has one has all that begin so


def holder_of(address: str) -> str:
    """Whose permits an address uses: its own, and in IPv6 those of the network that one holder is given."""
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0]) if ":" in address else None
    except ValueError:
        return address
    if found is None:
        return address
    plain = found.ipv4_mapped
    return str(ipaddress.IPv6Network((found, _ONE_HOLDERS), strict=False)) if plain is None else str(plain)


class RateLimit:
    """Permits by key: `rate` a second, and up to `burst` that were saved up.

    The oldest of many keys are forgotten: who floods from many addresses gets their permits, not our memory.

    Threads: one, that of the event loop.
    Raises: nothing.
    """

    def __init__(self, rate: float, burst: float, clock: Clock) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, key: str, *, take: float = 1.0) -> float:
        """Take a permit: 0. None is left: the seconds until there is one. `take` 0 only looks."""
        now = self._clock.monotonic()
        left, at = self._left.pop(key, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._rate)
        allowed = left >= 1.0
        self._left[key] = (left - take if allowed else left, now)
        if len(self._left) > _MOST_KEPT:
            self._left.popitem(last=False)
        return 0.0 if allowed else (1.0 - left) / self._rate
