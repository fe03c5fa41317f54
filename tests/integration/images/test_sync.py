"""`image-synth generate --sync` on a real Postgres, with a folder for its bucket."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from synth.image_main import PROGRAM
from tests.e2e.home import check_shape
from tests.integration.images.conftest import ANN, Shelf

FOG = ("generate", "A lighthouse in the fog.", "--backend", "mock", "--seed", "7", "--sync")


@pytest.fixture
def place(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings = {
        "JOBS_DATA_DIR": str(tmp_path / "data"),
        "STORAGE_URL": (tmp_path / "store").as_uri(),
        "IMAGEN_WORKER_DATABASE_URL": shelf.url(),
        "IMAGEN_OWNER_USER_ID": ANN,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def generate(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> Any:
    ended = PROGRAM.run([*FOG, *words, "--json"])
    out, err = capsys.readouterr()
    assert ended == status, err
    return json.loads(out)


def test_a_picture_is_stored_and_its_row_is_told(
    place: Path, shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    """I1."""
    value = generate(capsys)
    check_shape("image-synth-generate", value)

    (row,) = shelf.execute(
        "SELECT id::text, owner_user_id::text, prompt, backend, seed, storage_path, sha256 FROM imagen.images"
    )
    told = (value["image_id"], ANN, FOG[1], "mock", 7, value["storage_path"], value["sha256"])
    assert row == told
    (stored,) = (path for path in (place / "store").rglob("*.png"))
    assert stored.as_posix().endswith(value["storage_path"])
    assert hashlib.sha256(stored.read_bytes()).hexdigest() == value["sha256"]
    assert (place / "picture.png").read_bytes() == stored.read_bytes()


def test_what_is_missing_for_the_store_is_said_before_anything_is_drawn(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """I1: a picture may cost money."""
    monkeypatch.setenv("IMAGEN_OWNER_USER_ID", "ann")
    value = generate(capsys, status=78)

    assert "UUID" in value["error"]["message"]
    assert not (place / "picture.png").exists()
    assert not (place / "data/picture-usage.jsonl").exists()
