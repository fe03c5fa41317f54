"""Captions by the clock of the audio, from the written text (V10)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lib.captions import Cue, cue_trouble, read_json
from lib.clock import SystemClock
from lib.records import SpokenRecord, WordTiming
from lib.spool import MAX_CAPTIONS_BYTES
from lib.spool.layout import MAX_RECORD_BYTES
from synth.engines import Speech, Utterance
from synth.speech.speak import speak
from synth.worker.jobs import sendable
from tests.doubles import records
from tests.unit.captions.players import read_srt, read_vtt
from tests.unit.synth.fakes import RATE, HummingEngine, hum, request
from tests.unit.synth.test_words import Telling

TEXT = (
    "[pause 0.5s] Dr. Smith paid $42.50 in New York. It was (almost) too much for all of them.\n\n"
    "**Nobody** saw the boats come home again."
)
LONG = "We walked along the quiet river, past the old mill, and then over the bridge to where the boats were."


class Pausing(HummingEngine):
    """Hums 0.08 s for each letter, and is silent for 0.3 s at each comma."""

    def _hum(self, utterance: Utterance) -> Speech:
        parts = [hum(0.3, level=0.0)]
        for clause in utterance.text.split(","):
            parts += [hum(0.08 * sum(map(str.isalpha, clause))), hum(0.3, level=0.0)]
        return Speech(np.concatenate(parts), RATE, 9)


def spoken(text: str, folder: Path, engine: HummingEngine | None = None, **changes: object) -> SpokenRecord:
    asked = request(text, **{"loudness_lufs": None, **changes})
    return speak(asked, engine or HummingEngine(), SystemClock(), folder / "o", lambda *_: None)


def sounds(path: Path, least_s: float = 0.1) -> list[tuple[float, float]]:
    """From when to when it sounds, by the millisecond; shorter silences aside."""
    samples, rate = soundfile.read(path, dtype="float32")
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    ends = [*np.flatnonzero(np.diff(loud) > least_s * rate), len(loud) - 1]
    begins = [0, *(end + 1 for end in ends[:-1])]
    return [
        (float(loud[begin]) / rate, float(loud[end]) / rate) for begin, end in zip(begins, ends, strict=True)
    ]


def test_cues_say_what_is_written_while_it_is_said(tmp_path: Path) -> None:
    record = spoken(TEXT, tmp_path)

    cues = record.chosen.captions
    heard = sounds(tmp_path / "o.wav")
    assert [cue.text for cue in cues] == [
        "Dr. Smith paid $42.50 in New York.",
        "It was (almost) too much for all of them.",
        "Nobody saw the boats come home again.",
    ]
    assert [cue.source for cue in cues] == ["piece"] * 3
    for cue, (begin, end) in zip(cues, heard, strict=True):
        assert cue.start == pytest.approx(begin, abs=0.025)
        assert cue.end >= end - 0.025
    assert cues[0].start >= 0.5, "the silence in front is asked for"
    assert cue_trouble(cues, record.audio_seconds) is None


def test_files_lie_beside_each_take_where_they_are_asked_for(tmp_path: Path) -> None:
    record = spoken(TEXT, tmp_path, variants=2, captions=True)

    for take, name in zip(record.takes, ("o", "o.take-02"), strict=True):
        paths = [tmp_path / f"{name}.{suffix}" for suffix in ("srt", "vtt", "captions.json")]
        srt, vtt, told = (path.read_bytes() for path in paths)
        assert take.caption_files == tuple(
            records.file_ref(path.name, data) for path, data in zip(paths, (srt, vtt, told), strict=True)
        )
        assert read_json(told) == (take.audio_seconds, take.captions)
        assert [cue.lines for cue in read_srt(srt)] == [cue.lines for cue in read_vtt(vtt)]
        assert [" ".join(cue.lines) for cue in read_srt(srt)] == [cue.text for cue in take.captions]


def test_without_being_asked_for_there_are_cues_and_no_files(tmp_path: Path) -> None:
    record = spoken(TEXT, tmp_path)

    assert record.chosen.captions
    assert record.chosen.caption_files == ()
    assert [path.name for path in tmp_path.iterdir()] == ["o.wav"]


def test_a_cut_inside_a_piece_is_in_the_pause_that_stands_for_its_mark(tmp_path: Path) -> None:
    cues = spoken(LONG, tmp_path, Pausing()).chosen.captions

    heard = sounds(tmp_path / "o.wav")
    assert len(cues) == 2
    assert cues[0].text.endswith(",")
    cut = cues[0].text.count(",")
    assert cues[0].end == pytest.approx(heard[cut - 1][1], abs=0.025)
    assert cues[1].start == pytest.approx(heard[cut][0], abs=0.025)
    assert {cue.source for cue in cues} == {"estimated"}


def test_an_engine_that_tells_its_words_is_believed_where_pieces_are_cut(tmp_path: Path) -> None:
    record = spoken(LONG, tmp_path, Telling())

    first, second = record.chosen.captions
    word = record.chosen.words[len(first.text.split())]
    assert word.text == second.text.split()[0]
    assert second.start == pytest.approx(word.start, abs=0.002)
    assert (first.source, second.source) == ("engine", "engine")


def test_what_is_said_as_one_is_not_cut(tmp_path: Path) -> None:
    phrase = "now and then, here and there"
    cut = 0
    for words in range(1, 15):
        text = f"{'so ' * words}it was all over {phrase} in the town by the quiet river."

        record = spoken(text, tmp_path, pronounce={phrase: "at once"})

        cut += len(record.chosen.captions) > 1
        assert any(phrase in cue.text for cue in record.chosen.captions), record.chosen.captions
    assert cut > 5


def test_what_is_not_spoken_is_not_shown(tmp_path: Path) -> None:
    record = spoken("One sentence. 日本語の文です. And another one here.", tmp_path)

    assert " ".join(cue.text for cue in record.chosen.captions) == "One sentence. And another one here."


def test_a_speed_makes_cues_as_short_as_the_sound(tmp_path: Path) -> None:
    slow, fast = (
        spoken("A sentence with quite some letters in it.", tmp_path, speed=speed).chosen.captions[0]
        for speed in (0.5, 1.25)
    )

    assert slow.end - slow.start == pytest.approx(2.5 * (fast.end - fast.start), rel=0.1)


def test_a_record_with_more_cues_than_a_spool_takes_goes_without_those_of_its_last_takes() -> None:
    cues = tuple(Cue(at / 1000, (at + 1) / 1000, "x" * 900, "piece") for at in range(1000))
    record = records.spoken(*(records.take(number, captions=cues) for number in (1, 2)))
    assert record.takes[0].caption_bytes < MAX_CAPTIONS_BYTES < 2 * record.takes[0].caption_bytes

    sent = sendable(record)

    assert [bool(take.captions) for take in sent.takes] == [True, False]
    assert sent.warnings == ("The text is too long for captions of all takes: 1 of 2 have none.",)


def test_a_record_with_more_times_of_words_than_a_spool_takes_goes_without_them() -> None:
    """A chapter has thousands of words; its cues were made with their times, and stay."""
    words = tuple(WordTiming("keeper", at, at + 1, "asr") for at in range(1000))
    cues = (Cue(0.0, 1.0, "The keeper.", "asr"),)
    record = records.spoken(*(records.take(number, words=words, captions=cues) for number in (1, 2)))

    sent = sendable(record)

    assert len(json.dumps(sent.to_json())) < MAX_RECORD_BYTES < len(json.dumps(record.to_json()))
    assert [(bool(take.words), bool(take.captions)) for take in sent.takes] == [(True, True), (False, True)]
    assert sent.warnings == ("The text is too long for the times of words of all takes: 1 of 2 have none.",)
    assert sendable(records.spoken()) == records.spoken()
