"""What `job-watcher doctor` makes of the settings (W1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from job_watcher import wiring
from job_watcher.self_check import look_around, webhook_trouble

SECRET_URL = "https://hooks.example/T0/token-of-ours"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home where nothing is set but its data folder."""
    for name in ("PROVIDER", "SSH_MACHINES", "WATCHER_LISTEN", "WEBHOOK_URL", "WEBHOOK_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JOBS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


def test_with_provider_local_the_engine_is_tried_here_and_no_machine() -> None:
    room = wiring.machine_room(None)

    assert (room.home().speaks_here, room.home().looks_at_provider) == (True, False)
    assert room.ground().check_machines is None


def test_with_provider_ssh_the_machines_are_looked_at_and_no_engine_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PROVIDER", "ssh")
    room = wiring.machine_room(None)

    assert (room.home().speaks_here, room.home().looks_at_provider) == (False, True)
    seen = look_around(room.ground(), lambda what: None)
    assert seen.unasked is not None
    assert "SSH_MACHINES names no machine" in seen.unasked.sentence


def test_the_ledger_is_the_data_folders_and_looking_makes_none(home: Path) -> None:
    ground = wiring.machine_room(None).ground()

    assert ground.ledger == f"sqlite:///{home}/ledger.db"
    assert look_around(ground, lambda what: None).ledger is None
    assert not (home / "ledger.db").exists()


@pytest.mark.parametrize(
    ("url", "secret", "words"),
    [
        (None, None, None),
        (SECRET_URL, "long enough", None),
        (SECRET_URL, None, "WEBHOOK_SECRET"),
        ("ftp://hooks.example/token-of-ours", "long enough", "must be a URL that begins with http"),
    ],
)
def test_notifications_that_could_not_be_sent_are_told_without_their_address(
    monkeypatch: pytest.MonkeyPatch, url: str | None, secret: str | None, words: str | None
) -> None:
    for name, value in (("WEBHOOK_URL", url), ("WEBHOOK_SECRET", secret)):
        if value is not None:
            monkeypatch.setenv(name, value)

    trouble = webhook_trouble(wiring.machine_room(None).ground().check_webhooks)

    assert (trouble is None) == (words is None)
    if trouble is not None:
        assert (words or "") in trouble.sentence
        assert "token-of-ours" not in trouble.sentence
