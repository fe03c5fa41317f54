"""The data folder is usable, or there is one sentence before any work begins."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from lib.errors import BadConfiguration, ExitStatus
from lib.settings import ensure_data_folder


def test_a_missing_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    made = ensure_data_folder(tmp_path / "a" / "b")
    assert made.stat().st_mode & 0o777 == 0o700
    assert list(made.iterdir()) == []


def test_a_file_in_its_place_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(
        BadConfiguration, match=r"the data folder .*/data cannot be used: File exists; .*JOBS_DATA_DIR"
    ):
        ensure_data_folder(tmp_path / "data")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_a_folder_that_refuses_writes_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: Any) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(BadConfiguration) as caught:
        ensure_data_folder(tmp_path)

    assert os.strerror(number) in str(caught.value)
    assert caught.value.exit_status == ExitStatus.BAD_CONFIGURATION
    assert list(tmp_path.iterdir()) == []  # no leftover of the try


def _modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


def test_a_folder_that_others_may_look_into_keeps_its_mode_and_closes_what_is_ours(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for name in ("redis", "watchers", "executions", "up", "of the user"):
        (data / name).mkdir()
        (data / name).chmod(0o755)
    data.chmod(0o755)

    ensure_data_folder(data)

    closed = dict.fromkeys(("redis", "watchers", "executions", "up", "storage"), 0o700)
    assert _modes(data) == {**closed, "of the user": 0o755}
    assert data.stat().st_mode & 0o777 == 0o755


def test_a_store_that_was_opened_to_others_stays_open(tmp_path: Path) -> None:
    """Its audio may be meant for them."""
    tmp_path.chmod(0o755)
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage").chmod(0o755)

    ensure_data_folder(tmp_path)

    assert _modes(tmp_path) == {"storage": 0o755}


def test_what_stands_in_the_place_of_the_store_is_left_to_the_store(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "storage").write_text("a file")

    ensure_data_folder(tmp_path)

    assert (tmp_path / "storage").read_text() == "a file"


@pytest.mark.parametrize("error", [PermissionError(errno.EPERM, "no"), None], ids=["refused", "no effect"])
def test_a_folder_that_cannot_be_closed_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError | None
) -> None:
    def refuse(*_: Any) -> None:
        if error is not None:
            raise error

    tmp_path.chmod(0o755)
    (tmp_path / "watchers").mkdir()
    (tmp_path / "watchers").chmod(0o755)
    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(
        BadConfiguration, match=r"others may look into .*/watchers, .*chmod go= .*JOBS_DATA_DIR"
    ):
        ensure_data_folder(tmp_path)
