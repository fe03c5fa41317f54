"""The rows as workers see them: claimed once, held by a number, and ended once."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from lib.clock import ManualClock
from lib.picture_tables.model import DrawnPicture, StoredObject
from lib.storage.folder_bucket import FolderBucket
from synth.imagen.sync import write_picture
from synth.pictures.backend import PictureOrder
from synth.pictures.mock import MockBackend
from tests.integration.images.conftest import ANN, BOB, Shelf

DRAWN = DrawnPicture("2026-11-30/a-fox-7.png", "0" * 64, 64, 64, 7, "mock", "model", 1.5, 0.25, "o" * 64)
STORED = StoredObject("imagen-generated", DRAWN.path, DRAWN.sha256)
OVER = 0.0  # a lease that has run out already


def test_rows_are_claimed_in_their_order_and_each_once(shelf: Shelf) -> None:
    tables = shelf.tables()
    ids = [shelf.order(f"row {number}", seed=number) for number in range(3)]

    found = [tables.claim(f"worker {number}", 60) for number in range(4)]

    assert [job.id if job else None for job in found] == [*ids, None]
    (first, *_) = found
    assert first is not None
    today = datetime.datetime.now(datetime.UTC)
    assert (first.prompt, first.backend, first.seed, first.owner) == ("row 0", "mock", 0, ANN)
    assert (first.lease_no, first.attempts) == (1, 1)
    assert abs((today - datetime.datetime.fromisoformat(f"{first.day}T12:00Z")).days) <= 1


def test_a_row_that_somebody_claims_at_this_moment_is_passed_over(shelf: Shelf) -> None:
    one, two = shelf.order(), shelf.order()
    tables = shelf.tables()
    with shelf.connect() as connection, connection.transaction():
        connection.execute("SELECT 1 FROM imagen.jobs WHERE id = %s FOR UPDATE", (one,))
        job = tables.claim("w", 60)

    assert job is not None
    assert job.id == two


def test_whoever_fell_silent_writes_nothing_any_more(shelf: Shelf) -> None:
    tables = shelf.tables()
    id = shelf.order()
    dead = tables.claim("dead", OVER)
    live = tables.claim("live", 60)
    assert dead is not None
    assert live is not None
    assert (live.id, live.lease_no, live.attempts) == (id, 2, 2)
    before = shelf.row(id)

    assert not tables.renew(dead, 60)
    assert not tables.note_drawn(dead, DRAWN)
    assert not tables.fail(dead, "no")
    assert not tables.release(dead, "no", after_s=0, counted=True)
    assert tables.finish(dead, ANN, DRAWN, STORED) is None

    assert shelf.row(id) == before
    assert shelf.execute("SELECT count(*) FROM imagen.images") == [(0,)]
    assert tables.claim("third", 60) is None


def test_a_row_with_the_id_of_one_that_is_gone_does_not_take_over_its_picture(shelf: Shelf) -> None:
    """I2: an application chooses ids, and knows those of others perhaps."""
    tables = shelf.tables()
    id = shelf.order(owner=ANN)
    first = tables.claim("w", 60)
    assert first is not None
    anns = tables.finish(first, ANN, DRAWN, STORED)
    shelf.execute("DELETE FROM imagen.jobs")

    shelf.order(owner=BOB, id=id)
    second = tables.claim("w", 60)
    assert second is not None
    bobs = tables.finish(second, BOB, DRAWN, STORED)

    found = shelf.execute("SELECT id::text, owner_user_id::text, job_id::text FROM imagen.images")
    assert set(found) == {(anns, ANN, None), (bobs, BOB, id)}


def test_of_a_text_beyond_all_bounds_only_a_part_is_brought_to_the_worker(shelf: Shelf) -> None:
    """I2: a row may hold a gigabyte, and the memory of a worker is not its application's."""
    shelf.execute(
        "INSERT INTO imagen.jobs (prompt, backend, width, height)"
        " VALUES (repeat('x', 3000000), repeat('y', 3000000), 64, 64)"
    )

    job = shelf.tables().claim("w", 60)

    assert job is not None
    assert (len(job.prompt), len(job.backend)) == (1_000_000, 1_000)


def test_what_was_drawn_is_known_to_the_next(shelf: Shelf) -> None:
    tables = shelf.tables()
    shelf.order()
    first = tables.claim("one", 60)
    assert first is not None
    assert tables.note_drawn(first, DRAWN)
    assert tables.release(first, "the store refuses", after_s=0, counted=False)

    second = tables.claim("two", 60)

    assert second is not None
    assert (second.drawn, second.error, second.attempts) == (DRAWN, "the store refuses", 1)


def test_a_row_that_was_given_back_for_later_waits(shelf: Shelf) -> None:
    tables = shelf.tables()
    id = shelf.order()
    job = tables.claim("one", 60)
    assert job is not None
    assert tables.release(job, "no GPU is free", after_s=3600, counted=True)
    assert tables.claim("two", 60) is None

    shelf.execute("UPDATE imagen.jobs SET available_at = now() WHERE id = %s", id)

    again = tables.claim("two", 60)
    assert again is not None
    assert again.attempts == 2


def test_a_reply_that_was_lost_is_asked_for_again(shelf: Shelf) -> None:
    tables = shelf.tables()
    id = shelf.order(owner=None)
    job = tables.claim("w", 60)
    assert job is not None

    image = tables.finish(job, BOB, DRAWN, STORED)

    assert image is not None
    assert tables.finish(job, BOB, DRAWN, STORED) == image
    row = shelf.row(id)
    assert (str(row["image_id"]), row["status"], str(row["owner_user_id"])) == (image, "done", BOB)
    assert row["finished_at"] is not None
    assert row["lease_expires_at"] is None
    assert shelf.execute("SELECT cost_usd, draw_seconds, model FROM imagen.images") == [(0.25, 1.5, "model")]


def test_a_row_that_is_deleted_is_nobodys(shelf: Shelf) -> None:
    tables = shelf.tables()
    job = (shelf.order(), tables.claim("w", 60))[1]
    assert job is not None
    shelf.execute("DELETE FROM imagen.jobs")

    assert not tables.renew(job, 60)
    assert tables.finish(job, ANN, DRAWN, STORED) is None
    assert shelf.execute("SELECT count(*) FROM imagen.images") == [(0,)]


def test_those_that_have_ended_are_known(shelf: Shelf) -> None:
    tables = shelf.tables()
    waiting, ended = shelf.order(), shelf.order(status="done")

    assert tables.still_open([waiting, ended, ANN]) == {waiting}


def test_a_claim_reads_no_rows_that_have_ended(shelf: Shelf) -> None:
    shelf.execute(
        "INSERT INTO imagen.jobs (owner_user_id, prompt, backend, width, height, status)"
        " SELECT %s, 'x', 'mock', 64, 64, CASE WHEN n %% 1000 = 0 THEN 'pending' ELSE 'done' END"
        " FROM generate_series(1, 20000) n",
        ANN,
    )
    shelf.execute("ANALYZE imagen.jobs")
    from lib.picture_tables.image_tables import STATEMENTS

    claim = STATEMENTS["claim"].text.replace(":worker", "'w'").replace(":lease_s", "60")
    plan = "\n".join(row[0] for row in shelf.execute(f"EXPLAIN {claim}"))

    assert "Index Scan using jobs_open" in plan
    assert "Seq Scan" not in plan


class TestSync:
    ORDER = PictureOrder("A fox.", 64, 64, 7)

    @pytest.fixture
    def bucket(self, tmp_path: Path) -> FolderBucket:
        return FolderBucket("imagen-generated", tmp_path)

    def test_stores_a_picture_and_writes_its_row(self, shelf: Shelf, bucket: FolderBucket) -> None:
        picture = MockBackend("mock").draw(self.ORDER)

        synced = write_picture("A fox.", picture, ANN, bucket, shelf.tables(), ManualClock())

        assert synced.path == "2023-11-14/a-fox-7.png"
        assert Path(synced.place).read_bytes() == picture.png
        found = shelf.execute(
            "SELECT id::text, owner_user_id::text, job_id, storage_path, seed, sha256 FROM imagen.images"
        )
        assert found == [(synced.id, ANN, None, synced.path, 7, bucket.sha256(synced.path))]

    def test_replaces_no_other_picture(self, shelf: Shelf, bucket: FolderBucket) -> None:
        tables = shelf.tables()
        one = MockBackend("mock").draw(self.ORDER)
        other = MockBackend("mock").draw(PictureOrder("A fox!", 64, 64, 7))
        first = write_picture("A fox.", one, ANN, bucket, tables, ManualClock())

        second = write_picture("A fox!", other, ANN, bucket, tables, ManualClock())

        assert second.path == f"2023-11-14/a-fox-7-{second.id[:8]}.png"
        assert Path(first.place).read_bytes() == one.png
