"""Machines that a user already has, reached by SSH. Only this package imports asyncssh, when it is used.

`SshThread` drives the connections of all machines; `SshMachine` is one of them, with blocking calls that
have deadlines; `SftpFiles` are its files and bells; `SshHost` is the resident worker on it. How it is put
together, and what a hostile machine can do, is docs/explanation/ssh-machines.md.

Three kinds of trouble are kept apart: the machine does not answer (`HostUnreachable`, and `HostRefused` where
somebody has to mend something first), a command ran over its time (`RemoteTimedOut`), a command failed
(`RemoteFailed`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lib.workers.ssh.address import SshAddress
from lib.workers.ssh.advice import FOR_OWN_MACHINES, FOR_RENTED_MACHINES, ConnectionAdvice
from lib.workers.ssh.command_result import CommandResult
from lib.workers.ssh.errors import (
    HostKeyChanged,
    HostRefused,
    KeyFileUnusable,
    KeyNotAccepted,
    KnownHostsUnusable,
    RemoteFailed,
    RemoteTimedOut,
)

if TYPE_CHECKING:
    from lib.workers.ssh.control import Place
    from lib.workers.ssh.host import SshHost, SshWorkerSetup
    from lib.workers.ssh.key_pair import KeyPair, fingerprint_of, key_pair_of, new_key_pair
    from lib.workers.ssh.known_hosts import KnownHosts
    from lib.workers.ssh.machine import SshMachine, SshOptions
    from lib.workers.ssh.one_machine import OneMachine
    from lib.workers.ssh.sftp_files import SftpFiles
    from lib.workers.ssh.thread import SshThread

__all__ = [
    "FOR_OWN_MACHINES",
    "FOR_RENTED_MACHINES",
    "CommandResult",
    "ConnectionAdvice",
    "HostKeyChanged",
    "HostRefused",
    "KeyFileUnusable",
    "KeyNotAccepted",
    "KeyPair",
    "KnownHosts",
    "KnownHostsUnusable",
    "OneMachine",
    "Place",
    "RemoteFailed",
    "RemoteTimedOut",
    "SftpFiles",
    "SshAddress",
    "SshHost",
    "SshMachine",
    "SshOptions",
    "SshThread",
    "SshWorkerSetup",
    "fingerprint_of",
    "key_pair_of",
    "new_key_pair",
]

_LAZY = {
    "KeyPair": "key_pair",
    "KnownHosts": "known_hosts",
    "OneMachine": "one_machine",
    "Place": "control",
    "SftpFiles": "sftp_files",
    "SshHost": "host",
    "SshMachine": "machine",
    "SshOptions": "machine",
    "SshThread": "thread",
    "SshWorkerSetup": "host",
    "fingerprint_of": "key_pair",
    "key_pair_of": "key_pair",
    "new_key_pair": "key_pair",
}


def __getattr__(name: str) -> Any:
    """What needs asyncssh, imported when it is first used. Raises MissingExtra where it is not installed."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    from lib.errors import MissingExtra

    try:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "asyncssh":
            raise
        raise MissingExtra("Using machines over SSH", "watcher") from None
