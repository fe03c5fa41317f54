"""The host key of one rented machine, whichever of its addresses it is reached by.

Addresses of rented machines are used again: by the next machine, behind the same proxy. So each machine is
known by a key of its own, kept where the machine itself is written down, and not by a file of addresses.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import asyncssh

from lib.workers.ssh.address import SshAddress
from lib.workers.ssh.errors import HostKeyChanged
from lib.workers.ssh.known_hosts import KnownHosts, Pins


class OneMachine(KnownHosts):
    """`KnownHosts` of one machine. `known` is the line of its public key, "" when it was never seen.

    `pinned` is told of the first key, and answers with the one that counts: another watcher may have been
    first.

    Threads: any.
    Raises: what `pinned` raises, from `pin`, and HostKeyChanged.
    """

    def __init__(self, name: str, known: str, pinned: Callable[[str], str]) -> None:
        super().__init__(Path(f"the ledger's row of {name}"))
        self._known, self._pinned = known, pinned
        self._alone_here = threading.Lock()

    @property
    def known(self) -> str:
        """The line of its public key; "" when it was never seen."""
        return self._known

    def pins(self, address: SshAddress) -> Pins:
        """The one key, if there is one."""
        return Pins((asyncssh.import_public_key(self._known),)) if self._known else Pins()

    def pin(self, address: SshAddress, key: asyncssh.SSHKey) -> None:
        """Know the machine by `key` from now on.

        Raises:
            HostKeyChanged: another watcher saw another key first.
        """
        line = " ".join(key.export_public_key("openssh").decode("ascii").split()[:2])
        with self._alone_here:
            if not self._known:
                self._known = self._pinned(line)
            if self._known != line:
                raise HostKeyChanged(
                    f"{address} shows the host key {key.get_fingerprint()}, and another one was seen first: "
                    "somebody may stand between."
                )
