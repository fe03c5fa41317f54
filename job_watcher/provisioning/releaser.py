"""Gives machines back: destroys each until it is seen absent, and orphans (our label, no row) too."""

from __future__ import annotations

from collections.abc import Sequence

from job_watcher.provisioning.fenced_calls import FencedCalls
from job_watcher.provisioning.observation import Observation, Observations
from job_watcher.provisioning.ports import Config, ProvisioningParts
from lib.backoff import backoff_s
from lib.errors import Unavailable
from lib.fleet import Machine, State
from lib.fleet.verdicts import worth_asking
from lib.machines.model import MachineRow
from lib.providers.rental import Rental

_FIRST_PAUSE_S = 10.0
_LONGEST_PAUSE_S = 300.0
_ALERT_TRIES = 6
_ORPHAN_GRACE_S = 120.0


class Releaser:
    """Destroys, and asks after machines that no listing shows.

    Threads: the loop's only.

    Raises: NotLeading from `confirm` and `destroy`, where another watcher leads; Unavailable from
    `strangers`, where the ledger does not answer. A provider that does not is asked again in the next pass.
    """

    def __init__(self, parts: ProvisioningParts, config: Config, observations: Observations) -> None:
        self._parts, self._config, self._observations = parts, config, observations
        self._orphan_next: dict[str, float] = {}
        self._doomed: list[str] = []

    def confirm(self, fenced: FencedCalls, machine: Machine) -> None:
        """Ask for a machine by its id once two listings lacked it. No answer is no confirmation."""
        if not worth_asking(machine, self._config.policy) or machine.instance is None:
            return
        observation = self._observations.by_token[machine.token]
        try:
            known = fenced.ask(fenced.provider.show, machine.instance)
        except Unavailable:
            return
        observation.confirmed_absent = machine.confirmed_absent = known is None

    def destroy(self, fenced: FencedCalls, rows: Sequence[MachineRow]) -> None:
        """One try for each machine that leaves and whose pause is over; then the orphans."""
        now = self._parts.clock.monotonic()
        for row in rows:
            observation = self._observations.by_token.get(row.token)
            if row.state != State.LEAVING.value or row.instance is None or observation is None:
                continue
            if now >= observation.destroy_at:
                self._try(fenced, row.instance, row.token, observation, now)
        for instance in self._doomed:
            self._destroy_orphan(fenced, instance, now)
        self._doomed.clear()

    def _try(
        self, fenced: FencedCalls, instance: str, token: str, observation: Observation, now: float
    ) -> None:
        observation.destroy_tries += 1
        pause = backoff_s(observation.destroy_tries, 1.0, base_s=_FIRST_PAUSE_S, cap_s=_LONGEST_PAUSE_S)
        observation.destroy_at = now + pause
        if observation.destroy_tries == _ALERT_TRIES:
            self._parts.tell("stuck", f"still there after {_ALERT_TRIES} tries to destroy it", token)
        try:
            fenced.ask(fenced.provider.destroy, instance)
        except Unavailable as error:
            self._parts.tell("trouble", error.message, token)

    def strangers(self, found: Sequence[tuple[str, Rental]], now: float) -> bool:
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

    def _destroy_orphan(self, fenced: FencedCalls, instance: str, now: float) -> None:
        if now < self._orphan_next.get(instance, 0.0):
            return
        self._orphan_next[instance] = now + 60.0
        self._parts.tell("orphan", f"{instance} carries our label and is in no open row: destroyed", "")
        try:
            fenced.ask(fenced.provider.destroy, instance)
        except Unavailable as error:
            self._parts.tell("trouble", error.message, "")
