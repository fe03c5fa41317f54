"""Sentences, lengths, scenes, and the file that a script is edited in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from job_pipeline.stages.instruction import shortened, word_limit
from job_pipeline.stages.narration import LONGEST_BEAT, Narration, NarrationBeat, read_prose
from job_pipeline.stages.prose import clean, count_words, first_words, is_speakable, pieces, sentences
from job_pipeline.stages.script_file import parse_script, render_script
from job_pipeline.stages.storyboard import LONGEST_S, scenes_of
from lib.errors import BadInput

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300)
PROSE = st.lists(
    st.text(alphabet="ab Dr.!?。、 潮 \n#[]\\*-1٣é“”", min_size=1, max_size=80).filter(is_speakable),
    min_size=1,
    max_size=6,
)


def bare(text: str) -> str:
    return "".join(text.split())


def test_sentences_end_where_a_reader_sees_it() -> None:
    assert sentences('Dr. Wu came at 3.5 km. "He left." We saw it! E. Lamp… and on. Really?') == [
        "Dr. Wu came at 3.5 km.",
        '"He left."',
        "We saw it!",
        "E. Lamp… and on.",
        "Really?",
    ]
    assert sentences("潮は満ちる。「月だ。」なぜ？") == ["潮は満ちる。", "「月だ。」", "なぜ？"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("", 0), ("one two-three it's 1,000.5", 4), ("潮は満ちる", 3), ("Прилив, и отлив", 3), ("— … !", 0)],
)
def test_words_are_counted_in_every_script(text: str, words: int) -> None:
    assert count_words(text) == words


@settings(max_examples=60)
@given(TEXTS)
def test_no_text_loses_a_letter_between_sentences_and_pieces(text: str) -> None:
    assert bare("".join(sentences(text))) == bare(text)
    cut = pieces(text, 40)
    assert bare("".join(cut)) == bare(text)
    assert all(len(piece) <= 40 for piece in cut)


@settings(max_examples=60)
@given(TEXTS)
def test_no_script_does_more_than_be_read(text: str) -> None:
    narration = read_prose(text)
    assert all(is_speakable(beat.text) and len(beat.text) <= LONGEST_BEAT for beat in narration.beats)
    assert [beat.id for beat in narration.beats] == [f"beat-{i + 1:03d}" for i in range(len(narration.beats))]


@settings(max_examples=60)
@given(PROSE)
def test_every_word_is_in_one_scene_and_no_scene_leaves_its_beat(texts: list[str]) -> None:
    narration = narration_with(texts)
    scenes = scenes_of(narration)
    for beat in narration.beats:
        assert bare("".join(s["narration"] for s in scenes if s["beat"] == beat.id)) == bare(beat.text)
    assert [scene["scene"] for scene in scenes] == list(range(len(scenes)))


def test_scenes_are_as_long_as_the_sentences_allow() -> None:
    text = (
        "Yes. No. " * 10 + "This is one sentence that goes on and on without a stop for quite a while, " * 3
    )
    scenes = scenes_of(narration_with([text]))
    assert len(scenes) < 8
    assert [scene["seconds"] <= LONGEST_S for scene in scenes] == [True] * (len(scenes) - 1) + [False]


def narration_with(texts: list[str]) -> Narration:
    beats = [
        NarrationBeat(
            id=f"beat-{number + 1:03d}", text=clean(text).strip(), section="S" if number % 2 else ""
        )
        for number, text in enumerate(texts)
    ]
    return Narration(title="T", beats=tuple(beats))


@settings(max_examples=60)
@given(PROSE)
def test_a_script_file_that_nobody_edits_says_what_it_said(texts: list[str]) -> None:
    narration = narration_with(texts)

    again = parse_script(render_script(narration, "Source: user."), narration)

    assert [(beat.id, bare(beat.text)) for beat in again.beats] == [
        (beat.id, bare(beat.text)) for beat in narration.beats
    ]


def test_an_edited_script_file_keeps_voices_by_beat() -> None:
    before = Narration(
        title="T",
        beats=(
            NarrationBeat(id="beat-001", text="One.", options={"speaker": "Ryan"}),
            NarrationBeat(id="beat-002", text="# no heading\n[beat-001]"),
        ),
    )
    text = render_script(before, "Source: user.")
    assert parse_script(text, before) == before

    edited = parse_script(text.replace("One.", "Uno.\nDos."), before)
    assert (edited.beats[0].text, edited.beats[0].options) == ("Uno.\nDos.", {"speaker": "Ryan"})
    assert [b.id for b in parse_script("[beat-009]\na\n[beat-009]\nb\n", before).beats] == [
        "beat-001",
        "beat-002",
    ]
    with pytest.raises(BadInput, match="was edited and has no beat with anything to say"):
        parse_script("# T\n", before)


@pytest.mark.parametrize(
    ("note", "limit"),
    [
        ("make it shorter", 70),
        ("Too long!", 70),
        ("at most 40 words", 40),
        ("cut it to 30 seconds", 75),
        ("under 2 minutes, please", 300),
        ("shorter, at most 9 words", 9),
        ("with more feeling", None),
        ("a shortage of water", None),
    ],
)
def test_what_a_note_asks_for(note: str, limit: int | None) -> None:
    assert word_limit([note], 100) == limit
    assert word_limit(["nicer", note], 100) == limit


def test_a_shorter_script_ends_its_sentences() -> None:
    narration = narration_with(["One two three. Four five six. Seven.", "Eight nine. Ten."])

    assert [beat.text for beat in shortened(narration, 6).beats] == ["One two three.", "Eight nine."]
    assert [beat.text for beat in shortened(narration, 1).beats] == ["One two three."]
    assert shortened(narration, 10) == narration


def test_the_beginning_of_a_text_is_cut_at_a_blank() -> None:
    assert first_words("one two\nthree four", 12) == "one two…"
    assert first_words("short", 12) == "short"
