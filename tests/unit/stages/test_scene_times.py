"""Scenes begin when their words are heard, whatever way captions cut them."""

from __future__ import annotations

import pytest

from job_pipeline.stages.film_options import film_options
from job_pipeline.stages.pictures import card_words
from job_pipeline.stages.scene_times import cues_in, scene_starts

SRT = """1
00:00:00,100 --> 00:00:02,000
The sea leaves.

2
00:00:02,200 --> 00:00:05,000
It comes back
an hour later.

3
00:00:06,000 --> 00:00:08,000
The moon pulls.
"""
BEATS = [{"id": "a", "start": 0.0, "end": 5.2}, {"id": "b", "start": 5.9, "end": 8.1}]


def starts(*scenes: tuple[str, str]) -> list[float]:
    rows = [{"beat": beat, "narration": text} for beat, text in scenes]
    return scene_starts(rows, BEATS, cues_in(SRT))


def test_a_scene_begins_with_the_caption_of_its_first_word() -> None:
    found = starts(("a", "The sea leaves."), ("a", "It comes back an hour later."), ("b", "The moon pulls."))
    assert found == [0.0, 2.2, 5.9]


def test_inside_a_caption_it_begins_at_its_share_of_the_letters() -> None:
    found = starts(("a", "The sea leaves. It comes back"), ("a", "an hour later."), ("b", "The moon pulls."))
    assert found[1] == pytest.approx(2.2 + 2.8 * 11 / 22, abs=0.01)


def test_without_captions_letters_share_the_time_of_their_beat() -> None:
    rows = [{"beat": "a", "narration": "abcd"}, {"beat": "a", "narration": "efgh"}]
    assert scene_starts(rows, BEATS[:1], []) == [0.0, pytest.approx(2.6)]


def test_starts_rise_even_where_captions_do_not_help() -> None:
    rows = [{"beat": "a", "narration": text} for text in ("", "", "x")]
    found = scene_starts(rows, [{"id": "a", "start": 0.0, "end": 0.0}], [])
    assert found == sorted(set(found))


@pytest.mark.parametrize(
    ("said", "section", "opens", "captions", "film", "words"),
    [
        ("Four seconds dark, one light.", "A light", True, "burned", "The lamp", "[The lamp] A light"),
        ("Four seconds dark, one light.", "A light", False, "burned", "The lamp", "[A light]"),
        ("Four seconds dark, one light.", "Four seconds…", True, "burned", "Lamp [2]", "[] Lamp [2]"),
        ("Four seconds dark, one light.", "", False, "burned", "Lamp [2]", "[Lamp (2)]"),
        ("Yes, and no.", "", True, "burned", "", "[] Yes, and no"),
        ("A | B stands there.", "", False, "burned", "", "[] A \\| B stands there"),
        ("Four seconds dark.", "A light", True, "soft", "The lamp", "[A light] Four seconds dark."),
        ("海は毎日帰って来る、一日に二回。", "", False, "burned", "", "[] 海は毎日帰って来る"),
    ],
)
def test_a_card_says_what_no_caption_shows(
    said: str, section: str, opens: bool, captions: str, film: str, words: str
) -> None:
    options = film_options({"film": {"captions": captions}})
    scene = {"scene": 0, "narration": said, "section": section}
    assert card_words(scene, opens, options, film) == words
