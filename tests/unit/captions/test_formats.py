"""The files of captions say what the cues say, to whoever reads them as the formats are."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.captions import FORMATS, BrokenCaptions, Cue, breaks, read_json, render, rendered
from lib.captions.breaks import BreakPlace
from lib.captions.lines import lines_of
from lib.jobspec import CAPTION_SUFFIXES
from tests.unit.captions.players import read_srt, read_vtt
from tests.unit.captions.test_cues import TEXTS

CUES = (
    Cue(0.06, 1.5, "Tom & <Ann> --> home", "piece"),
    Cue(1.5, 3725.042, "The water was high, and nobody was about in all the town.", "estimated"),
)


def test_the_suffixes_that_names_of_jobs_leave_room_for_are_those() -> None:
    assert CAPTION_SUFFIXES == FORMATS


def test_srt() -> None:
    assert render(CUES, 4000.0, "srt") == (
        "1\n00:00:00,060 --> 00:00:01,500\nTom & <Ann> → home\n\n"
        "2\n00:00:01,500 --> 01:02:05,042\nThe water was high,\nand nobody was about in all the town.\n"
    )


def test_vtt_escapes_what_would_be_markup_and_says_how_the_times_are_known() -> None:
    assert render(CUES, 4000.0, "vtt") == (
        "WEBVTT\n\nNOTE How the times are known: piece 1, estimated 1\n\n"
        "1\n00:00:00.060 --> 00:00:01.500\nTom &amp; &lt;Ann&gt; --&gt; home\n\n"
        "2\n00:00:01.500 --> 01:02:05.042\nThe water was high,\nand nobody was about in all the town.\n"
    )


def test_json_says_the_source_of_each_cue() -> None:
    assert json.loads(render(CUES, 4000.0, "captions.json")) == {
        "format": 1,
        "audio_seconds": 4000.0,
        "cues": [cue.to_json() for cue in CUES],
    }


@pytest.mark.parametrize("text", ["é" * 1000, "水" * 500, "é " * 500, "x" * 1000])
def test_a_cue_that_no_screen_holds_is_cut_without_a_search(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine's cues are cut by the watcher, where a search that grows with the square stands still."""
    searched: list[str] = []

    def places(text: str, widest: int) -> list[BreakPlace]:
        searched.append(text)
        return breaks.places(text, widest)

    monkeypatch.setattr("lib.captions.lines.places", places)
    lines = lines_of(text.strip(), 42)
    assert not searched
    assert max(map(breaks.width, lines)) <= 42
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert len(lines) <= breaks.width(text) // 42 + 1


def test_the_lines_of_a_cue_are_found_once_for_all_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def counted(text: str, characters: int) -> list[str]:
        seen.append(text)
        return lines_of(text, characters)

    monkeypatch.setattr("lib.captions.formats.lines_of", counted)
    rendered(CUES, 4000.0)
    assert seen == [cue.text for cue in CUES]


def test_a_take_without_cues_has_no_files() -> None:
    assert rendered((), 3.0) == {}
    assert list(rendered(CUES, 4000.0)) == list(FORMATS)


@given(st.lists(st.tuples(TEXTS, st.floats(0.001, 5000.0), st.floats(0.0, 3.0)), max_size=8))
def test_players_read_what_was_written(given_cues: list[tuple[str, float, float]]) -> None:
    cues, at = [], 0.0
    for text, lasts, gap in given_cues:
        start = round(at + gap, 3)
        at = round(start + max(lasts, 0.001), 3)
        cues.append(Cue(start, at, text[:80], "piece"))
    files = rendered(cues, at)
    if not cues:
        return

    for read, suffix in ((read_srt, "srt"), (read_vtt, "vtt")):
        shown = read(files[suffix])
        assert [(cue.start, cue.end) for cue in shown] == [
            (round(cue.start * 1000), round(cue.end * 1000)) for cue in cues
        ]
        for cue, made in zip(shown, cues, strict=True):
            lines = lines_of(made.text, 42)
            if suffix == "srt":
                lines = [line.replace("-->", "→") for line in lines]
            assert list(cue.lines) == lines
    assert read_json(files["captions.json"]) == (at, tuple(cues))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("{", "are no JSON"),
        ("[" * 100_000, "are no JSON"),
        ("[]", "are not of format 1"),
        ('{"format": 2, "audio_seconds": 1, "cues": []}', "are not of format 1"),
        ('{"format": 1, "audio_seconds": NaN, "cues": []}', "audio_seconds is no number"),
        ('{"format": 1, "audio_seconds": true, "cues": []}', "audio_seconds is no number"),
        ('{"format": 1, "audio_seconds": 1, "cues": [1]}', "cues[0] is no object"),
        ('{"format": 1, "audio_seconds": 1, "cues": [{"start": 0, "end": 1}]}', "cues[0] has no text"),
        (
            '{"format": 1, "audio_seconds": 1, "cues":[{"start":0,"end":2,"text": "a", "source":"asr"}]}',
            "cues[0] ends after the audio",
        ),
    ],
)
def test_what_is_none_of_ours_is_refused(data: str, sentence: str) -> None:
    with pytest.raises(BrokenCaptions) as caught:
        read_json(data)

    assert sentence in caught.value.message
