"""What players show and draw of a file: its tags and its waveform (V9)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lib.clock import SystemClock
from lib.errors import BadInput
from lib.records import Take
from synth.audio.encode import FORMATS, write_audio
from synth.audio.peaks import peaks_json
from synth.audio.tags import Tags, id3_header
from synth.speech.speak import speak
from tests.doubles import records
from tests.unit.synth.fakes import RATE, HummingEngine, hum, request

TAGS = Tags("beat-001", "topic", "Ryan", "Synthetic speech.")
FOREIGN = Tags("Гроза", "夏の嵐", "Zoë", "Synthetische Sprache – künstlich.")


def tags_in(path: Path) -> dict[str, str]:
    """As another reader sees them: libsndfile, which decodes MP3 and its ID3 with mpg123."""
    with soundfile.SoundFile(str(path)) as file:
        return {name: value for name, value in file.copy_metadata().items() if value}


def chunks_of(path: Path) -> dict[bytes, bytes]:
    """The chunks of a RIFF file by name; every size must fit, and the whole be counted."""
    data = path.read_bytes()
    assert data[:4] == b"RIFF"
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    found: dict[bytes, bytes] = {}
    at = 12
    while at < len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        found[data[at : at + 4]] = data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    assert at == len(data)
    return found


def id3_frames(header: bytes) -> dict[str, str]:
    """The texts of an ID3v2.3 header, by the name of their frame, read as its standard says."""
    assert header[:6] == b"ID3\x03\x00\x00"
    size = sum(byte << shift for byte, shift in zip(header[6:10], (21, 14, 7, 0), strict=True))
    assert size == len(header) - 10
    found: dict[str, bytes] = {}
    at = 10
    while at < len(header):
        length = int.from_bytes(header[at + 4 : at + 8], "big")
        body = header[at + 10 : at + 10 + length]
        assert body[:1] == b"\x01"  # UTF-16 with a byte order mark
        found[header[at : at + 4].decode()] = body[8 if header[at : at + 4] == b"COMM" else 1 :]
        at += 10 + length
    return {name: text.decode("utf-16") for name, text in found.items()}


class TestTags:
    @pytest.mark.parametrize("tags", [TAGS, FOREIGN, Tags(title="alone")], ids=["plain", "foreign", "one"])
    @pytest.mark.parametrize("file_format", FORMATS)
    def test_each_format_carries_them(self, tmp_path: Path, file_format: str, tags: Tags) -> None:
        path = tmp_path / f"a.{file_format}"

        write_audio(path, hum(0.5), RATE, file_format, tags)

        assert tags_in(path) == tags.filled()

    @pytest.mark.parametrize("file_format", FORMATS)
    def test_they_change_no_sample(self, tmp_path: Path, file_format: str) -> None:
        for name, tags in (("plain", Tags()), ("tagged", FOREIGN)):
            write_audio(tmp_path / name, hum(0.5), RATE, file_format, tags)

        plain, tagged = (soundfile.read(str(tmp_path / name))[0] for name in ("plain", "tagged"))
        assert np.array_equal(plain, tagged)

    @pytest.mark.parametrize("samples", [12_000, 12_001])
    @pytest.mark.parametrize("tags", [TAGS, FOREIGN, Tags(title="odd")], ids=["plain", "foreign", "one"])
    def test_a_wav_carries_them_for_players_that_read_id3_alone(
        self, tmp_path: Path, tags: Tags, samples: int
    ) -> None:
        path = tmp_path / "a.wav"

        write_audio(path, hum(1.0)[:samples], RATE, "wav", tags)

        chunks = chunks_of(path)
        names = {"TIT2": tags.title, "TALB": tags.album, "TPE1": tags.artist, "COMM": tags.comment}
        assert id3_frames(chunks[b"id3 "]) == {name: text for name, text in names.items() if text}
        assert len(chunks[b"data"]) == samples * 2

    def test_a_wav_without_tags_has_no_chunk_for_them(self, tmp_path: Path) -> None:
        write_audio(tmp_path / "a.wav", hum(0.5), RATE, "wav")

        assert b"id3 " not in chunks_of(tmp_path / "a.wav")

    def test_none_are_no_header(self) -> None:
        assert id3_header(Tags()) == b""

    def test_the_size_of_a_long_header_is_synchsafe(self) -> None:
        header = id3_header(Tags(title="x" * 300))

        assert len(header) == 10 + 613
        assert header[6:10] == bytes([0, 0, 4, 101])  # 613 = 4 * 128 + 101

    def test_a_file_says_who_speaks_and_that_it_is_no_person(self, tmp_path: Path) -> None:
        asked = request("One.", title="beat-001", album="topic")

        speak(asked, HummingEngine(), SystemClock(), tmp_path / "beat", lambda *_: None)

        assert tags_in(tmp_path / "beat.wav") == {
            "title": "beat-001",
            "album": "topic",
            "artist": "heart",
            "comment": "Synthetic speech, made with the engine hibari.",
        }

    @pytest.mark.parametrize("tag", ["a\nb", "a\x00b", "a\udcffb", "x" * 513])
    @pytest.mark.parametrize("name", ["title", "album"])
    def test_a_tag_that_some_format_would_drop_is_refused_before_anything_is_loaded(
        self, name: str, tag: str
    ) -> None:
        with pytest.raises(BadInput, match=f"The {name} may have"):
            request("One.", **{name: tag}).check()

    @pytest.mark.parametrize("file_format", FORMATS)
    def test_the_longest_tags_read_back(self, tmp_path: Path, file_format: str) -> None:
        path = tmp_path / "a"
        longest = Tags("夏" * 512, "é" * 512, "Ryan", "Synthetic speech.")

        write_audio(path, hum(0.5), RATE, file_format, longest)

        assert tags_in(path) == longest.filled()


class TestPeaks:
    def test_each_pair_is_the_lowest_and_highest_of_its_fiftieth(self) -> None:
        signal = np.zeros(1000, np.float32)
        signal[10], signal[20] = 0.5, -0.25  # in the first 480 samples
        signal[490] = -1.0  # in the second
        signal[999] = 1.0  # in the rest, which is shorter

        document = json.loads(peaks_json(signal, RATE))

        assert document == {
            "version": 2,
            "channels": 1,
            "sample_rate": RATE,
            "samples_per_pixel": 480,
            "bits": 8,
            "length": 3,
            "data": [-32, 64, -128, 0, 0, 127],
        }

    def test_quiet_sound_is_drawn_and_silence_is_not(self) -> None:
        quiet = json.loads(peaks_json(hum(0.1, level=0.001), RATE))["data"]
        silence = json.loads(peaks_json(np.zeros(2400, np.float32), RATE))["data"]

        assert set(quiet) == {-1, 1}
        assert set(silence) == {0}

    def test_every_take_has_its_own_beside_it(self, tmp_path: Path) -> None:
        spoken = speak(
            request("One.", variants=2, peaks=True),
            HummingEngine(),
            SystemClock(),
            tmp_path / "b",
            lambda *_: None,
        )

        names = ["b.peaks.json", "b.take-02.peaks.json", "b.take-02.wav", "b.wav"]
        assert sorted(path.name for path in tmp_path.iterdir()) == names
        for take in spoken.takes:
            self._agrees(tmp_path, take)

    @staticmethod
    def _agrees(folder: Path, take: Take) -> None:
        assert take.peaks is not None
        data = (folder / take.peaks.file).read_bytes()
        assert take.peaks == records.file_ref(take.peaks.file, data)
        audio, _ = soundfile.read(str(folder / take.audio.file), dtype="float32")
        drawn = np.array(json.loads(data)["data"])
        assert drawn.max() == np.ceil(audio.max() * 127)

    def test_none_is_written_unasked(self, tmp_path: Path) -> None:
        spoken = speak(request("One."), HummingEngine(), SystemClock(), tmp_path / "b", lambda *_: None)

        assert [path.name for path in tmp_path.iterdir()] == ["b.wav"]
        assert spoken.chosen.peaks is None
