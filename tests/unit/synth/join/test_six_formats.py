"""Two hundred beats as one file of each format, read back by another library than wrote most of them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from lib.captions import read_json
from synth.audio.level_stream import measure_levels
from synth.audio.loudness_meter import integrated_loudness
from synth.audio.spectrum import Samples
from synth.audio.trim import FADE_S
from synth.join.chapters import Chapter, id3_chapters
from synth.join.cover import Cover, read_cover
from synth.join.episode import Joined, join_playlist
from synth.join.playlist import read_playlist
from tests.unit.synth.join.playlists import FORMATS, GAP_S, RATE, Made, made, png

BEATS = 200
QUICK = ("flac", "mp3", "m4b")
#: A codec's frame in samples; what is without loss is exact.
FRAME = {"wav": 0, "flac": 0, "opus": 0, "mp3": 1152, "m4a": 1024, "m4b": 1024}
#: The largest step where a beat begins or ends. Hard, a beat of these starts with a step of 0.15 and more.
STEP = {"wav": 0.01, "flac": 0.01, "opus": 0.03, "mp3": 0.03, "m4a": 0.03, "m4b": 0.03}


def quiet(word: str, done: float, total: float) -> None:
    """Nobody looks."""


def join_into(folder: Path, playlist: Made, file_format: str, cover: Cover | None = None) -> Joined:
    target = folder / f"episode.{file_format}"
    return join_playlist(read_playlist(playlist.path), target, -19.0, cover, quiet)


def decoded(path: Path) -> Samples:
    """All samples, at the rate of the file's codec."""
    with av.open(str(path)) as found:
        parts = [frame.to_ndarray() for frame in found.decode(audio=0)]
    samples = np.concatenate(parts, axis=1)[0]
    scaled: Samples = (samples / 32768.0 if samples.dtype.kind == "i" else samples).astype(np.float32)
    return scaled


@pytest.fixture(scope="module")
def beats(tmp_path_factory: pytest.TempPathFactory) -> Made:
    tags: dict[str, Any] = {
        "title": "High wàter",
        "album": "Tides",
        "artist": "newsroom",
        "comment": "Synthetic speech.",
    }
    return made(tmp_path_factory.mktemp("beats"), BEATS, **tags)


@pytest.mark.parametrize(
    "file_format",
    [pytest.param(each, marks=() if each in QUICK else pytest.mark.soak) for each in FORMATS],
)
def test_opens_with_its_chapters_its_length_its_loudness_and_no_click(
    tmp_path: Path, beats: Made, file_format: str
) -> None:
    """Q47."""
    (tmp_path / "cover.png").write_bytes(png(64, 64, extra=200_000))

    joined = join_into(tmp_path, beats, file_format, read_cover(tmp_path / "cover.png"))

    with av.open(str(joined.file)) as found:
        chapters = found.chapters()
        tags = {**found.streams.audio[0].metadata, **found.metadata}
        rate = found.streams.audio[0].rate
        pictures = [stream for stream in found.streams if stream.type == "video"]
    assert [chapter["metadata"]["title"] for chapter in chapters] == list(beats.titles)
    starts = [float(chapter["start"] * (chapter["time_base"] or 0)) for chapter in chapters]
    assert np.abs(np.array(starts) - np.array(beats.starts) / RATE).max() <= 0.0006
    assert {name.lower(): value for name, value in tags.items()}.items() >= {
        *{"title": "High wàter", "album": "Tides", "artist": "newsroom"}.items()
    }
    assert len(pictures) == 1
    samples = decoded(joined.file)
    assert abs(len(samples) * RATE / rate - beats.samples) <= FRAME[file_format]
    assert joined.samples == beats.samples
    loudness = integrated_loudness(measure_levels(samples, rate))
    assert loudness is not None
    assert loudness == pytest.approx(-19.0, abs=0.5)
    assert joined.loudness_lufs == pytest.approx(-19.0, abs=0.05)
    assert steps_at_joints(samples, beats, rate).max() <= STEP[file_format]


def steps_at_joints(samples: Samples, beats: Made, rate: int) -> Samples:
    """The largest step between two samples within 0.2 ms of each place where a beat begins or ends."""
    begins = np.array(beats.starts[1:])
    joints = np.concatenate([begins, begins - round(GAP_S * RATE)]) * rate // RATE
    reach = rate // 5000
    steps = np.abs(np.diff(samples))
    return np.array([steps[joint - reach : joint + reach].max() for joint in joints])


def test_the_same_playlist_is_the_same_bytes_and_no_draft_is_left(tmp_path: Path) -> None:
    beats = made(tmp_path / "beats", 3)
    hashes = set()
    for file_format in ("opus", "m4b") * 2:
        joined = join_into(tmp_path, beats, file_format)
        hashes.add(joined.sha256)
        assert hashlib.sha256(joined.file.read_bytes()).hexdigest() == joined.sha256

    assert len(hashes) == 2
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"beats", "episode.chapters.json", "episode.opus", "episode.m4b"}


@pytest.mark.parametrize("file_format", ["wav", "flac"])
def test_a_beat_at_its_level_keeps_its_bits_but_for_the_fades(tmp_path: Path, file_format: str) -> None:
    """Loud ones too: libsndfile reads 32768 as 1, and what is written is 32767 where it is 1."""
    every = np.arange(-32768, 32768, dtype=np.int16)
    beats = made(tmp_path / "beats", 1)
    soundfile.write(tmp_path / "beats" / "0.wav", every, RATE, "PCM_16")

    target = tmp_path / f"episode.{file_format}"
    join_playlist(read_playlist(beats.path), target, None, None, quiet)

    inside = slice(round(FADE_S * RATE), -round(FADE_S * RATE))
    np.testing.assert_array_equal(soundfile.read(target, dtype="int16")[0][inside], every[inside])


def test_an_m4b_says_so_and_begins_with_what_players_need_first(tmp_path: Path) -> None:
    data = join_into(tmp_path, made(tmp_path / "beats", 3), "m4b").file.read_bytes()

    assert data[4:12] == b"ftypM4B "
    assert 0 < data.find(b"moov") < data.find(b"mdat")


@pytest.mark.soak
def test_an_mp4_has_more_chapters_than_a_byte_counts(tmp_path: Path) -> None:
    """Its older list of chapters ends at 255; players read the other one."""
    joined = join_into(tmp_path, made(tmp_path / "beats", 300, gap=0.0), "m4a")

    with av.open(str(joined.file)) as found:
        assert len(found.chapters()) == 300


def test_an_mp3_has_more_chapters_than_its_table_of_contents_can_name() -> None:
    frames = id3_chapters([Chapter(f"{at}", at, at + 1) for at in range(600)], RATE)

    assert frames.count(b"CTOC") == 4  # one of the three others
    assert frames.count(b"CHAP") == 600
    assert b"toc\0\x03\x03toc0\0toc1\0toc2\0" in frames


def test_captions_of_the_whole_stand_where_each_beat_does(tmp_path: Path) -> None:
    """Q47, V10."""
    beats = made(tmp_path / "beats", 3)
    value = json.loads(beats.path.read_text())
    cue = {"start": 0.01, "end": 9.0, "text": "Salt & <sand>", "source": "piece"}  # longer than its beat
    value["beats"][0]["captions"] = [cue]
    value["beats"][2]["captions"] = [{**cue, "end": 0.05, "source": "estimated"}]
    beats.path.write_text(json.dumps(value))

    joined = join_into(tmp_path, beats, "flac")

    length, cues = read_json((tmp_path / "episode.captions.json").read_bytes())
    second, third = (start / RATE for start in beats.starts[1:])
    assert [(cue.start, cue.end, cue.source) for cue in cues] == [
        (0.01, round(second, 3), "piece"),
        (round(third + 0.01, 3), round(third + 0.05, 3), "estimated"),
    ]
    assert length == pytest.approx(joined.audio_seconds, abs=0.001)
    assert (
        (tmp_path / "episode.srt").read_text().startswith("1\n00:00:00,010 --> 00:00:00,150\nSalt & <sand>\n")
    )
    assert "Salt &amp; &lt;sand&gt;" in (tmp_path / "episode.vtt").read_text()
    assert joined.warnings == ("1 of 3 beats has no captions; there the captions are silent, too.",)


def test_captions_that_were_of_other_audio_are_told(tmp_path: Path) -> None:
    (tmp_path / "episode.srt").write_text("of last week")

    joined = join_into(tmp_path, made(tmp_path / "beats", 1), "flac")

    assert joined.warnings == (f"{tmp_path}/episode.srt is of other audio: no beat has captions now.",)
