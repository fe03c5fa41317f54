"""What the provider needs of a machine: reached by SSH, or, in tests, this one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from lib.units import MIB
from lib.workers import WorkerHost
from lib.workers.ssh import CommandResult


class MachineLink(Protocol):
    """One machine. Its name is as SSH_MACHINES has it, without the number of workers.

    Threads: its keeper's; `close` any.
    Raises, from every method but `close`:
        HostUnreachable: it does not answer; HostRefused, one of them, where somebody has to mend something.
    """

    name: str

    def connect(self) -> None:
        """Be connected when this returns; at once where it is already."""
        ...

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0, most: int = MIB
    ) -> CommandResult:
        """Run a command there, with no shell between; `~` is where it begins.

        Raises:
            RemoteTimedOut: it took longer.
        """
        ...

    def try_files(self, home: str) -> None:
        """See that files can be exchanged, below the folder that the shell has as home.

        Raises:
            MachineOut: what SFTP shows are other files than the shell's.
        """
        ...

    def upload(self, local: Path, remote: str) -> None:
        """Bring a file to an absolute path, going on where an earlier try was cut."""
        ...

    def hosts(self, count: int, program: str, home: str) -> list[WorkerHost]:
        """The machine's workers, the same names each time; `program` is the path of its voice-synth."""
        ...

    def begin_workers(self, count: int, program: str, home: str) -> list[str]:
        """Start the workers that `hosts` gives where they do not run; their folders, which are absolute."""
        ...

    def end_surplus(self, count: int, home: str) -> None:
        """End its workers of numbers over `count`: another setting wanted them."""
        ...

    def close(self) -> None:
        """End the connection and all that would make it anew. Workers go on. The last call."""
        ...


class Stage(Enum):
    """How far a machine is. The words stand in `machines --json`."""

    CONNECTING = "connecting"
    PREPARING = "preparing"  # our programs are brought there
    CHECKING = "checking"  # the health gates
    READY = "ready"
    OUT = "out"  # left out, with a reason, and tried again later


@dataclass(frozen=True, slots=True)
class MachineStanding:
    """How a machine is. `reason` is a code and `sentence` for people, both "" but for `OUT`."""

    stage: Stage
    since: float  # wall time
    reason: str = ""
    sentence: str = ""
    tries: int = 0  # failed ones in a row
    next_try: float | None = None  # wall time

    def to_json(self) -> dict[str, Any]:
        """As the registry and `machines --json` say it."""
        return {
            "stage": self.stage.value,
            "since": self.since,
            "reason": self.reason,
            "sentence": self.sentence,
            "tries": self.tries,
            "next_try": self.next_try,
        }


class MachineOut(Exception):
    """A machine cannot be used now: a reason code and a sentence that says what to do.

    The sentence may repeat what the machine said, so what would move a terminal's cursor is taken out.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        sentence = "".join(char if char.isprintable() else "?" for char in sentence)
        super().__init__(sentence)
        self.reason, self.sentence = reason, sentence
