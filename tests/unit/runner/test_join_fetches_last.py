"""`job-runner join` brings audio from a store once nothing else can be wrong (a topic is hours of it)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from job_runner.commands.join import _joined

RATE = 16_000


def playlist_of(folder: Path, title: str = "One") -> tuple[Path, Path]:
    beat = folder / "beat.wav"
    path = folder / "playlist.json"
    path.write_text(json.dumps({"format": 1, "beats": [{"title": title, "file": str(beat)}]}))
    return path, beat


@pytest.mark.parametrize("wrong", ["cover", "title", "folder", "target", "none"])
def test_audio_is_fetched_when_nothing_else_is_wrong(
    wrong: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path, beat = playlist_of(tmp_path, "long " * 60 if wrong == "title" else "One")
    out = tmp_path / ("nowhere/episode.wav" if wrong == "folder" else "episode.wav")
    if wrong == "target":
        out.mkdir()
    cover = tmp_path / "cover.png"
    cover.write_text("no picture")
    fetched: list[Path] = []

    def fetch() -> None:
        fetched.append(beat)
        soundfile.write(beat, 0.1 * np.sin(np.arange(RATE) / 20), RATE)

    options = ["--out", str(out), *(["--cover", str(cover)] if wrong == "cover" else [])]
    status, answer = _joined(path, options, fetch)

    if wrong == "none":
        assert (status, fetched) == (0, [beat])
        assert answer["file"] == str(out)
        assert out.is_file()
    else:
        assert status != 0
        assert not fetched
        assert answer["error"]
        assert len(capfd.readouterr().err.strip().splitlines()) <= 1
