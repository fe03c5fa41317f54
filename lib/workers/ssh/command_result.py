"""What became of a command on another machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lib.workers.ssh.errors import RemoteFailed

_SAID: Final = 300  # characters of the last words in a sentence


@dataclass(frozen=True, slots=True)
class CommandResult:
    """A command that came to its end. What it wrote is cut off at the bound; `cut` says that it was.

    `status` is as a shell has it: 128 and the signal's number for one that a signal ended.
    """

    status: int
    stdout: bytes
    stderr: bytes
    cut: bool = False

    @property
    def ok(self) -> bool:
        """Whether its status is 0."""
        return self.status == 0

    def text(self) -> str:
        """What it wrote to stdout; bytes that are no UTF-8 are replaced."""
        return self.stdout.decode("utf-8", "replace")

    def checked(self, what: str, machine: str) -> CommandResult:
        """Itself, when its status is 0. `what` says in words what was tried: "making the folder".

        Raises:
            RemoteFailed: it is another.
        """
        if self.ok:
            return self
        said = " ".join((self.stderr or self.stdout).decode("utf-8", "replace").split())[-_SAID:]
        told = f": {said}" if said else ""
        raise RemoteFailed(
            f"{what} failed on {machine} with exit status {self.status}{told}", self.status, said
        )
