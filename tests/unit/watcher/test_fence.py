"""W15: a watcher that leads no more touches no machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from job_watcher.providers.over_ssh.fence import FencedHost
from job_watcher.provisioning.ports import NotLeading
from lib.clock import ManualClock
from lib.spool import Files, HostUnreachable, LocalFiles
from lib.workers import WorkerDeath


class CountingHost:
    """A host that notes what it is asked."""

    name = machine = "gpu"
    remote = True

    def __init__(self, folder: Path) -> None:
        self._files, self.calls, self.is_away = LocalFiles(folder), 0, False

    def files(self) -> Files:
        self.calls += 1
        if self.is_away:
            raise HostUnreachable("It is off.")
        return self._files

    def tend(self) -> WorkerDeath | None:
        self.calls += 1
        return None

    def restart(self) -> None:
        self.calls += 1

    def stop(self, grace: float) -> None:
        self.calls += 1


CALLS: dict[str, Callable[[FencedHost], object]] = {
    "files": lambda host: host.files(),
    "tend": lambda host: host.tend(),
    "restart": lambda host: host.restart(),
    "end": lambda host: host.end(1.0),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_call_is_refused_when_another_leads(
    tmp_path: Path, call: Callable[[FencedHost], object]
) -> None:
    host = CountingHost(tmp_path)
    call(FencedHost(host, lambda: True, ManualClock()))
    assert host.calls == 1
    with pytest.raises(NotLeading):
        call(FencedHost(host, lambda: False, ManualClock()))
    assert host.calls == 1


def test_files_that_were_taken_while_leading_are_refused_later(tmp_path: Path) -> None:
    leads = True
    files = FencedHost(CountingHost(tmp_path), lambda: leads, ManualClock()).files()
    files.write("inbox/a", b"a")
    leads = False
    for refused in (lambda: files.write("inbox/b", b"b"), lambda: files.list("inbox")):
        with pytest.raises(NotLeading):
            refused()
    assert [path.name for path in (tmp_path / "inbox").iterdir()] == ["a"]


def test_work_goes_on_when_the_watcher_leaves(tmp_path: Path) -> None:
    host = CountingHost(tmp_path)
    FencedHost(host, lambda: True, ManualClock()).stop(1.0)
    assert host.calls == 0


def test_silence_is_counted_from_the_first_call_that_failed(tmp_path: Path) -> None:
    host, clock = CountingHost(tmp_path), ManualClock()
    fenced = FencedHost(host, lambda: True, clock)
    host.is_away = True
    for _ in range(2):
        with pytest.raises(HostUnreachable):
            fenced.files()
        clock.advance(5.0)
    assert fenced.silent_for() == 10.0
    host.is_away = False
    fenced.files().list("inbox")
    assert fenced.silent_for() == 0.0
