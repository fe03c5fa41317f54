"""Finds orphan machines (our label, in no open row of the ledger) and destroys them."""

from __future__ import annotations

from collections.abc import Sequence

from job_watcher.provisioning.fenced_calls import FencedCalls
from job_watcher.provisioning.observation import Observations
from job_watcher.provisioning.ports import ProvisioningParts
from lib.errors import Unavailable
from lib.providers.rental import Rental

_ORPHAN_GRACE_S = 120.0
_PAUSE_S = 60.0  # between two tries for the same machine


class OrphanSweep:
    """Destroys what we pay for and no row explains: a lost answer, a ledger that was restored.

    Threads: the loop's only.

    Raises: NotLeading from `destroy`, where another watcher leads; Unavailable from `judge`, where the
    ledger does not answer. A provider that does not is asked again after a pause.
    """

    def __init__(self, parts: ProvisioningParts, observations: Observations) -> None:
        self._parts, self._observations = parts, observations
        self._next_try: dict[str, float] = {}
        self._doomed: list[str] = []

    def destroy(self, fenced: FencedCalls) -> None:
        """One try for each orphan that `judge` condemned and whose pause is over."""
        now = self._parts.clock.monotonic()
        for instance in self._doomed:
            self._try(fenced, instance, now)
        self._doomed.clear()

    def judge(self, found: Sequence[tuple[str, Rental]], now: float) -> bool:
        """Rentals with our label that no open row stands for: destroyed at their second sighting.

        A label past its time is destroyed at once. A grace covers a rental that a row is about to explain.
        Returns whether one that was seen before is gone, so that its bill is final.
        """
        seen = {rental.instance for _, rental in found}
        orphans = self._observations.orphans
        ended = orphans.keys() - seen
        for gone in ended:
            del orphans[gone]
        wall = self._parts.clock.now()
        for token, rental in found:
            row = self._parts.ledger.row(token)
            first = orphans.setdefault(rental.instance, now)
            late = row is not None and wall > row.intent.expires_at
            if late or (now > first and now - first >= _ORPHAN_GRACE_S):
                self._doomed.append(rental.instance)
        return bool(ended)

    def _try(self, fenced: FencedCalls, instance: str, now: float) -> None:
        if now < self._next_try.get(instance, 0.0):
            return
        self._next_try[instance] = now + _PAUSE_S
        self._parts.tell("orphan", f"{instance} carries our label and is in no open row: destroyed", "")
        try:
            fenced.ask(fenced.provider.destroy, instance)
        except Unavailable as error:
            self._parts.tell("trouble", error.message, "")
