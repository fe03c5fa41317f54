"""What `job-watcher doctor` tries on this computer, each on the real thing (W1, W18)."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from job_watcher.probes import PageAnswer, ProbeServer, verdict
from job_watcher.providers.ssh.checkup import CheckedMachine
from job_watcher.self_check import (
    WatcherGround,
    folder_trouble,
    ledger_trouble,
    listen_trouble,
    look_around,
    service_trouble,
)
from job_watcher.work_folder import take_slot
from lib.errors import BadConfiguration
from lib.machines import open_ledger

EVERY_PORT = "127.0.0.1:0"


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    place = tmp_path / "ledger.db"
    open_ledger(f"sqlite:///{place}").close()
    return place


def sentence(place: Path) -> str:
    trouble = ledger_trouble(f"sqlite:///{place}")
    assert trouble is not None
    return trouble.sentence


class TestLedger:
    def test_a_good_one_is_no_trouble_and_neither_is_none(self, ledger: Path) -> None:
        before = ledger.read_bytes()

        assert ledger_trouble(f"sqlite:///{ledger}") is None
        assert ledger_trouble(f"sqlite:///{ledger.with_name('none.db')}") is None
        assert not ledger.with_name("none.db").exists()
        assert ledger.read_bytes() == before

    def test_one_that_a_watcher_uses_is_no_trouble(self, ledger: Path) -> None:
        with contextlib.closing(open_ledger(f"sqlite:///{ledger}")) as used:
            used.last_epoch()
            assert ledger_trouble(f"sqlite:///{ledger}") is None

    def test_looking_makes_no_tables(self, tmp_path: Path) -> None:
        place = tmp_path / "empty.db"
        place.touch()

        assert ledger_trouble(f"sqlite:///{place}") is None
        with contextlib.closing(sqlite3.connect(place)) as raw:
            assert raw.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)

    def test_a_newer_version_is_left_alone(self, ledger: Path) -> None:
        with contextlib.closing(sqlite3.connect(ledger)) as raw, raw:
            raw.execute("UPDATE machines_version SET version_num = '9999'")

        assert "is of version 9999, which this program does not know" in sentence(ledger)

    def test_a_file_that_is_no_database_is_told(self, tmp_path: Path) -> None:
        place = tmp_path / "ledger.db"
        place.write_bytes(b"no database at all, whatever its name says" * 100)

        assert str(place) in sentence(place)

    def test_damage_within_is_found(self, ledger: Path) -> None:
        with contextlib.closing(sqlite3.connect(ledger)) as raw:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (page,) = raw.execute("PRAGMA page_size").fetchone()
        data = bytearray(ledger.read_bytes())
        data[-page:] = b"\xff" * page
        ledger.write_bytes(data)

        assert "damaged" in sentence(ledger)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_one_that_cannot_be_written_is_told(self, ledger: Path) -> None:
        ledger.chmod(0o400)

        assert "may write it" in sentence(ledger)


class TestFolder:
    def test_a_watcher_at_work_is_in_nobodys_way(self, tmp_path: Path) -> None:
        slot = take_slot(tmp_path)
        try:
            assert folder_trouble(tmp_path / "watchers") is None
        finally:
            slot.release()

    def test_looking_makes_no_folder_and_no_lock(self, tmp_path: Path) -> None:
        assert folder_trouble(tmp_path / "watchers") is None
        assert not (tmp_path / "watchers").exists()
        (tmp_path / "watchers" / "0").mkdir(parents=True)

        assert folder_trouble(tmp_path / "watchers") is None
        assert list((tmp_path / "watchers").rglob("*")) == [tmp_path / "watchers" / "0"]

    def test_a_lock_that_cannot_be_opened_is_told_with_its_place(self, tmp_path: Path) -> None:
        lock = tmp_path / "watchers" / "3" / "lock"
        lock.mkdir(parents=True)  # in the way of every user, root too

        trouble = folder_trouble(tmp_path / "watchers")

        assert trouble is not None
        assert trouble.sentence == f"{lock} cannot be locked: Is a directory"


def page(answer: PageAnswer) -> Callable[[], PageAnswer]:
    return lambda: answer


@contextlib.contextmanager
def listening(answer: PageAnswer) -> Iterator[str]:
    """Whoever answers so, at the address that is given."""
    server = ProbeServer(EVERY_PORT, {"/livez": page(answer)})
    try:
        yield server.address
    finally:
        server.close()


class TestListen:
    def test_a_free_port_is_no_trouble_and_is_free_afterwards(self) -> None:
        with listening(verdict(True)) as address:
            pass

        assert listen_trouble(address) is None
        ProbeServer(address, {}).close()

    @pytest.mark.parametrize("passed", [True, False])
    def test_a_port_where_a_watcher_listens_is_no_trouble(self, passed: bool) -> None:
        with listening(verdict(passed, loop_age_seconds=1.5)) as address:
            assert listen_trouble(address) is None

    @pytest.mark.parametrize(
        "answer", [verdict(True), PageAnswer(200, b"hello"), PageAnswer(200, b"[" * 20_000)]
    )
    def test_a_port_that_somebody_else_has_is_told(self, answer: PageAnswer) -> None:
        with listening(answer) as address:
            trouble = listen_trouble(address)

            assert trouble is not None
            assert address in trouble.sentence
            assert "Address already in use" in trouble.sentence


def shim(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """A systemctl that says this: no unit of ours can fail here."""
    script = folder / "systemctl"
    script.write_text("#!/bin/sh\n" + "".join(f"echo {line}\n" for line in lines))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


class TestService:
    def test_one_that_failed_is_told_with_its_exit_status(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told = ("LoadState=loaded", "ActiveState=failed", "Result=exit-code", "ExecMainStatus=78")
        shim(tmp_path, monkeypatch, *told)

        trouble = service_trouble()

        assert trouble is not None
        assert trouble.sentence == "it ended with exit-code, exit status 78, and stays down"

    @pytest.mark.parametrize(
        "lines",
        [
            ("LoadState=not-found", "ActiveState=inactive"),
            ("LoadState=loaded", "ActiveState=active"),
            ("LoadState=loaded", "ActiveState=inactive"),
            ("nonsense",),
        ],
    )
    def test_one_that_runs_or_is_not_there_is_no_trouble(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: Sequence[str]
    ) -> None:
        shim(tmp_path, monkeypatch, *lines)

        assert service_trouble() is None

    def test_a_computer_without_systemd_has_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))

        assert service_trouble() is None


def test_machines_that_cannot_even_be_asked_are_told_and_what_is_looked_at_is_said(tmp_path: Path) -> None:
    def refuse() -> list[CheckedMachine]:
        raise BadConfiguration("SSH_MACHINES names no machine.")

    said: list[str] = []
    where = WatcherGround(tmp_path, f"sqlite:///{tmp_path}/ledger.db", None, refuse)

    seen = look_around(where, said.append)

    assert seen.unasked is not None
    assert seen.unasked.sentence == "SSH_MACHINES names no machine"
    assert said == ["this computer", "machines"]
