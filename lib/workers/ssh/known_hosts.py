"""The host keys that machines are known by, in OpenSSH's format: a user's own file will do."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncssh

from lib.errors import BadConfiguration
from lib.files import alone_in, draft_beside, read_plain, replace_durably, try_write, write_in_place
from lib.workers.ssh.address import SshAddress

_MOST_BYTES: Final = 1 << 26  # a longer file is none that a person keeps


@dataclass(frozen=True, slots=True)
class Pins:
    """What is known of one machine: keys it may show, and keys it may not. None trusted: never seen."""

    trusted: tuple[asyncssh.SSHKey, ...] = ()
    revoked: tuple[asyncssh.SSHKey, ...] = ()

    def algorithms(self) -> Sequence[str]:
        """The kinds of the trusted keys, to be asked for before any other: a server may have several."""
        return tuple(dict.fromkeys(key.get_algorithm() for key in self.trusted))


class KnownHosts:
    """A file of host keys. What is written is written whole, so two watchers may share it.

    Threads: any.
    Raises: BadConfiguration where the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def pins(self, address: SshAddress) -> Pins:
        """What is known of a machine.

        A line without a port speaks for port 22 alone: behind one address there may be several machines.
        """
        try:
            known = asyncssh.import_known_hosts(self._text())
            found = known.match(address.known_as, "", None)  # given a port it would look without one, too
        except ValueError as error:
            raise BadConfiguration(
                f"The file of host keys {self.path} cannot be read ({error}): correct or remove that line."
            ) from None
        return Pins(tuple(found[0]), tuple(found[2]))

    def see_usable_for(self, addresses: Sequence[SshAddress]) -> None:
        """See that one of the machines at least can be trusted: it is known, or its key could be taken in.

        Raises:
            BadConfiguration: none can, so there is no use in beginning.
        """
        if any(self.pins(address).trusted for address in addresses):
            return
        try:
            folder = self.path.resolve().parent
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            try_write(folder)
        except OSError as error:
            raise self._unusable(error) from None

    def pin(self, address: SshAddress, key: asyncssh.SSHKey) -> None:
        """Know a machine by `key` from now on; lines of others stay as they are."""
        line = f"{address.known_as} {key.export_public_key().decode('ascii').strip()}\n"
        with self._alone():
            if any(key == known for known in self.pins(address).trusted):
                return
            before = self._text()
            text = f"{before}\n" if before and not before.endswith("\n") else before
            self._write(text + line)

    def _text(self) -> str:
        try:
            return read_plain(self.path, _MOST_BYTES, follow=True).decode("utf-8", "replace")
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise self._unusable(error) from None

    def _write(self, text: str) -> None:
        target = self.path.resolve()  # a link stays a link
        try:
            with draft_beside(target) as draft:
                write_in_place(draft, text.encode("utf-8"), sync=True)
                draft.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o600)
                replace_durably(draft, target)
        except OSError as error:
            raise self._unusable(error) from None

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold off others who would write it too, after waiting for them."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with alone_in(self.path.parent):
                yield
        except OSError as error:
            raise self._unusable(error) from None

    def _unusable(self, error: OSError) -> BadConfiguration:
        return BadConfiguration(
            f"The file of host keys {self.path} cannot be used: {error.strerror or error}. "
            "Set SSH_KNOWN_HOSTS to a file that this user may write."
        )
