"""How long a rented machine is waited for, and which troubles of its start may pass by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: What may pass by itself while a machine starts: its server comes late, its keys are put there late.
_PASSING: Final = frozenset({"unreachable", "timed_out", "key_refused", "upload", "starting"})


@dataclass(frozen=True, slots=True)
class MachinePatience:
    """How long a rented machine is waited for; seconds."""

    reach_s: float = 600.0  # from running to reached: Vast's proxies and keys may take minutes
    first_s: float = 1.0  # before the first sign of life, and between those while it comes up
    lease_every_s: float = 15.0  # between two signs of life
    fresh_s: float = 40.0  # an answer so old is one; older, it is silent
    loop_s: float = 120.0  # the loop asks for it so often, or its lease is renewed no more
    recheck_s: float = 60.0  # between looks at what may break while it works
    confirm_after_s: tuple[float, ...] = (5.0, 30.0, 60.0, 120.0, 300.0, 600.0)  # pauses between tries

    def passes(self, reason: str, waited_s: float, *, reached: bool) -> bool:
        """Whether a trouble may pass by itself; `waited_s` since it runs, `reached` once it answered."""
        return reason in _PASSING and (reached or waited_s < self.reach_s)
