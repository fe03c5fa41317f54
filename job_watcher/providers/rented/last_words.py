"""What a rented machine is given for its last words: a program, and a URL for each file it may finish."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from typing import Final

from job_watcher.providers.over_ssh.ports import MachineLink
from lib.clock import Clock
from lib.jobqueue import Lease
from lib.jobspec import PEAKS_SUFFIX, take_name
from lib.spool.layout import AUDIO, OUTBOX, PICTURE, RESULT, incoming_name
from lib.storage import Incoming, StorageUnavailable

log = logging.getLogger(__name__)

#: How long a URL is good. The switch waits for `lease_s`, and the words are said within five minutes.
LIFE_S: Final = 3600
_FRESH_S: Final = 1200.0  # after that they are signed anew: each has still to outlive the machine's lease
_MOST_JOBS: Final = 200
_WRITE: Final = 'umask 077; cat >"$1.new" && chmod "$2" "$1.new" && mv -f "$1.new" "$1"'
_WRITE_S: Final = 20.0


def program() -> bytes:
    """The program, as machines get it."""
    source = resources.files("job_watcher.providers.rented").joinpath("last_words.sh")
    return b"#!/bin/sh\n" + source.read_bytes()


class LastWordsSigner:
    """Signs for the jobs of one machine. `work` says which entry is under which lease there; `spool` where.

    `file` is the program's place below the machine's home; the list lies beside it.

    Threads: one, that of the machine's lease.
    Raises: as `renew` says.
    """

    def __init__(
        self,
        incoming: Incoming,
        clock: Clock,
        *,
        file: str,
        spool: Callable[[], str | None],
        work: Callable[[], Sequence[tuple[str, Lease]]],
    ) -> None:
        self._incoming, self._clock, self._file = incoming, clock, file
        self._spool, self._work = spool, work
        self._given: tuple[str, ...] = ()  # the entries of the list that the machine has
        self._signed_at = float("-inf")
        self._has_program = False

    def renew(self, machine: MachineLink) -> None:
        """Give it a list where the one that it has is not of its jobs, or runs out.

        Raises:
            HostUnreachable, NotLeading: as the machine's other commands.
        """
        spool, work = self._spool(), sorted(self._work(), key=lambda pair: pair[1].lease_no)[:_MOST_JOBS]
        entries, now = tuple(entry for entry, _ in work), self._clock.monotonic()
        if spool is None or (entries == self._given and (not work or now - self._signed_at < _FRESH_S)):
            return
        try:
            lines = [line for entry, lease in work for line in self._lines(spool, entry, lease)]
        except StorageUnavailable as error:
            log.debug("nothing is signed for the last words of %s: %s", machine.name, error.message)
            return
        if self._put(machine, f"{self._file}.urls", "600", "".join(lines).encode()):
            self._given, self._signed_at = entries, now
        if not self._has_program:
            self._has_program = self._put(machine, self._file, "700", program())

    def _put(self, machine: MachineLink, file: str, mode: str, data: bytes) -> bool:
        words = ("sh", "-c", _WRITE, "sh", file, mode)
        return machine.run(words, stdin=data, timeout_s=_WRITE_S).ok

    def _lines(self, spool: str, entry: str, lease: Lease) -> Iterator[str]:
        for file in (*files_of(lease), RESULT):
            url = self._incoming.sign(incoming_name(entry, file), life_s=LIFE_S)
            yield f"{url} {spool}/{OUTBOX}/{entry}/{file}\n"


def no_last_words(machine: MachineLink) -> None:
    """For a store that takes nothing from machines, or a company whose machines say none."""


def files_of(lease: Lease) -> Iterator[str]:
    """What the files of a job's result are called, were all of them made."""
    if lease.spec.is_picture:
        yield PICTURE
        return
    for take in range(1, lease.spec.variants + 1):
        yield take_name(AUDIO, take, lease.spec.format)
        yield take_name(AUDIO, take, PEAKS_SUFFIX)
