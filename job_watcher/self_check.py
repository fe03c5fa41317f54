"""Tries what a watcher needs of this computer, for `lib.jobs.doctor_watcher` to judge. Changes nothing."""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Unpack

from job_watcher.probes import ProbeServer, listen_places
from lib.errors import JobRunnerError
from lib.foreign import parse_json
from lib.jobs.doctor import Trouble
from lib.jobs.doctor_probes import refusing
from lib.jobs.doctor_watcher import WatcherCheckup
from lib.sql import DatabaseOptions

if TYPE_CHECKING:
    from job_watcher.providers.ssh.checkup import CheckedMachine
    from lib.jobs.doctor_account import AccountCheckup

UNIT: Final = "job-watcher.service"
_ASK_WITHIN_S: Final = 2.0
_ANSWER_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class WatcherGround:
    """Where a watcher of these settings would work. `check_machines` is None where it drives none."""

    data_dir: Path
    ledger: str  # its URL
    listen: str | None
    check_machines: Callable[[], Sequence[CheckedMachine]] | None
    check_webhooks: Callable[[], None] = lambda: None  # raises BadConfiguration
    ledger_options: DatabaseOptions = field(default_factory=DatabaseOptions)  # beside its address
    check_account: Callable[[], AccountCheckup] | None = None  # None where nothing is rented


def look_around(where: WatcherGround, begins: Callable[[str], None]) -> WatcherCheckup:
    """Look at everything. What cannot be used stands in the checkup; nothing is raised.

    `begins` hears of what is looked at next.
    """
    begins("this computer")
    seen = WatcherCheckup(
        ledger=ledger_trouble(where.ledger, **where.ledger_options),
        folder=folder_trouble(where.data_dir / "watchers"),
        listen=None if where.listen is None else listen_trouble(where.listen),
        service=service_trouble(),
        webhooks=webhook_trouble(where.check_webhooks),
    )
    if where.check_machines is None:
        return seen
    begins("machines")
    try:
        found = where.check_machines()
    except JobRunnerError as error:
        return replace(seen, unasked=Trouble.of("SSH_MACHINES", error))
    out = [_trouble_of(one) for one in found if not one.ok]
    return replace(seen, machines=len(found), out=out)


def _trouble_of(machine: CheckedMachine) -> Trouble:
    words = f"{machine.reason}: {machine.sentence.rstrip('.')}"
    return Trouble(machine.machine, words, machine.passing)


def ledger_trouble(url: str, **options: Unpack[DatabaseOptions]) -> Trouble | None:
    """Why the ledger cannot be used; None where it can, or nothing was ever rented."""
    from lib.machines.ledger_exam import examine_ledger, has_ledger

    try:
        if has_ledger(url, **options):
            examine_ledger(url, **options)
    except JobRunnerError as error:
        return Trouble.of("ledger", error)
    return None


def folder_trouble(watchers: Path) -> Trouble | None:
    """Why a watcher could not take a folder of its own below `watchers`.

    No watcher's lock is touched: one that starts at this moment would find its folder taken, and leave what
    its predecessor held there.
    """
    if not watchers.is_dir():
        return None  # it is made in the data folder, which is tried by itself
    for folder in (watchers, *_slots(watchers)):
        if (trouble := refusing(folder)) is not None:  # it locks what it writes, too
            return trouble
        lock = folder / "lock"
        try:
            if lock.exists():
                os.close(os.open(lock, os.O_RDWR | os.O_CLOEXEC))
        except OSError as error:
            return Trouble(str(lock), f"{lock} cannot be locked: {error.strerror}")
    return None


def _slots(watchers: Path) -> Iterator[Path]:
    yield from sorted(path for path in watchers.iterdir() if path.name.isdecimal() and path.is_dir())


def listen_trouble(listen: str) -> Trouble | None:
    """Why no watcher could listen there; None where a port is free, or a watcher listens already."""
    host, ports = listen_places(listen)
    if any(_is_a_watcher(host, port) for port in ports):
        return None
    try:
        ProbeServer(listen, {}).close()
    except JobRunnerError as error:
        return Trouble.of("WATCHER_LISTEN", error)
    return None


def _is_a_watcher(host: str, port: int) -> bool:
    """Whether what listens there answers as a watcher does. It may be anybody: little is read."""
    connection = http.client.HTTPConnection(host, port, timeout=_ASK_WITHIN_S)
    try:
        connection.request("GET", "/livez")
        told = parse_json(connection.getresponse().read(_ANSWER_BYTES))
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()
    return isinstance(told, dict) and "loop_age_seconds" in told


def webhook_trouble(check: Callable[[], None]) -> Trouble | None:
    """Why no notification could be sent, and so no watcher starts; None where they can, or none is wanted."""
    try:
        check()
    except JobRunnerError as error:
        return Trouble.of("WEBHOOK_URL", error)
    return None


def service_trouble() -> Trouble | None:
    """How the watcher's service failed; None where it did not, or there is none."""
    wanted = "--property=LoadState,ActiveState,Result,ExecMainStatus"
    told: dict[str, str] = {}
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["systemctl", "show", UNIT, wanted],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ASK_WITHIN_S * 5,
            check=False,
        )
        told = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    if told.get("LoadState") != "loaded" or told.get("ActiveState") != "failed":
        return None
    status = told.get("ExecMainStatus", "unknown")
    return Trouble(
        UNIT, f"it ended with {told.get('Result', 'a failure')}, exit status {status}, and stays down"
    )
