"""What can go wrong with a machine that is reached by SSH."""

from __future__ import annotations

from lib.errors import ExitStatus, TryAgain, Unavailable
from lib.spool import HostUnreachable


class HostRefused(HostUnreachable):
    """The machine answers, and no connection comes about until a person mends something."""

    exit_status = ExitStatus.BAD_CONFIGURATION


class HostKeyChanged(HostRefused):
    """The machine shows another key than the one it is known by. Nothing was sent to it."""


class KeyNotAccepted(HostRefused):
    """The machine lets none of our keys in."""


class KeyFileUnusable(HostRefused):
    """Our own private key is none, cannot be read, or is guarded by a passphrase. Nothing was sent."""


class KnownHostsUnusable(HostRefused):
    """The file of host keys cannot be read, or this machine's key not written to it."""


class RemoteTimedOut(TryAgain):
    """A command on the machine ran over its time. The machine answers, and the command is ended there."""


class RemoteFailed(Unavailable):
    """A command on the machine ended with another status than 0. `status` is that, `said` its last lines."""

    def __init__(self, message: str, status: int, said: str) -> None:
        super().__init__(message)
        self.status, self.said = status, said
