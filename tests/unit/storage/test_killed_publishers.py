"""A publisher that is killed at any step leaves a name that only its own job or a newer one may fill."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from lib.clock import ManualClock
from lib.files import take_folder_lock
from lib.storage import Claim, FileStorage, StorageUnavailable, StoredArtifact
from lib.storage.hashed_writes import Disk

OLD = {"x.wav": "old", "x.take-02.wav": "old 2", "x.peaks.json": "old peaks"}
NEW = {"x.flac": "new", "x.take-02.flac": "new 2"}
NEWEST = {"x.mp3": "newest"}
FORMER = {"before.wav": "of an earlier revision"}


class Killed(BaseException):
    """As SIGKILL: nothing catches it."""


class Failing:
    """A disk whose steps are counted; at the one that is chosen the process dies, before it or after."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.at, self.after, self.taken = at, after, 0
        plain = Disk()
        self.disk = Disk(
            name=self._step(plain.name), note=self._step(plain.note), remove=self._step(plain.remove)
        )

    def _step(self, real: Callable[..., None]) -> Callable[..., None]:
        def step(*args: Any) -> None:
            self.taken += 1
            if self.taken == self.at and not self.after:
                raise Killed
            real(*args)
            if self.taken == self.at:
                raise Killed

        return step


class Place:
    def __init__(self, root: Path) -> None:
        self.root, self.storage = root / "store", FileStorage(root / "store")
        self._desk = root / "file"

    def put(self, files: Mapping[str, str]) -> dict[str, StoredArtifact]:
        found = {}
        for path, text in files.items():
            self._desk.write_text(text)
            sha256 = hashlib.sha256(text.encode()).hexdigest()
            found[path] = self.storage.put(self._desk, sha256=sha256, bytes=len(text))
        return found

    def publish(self, order: int, files: Mapping[str, str], disk: Disk | None = None) -> None:
        """The newer of the two has an earlier revision that was published under another name."""
        former = {"before": self.put(FORMER)} if files is NEW else {}
        FileStorage(self.root, disk).publish(
            Claim(f"job-{order}", 2, order), "x", self.put(files), former=former
        )

    def outputs(self) -> dict[str, str]:
        folder = self.root / "outputs"
        return {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    found = Place(tmp_path)
    found.storage.publish(Claim("job-5", 1, 1), "before", found.put(FORMER))
    found.publish(3, OLD)
    return found


def killed_at_each_step(tmp_path: Path, after: bool) -> Iterator[Place]:
    """One place for each step of a publication, at which its publisher was killed."""
    for at in count(1):
        root = tmp_path / f"{after}-{at}"
        root.mkdir()
        place = Place(root)
        place.storage.publish(Claim("job-5", 1, 1), "before", place.put(FORMER))
        place.publish(3, OLD)
        failing = Failing(at, after=after)
        try:
            place.publish(5, NEW, failing.disk)
        except Killed:
            yield place
        else:
            assert at > 8, "a publication has at least two notes, two names and four removals"
            return


@pytest.mark.parametrize("after", [False, True])
def test_one_of_another_format_leaves_nothing_of_those_that_had_a_path_in_turn(
    tmp_path: Path, after: bool
) -> None:
    """Whose bytes stand at a path that was to be written over is not known: those before, or the new ones."""
    for at in range(1, 9):
        (root := tmp_path / f"{after}-{at}").mkdir()
        place = Place(root)
        place.publish(3, OLD)
        for order in (4, 5):  # both killed
            with suppress(Killed):
                files = {path: f"{text} anew, {order}" for path, text in OLD.items()}
                place.publish(order, files, Failing(at, after=after).disk)

        place.publish(7, NEWEST)

        assert place.outputs() == NEWEST


@pytest.mark.parametrize("after", [False, True])
class TestKilledAtAnyStep:
    def test_it_is_made_up_for_by_a_repeat(self, tmp_path: Path, after: bool) -> None:
        for place in killed_at_each_step(tmp_path, after):
            place.publish(5, NEW)
            assert place.outputs() == NEW

    def test_it_never_leaves_a_file_that_is_half_one_and_half_the_other(
        self, tmp_path: Path, after: bool
    ) -> None:
        wanted = {**OLD, **NEW, **FORMER}
        for place in killed_at_each_step(tmp_path, after):
            assert place.outputs().items() <= wanted.items()

    def test_the_older_job_gets_nothing_back_once_the_newer_was_written_down(
        self, tmp_path: Path, after: bool
    ) -> None:
        for place in killed_at_each_step(tmp_path, after):
            owner = place.storage.owner("x")
            assert owner is not None
            before = place.outputs()
            place.publish(3, OLD)
            if owner.order == 5:
                assert place.outputs() == before
            place.publish(5, NEW)
            assert place.outputs() == NEW

    def test_a_newer_job_clears_up_after_it(self, tmp_path: Path, after: bool) -> None:
        for place in killed_at_each_step(tmp_path, after):
            place.publish(9, NEWEST)
            assert {name for name in place.outputs() if name != "before.wav"} == set(NEWEST)

    def test_no_draft_is_left(self, tmp_path: Path, after: bool) -> None:
        for place in killed_at_each_step(tmp_path, after):
            assert list(place.root.rglob("*.part")) == []


PUBLISHES = """
import os, sys, time
from pathlib import Path
from lib.storage import Claim, FileStorage, StoredArtifact
os.fsync = lambda descriptor: time.sleep(0.001)  # a wait as a disk's, but for a busy one's minutes
root, orders = Path(sys.argv[1]), [int(word) for word in sys.argv[2:]]
storage = FileStorage(root)
print("begun", flush=True)
for order in orders:
    data = f"audio {order}".encode()
    import hashlib
    sha256 = hashlib.sha256(data).hexdigest()
    (root / f"source-{order}").write_bytes(data)
    artifact = storage.put(root / f"source-{order}", sha256=sha256, bytes=len(data))
    suffix = "wav" if order % 3 else "flac"
    storage.publish(Claim(f"job-{order}", 1, order), "x", {f"x.{suffix}": artifact})
"""


@contextmanager
def publisher(root: Path, orders: list[int]) -> Iterator[subprocess.Popen[bytes]]:
    argv = [sys.executable, "-c", PUBLISHES, str(root), *map(str, orders)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        try:
            yield process
        finally:
            process.kill()


def test_two_processes_on_one_store_end_with_what_was_asked_for_last(tmp_path: Path) -> None:
    root = tmp_path / "store"
    root.mkdir()
    orders = list(range(1, 61))
    with publisher(root, orders[::2][::-1]) as one, publisher(root, orders[1::2]) as two:
        assert (one.wait(30), two.wait(30)) == (0, 0)

    assert [(path.name, path.read_text()) for path in (root / "outputs").iterdir()] == [
        ("x.flac", "audio 60")
    ]


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.03])
def test_one_of_them_killed_anywhere_is_made_up_for(tmp_path: Path, seconds: float) -> None:
    root = tmp_path / "store"
    root.mkdir()
    with publisher(root, list(range(1, 100, 2))) as one, publisher(root, list(range(2, 101, 2))) as two:
        time.sleep(seconds)
        one.send_signal(signal.SIGKILL)
        assert two.wait(30) == 0
    with publisher(root, [100, 99, 3]) as again:
        assert again.wait(30) == 0

    assert [(path.name, path.read_text()) for path in (root / "outputs").iterdir()] == [
        ("x.wav", "audio 100")
    ]


def test_a_lock_that_nobody_lets_go_is_the_stores_trouble(tmp_path: Path, place: Place) -> None:
    """Its holder may be stopped: the loop of a watcher does not stand still with it."""
    held = take_folder_lock(place.root / "published")
    assert held is not None
    clock = ManualClock()

    with pytest.raises(StorageUnavailable, match="has held the lock of"):
        FileStorage(place.root, clock=clock).publish(Claim("job-5", 2, 5), "x", place.put(NEW))

    os.close(held)
    assert clock.monotonic() >= 10
    assert place.outputs() == {**OLD, **FORMER}


def leave_x_for_y(place: Place, disk: Disk | None = None) -> None:
    files, former = place.put({"y.wav": "went"}), {"x": place.put(NEW)}
    FileStorage(place.root, disk).publish(Claim("owner", 2, 6), "y", files, former=former)


@pytest.mark.parametrize("after", [False, True])
def test_one_that_leaves_a_name_to_another_job_finishes_when_it_is_repeated(
    tmp_path: Path, after: bool
) -> None:
    for at in count(1):
        root = tmp_path / f"{after}-{at}"
        root.mkdir()
        place = Place(root)
        place.storage.publish(Claim("heir", 1, 2), "x", place.put(OLD))
        place.storage.publish(Claim("owner", 1, 4), "x", place.put(NEW))
        try:
            leave_x_for_y(place, Failing(at, after=after).disk)
        except Killed:
            leave_x_for_y(place)
            assert place.outputs() == {**OLD, "y.wav": "went"}, at
        else:
            assert at > 8, "it notes both names and what is settled, writes four files, removes two"
            return
