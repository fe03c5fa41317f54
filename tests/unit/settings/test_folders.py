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
