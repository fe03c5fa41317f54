"""Alembic's own commands work as typed, and look at the tables of their section alone."""

from __future__ import annotations

import io
import itertools
import os
import re
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from alembic.config import CommandLine, Config
from alembic.util import CommandError
from sqlalchemy import text

from lib.sql import open_database
from tests.postgres_servers import Postgres

ROOT = Path(__file__).parents[3]
_numbers = itertools.count(1)


class Section(NamedTuple):
    """One set of tables: the words that name it, where its migrations lie, its newest, and a table of it."""

    words: tuple[str, ...]
    folder: str
    head: str
    file: str  # of SQLite, in the data folder
    schema: str
    table: str
    setting: str = "DATABASE_URL"
    kinds: tuple[str, ...] = ("sqlite", "postgres")

    @property
    def next(self) -> str:
        return f"{int(self.head) + 1:04d}"


SECTIONS = {
    "pipelines": Section(
        (), "lib/pipeline/migrations", "0001", "pipeline.db", "job_pipeline", "pipeline_artifacts"
    ),
    "machines": Section(
        ("-n", "machines"), "lib/machines/migrations", "0003", "ledger.db", "job_watcher", "machine_work"
    ),
    "images": Section(
        ("-n", "images"),
        "lib/picture_tables/migrations",
        "0001",
        "",
        "imagen",
        "jobs",
        "IMAGEN_WORKER_DATABASE_URL",
        ("postgres",),
    ),
}
ON_EACH = [(name, kind) for name, section in SECTIONS.items() for kind in section.kinds]
ON_SQLITE = [name for name, section in SECTIONS.items() if "sqlite" in section.kinds]


class Desk:
    """A clone of what Alembic needs, to write new migrations in, with a fresh database."""

    def __init__(self, section: Section, root: Path, url: str | None) -> None:
        self.section, self.root = section, root
        self.versions = root / section.folder / "versions"
        self.url = url or f"sqlite:///{root / 'data' / section.file}"

    def run(self, *words: str) -> str:
        """What the command prints, which is run as Alembic's own `main` does it."""
        line = CommandLine("alembic")
        asked = line.parser.parse_args(["--raiseerr", *self.section.words, *words])
        printed = io.StringIO()
        config = Config("alembic.ini", ini_section=asked.name, cmd_opts=asked, stdout=printed)
        line.run_cmd(config, asked)
        return printed.getvalue()

    def new(self) -> str:
        """The one migration that was written."""
        (path,) = self.versions.glob(f"{self.section.next}_*.py")
        return path.read_text()

    def execute(self, *statements: str) -> None:
        with closing(open_database(self.url, schema=self.section.schema)) as database:
            database.write(lambda connection: [connection.execute(text(each)) for each in statements])


def laid_out(section: Section, root: Path) -> None:
    for name in ("alembic.ini", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    ours = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "migrations", root / "migrations", ignore=ours)
    shutil.copytree(ROOT / section.folder, root / section.folder, ignore=ours)


def desk_in(section: Section, root: Path, patch: pytest.MonkeyPatch) -> Desk:
    laid_out(section, root)
    patch.chdir(root)
    patch.setenv("HOME", str(root))
    (root / ".env").write_text(f"JOBS_DATA_DIR={root / 'data'}\n")
    return Desk(section, root, None)


@pytest.fixture(params=ON_SQLITE)
def desk_of_sqlite(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return desk_in(SECTIONS[request.param], tmp_path, monkeypatch)


@pytest.fixture(params=ON_EACH, ids="-".join)
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """On a fresh database of each kind that the section knows."""
    name, kind = request.param
    section = SECTIONS[name]
    desk = desk_in(section, tmp_path, monkeypatch)
    if kind == "sqlite":
        return desk
    server: Postgres = request.getfixturevalue("postgres")
    database = f"alembic_{next(_numbers)}"
    server.execute(f'CREATE DATABASE "{database}"')
    url = server.url(database=database)
    with (tmp_path / ".env").open("a") as env:
        env.write(f"{section.setting}={url}\nDB_SCHEMA={section.schema}\n")
    return Desk(section, tmp_path, url)


def test_the_commands_tell_where_the_tables_are(desk: Desk) -> None:
    newest = f"{desk.section.head} (head)\n"
    assert (desk.run("current"), desk.run("heads")) == ("", newest)

    desk.run("upgrade", "head")

    assert desk.run("current") == newest


def test_a_fresh_database_has_no_difference(desk: Desk) -> None:
    desk.run("upgrade", "head")

    assert desk.run("check") == "No new upgrade operations detected.\n"
    assert "there is nothing to write" in desk.run("revision", "--autogenerate", "-m", "nothing new")

    assert not list(desk.versions.glob(f"{desk.section.next}_*"))


def test_what_others_keep_beside_them_is_left_alone(desk: Desk) -> None:
    desk.run("upgrade", "head")
    desk.execute(
        "CREATE TABLE pictures (number int, of text)",
        "CREATE INDEX pictures_of ON pictures (of)",
        "CREATE TABLE pictures_version (version_num text)",
        "CREATE TABLE alembic_version (version_num text)",
    )

    assert desk.run("check") == "No new upgrade operations detected.\n"


def test_a_difference_becomes_a_migration_that_is_numbered_and_formatted_and_mends_it(desk: Desk) -> None:
    cascade = " CASCADE" if desk.url.startswith("postgres") else ""  # what refers to it loses that alone
    desk.run("upgrade", "head")
    desk.execute(f"DROP TABLE {desk.section.table}{cascade}")
    with pytest.raises(CommandError, match="New upgrade operations detected"):
        desk.run("check")

    desk.run("revision", "--autogenerate", "-m", "what was lost")

    written = desk.new()
    assert f'revision = "{desk.section.next}"' in written
    assert f'down_revision: str | None = "{desk.section.head}"' in written
    assert f'op.create_table(\n        "{desk.section.table}",' in written
    assert "drop" not in written
    (path,) = desk.versions.glob(f"{desk.section.next}_what_was_lost.py")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--check", "--quiet", str(path)], check=True)
    types = r"(from sqlalchemy\.dialects import postgresql\n)?"
    head = rf"import sqlalchemy as sa\nfrom alembic import op\n{types}\nrevision"
    assert re.search(head, written)  # sorted and no line too many
    desk.run("upgrade", "head")
    desk.run("check")


def test_a_changed_table_is_altered_in_a_way_that_both_databases_know(desk: Desk) -> None:
    desk.run("upgrade", "head")
    desk.execute(f"ALTER TABLE {desk.section.table} ADD COLUMN of_yesterday text")

    desk.run("revision", "--autogenerate", "-m", "no yesterday")

    assert f'with op.batch_alter_table("{desk.section.table}"' in desk.new()
    desk.run("upgrade", "head")
    desk.run("check")


def test_an_empty_migration_is_numbered_too(desk: Desk) -> None:
    desk.run("upgrade", "head")

    desk.run("revision", "-m", "move words")

    assert f'revision = "{desk.section.next}"' in desk.new()


def test_sql_for_somebody_else_is_refused(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        desk.run("upgrade", "head", "--sql")

    assert caught.value.code == 78
    assert capsys.readouterr().err.endswith("run this without --sql\n")


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("", 78, "DATABASE_URL is empty ("),
        ("postgresql://me:hush@127.0.0.1", 78, "names no database"),
        ("postgresql://me:hush@127.0.0.1:1/db", 69, "(DATABASE_URL of the environment) does not answer"),
    ],
)
def test_an_address_of_no_use_is_one_line(
    desk_of_sqlite: Desk,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    url: str,
    status: int,
    said: str,
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)

    with pytest.raises(SystemExit) as caught:
        desk_of_sqlite.run("current")

    assert caught.value.code == status
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert "hush" not in line


def test_it_works_as_it_is_typed(desk_of_sqlite: Desk) -> None:
    command = [str(Path(sys.executable).parent / "alembic"), *desk_of_sqlite.section.words]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        [*command, "upgrade", "head"], env=environ, capture_output=True, text=True, check=True
    )

    assert "-> 0001" in done.stderr  # what it does is told
    assert desk_of_sqlite.run("current") == f"{desk_of_sqlite.section.head} (head)\n"
