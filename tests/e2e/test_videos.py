"""`video-synth` as a person uses it: from captions and pictures to a video that was accepted (I8)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests import warm
from tests.chromium import chromium, needs_chromium
from tests.e2e.home import check_shape
from tests.unit.synth.video.studio import Studio

SCHEMA = Path(__file__).parents[2] / "docs/reference/timeline.schema.json"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A narration, its captions, and a folder of pictures."""
    studio = Studio(tmp_path_factory.mktemp("studio"))
    cues = studio.timeline["captions"]["cues"]
    studio.folder.joinpath("voice.vtt").write_text(
        "WEBVTT\n\n"
        + "\n\n".join(f"{moment(cue['start'])} --> {moment(cue['end'])}\n{cue['text']}" for cue in cues)
    )
    return studio


def moment(seconds: float) -> str:
    return f"00:{seconds:06.3f}"


def run(folder: Path, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    argv = [str(warm.PROGRAMS / "video-synth"), *words]
    call = warm.CALLS["video-synth"]
    done = warm.run(argv, call, cwd=folder, environ=dict(os.environ), timeout_s=100)
    assert done.returncode == status, done.stderr
    return done


def shaped(folder: Path, *words: str, status: int = 0) -> Any:
    value = json.loads(run(folder, *words, "--json", status=status).stdout)
    check_shape(f"video-synth-{words[0]}", value)
    return value


@pytest.fixture(scope="module")
def film(studio: Studio) -> Path:
    """The film, made by the three commands one after the other."""
    words = ("--narration", "voice.wav", "--captions", "voice.vtt", "--pictures", ".", "-o", "t.json")
    drafted = shaped(studio.folder, "timeline", *words)
    jsonschema.validate(drafted, json.loads(SCHEMA.read_text()))
    del drafted["shape"]  # a small one, so that it is made in seconds
    studio.folder.joinpath("t.json").write_text(json.dumps(drafted | {"size": [192, 108], "fps": 15}))
    made = shaped(studio.folder, "assemble", "t.json", "--out", "film.mp4")
    assert (made["scenes"], made["cues"], made["warnings"]) == (3, 3, [])
    return studio.folder / "film.mp4"


def test_a_film_is_accepted_and_its_results_lie_beside_it(studio: Studio, film: Path) -> None:
    value = shaped(studio.folder, "accept", "film.mp4", "--narration", "voice.wav")

    assert value["passed"]
    assert json.loads(studio.folder.joinpath("acceptance_results.json").read_text()) == value


def test_people_read_a_line_for_each_check(studio: Studio, film: Path) -> None:
    done = run(studio.folder, "accept", "film.mp4", "--loudness", "-20", status=1)

    lines = done.stdout.splitlines()
    assert len(lines) == 8
    assert lines[-1] == "film.mp4: not accepted"
    assert [line for line in lines if line.startswith("failed")] == [
        "failed  loudness      It is at -14.0 LUFS, and should be at -20."
    ]


def test_what_cannot_be_made_is_one_line(studio: Studio) -> None:
    studio.folder.joinpath("bad.yaml").write_text(
        "format: 1\nnarration: gone.wav\nscenes: [{picture: x.png}]\n"
    )

    done = run(studio.folder, "assemble", "bad.yaml", "--out", "bad.mp4", status=65)

    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "x.png is missing" in done.stderr
    assert list(studio.folder.glob("bad.*")) == [studio.folder / "bad.yaml"]


@needs_chromium
def test_a_browser_plays_it_to_its_end(studio: Studio, film: Path, tmp_path: Path) -> None:
    page = studio.folder / "page.html"
    page.write_text("<!doctype html><video id=film muted src=film.mp4></video>")
    with chromium(tmp_path) as tab:
        tab.open(page.as_uri())
        tab.until("document.getElementById('film').readyState >= 2")
        tab.value("void (document.getElementById('film').playbackRate = 4)")
        tab.value("void document.getElementById('film').play()")
        tab.until("document.getElementById('film').ended")
        error = tab.value("document.getElementById('film').error")
        seconds = tab.value("document.getElementById('film').duration")
        size = tab.value("document.getElementById('film').videoWidth")

    assert error is None
    assert size == 192
    assert abs(seconds - studio.length) <= 1 / 15
