"""Gives machines back: destroys each machine of the ledger until it is seen absent."""

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

_FIRST_PAUSE_S = 10.0
_LONGEST_PAUSE_S = 300.0
_ALERT_TRIES = 6


class Releaser:
    """Destroys, and asks after machines that no listing shows.

    Threads: the loop's only.

    Raises: NotLeading, where another watcher leads. A provider that does not answer is asked again in the
    next pass.
    """

    def __init__(self, parts: ProvisioningParts, config: Config, observations: Observations) -> None:
        self._parts, self._config, self._observations = parts, config, observations

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
        """One try for each machine that leaves and whose pause is over."""
        now = self._parts.clock.monotonic()
        for row in rows:
            observation = self._observations.by_token.get(row.token)
            if row.state != State.LEAVING.value or row.instance is None or observation is None:
                continue
            if now >= observation.destroy_at:
                self._try(fenced, row.instance, row.token, observation, now)

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
