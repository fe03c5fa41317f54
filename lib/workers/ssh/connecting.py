"""Makes one connection, and says in a sentence why none came about and what to do.

The settings were measured: without keepalives a frozen peer holds a command for ever. The user's
configuration and agent are left out, because with them it would work here and fail in a service.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncssh

from lib.errors import BadConfiguration
from lib.spool import HostUnreachable
from lib.workers.ssh.address import SshAddress
from lib.workers.ssh.advice import FOR_OWN_MACHINES, ConnectionAdvice
from lib.workers.ssh.client_keys import client_keys
from lib.workers.ssh.errors import (
    HostKeyChanged,
    HostRefused,
    KeyFileUnusable,
    KeyNotAccepted,
    KnownHostsUnusable,
)
from lib.workers.ssh.known_hosts import KnownHosts, Pins

CONNECT_S: Final = 5.0
LOGIN_S: Final = 15.0
KEEPALIVE_S: Final = 10.0
KEEPALIVES: Final = 3

#: What a server may sign with, each with the kind of key that it does so by.
_SIGNATURES: Final = {
    "ssh-ed25519": "ssh-ed25519",
    "ecdsa-sha2-nistp256": "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384": "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521": "ecdsa-sha2-nistp521",
    "rsa-sha2-512": "ssh-rsa",
    "rsa-sha2-256": "ssh-rsa",
}


class _Judge(asyncssh.SSHClient):
    """Judges a host key that is not among the known ones."""

    def __init__(self, pins: Pins) -> None:
        self._pins = pins
        self.shown: asyncssh.SSHKey | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Let it pass only where no key is known. It is pinned once the server proved it to be its own."""
        self.shown = key
        return not self._pins.trusted


async def connect(
    address: SshAddress,
    key_file: Path | None,
    known: KnownHosts,
    *,
    keepalive_s: float = KEEPALIVE_S,
    advice: ConnectionAdvice = FOR_OWN_MACHINES,
) -> asyncssh.SSHClientConnection:
    """Connect and log in. `key_file` None: those keys that asyncssh looks for in ~/.ssh.

    Raises:
        HostUnreachable: it does not answer; HostRefused, one of them, when somebody must mend something.
    """
    with _its_trouble(address):
        pins = known.pins(address)
    judge = _Judge(pins)
    try:
        connection, _ = await asyncssh.create_connection(
            lambda: judge,
            address.host,
            address.port,
            username=address.user,
            client_keys=_our_keys(key_file, advice),
            known_hosts=(list(pins.trusted), [], list(pins.revoked)),
            server_host_key_algs=_preferring(pins.algorithms()),
            config=None,
            agent_path=None,
            password=None,
            preferred_auth="publickey",
            gss_host=None,
            compression_algs=None,
            connect_timeout=CONNECT_S,
            login_timeout=LOGIN_S,
            keepalive_interval=keepalive_s,
            keepalive_count_max=KEEPALIVES,
        )
    except (OSError, asyncssh.Error) as error:
        raise ConnectRefusal(address, key_file, known, advice).of(judge, pins, error) from None
    shown = connection.get_server_host_key()
    if not pins.trusted and shown is not None:
        try:
            with _its_trouble(address):
                known.pin(address, shown)
        except BaseException:
            connection.abort()  # nobody would close it
            raise
    return connection


@contextlib.contextmanager
def _its_trouble(address: SshAddress) -> Iterator[None]:
    """A file of host keys that cannot be used keeps us from this machine; others may be known by it."""
    try:
        yield
    except BadConfiguration as error:
        raise KnownHostsUnusable(f"{address} cannot be trusted: {error.message}") from None


def _preferring(kinds: Sequence[str]) -> list[str]:
    """Every signature, those by the known keys first: a server with several keys then shows the known one."""
    return sorted(_SIGNATURES, key=lambda name: _SIGNATURES[name] not in kinds)


def _our_keys(key_file: Path | None, advice: ConnectionAdvice) -> Sequence[asyncssh.SSHKey]:
    try:
        return client_keys(key_file)
    except KeyFileUnusable as error:
        if advice.unusable_key is None:
            raise
        raise KeyFileUnusable(f"The key file {key_file} cannot be used. {advice.unusable_key}") from error


@dataclass(frozen=True, slots=True)
class ConnectRefusal:
    """Says why no connection to `address` came about, and what to do."""

    address: SshAddress
    key_file: Path | None
    known: KnownHosts
    advice: ConnectionAdvice

    def of(self, judge: _Judge, pins: Pins, error: Exception) -> HostUnreachable:
        """What is raised for `error`."""
        address, advice = self.address, self.advice
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            return self._changed(judge, pins, error)
        if isinstance(error, asyncssh.PermissionDenied):
            told = f"{address} does not let us in with the key {self._key}"
            return KeyNotAccepted(f"{told}: {self._filled(advice.not_let_in)}")
        if isinstance(error, socket.gaierror):
            return HostUnreachable(
                f"The name {address.host} of the machine {address} is not known here "
                f"({error.strerror or error}): {self._filled(advice.unknown_name)}"
            )
        if isinstance(error, ConnectionRefusedError):
            return HostUnreachable(f"{address} refuses connections: {self._filled(advice.refused)}")
        if isinstance(error, TimeoutError):
            told = f"{address} does not answer within {CONNECT_S:.0f} s"
            return HostUnreachable(f"{told}: {self._filled(advice.silent)}")
        why = (
            getattr(error, "reason", "")
            or getattr(error, "strerror", "")
            or str(error)
            or type(error).__name__
        )
        return HostUnreachable(f"{address} cannot be connected to: {printable(why)}.")

    def _changed(self, judge: _Judge, pins: Pins, error: Exception) -> HostUnreachable:
        if judge.shown is None or not pins.trusted:
            return HostRefused(f"The host key of {self.address} cannot be trusted: {printable(str(error))}.")
        before = ", ".join(key.get_fingerprint() for key in pins.trusted)
        return HostKeyChanged(
            f"The host key of {self.address} has changed: known is {before}, "
            f"shown is {judge.shown.get_fingerprint()}. "
            f"Nothing was sent to it. {self._filled(self.advice.changed)}"
        )

    @property
    def _key(self) -> str:
        return "~/.ssh/id_ed25519" if self.key_file is None else str(self.key_file)

    def _filled(self, advice: str) -> str:
        address = self.address
        return advice.format(
            port=address.port,
            login=f"{address.user}@{address.host}",
            key=self._key,
            known_as=address.known_as,
            known=self.known.path,
        )


def printable(text: str, most: int = 200) -> str:
    """What another machine said, for a sentence: one line, bounded, no control characters."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line[:most].rstrip(".")
