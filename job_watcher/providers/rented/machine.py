"""One rented machine while this watcher leads: got ready, kept alive by its lease, listened to."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from typing import Final

from job_watcher.providers.over_ssh.fence import FencedHost
from job_watcher.providers.over_ssh.keeper import MachineKeeper
from job_watcher.providers.over_ssh.ports import MachineLink, MachineOut, Stage
from job_watcher.providers.rented.last_words import no_last_words
from job_watcher.providers.rented.machine_patience import MachinePatience
from job_watcher.providers.rented.ways_in import RentedLink
from job_watcher.provisioning.ports import Contact, NotLeading
from lib.clock import Clock
from lib.errors import JobRunnerError
from lib.machine_checks import Gate
from lib.providers.rental import Rental, RentalStatus
from lib.spool import Files, HostUnreachable
from lib.workers import WorkerDeath, WorkerHost

log = logging.getLogger(__name__)

_WRITE_LEASE: Final = 'umask 077; mkdir -p "${1%/*}" && cat >"$1.new" && mv -f "$1.new" "$1"'
_WRITE_S: Final = 10.0


class TendedMachine:
    """What is open to one machine.

    `check` is asked now and then whether the machine is still what it was; it raises MachineOut with a code.
    `confirm` compares the host key that was pinned with what the machine's log says of it: True once they are
    the same, None while there is nothing to compare; it may take long, and raises as `check`. `with_lease` is
    called after each renewal of the lease, in its thread.

    Threads: `files` any, everything else the loop's. The lease is renewed in a thread of its own, as long as
        the loop asks after the machine: a watcher that hangs lets its machines end.
    Raises: as each method says.
    """

    def __init__(
        self,
        link: RentedLink,
        keeper: MachineKeeper,
        *,
        lease_file: str,
        check: Callable[[], None],
        confirm: Callable[[], bool | None],
        leads: Callable[[], bool],
        clock: Clock,
        patience: MachinePatience,
        with_lease: Callable[[MachineLink], None] = no_last_words,
    ) -> None:
        self.link, self._keeper, self._lease_file = link, keeper, lease_file
        self._check, self._confirm, self._leads = check, confirm, leads
        self._clock, self._patience, self._with_lease = clock, patience, with_lease
        self._running_since: float | None = None
        self._asked = self._answered = clock.monotonic()
        self._reached = False
        self._rechecked = clock.monotonic()
        self._out: MachineOut | None = None
        self._host: tuple[WorkerHost, FencedHost] | None = None
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._live, name=f"lease {link.name}", daemon=True),
            threading.Thread(target=self._know, name=f"host key {link.name}", daemon=True),
        ]

    def look(self, rental: Rental | None) -> Contact:
        """How it is, from what is known; begins what is to be done with it.

        Raises:
            HostUnreachable: it does not answer, or is not there yet.
        """
        self._asked = self._clock.monotonic()
        if rental is not None and rental.status is RentalStatus.RUNNING and rental.endpoints:
            self._begin(rental)
        if self._running_since is None:
            raise HostUnreachable(f"{self.link.name} is not running yet.")
        if self._out is not None:
            return Contact(self._out.reason)
        standing = self._keeper.standing
        if standing.stage is Stage.OUT and not self._may_pass(standing.reason):
            return Contact(standing.reason)
        if not self._reached or self._asked - self._answered > self._patience.fresh_s:
            raise HostUnreachable(standing.sentence or f"{self.link.name} does not answer.")
        return Contact("" if standing.stage is Stage.READY else None)

    @property
    def is_starting(self) -> bool:
        """Whether it was rented and never answered yet."""
        return not self._reached and self._out is None

    def files(self) -> Files:
        """The spool of its worker. Raises HostUnreachable."""
        return self._worker().files()

    def tend(self) -> WorkerDeath | None:
        """Keep its worker going, once there is one. Raises HostUnreachable."""
        return self._worker().tend()

    def restart(self) -> None:
        """End its worker; another is started. Raises HostUnreachable."""
        self._worker().restart()

    def close(self) -> None:
        """Touch it no more. Its worker goes on, and so does its lease, to its end."""
        self._over.set()
        if self._running_since is not None:
            self._keeper.close()
        else:
            self.link.close()

    # --- the loop ----------------------------------------------------------------------------------------

    def _begin(self, rental: Rental) -> None:
        self.link.direct_to(rental.endpoints)
        if self._running_since is None:
            self._running_since = self._clock.monotonic()
            self._keeper.begin()
            for thread in self._threads:
                thread.start()

    def _may_pass(self, reason: str) -> bool:
        assert self._running_since is not None, "asked of a machine that runs"
        waited = self._clock.monotonic() - self._running_since
        return self._patience.passes(reason, waited, reached=self._reached)

    def _worker(self) -> FencedHost:
        """Its worker by the way that is used now."""
        hosts = self.link.workers() if self._keeper.hosts else []
        if self._over.is_set() or not hosts:
            raise HostUnreachable(f"The worker of {self.link.name} is not there yet.")
        if self._host is None or self._host[0] is not hosts[0]:
            self._host = (hosts[0], FencedHost(hosts[0], self._leads, self._clock))
        return self._host[1]

    # --- the host key's thread ---------------------------------------------------------------------------

    def _know(self) -> None:
        """Compare the key that was trusted at first sight with the machine's log, whenever that comes."""
        for pause in self._patience.confirm_after_s:
            if self._over.wait(pause):
                return
            try:
                if self._reached and self._confirm():
                    return
            except MachineOut as out:
                self._out = out
                return
            except NotLeading:
                return
            except JobRunnerError as error:
                log.debug("the log of %s does not come: %s", self.link.name, error.message)
            except Exception:
                log.exception("the host key of %s is not compared", self.link.name)
        log.info("%s is known by the key that it showed first: its log has none", self.link.name)

    # --- the lease's thread ------------------------------------------------------------------------------

    def _live(self) -> None:
        """Renew the lease and look again at what may break, until it is over."""
        pause = self._patience.first_s
        while not self._over.wait(pause):
            pause = self._patience.lease_every_s
            try:
                if not self._turn():
                    pause = min(pause, self._patience.first_s)
            except NotLeading:
                return
            except Exception:  # a thread that ends silently would let the machine end itself
                log.exception("the lease of %s is not renewed", self.link.name)

    def _turn(self) -> bool:
        """One sign of life; whether it arrived."""
        now = self._clock.monotonic()
        if now - self._asked > self._patience.loop_s:
            return False
        if self.link.way is None:  # the keeper connects first
            return False
        try:
            self._renew()
            self._with_lease(self.link)
            if now - self._rechecked >= self._patience.recheck_s and self._keeper.open:
                self._rechecked = now
                self._check()
        except MachineOut as out:
            self._out = out
        except HostUnreachable:
            self._try_another_way()
            return False
        except JobRunnerError as error:
            log.warning("%s: %s", self.link.name, error.message)
            return False
        return True

    def _renew(self) -> None:
        words = ("sh", "-c", _WRITE_LEASE, "sh", self._lease_file)
        done = self.link.run(words, stdin=secrets.token_hex(8).encode(), timeout_s=_WRITE_S)
        if not done.ok:
            said = " ".join(done.stderr.decode("utf-8", "replace").split())[-200:]
            raise MachineOut(Gate.DISK.value, f"{self.link.name} takes no file any more: {said}.")
        self._answered, self._reached = self._clock.monotonic(), True

    def _try_another_way(self) -> None:
        """By the proxy where its own address does not answer any more, or the other way round."""
        if self._clock.monotonic() - self._answered < self._patience.fresh_s / 2:
            return
        try:
            self.link.reroute()
        except JobRunnerError as error:
            log.debug("%s is reached by no way: %s", self.link.name, error.message)
