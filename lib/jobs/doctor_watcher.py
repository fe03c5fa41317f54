"""Judges whether a watcher could work on this computer: facts in, findings out.

What jobs need wherever they are spoken, `lib.jobs.doctor` judges; this is about who speaks them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lib.findings import Finding, FindingKind, Severity
from lib.jobs.doctor import Trouble

_E, _W = Severity.ERROR, Severity.WARNING

LEDGER_REFUSES: Final = FindingKind("D022", _E, "The ledger of rented machines cannot be used")
FOLDER_REFUSES: Final = FindingKind("D023", _E, "A watcher cannot work in its folder")
MACHINE_OUT: Final = FindingKind("D024", _W, "A machine cannot be used")
NO_MACHINE: Final = FindingKind("D025", _E, "No machine can be used")
LISTEN_REFUSED: Final = FindingKind("D026", _E, "A watcher cannot listen where it should")
SERVICE_FAILED: Final = FindingKind("D027", _W, "The watcher's service has failed")
NO_WEBHOOKS: Final = FindingKind("D028", _E, "Notifications cannot be sent")

KINDS: Final = (
    *(LEDGER_REFUSES, FOLDER_REFUSES, MACHINE_OUT, NO_MACHINE, LISTEN_REFUSED, SERVICE_FAILED),
    NO_WEBHOOKS,
)


@dataclass(frozen=True, slots=True)
class WatcherCheckup:
    """What was looked at. A trouble that is None means that the thing works, or is not there to be tried.

    `machines` is how many there are, `out` those of them that cannot be used; `unasked` is why none could
    even be asked.
    """

    ledger: Trouble | None = None
    folder: Trouble | None = None
    machines: int = 0
    out: Sequence[Trouble] = ()
    unasked: Trouble | None = None
    listen: Trouble | None = None
    service: Trouble | None = None
    webhooks: Trouble | None = None


def diagnose_watcher(seen: WatcherCheckup) -> list[Finding]:
    """All that is wrong, in the order of the ids. Pure."""
    return [*_of_places(seen), *_of_machines(seen), *_of_the_service(seen)]


def _of_places(seen: WatcherCheckup) -> Iterator[Finding]:
    if seen.ledger is not None:
        yield _found(LEDGER_REFUSES, seen.ledger, "mend what it says: it knows which machines are paid for")
    if seen.folder is not None:
        yield _found(
            FOLDER_REFUSES,
            seen.folder,
            "give this user the right to write there, or run this as the watcher's user",
        )


def _of_machines(seen: WatcherCheckup) -> Iterator[Finding]:
    for machine in seen.out:
        yield _found(MACHINE_OUT, machine, "mend that; job-watcher machines --check looks at it again")
    if seen.unasked is not None:
        yield _found(NO_MACHINE, seen.unasked, "mend what it says")
    elif seen.machines and len(seen.out) == seen.machines:
        one = seen.machines == 1
        sentence = "the only one is out" if one else f"all {seen.machines} are out"
        passing = all(machine.passing for machine in seen.out)
        fix = "mend one of them, or add another"
        yield Finding(NO_MACHINE, "SSH_MACHINES", f"{sentence}, and jobs wait", fix, passing=passing)


def _of_the_service(seen: WatcherCheckup) -> Iterator[Finding]:
    if seen.listen is not None:
        yield _found(
            LISTEN_REFUSED, seen.listen, "set WATCHER_LISTEN to free ports of this computer, or unset it"
        )
    if seen.service is not None:
        unit = seen.service.subject
        yield _found(
            SERVICE_FAILED,
            seen.service,
            f"journalctl --unit {unit} --lines 50 says why; mend that, then systemctl restart {unit}",
        )
    if seen.webhooks is not None:
        yield _found(
            NO_WEBHOOKS,
            seen.webhooks,
            "set WEBHOOK_URL and WEBHOOK_SECRET right (docs/reference/webhooks.md), or unset both",
        )


def _found(kind: FindingKind, trouble: Trouble, fix: str) -> Finding:
    return Finding(kind, trouble.subject, trouble.sentence, fix, passing=trouble.passing)
