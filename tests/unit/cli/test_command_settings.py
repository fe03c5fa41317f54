"""A command's settings: what looks mistyped is said, and no secret of theirs is shown from then on."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.cli import output
from lib.cli.command_settings import command_settings


def test_a_secret_of_the_settings_is_in_no_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REPLICATE_API_TOKEN", "r8_nobodyguessesthis")

    command_settings()
    output.warn("asked with r8_nobodyguessesthis")

    assert capsys.readouterr().err == "warning: asked with ***\n"


def test_what_looks_mistyped_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".env").write_text("IMAGEN_BACKNED=card\n")
    monkeypatch.chdir(tmp_path)

    command_settings()

    assert "IMAGEN_BACKEND" in capsys.readouterr().err


def test_a_flag_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEN_BACKEND", "card")

    assert command_settings({"IMAGEN_BACKEND": "replicate"}).imagen_backend == "replicate"
