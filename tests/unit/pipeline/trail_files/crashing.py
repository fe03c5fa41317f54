"""Processes that change the ledger, bring the trail's files up to date, and are killed in the middle of it.

Run as a program: it imports everything once and forks the processes, each of which ends itself with SIGKILL
at a call that a seed chooses, anywhere between a statement and the last byte; seed 0 lives to the end.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
from pathlib import Path
from types import FrameType

from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.runs import NewRun, cancel_job, start_jobs
from lib.pipeline.snapshots import save_snapshot
from lib.pipeline.trail_files import TrailFiles
from lib.sql import open_database
from tests.contract.pipeline.floor import diamond

#: Calls of Python and C that one process makes in its work, at most; a seed chooses one of them.
_CALLS = 80_000
_ROUNDS = 3


def work(url: str, folder: Path, seed: int) -> None:
    """Change something and bring the trail's files up to date, a few times."""
    with contextlib.closing(open_database(url)) as database:
        ledger = PipelineLedger(database)
        snapshot = save_snapshot(ledger, diamond().graph())
        trail_files = TrailFiles(ledger, folder)
        if seed:
            die_at(random.Random(seed).randrange(1, _CALLS))
        for _ in range(_ROUNDS):
            started = start_jobs(ledger, snapshot.id, [NewRun(), NewRun()])
            cancel_job(ledger, started[0].id, operator="ann")
            trail_files.catch_up()


def die_at(call: int) -> None:
    """End this process with SIGKILL at its so-and-so-many-th call."""
    left = call

    def count(frame: FrameType, event: str, arg: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)


def start(url: str, folder: Path, seed: int) -> int:
    """Fork a process that works; its id."""
    child = os.fork()
    if child:
        return child
    work(url, folder, seed)
    os._exit(0)


def main() -> None:
    """For each group of seeds: processes at once, until all have ended. Prints how many were killed."""
    url, folder, groups = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
    killed = 0
    for group in groups:
        children = [start(url, folder, seed) for seed in group]
        for child in children:
            _, status = os.waitpid(child, 0)
            assert status in (0, signal.SIGKILL), status
            killed += status == signal.SIGKILL
    print(killed)


if __name__ == "__main__":
    main()
