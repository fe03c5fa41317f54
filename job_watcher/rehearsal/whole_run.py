"""A whole batch at the fake Vast: rented, spoken over real SSH, destroyed, billed; with faults to order."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

from job_watcher.rehearsal.vast import Conduct, FakeVast, HostOffer, Mishap, a_market
from lib.errors import UsageError
from lib.jobqueue import JobQueue, JobState
from lib.jobspec import JobSpec

#: Machines come up in ten seconds, so that something is to be seen and nobody waits for long.
_BRISK: Final = Conduct(null_s=1.0, created_s=1.0, loading_s=6.0, ssh_after_s=2.0)
_FAULT: Final = re.compile(r"([a-z_]+)@([0-9]{1,5}(?:\.[0-9])?)s?")
_LOOK_S: Final = 0.5
_ENDED: Final = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELED})
_ROOT: Final = Path(__file__).parents[2]


class EndableWatcher(Protocol):
    """What a rehearsal needs of a watcher.

    Threads: one; `drain` any.
    Raises: as `Runs`.
    """

    def run_once(self) -> int:
        """Work until nothing is left."""
        ...

    def drain(self) -> None:
        """End soon; the second call at once."""
        ...


@dataclass(frozen=True, slots=True)
class OrderedFault:
    """Something that befalls a machine so many seconds after the beginning."""

    mishap: Mishap
    after_s: float


def read_fault(text: str) -> OrderedFault:
    """From `outbid@60s`.

    Raises:
        UsageError: there is no such mishap, or no time behind it.
    """
    found = _FAULT.fullmatch(text)
    names = [each.value for each in Mishap]
    if found is None or found[1] not in names:
        raise UsageError(
            f"--fault {text!r} is none: write WHAT@SECONDS, and WHAT is one of {', '.join(names)}"
        )
    return OrderedFault(Mishap(found[1]), float(found[2]))


def brisk_market() -> list[HostOffer]:
    """The usual market, of machines that come up soon."""
    return [replace(offer, conduct=_BRISK) for offer in a_market()]


def voice_synth(folder: Path) -> str:
    """This installation's voice-synth, as the machines of a rehearsal find it."""
    program = folder / "voice-synth"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{_ROOT}" exec "{sys.executable}" -m synth.main "$@"\n')
    program.chmod(0o755)
    return str(program)


@dataclass(frozen=True, slots=True)
class RehearsalOutcome:
    """What came of it. Money is the dollars that it would have cost."""

    jobs: int
    done: int
    machines: int
    left: int  # machines that still live: a forgotten one
    dollars: float
    gpu_dollars: float
    first_audio_s: float | None
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether all is spoken and nothing is forgotten."""
        return self.done == self.jobs and self.left == 0

    def to_json(self) -> dict[str, Any]:
        """`rehearse --json`."""
        first = self.first_audio_s
        return {
            "jobs": self.jobs,
            "done": self.done,
            "machines": self.machines,
            "left": self.left,
            "usd": f"{self.dollars:.6f}",
            "gpu_usd": f"{self.gpu_dollars:.6f}",
            "first_audio_seconds": None if first is None else round(first, 1),
            "seconds": round(self.seconds, 1),
        }


def rehearse(
    specs: Sequence[JobSpec],
    fake: FakeVast,
    queue: JobQueue,
    watcher: EndableWatcher,
    faults: Sequence[OrderedFault],
    limit_s: float,
) -> RehearsalOutcome:
    """Enqueue, and let the watcher work until all jobs ended and every machine is destroyed.

    Raises: as the watcher's `run_once`.
    """
    began = time.monotonic()
    queue.enqueue(specs)
    for fault in faults:
        fake.plan(fault.after_s, fault.mishap)
    eye = _Eye(specs, fake, queue, watcher, began + limit_s)
    eye.start()
    try:
        watcher.run_once()
    finally:
        eye.stop()
    bill, first = fake.bill(), eye.first_audio_at
    return RehearsalOutcome(
        jobs=len(specs),
        done=eye.count(JobState.DONE),
        machines=len(fake.instances()),
        left=len(fake.living()),
        dollars=bill.total,
        gpu_dollars=bill.kind("gpu"),
        first_audio_s=None if first is None else first - began,
        seconds=time.monotonic() - began,
    )


class _Eye:
    """Looks on from a thread, and ends the watcher when there is nothing more to see.

    The watcher itself would wait for a minute longer, until the company's lists prove what is seen here.
    """

    def __init__(
        self, specs: Sequence[JobSpec], fake: FakeVast, queue: JobQueue, watcher: EndableWatcher, until: float
    ) -> None:
        self._ids = [spec.request_id for spec in specs]
        self._fake, self._queue, self._watcher, self._until = fake, queue, watcher, until
        self.first_audio_at: float | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rehearsal eye", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def count(self, *states: JobState) -> int:
        return sum(job is not None and job.state in states for job in self._queue.jobs(self._ids))

    def _run(self) -> None:
        while not self._over.wait(_LOOK_S):
            if self.first_audio_at is None and self.count(JobState.DONE):
                self.first_audio_at = time.monotonic()
            finished = self.count(*_ENDED) == len(self._ids) and not self._fake.living()
            if finished or time.monotonic() > self._until:
                self._watcher.drain()
                self._watcher.drain()
                return
