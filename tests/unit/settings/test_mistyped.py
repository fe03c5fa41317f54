"""A name in `.env` that nearly is a setting is told, and its value never (Q49)."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.settings import load_settings

SECRET = "hunter2-and-more"


def warnings(folder: Path, content: str) -> tuple[str, ...]:
    (folder / ".env").write_text(content)
    return load_settings({}, {"HOME": str(folder / "home")}, folder).warnings


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("REDIS_URI", "REDIS_URL"),
        ("redis_url", "REDIS_URL"),
        ("VOICE_DIR", "VOICES_DIR"),
        ("JOBS_DATADIR", "JOBS_DATA_DIR"),
        ("VASTAI_API_KEY", "VAST_API_KEY"),
    ],
)
def test_a_name_near_a_setting_is_told_with_the_setting(tmp_path: Path, name: str, meant: str) -> None:
    [told] = warnings(tmp_path, f"{name}={SECRET}\n")

    assert (
        told
        == f"{tmp_path / '.env'} sets {name}, which is no setting and changes nothing; did you mean {meant}?"
    )


def test_names_of_other_programs_and_settings_themselves_are_left_in_peace(tmp_path: Path) -> None:
    others = "PORT=1\nNODE_ENV=x\nREDIS_HOST=h\nAWS_REGION=r\nOPENAI_API_KEY=k\nSECRET_KEY=s\n"

    assert warnings(tmp_path, others + "LOCAL_WORKERS=2\n") == ()
    assert warnings(tmp_path, "REDIS_URL=redis://h\nREDIS_URI=redis://h\n") == ()
