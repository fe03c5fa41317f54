"""P30: pictures are asked for, shown and listed over REST, by owner, on real tables."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from job_console.wiring import KeptImages
from lib.errors import BadConfiguration
from lib.jobqueue.memory.queue import MemoryQueue
from lib.picture_tables import DrawnPicture, StoredObject
from lib.picture_tables.orders import list_jobs
from lib.settings import load_settings
from tests.doubles.console import ConsoleDesk, check_answer
from tests.integration.images.conftest import ANN, BOB, Shelf

JOBS = "/images/jobs"


@pytest.fixture
def client(shelf: Shelf, tmp_path: Path) -> Iterator[httpx.Client]:
    desk = ConsoleDesk(tmp_path, MemoryQueue())
    tables = shelf.tables()
    with desk.client(open_images=lambda: tables, image_owner=ANN) as client:
        yield client
    desk.close()


def ask(client: httpx.Client, method: str, path: str, status: int = 200, **given: Any) -> Any:
    """The value of an answer of that status, in its documented shape."""
    answer = client.request(method, f"/api/v1{path}", **given)
    assert answer.status_code == status, answer.text
    template = JOBS if path.partition("?")[0] == JOBS else f"{JOBS}/{{id}}"
    check_answer(method, template, status, answer.json())
    return answer.json()


def test_a_picture_is_asked_for_once_and_shown_when_it_is_drawn(client: httpx.Client, shelf: Shelf) -> None:
    id = "cccccccc-0000-4000-8000-00000000000C"
    asked = {"id": id, "prompt": "a fox at the sea", "width": 64, "height": 128, "seed": 7, "backend": "mock"}
    first = ask(client, "POST", JOBS, 201, json=asked)
    assert (first["id"], first["owner"], first["status"], first["image"]) == (
        id.lower(),
        ANN,
        "pending",
        None,
    )
    assert ask(client, "POST", JOBS, json=asked) == first
    other = ask(client, "POST", JOBS, 409, json={**asked, "prompt": "a hare"})
    assert "take another id" in other["error"]["message"]
    tables = shelf.tables()
    job = tables.claim("worker", 60.0)
    assert job is not None
    assert (job.id, job.prompt, job.seed) == (id.lower(), "a fox at the sea", 7)
    picture = DrawnPicture("2026-11-30/a-fox-7.png", "ab" * 32, 64, 128, 7, "mock")
    tables.finish(job, ANN, picture, StoredObject("pictures", picture.path, picture.sha256))
    shown = ask(client, "GET", f"{JOBS}/{id}")
    assert (shown["status"], shown["image"]["path"], shown["image"]["seed"]) == ("done", picture.path, 7)


def test_an_owner_sees_no_rows_of_others(client: httpx.Client, shelf: Shelf) -> None:
    mine, theirs, nobodys = shelf.order(owner=ANN), shelf.order(owner=BOB), shelf.order(owner=None)
    assert [each["id"] for each in ask(client, "GET", f"{JOBS}?owner={BOB}")["jobs"]] == [theirs]
    assert {each["id"] for each in ask(client, "GET", JOBS)["jobs"]} == {mine, theirs, nobodys}
    assert ask(client, "GET", f"{JOBS}/{theirs}?owner={ANN}", 404)["error"]["type"] == "NotFound"
    assert ask(client, "GET", f"{JOBS}/{theirs}?owner={BOB.upper()}")["owner"] == BOB
    ask(client, "GET", f"{JOBS}/{ANN}", 404)


def test_pages_repeat_and_hide_none(client: httpx.Client, shelf: Shelf) -> None:
    made = [shelf.order(f"picture {number}") for number in range(5)]
    shelf.execute("UPDATE imagen.jobs SET status = 'failed', error = 'no' WHERE id = %s", made[0])
    seen, after = [], ""
    while True:
        page = ask(client, "GET", f"{JOBS}?limit=2{after}")
        seen += [each["id"] for each in page["jobs"]]
        if page["after"] is None:
            break
        after = f"&after={page['after']}"
    assert seen == made[::-1]
    assert [each["error"] for each in ask(client, "GET", f"{JOBS}?status=failed")["jobs"]] == ["no"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt": "  "},
        {"prompt": "a\x00b"},
        {"prompt": "x" * 4001},
        {"prompt": "a", "width": 65},
        {"prompt": "a", "height": 1 << 20},
        {"prompt": "a", "owner": "ann"},
        {"prompt": "a", "id": "1"},
        {"prompt": "a", "seed": -1},
        {"prompt": "a", "backend": "../x"},
        {"prompt": "a", "more": 1},
        {},
    ],
)
def test_what_cannot_be_drawn_is_refused(client: httpx.Client, shelf: Shelf, wrong: dict[str, Any]) -> None:
    ask(client, "POST", JOBS, 422, json=wrong)
    assert shelf.execute("SELECT count(*) FROM imagen.jobs") == [(0,)]


def test_without_tables_it_is_one_sentence(tmp_path: Path) -> None:
    desk = ConsoleDesk(tmp_path, MemoryQueue())
    with desk.client() as client:
        for method, path in (("GET", JOBS), ("GET", f"{JOBS}/{ANN}"), ("POST", JOBS)):
            given = {"json": {"prompt": "a", "owner": ANN}} if method == "POST" else {}
            told = ask(client, method, path, 503, **given)
            assert "image-synth init-db" in told["error"]["message"]
        nobody = ask(client, "POST", JOBS, 403, json={"prompt": "a"})
        assert "IMAGEN_OWNER_USER_ID" in nobody["error"]["message"]
    desk.close()


def test_the_tables_are_those_of_the_settings_and_opened_once(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'pipeline.db'}")
    with contextlib.closing(KeptImages(load_settings({}))) as none:
        for _ in range(2):
            with pytest.raises(BadConfiguration, match="IMAGEN_WORKER_DATABASE_URL"):
                none.tables()
    monkeypatch.setenv("IMAGEN_WORKER_DATABASE_URL", shelf.url())
    with contextlib.closing(KeptImages(load_settings({}))) as kept:
        assert kept.tables() is kept.tables()
        assert list_jobs(kept.tables()) == []
