"""A crash between any two steps leaves no half and no second picture."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib.errors import BadInput
from lib.picture_tables.model import DrawnPicture, ImageJob
from lib.png import write_palette_png
from lib.storage.folder_bucket import FolderBucket
from lib.storage.port import StorageUnavailable
from synth.imagen.delivery import PictureDelivery, RowLost
from synth.imagen.drawn_files import DrawnFiles
from synth.imagen.studio import Studio, seed_of
from synth.pictures.backend import BackendUnavailable, BadOrder, Picture, PictureOrder
from synth.pictures.recorded import RecordedDrawing
from synth.pictures.usage import UsageLog
from tests.unit.imagen.rows import job

PLAIN = "2026-11-30/a-fox-7.png"
MARKED = "2026-11-30/a-fox-7-00000001.png"


class Crash(BaseException):
    """The process is gone."""


class Desk:
    """Draws another picture each time, as a model does, and crashes where it is told to."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bucket = FolderBucket("pictures", root / "store")
        self.machine("one")
        self.drawn = 0
        self.noted: DrawnPicture | None = None
        self.crash = ""

    def machine(self, name: str) -> None:
        """Another machine has another disk."""
        self.files = DrawnFiles(self.root / name)

    def draw(self, order: PictureOrder) -> Picture:
        self.drawn += 1
        rows = [bytes([self.drawn]) * order.width] * order.height
        png = write_palette_png(order.width, rows, [(0, 0, 0)] * 256)
        return Picture(png, order.width, order.height, order.seed, "mock", "model", 1.5, 0.25)

    def _at(self, step: str) -> None:
        if self.crash == step:
            self.crash = ""
            raise Crash(step)

    def note(self, job: ImageJob, picture: DrawnPicture) -> None:
        self._at("before the note")
        self.noted = picture
        self._at("before the store")

    def deliver(self, job: ImageJob) -> str:
        studio = Studio(lambda name: self, RecordedDrawing(UsageLog(self.root / "usage"), pytest.fail))
        delivery = PictureDelivery(studio.draw, self.files, self.bucket, self.note)
        found = delivery.deliver(replace(job, drawn=self.noted))
        self._at("before the end")
        assert self.bucket.sha256(found.stored.path) == found.stored.sha256
        return found.stored.path

    name = "mock"

    def close(self) -> None: ...

    def objects(self) -> list[str]:
        root = self.root / "store" / "pictures"
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_picture_lies_under_its_day_its_words_and_its_seed(desk: Desk) -> None:
    assert desk.deliver(job()) == PLAIN
    assert desk.objects() == [PLAIN]
    assert desk.noted is not None
    assert (desk.noted.model, desk.noted.seconds, desk.noted.cost_usd) == ("model", 1.5, 0.25)


@pytest.mark.parametrize("machine", ["one", "two"])
@pytest.mark.parametrize("step", ["before the note", "before the store", "before the end"])
def test_after_a_crash_one_object_is_there(desk: Desk, step: str, machine: str) -> None:
    desk.crash = step
    with pytest.raises(Crash):
        desk.deliver(job())

    desk.machine(machine)

    assert desk.deliver(job()) == PLAIN
    assert desk.objects() == [PLAIN]
    again = machine == "two" and step != "before the end"  # the other machine's disk is out of reach
    assert desk.drawn == (2 if again else 1)


def test_other_bytes_under_the_name_are_left_alone(desk: Desk) -> None:
    assert desk.bucket.put_new(PLAIN, b"another", hashlib.sha256(b"another").hexdigest())

    assert desk.deliver(job()) == MARKED
    assert desk.bucket.sha256(PLAIN) == hashlib.sha256(b"another").hexdigest()


def test_other_bytes_under_both_names_are_the_end(desk: Desk) -> None:
    for path in (PLAIN, MARKED):
        desk.bucket.put_new(path, b"another", hashlib.sha256(b"another").hexdigest())

    with pytest.raises(BadInput, match="has other pictures under both names"):
        desk.deliver(job())


def test_a_store_where_the_last_one_wins_gets_marked_names_alone(desk: Desk) -> None:
    class Careless(FolderBucket):
        keeps_first = False

    desk.bucket = Careless("pictures", desk.root / "store")

    assert desk.deliver(job()) == MARKED


def test_what_a_worker_thought_dead_put_there_meanwhile_is_taken(desk: Desk) -> None:
    """It had noted its drawing, stood still, and puts it while the next one draws."""
    desk.crash = "before the store"
    with pytest.raises(Crash):
        desk.deliver(job())
    first = desk.files.find(job().id, desk.noted.order if desk.noted else "")
    assert first is not None
    desk.machine("two")
    png, sha256 = first.png, hashlib.sha256(first.png).hexdigest()
    real: Callable[[ImageJob, DrawnPicture], None] = desk.note

    class Meanwhile(Desk):
        def note(self, job: ImageJob, picture: DrawnPicture) -> None:
            real(job, picture)
            self.bucket.put_new(PLAIN, png, sha256)

    second = Meanwhile(desk.root)
    second.machine("two")
    second.drawn, second.noted = desk.drawn, desk.noted

    assert second.deliver(job()) == PLAIN
    assert second.objects() == [PLAIN]
    assert second.bucket.sha256(PLAIN) == sha256


def test_a_row_that_was_changed_is_drawn_anew(desk: Desk) -> None:
    desk.deliver(job())

    assert desk.deliver(job(prompt="a badger")) == "2026-11-30/a-badger-7.png"
    assert desk.drawn == 2


def test_a_lost_lease_puts_nothing(desk: Desk) -> None:
    class Lost(Desk):
        def note(self, job: ImageJob, picture: DrawnPicture) -> None:
            raise RowLost

    lost = Lost(desk.root)
    with pytest.raises(RowLost):
        lost.deliver(job())

    assert lost.objects() == []


def test_a_store_that_refuses_keeps_the_drawing_for_later(desk: Desk) -> None:
    (desk.root / "store").write_text("in the way")
    with pytest.raises(StorageUnavailable):
        desk.deliver(job())

    (desk.root / "store").unlink()

    assert desk.deliver(job()) == PLAIN
    assert desk.drawn == 1


@pytest.mark.parametrize(
    "more",
    [
        {"prompt": " "},
        {"prompt": "x" * 100_000},
        {"width": 65},
        {"height": 8192},
        {"seed": -1},
        {"day": "infinity"},
    ],
)
def test_a_bad_row_is_refused(desk: Desk, more: dict[str, Any]) -> None:
    with pytest.raises(BadOrder):
        desk.deliver(job(**more))


def test_what_is_no_picture_of_that_size_is_refused(desk: Desk) -> None:
    class Liar(Desk):
        def draw(self, order: PictureOrder) -> Picture:
            return replace(super().draw(order), png=b"GIF89a")

    class Small(Desk):
        def draw(self, order: PictureOrder) -> Picture:
            return super().draw(replace(order, width=8))

    with pytest.raises(BackendUnavailable, match="is no PNG"):
        Liar(desk.root).deliver(job())
    with pytest.raises(BackendUnavailable, match="8 x 64"):
        Small(desk.root).deliver(job())
    assert desk.objects() == []


def test_a_row_without_a_seed_has_the_same_one_each_time() -> None:
    assert seed_of(job(1, seed=None)) == seed_of(job(1, seed=None)) != seed_of(job(2, seed=None))
    assert 0 <= seed_of(job(1, seed=None)) < 2**31
    assert seed_of(job(1, seed=0)) == 0


def test_what_ended_rows_left_on_the_disk_is_swept(desk: Desk) -> None:
    for number in (1, 2):
        desk.deliver(job(number))
    (desk.root / "one" / ".0123456789abcdef.part").write_bytes(b"half")

    desk.files.sweep(lambda ids: {job(1).id} & set(ids))

    assert {path.name[:8] for path in (desk.root / "one").iterdir()} == {"00000001"}
