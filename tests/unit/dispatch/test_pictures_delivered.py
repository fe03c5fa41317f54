"""A picture from a machine: looked at before it is stored, published under its name (I7)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from lib.clock import ManualClock
from lib.dispatch.delivery import StorageDelivery
from lib.jobqueue import Lease
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobspec import JobSpec, normalize_job_spec
from lib.png import write_palette_png
from lib.records import DoneRecord, DrawnRecord, FileRef, JobPicture, MadeRecord
from lib.spool import InvalidSpoolData, LocalFiles, SpoolClient, SpoolResult, WorkerSpool
from lib.spool.layout import PICTURE
from lib.storage import Claim, FileStorage
from tests.doubles import records

SPEC = normalize_job_spec(
    {
        "output_name": "tides/pier",
        "kind": "image",
        "prompt": "A pier.",
        "backend": "mock",
        "width": 64,
        "height": 72,
        "seed": 7,
    }
)
PNG = write_palette_png(64, [bytes(64)] * 72, [(200, 10, 10)])
ENTRY = "0123456789abcdef0123456789abcdef.1-abcdefgh"


def drawn(data: bytes = PNG, **changes: object) -> DrawnRecord:
    file = records.file_ref(PICTURE, data)
    made = DrawnRecord("mock", "mock", 7, 0.5, JobPicture(file, 64, 72, 7), "2026-11-30T05:00:00.000Z", 0.0)
    return replace(made, **changes)  # type: ignore[arg-type]  # the fields of a test


class Place:
    """A store, a spool with a result in it, and what delivers from one to the other."""

    def __init__(self, root: Path) -> None:
        self.root, self.storage = root, FileStorage(root / "store")
        self.delivery = StorageDelivery(
            self.storage, provider="local", scratch=root / "scratch", clock=ManualClock()
        )
        self.client = SpoolClient(LocalFiles(root / "spool"), remote=False, machine="m")
        queue = MemoryQueue(now_ms=lambda: 1000)
        queue.enqueue([SPEC])
        (self.lease,) = queue.claim("w", count=1)

    def store(self, record: MadeRecord | None, data: bytes = PNG) -> DoneRecord:
        with WorkerSpool(self.root / "spool") as spool:
            (spool.scratch(ENTRY) / PICTURE).write_bytes(data)
            spool.publish(ENTRY, SpoolResult(ENTRY, SPEC.request_id, 1.0, 2.0, record))
        result = self.client.result(ENTRY)
        assert result is not None
        return self.delivery.store(self.client, ENTRY, self.lease, result)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_picture_is_stored_by_its_content_and_published_under_its_name(place: Place) -> None:
    done = place.store(drawn())

    assert (done.output, done.spoken, done.audio_seconds, done.maker) == (
        "tides/pier.png",
        None,
        None,
        "mock",
    )
    assert done.drawn is not None
    assert done.drawn.picture.picture.key is not None
    assert DoneRecord.from_json(done.to_json()) == done
    assert set(done.to_json()) == {"output", "drawn", "timings", "provider", "callback_data"}
    assert place.delivery.publish(Claim(SPEC.request_id, 1, 1), done.takes) is None
    assert (place.root / "store/outputs/tides/pier.png").read_bytes() == PNG


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


BOMB = (
    PNG[:8]
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 72, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(bytes(30_000_000)))
    + chunk(b"IEND", b"")
)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<html>" * 10, "is no PNG"),
        (PNG[:-20], "cut off"),
        (PNG + b"<script>", "behind its end"),
        (write_palette_png(64, [bytes(64)] * 64, [(0, 0, 0)]), "64 x 64"),
        (BOMB, "pixels"),
    ],
)
def test_what_is_no_picture_of_that_size_is_not_taken(place: Place, data: bytes, words: str) -> None:
    with pytest.raises(InvalidSpoolData, match=words):
        place.store(drawn(data), data)

    assert not list((place.root / "store").rglob("*.png"))
    assert not list((place.root / "scratch").iterdir()), "nothing half taken is left"


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (records.spoken(), "no picture"),
        (drawn(backend="card"), "not by mock"),
        (drawn(picture=JobPicture(records.file_ref(PICTURE, PNG), 640, 72, 7)), "640 x 72"),
        (drawn(picture=JobPicture(records.file_ref(PICTURE, PNG), 64, 72, 8)), "seed 8"),
        (drawn(picture=JobPicture(FileRef("../x", len(PNG), "0" * 64), 64, 72, 7)), "plain file name"),
        (drawn(picture=JobPicture(FileRef(PICTURE, 2**40, "0" * 64), 64, 72, 7)), "more than"),
        (drawn(picture=JobPicture(records.file_ref(PICTURE, b"else"), 64, 72, 7)), "bytes|differs|hash"),
    ],
)
def test_what_a_machine_says_of_a_picture_is_held_against_the_job(
    place: Place, record: MadeRecord, words: str
) -> None:
    with pytest.raises(InvalidSpoolData, match=words):
        place.store(record)


def test_a_picture_for_a_job_that_is_spoken_is_refused(place: Place) -> None:
    spec: JobSpec = normalize_job_spec({"output_name": "a", "text": "Hello.", "speaker": "Ryan"})
    lease: Lease = replace(place.lease, spec=spec)
    place.lease = lease

    with pytest.raises(InvalidSpoolData, match="0 takes"):
        place.store(drawn())
