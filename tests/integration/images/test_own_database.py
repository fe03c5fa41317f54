"""With IMAGEN_WORKER_INTEGRATION=1: the worker on the database that IMAGEN_WORKER_DATABASE_URL names.

Rows are of an owner that is made for it and are removed; where rows of others wait nothing is done, because
this worker would draw them into a folder that goes away.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lib.picture_tables import init_tables

ROOT = Path(__file__).parents[3]
# Read now: while tests run, no setting of the developer's is there.
URL = os.environ.get("IMAGEN_WORKER_DATABASE_URL", "")
ASKED = os.environ.get("IMAGEN_WORKER_INTEGRATION") == "1"
pytestmark = pytest.mark.skipif(not ASKED, reason="IMAGEN_WORKER_INTEGRATION=1 is not set")

Rows = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def owner() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def rows(owner: str) -> Iterator[Rows]:
    assert URL, "IMAGEN_WORKER_INTEGRATION=1 needs IMAGEN_WORKER_DATABASE_URL"
    init_tables(URL)
    plain = URL.replace("postgresql+psycopg://", "postgresql://", 1)
    with closing(psycopg.connect(plain, autocommit=True)) as connection:
        waiting = "SELECT count(*) FROM imagen.jobs WHERE status IN ('pending', 'running')"
        if connection.execute(waiting).fetchone() != (0,):
            pytest.fail("rows of others wait there, which this test's worker would draw; let them end first")
        yield connection
        for table in ("jobs", "images"):
            connection.execute(f"DELETE FROM imagen.{table} WHERE owner_user_id = %s".encode(), (owner,))


def test_rows_become_pictures_or_say_why_not(rows: Rows, owner: str, tmp_path: Path) -> None:
    insert = (
        "INSERT INTO imagen.jobs (owner_user_id, prompt, backend, width, height, seed)"
        " VALUES (%s, 'A fox.', %s, 64, 64, 7)"
    )
    for backend in ("mock", "nobody"):
        rows.execute(insert, (owner, backend))
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "JOBS_DATA_DIR": str(tmp_path / "data"),
        "IMAGEN_WORKER_DATABASE_URL": URL,
    }

    command = [sys.executable, "-m", "synth.image_main", "worker", "--once"]
    subprocess.run(command, env=environ, cwd=tmp_path, check=True, timeout=120)

    seen = rows.execute(
        "SELECT j.status, i.storage_path, j.error FROM imagen.jobs j"
        " LEFT JOIN imagen.images i ON i.id = j.image_id WHERE j.owner_user_id = %s ORDER BY j.created_at",
        (owner,),
    ).fetchall()
    assert [status for status, *_ in seen] == ["done", "failed"]
    assert (tmp_path / "data" / "storage" / "imagen-generated" / seen[0][1]).is_file()
    assert "there are:" in seen[1][2]
