"""A disk that fills up, names that are taken, a process that ends: nothing half stands under the name."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile

from lib.errors import BadConfiguration
from lib.files import draft_beside
from synth.join.episode import check_join
from synth.join.playlist import read_playlist
from tests.unit.synth.join.playlists import FORMATS, RATE, changed, hard, made
from tests.unit.synth.join.test_six_formats import join_into


def command(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "synth.main", "join", str(folder / "beats/playlist.json"), *words]


def with_room_for(blocks: int, words: list[str]) -> subprocess.CompletedProcess[str]:
    """Files of that many half KiB fit on the disk."""
    limited = ["sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh", *words]
    return subprocess.run(limited, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "file_format",
    [pytest.param(each, marks=() if each in ("m4b", "opus") else pytest.mark.soak) for each in FORMATS],
)
def test_a_disk_that_fills_up_is_one_line_and_leaves_nothing(tmp_path: Path, file_format: str) -> None:
    """Q47. A limit on the size of files ends a write as a full disk does, and inside of every library."""
    made(tmp_path / "beats", 60)
    target = tmp_path / f"episode.{file_format}"
    target.write_text("the old one")
    words = command(tmp_path, "--out", str(target), "--loudness", "off")

    done = with_room_for(16, words)

    assert done.returncode == 78, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {target} cannot be written: File too large")
    assert target.read_text() == "the old one"
    assert {path.name for path in tmp_path.iterdir()} == {"beats", target.name}


@pytest.mark.parametrize("size", [20, 100])
def test_a_disk_too_small_for_what_lies_beside_leaves_what_was_there(tmp_path: Path, size: int) -> None:
    """Q47. The sound fits, the captions do not: of last week's episode all is as it was."""
    path = made(tmp_path / "beats", 1).path
    value = json.loads(path.read_text())
    lines = [{"start": at / 1000, "end": (at + 1) / 1000, "text": "x" * 400} for at in range(100)]
    value["beats"][0]["captions"] = [{**each, "source": "piece"} for each in lines]
    path.write_text(json.dumps(value))
    old = {f"episode.{suffix}" for suffix in ("wav", "chapters.json", "srt", "vtt", "captions.json")}
    for name in old:
        (tmp_path / name).write_text("the old one")
    words = command(tmp_path, "--out", str(tmp_path / "episode.wav"), "--loudness", "off")

    done = subprocess.run(
        ["sh", "-c", f'ulimit -f {size}; exec "$@"', "sh", *words],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, len(done.stderr.splitlines())) == ((78, 1) if size == 20 else (0, 0)), (
        done.stderr
    )
    assert {each.name for each in tmp_path.iterdir()} == {"beats", *old}
    kept = [name for name in old if (tmp_path / name).read_bytes() == b"the old one"]
    assert len(kept) == (5 if size == 20 else 0)


PLACES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a folder": (Path.mkdir, "there is a folder of that name"),
    "a pipe": (os.mkfifo, "what has that name is no file"),
}


@pytest.mark.parametrize("suffix", ["mp3", "srt", "chapters.json"])
@pytest.mark.parametrize("place", PLACES)
def test_a_place_that_is_taken_is_seen_before_the_audio_is_read(
    tmp_path: Path, suffix: str, place: str
) -> None:
    path = changed(tmp_path, captioned)
    make, sentence = PLACES[place]
    make(tmp_path / f"episode.{suffix}")

    with pytest.raises(BadConfiguration, match=rf"/episode\.{suffix} cannot be written: {sentence}"):
        check_join(read_playlist(path), tmp_path / "episode.mp3")

    assert {each.name for each in tmp_path.iterdir()} == {"beats", f"episode.{suffix}"}


def test_a_name_is_too_long_where_one_of_the_files_beside_has_no_room(tmp_path: Path) -> None:
    target = tmp_path / ("é" * 124 + ".mp3")

    with pytest.raises(BadConfiguration, match=r"é\.chapters\.json cannot be written: File name too long"):
        check_join(read_playlist(made(tmp_path / "beats", 1).path), target)


def captioned(value: dict[str, Any]) -> None:
    value["beats"][0]["captions"] = [{"start": 0, "end": 0.1, "text": "Salt", "source": "piece"}]


def test_what_a_killed_join_left_is_gone_after_the_next_one(tmp_path: Path) -> None:
    """Q47. One that is being written stays."""
    playlist = made(tmp_path / "beats", 1)
    soundfile.write(tmp_path / "beats" / "0.wav", hard(120.0, 200.0), RATE)
    words = command(tmp_path, "--out", str(tmp_path / "episode.opus"))
    with begun(words, tmp_path) as process:
        process.kill()
    assert list(tmp_path.glob(".*.part"))
    soundfile.write(tmp_path / "beats" / "0.wav", hard(0.1, 200.0), RATE)

    with draft_beside(tmp_path / "other") as theirs:
        join_into(tmp_path, playlist, "opus")
        assert list(tmp_path.glob(".*.part")) == [theirs]


def begun(words: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """A join that is writing."""
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stderr is not None
    while not list(folder.glob(".*.part")):
        assert process.poll() is None, process.stderr.read()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    return process


@pytest.mark.parametrize("how", ["interrupt", "parent"])
def test_interrupted_it_leaves_nothing(tmp_path: Path, how: str) -> None:
    """Q47. By Ctrl-C, and when the process that started it is gone."""
    made(tmp_path / "beats", 1)
    soundfile.write(tmp_path / "beats" / "0.wav", hard(120.0, 200.0), RATE)
    words = command(tmp_path, "--out", str(tmp_path / "episode.opus"), "--exit-with-parent")
    process = begun(words, tmp_path)
    assert process.stdin is not None
    assert process.stderr is not None

    if how == "interrupt":
        process.send_signal(signal.SIGINT)
    else:
        process.stdin.close()
    status = process.wait()

    process.stdin.close()
    process.stderr.close()
    assert status == {"interrupt": 130, "parent": 75}[how]
    assert [path.name for path in tmp_path.iterdir()] == ["beats"]
