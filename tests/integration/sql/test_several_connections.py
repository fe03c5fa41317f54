"""One SQLite file, opened several times by one process and by others that come and go."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

from sqlalchemy import text

from lib.sql import open_database
from lib.sql.database import Database

_PASSER_BY = """
import sys
from sqlalchemy import text
from lib.sql import open_database
database = open_database(sys.argv[1])
print(database.read(lambda c: c.execute(text("SELECT count(*) FROM notes")).scalar()))
database.close()
"""


def _written(database: Database) -> None:
    database.write(lambda connection: connection.execute(text("INSERT INTO notes VALUES (1)")))


def _seen_by_another_process(url: str) -> int:
    ran = subprocess.run([sys.executable, "-c", _PASSER_BY, url], capture_output=True, text=True, check=True)
    return int(ran.stdout)


def test_a_file_opened_twice_by_one_process_keeps_what_it_writes_while_others_come_and_go(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'notes.db'}"
    first = open_database(url)
    first.write(lambda connection: connection.execute(text("CREATE TABLE notes (n INTEGER)")))
    _written(first)
    second = open_database(url)  # must not take away the locks of the first one
    assert _seen_by_another_process(url) == 1

    _written(first)
    _written(second)

    assert _seen_by_another_process(url) == 3
    first.close()
    second.close()
    assert _seen_by_another_process(url) == 3


def test_the_file_is_made_for_its_user_alone(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'notes.db'}")
    database.close()
    assert stat.S_IMODE((tmp_path / "notes.db").stat().st_mode) == 0o600
