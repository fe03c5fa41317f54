"""What is wrong with a beat, a name, a cover or a disk: one sentence, and nothing under the name."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from lib.errors import BadInput, JobRunnerError, MissingExtra
from synth.audio.tags import Tags
from synth.join.cover import read_cover
from synth.join.episode import join_playlist
from synth.join.playlist import read_playlist
from synth.join.writers import Contents, written
from tests.unit.synth.join.playlists import RATE, changed, hard, made, png
from tests.unit.synth.join.test_six_formats import decoded, join_into, quiet


def refused(folder: Path, path: Path) -> JobRunnerError:
    """What was said; nothing else is in the folder."""
    with pytest.raises(JobRunnerError) as caught:
        join_playlist(read_playlist(path), folder / "episode.flac", -19.0, None, quiet)
    assert [each.name for each in folder.iterdir()] == ["beats"]
    assert "\n" not in caught.value.message
    return caught.value


def stereo(path: Path) -> None:
    soundfile.write(path, np.zeros((100, 2)), RATE)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def not_finite(path: Path) -> None:
    soundfile.write(path, np.array([0.0, np.nan]), RATE, "FLOAT")


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "The audio of beat 001, prélude is missing: there is no .*1.wav; speak it"),
    "no audio": (lambda path: path.write_text("hello"), "cannot be read as audio .*; speak it anew"),
    "a folder": (a_folder, "is no file"),
    "two channels": (stereo, "has 2 channels; beats are mono. Mix it down"),
    "no sound": (lambda path: soundfile.write(path, np.zeros(0), RATE), "has no sound in it"),
    "no numbers": (not_finite, "holds values that are no numbers"),
}


@pytest.mark.parametrize("fault", FILES)
def test_a_beat_that_cannot_be_joined_is_named(tmp_path: Path, fault: str) -> None:
    path = made(tmp_path / "beats", 3).path
    spoil, sentence = FILES[fault]
    spoil(tmp_path / "beats" / "1.wav")

    error = refused(tmp_path, path)

    assert isinstance(error, BadInput)
    assert re.search(sentence, error.message)


@pytest.mark.parametrize("key", ["sha256", "bytes"])
def test_a_file_with_other_bytes_than_were_spoken_is_refused(tmp_path: Path, key: str) -> None:
    other = {"sha256": "0" * 64, "bytes": 17}[key]

    error = refused(tmp_path, changed(tmp_path, lambda value: value["beats"][2].update({key: other})))

    assert "was changed" in error.message
    assert "2.wav does not hold what was spoken" in error.message


PLAYLISTS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a line break": (
        lambda v: v["beats"][1].update(title="a\nb"),
        r'"1.wav" cannot have the chapter title "a\\nb"',
    ),
    "an arrow back": (lambda v: v["beats"][1].update(title="a\u202eb"), "invisible character; type it anew"),
    "a joiner alone": (lambda v: v["beats"][1].update(title="\u200d"), "has no title for its chapter"),
    "a title that cannot be read": (
        lambda v: v["beats"][1].update(title="क्ष\n"),
        r'"1.wav" cannot have the chapter title "क्ष\\n"',
    ),
    "blank": (lambda v: v["beats"][1].update(title=" "), "has no title for its chapter; give it one"),
    "too long": (lambda v: v["beats"][1].update(title="é" * 128), "256 bytes; players read at most 255"),
    "a long gap": (lambda v: v["beats"][0].update(gap_after=61), r"beats\[0\].gap_after must be at most 60"),
    "no beats": (lambda v: v.update(beats=[]), "beats must hold 1 to"),
    "another format": (lambda v: v.update(format=2), "format is not 1"),
    "a tag of two lines": (lambda v: v.update(album="a\nb"), "album holds a line break"),
    "a cue that ends before it starts": (
        lambda v: v["beats"][0].update(captions=[{"start": 1, "end": 0.5, "text": "", "source": "piece"}]),
        r"beats\[0\].captions\[0\] ends before it starts",
    ),
}


@pytest.mark.parametrize("fault", PLAYLISTS)
def test_a_playlist_with_a_fault_is_refused(tmp_path: Path, fault: str) -> None:
    change, sentence = PLAYLISTS[fault]

    with pytest.raises(BadInput, match=sentence):
        read_playlist(changed(tmp_path, change))


#: A JPEG of 64 by 32 as far as it is looked at; a small picture among its facts has an end of its own.
JPEG_HEAD = (
    b"\xff\xd8\xff\xe0\x00\x06ab\xff\xd9" + b"\xff\xff\xc0\x00\x0b\x08\x00\x20\x00\x40\x01\x00\x00\x00"
)
JPEG = JPEG_HEAD + b"\xff\xda\x00\x06\x01\x01\x00\x00" + bytes(9) + b"\xff\xd9"


def bomb(width: int, height: int) -> bytes:
    """A small file that says it is that large, its checksum right."""
    data = png(8, 8)
    head = data[12:16] + struct.pack(">II", width, height) + data[24:29]
    return data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:]


@pytest.mark.parametrize(
    "title",
    [
        "المدّ والجزر",
        "أ\u200f (١)",
        "می\u200cرود",
        "क्\u200dष",
        "น้ำขึ้น",
        "a\u0301\u0323",
        "👩\u200d🚀",
        "🏴\U000e0067\U000e0062\U000e007f",
        "é" * 127 + "x",
    ],
)
def test_a_title_is_in_any_script_with_what_its_letters_are_joined_by(tmp_path: Path, title: str) -> None:
    playlist = read_playlist(changed(tmp_path, lambda value: value["beats"][1].update(title=title)))

    assert playlist.beats[1].title == title


COVERS: dict[str, tuple[bytes, str]] = {
    "a text": (b"hello", "no picture that players show; save it as PNG or JPEG"),
    "a GIF": (b"GIF89a" + bytes(40), "save it as PNG or JPEG"),
    "a JPEG without a size": (b"\xff\xd8\xff\xe0\x00\x04ab", "save it as PNG or JPEG"),
    "an SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "save it as PNG or JPEG"),
    "a PNG cut in its head": (png(8, 8)[:40], "is cut off or damaged; save it anew"),
    "a PNG cut in its lines": (png(8, 8)[:-20], "is cut off or damaged; save it anew"),
    "a PNG without its last chunk": (png(8, 8)[:-12], "is cut off or damaged; save it anew"),
    "a PNG with other bits": (png(8, 8).replace(b"paDd", b"paDe"), "is cut off or damaged; save it anew"),
    "a JPEG cut in its head": (JPEG_HEAD, "is cut off or damaged; save it anew"),
    "a JPEG cut in its lines": (JPEG[:-2], "is cut off or damaged; save it anew"),
    "a PNG for no player": (bomb(10_001, 8), "10001 by 8 pixels; at most 10000 by 10000 are shown"),
    "a PNG beyond any number": (bomb(2**32 - 1, 2**32 - 1), "by 4294967295 pixels"),
    "empty": (b"", "save it as PNG or JPEG"),
    "too large": (png(8, 8, extra=5 * 1024 * 1024), "is larger than 5 MiB, which every listener would load"),
}


@pytest.mark.parametrize("fault", COVERS)
def test_a_cover_that_is_no_picture_or_too_large_is_refused(tmp_path: Path, fault: str) -> None:
    data, sentence = COVERS[fault]
    (tmp_path / "cover").write_bytes(data)

    with pytest.raises(BadInput, match=sentence):
        read_cover(tmp_path / "cover")


def test_the_size_of_a_jpeg_is_read_behind_its_other_segments(tmp_path: Path) -> None:
    (tmp_path / "cover.jpg").write_bytes(JPEG)

    cover = read_cover(tmp_path / "cover.jpg")

    assert (cover.mime, cover.width, cover.height) == ("image/jpeg", 64, 32)


def test_beats_of_several_rates_are_resampled_to_the_highest(tmp_path: Path) -> None:
    playlist = made(tmp_path / "beats", 2)
    soundfile.write(tmp_path / "beats" / "1.wav", hard(0.5, 200.0, rate=22_050), 22_050)

    joined = join_into(tmp_path, playlist, "flac")

    assert joined.sample_rate == 24_000
    assert joined.samples == pytest.approx(round((0.1 + 0.05 + 0.5) * 24_000), abs=2)
    assert joined.warnings == (
        "The beats have 22050 Hz and 24000 Hz; what is not at 24000 Hz was resampled.",
    )
    assert len(decoded(joined.file)) == joined.samples


def test_a_wav_that_would_be_longer_than_one_can_be_is_refused(tmp_path: Path) -> None:
    contents = Contents(RATE, 2**31, Tags(), ())

    with (
        pytest.raises(BadInput, match=r"A WAV holds 24\.5 hours at this rate, .* take flac instead"),
        written(tmp_path / "episode.wav", "wav", contents),
    ):
        pass

    assert list(tmp_path.iterdir()) == []


def test_without_pyav_it_says_what_brings_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(
        MissingExtra, match="Writing m4a or m4b needs packages that are not installed"
    ) as caught:
        join_into(tmp_path, made(tmp_path / "beats", 1), "m4b")

    assert caught.value.extra == "join"
    assert join_into(tmp_path, made(tmp_path / "beats", 1), "mp3").samples


@pytest.mark.parametrize("link", [None, "symlink_to", "hardlink_to"])
@pytest.mark.parametrize("kind", ["beat", "playlist"])
def test_what_is_read_is_not_written_over(kind: str, link: str | None, tmp_path: Path) -> None:
    list_file = made(tmp_path / "beats", 2).path
    if kind == "playlist":
        list_file = list_file.rename(list_file.with_name("episode.chapters.json"))
    playlist = read_playlist(list_file)
    read = playlist.beats[1].file if kind == "beat" else list_file
    if link is not None:
        other = tmp_path / ("episode.wav" if kind == "beat" else "episode.chapters.json")
        getattr(other, link)(read)
        target = other
    else:
        target = read
    if kind == "playlist":
        target = target.with_name("episode.wav")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    with pytest.raises(BadInput, match=r"^\S+ would be written over, and it is read here") as caught:
        join_playlist(playlist, target, None, None, quiet)

    assert "\n" not in caught.value.message
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
