"""Secrets as systemd credentials: files named like their setting (W18)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.loading import Load, refusal


def test_they_may_be_systemd_credentials_below_the_environment(load: Load, tmp_path: Path) -> None:
    (tmp_path / "vast_api_key").write_text("from systemd\n")
    (tmp_path / ".env").write_text("VAST_API_KEY=from dotenv")
    place = {"CREDENTIALS_DIRECTORY": str(tmp_path)}

    below = load(place).vast_api_key
    above = load({**place, "VAST_API_KEY": "from environment"}).vast_api_key

    assert below is not None
    assert below.reveal() == "from systemd"
    assert above is not None
    assert above.reveal() == "from environment"


@pytest.mark.parametrize("name", ["vast_api_key", "VAST_API_KEY"])
def test_they_say_where_they_came_from(load: Load, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("hush\r\n")
    settings = load({"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert settings.vast_api_key is not None
    assert settings.vast_api_key.reveal() == "hush"
    assert settings.sources["VAST_API_KEY"] == f"credential {tmp_path / name}"


def test_two_of_one_setting_are_refused(load: Load, tmp_path: Path) -> None:
    for name in ("vast_api_key", "VAST_API_KEY"):
        (tmp_path / name).write_text(name)
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("this file system does not tell capitals from small letters")
    words = refusal(load, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert "holds both vast_api_key and VAST_API_KEY" in words


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty; write the value into it"),
        (b"hush" * 262145, "is over 1 MiB"),
        (b"\xffhush", "is not UTF-8"),
        (b"hush\x00hush\n", "must be one line without control characters"),
        (b"hush\nhush\n", "must be one line without control characters"),
    ],
    ids=["empty", "huge", "binary", "control", "lines"],
)
def test_bad_ones_are_one_sentence(load: Load, tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "vast_api_key").write_bytes(content)
    words = refusal(load, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert reason in words
    assert "VAST_API_KEY" in words
    assert str(tmp_path / "vast_api_key") in words
    assert "hush" not in words
    assert "\n" not in words


def test_what_cannot_be_read_is_one_sentence(load: Load, tmp_path: Path) -> None:
    place = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    (tmp_path / "vast_api_key").symlink_to(tmp_path / "gone")
    assert "cannot be read: No such file or directory" in refusal(load, place)
    (tmp_path / "redis_url").mkdir()
    assert "is not a file; name a regular file" in refusal(load, place)


def test_settings_of_other_kinds_are_none(load: Load, tmp_path: Path) -> None:
    (tmp_path / "max_machines").write_text("2")
    settings = load({"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert settings.sources["MAX_MACHINES"] == "default"
