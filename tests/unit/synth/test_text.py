"""Texts are split where a reader would breathe, and nothing of them is lost (V8 basics, V13)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.text.pauses import Pause
from synth.text.pieces import split_text
from synth.text.sentences import split_sentences
from synth.text.unseen import clean_text


@pytest.mark.parametrize(
    ("line", "sentences"),
    [
        ("One. Two! Three? Four… Five.", ["One.", "Two!", "Three?", "Four…", "Five."]),
        ("Dr. Smith met Mrs. Jones.", ["Dr. Smith met Mrs. Jones."]),
        ("J. K. Rowling wrote it. I did not.", ["J. K. Rowling wrote it.", "I did not."]),
        ("It weighs 3.5 kg. Really.", ["It weighs 3.5 kg.", "Really."]),
        ("See No. 5. It is red.", ["See No. 5.", "It is red."]),
        ("He said no. She left.", ["He said no.", "She left."]),
        ("We left at 5 p.m. with ice. Good.", ["We left at 5 p.m. with ice.", "Good."]),
        ('"Stop!" she said. "Why?" He ran.', ['"Stop!" she said.', '"Why?"', "He ran."]),
        ("It failed (badly.) Then it worked.", ["It failed (badly.)", "Then it worked."]),
        ("Tools, e.g. hammers, i.e. metal ones.", ["Tools, e.g. hammers, i.e. metal ones."]),
        ("She works at Acme Inc. The rest do not.", ["She works at Acme Inc.", "The rest do not."]),
        ("The U.S. Army came.", ["The U.S. Army came."]),
        ("v1.2.3 is out", ["v1.2.3 is out"]),
        ("Wait... what?", ["Wait... what?"]),
    ],
)
def test_sentences_end_where_a_reader_sees_it(line: str, sentences: list[str]) -> None:
    assert split_sentences(line) == sentences


@pytest.mark.parametrize(
    "line",
    [
        "Smith v. Jones was heard.",
        "It was printed c. 1890 near Ft. Worth and Pt. Reyes.",
        "He was b. 1810, d. 1875, near Mt. Everest.",
        "See ch. IV, sec. 2 and figs. 3 to 5.",
        "Lt. Col. Brown met Gov. Hale on Jan. 5.",
        "Cf. Brown et al. Their method is ours.",
        "St. Paul is on Main St. near St. Louis.",
        "The U.S. Army came.",
        "Brown (ca. 1700) wrote it.",
        "A. A. Milne and E. A. Poe met Dr. A. Hill.",
    ],
)
def test_no_abbreviation_ends_a_sentence(line: str) -> None:
    """V17: the whole class of each."""
    assert split_sentences(line) == [line]


@pytest.mark.parametrize(
    "line",
    [
        "She lives on Main St. The house is red.",
        "We met on 42nd St. It rained.",
        "Do one more rep. Then rest.",
        "I chose plan B. The rest did not.",
        "They came from the U.S. They stayed.",
        "It froze in Dec. The sea was still.",
        "He got no. She went.",
        "It stood by the sun. Nobody saw.",
    ],
)
def test_words_that_look_like_abbreviations_end_sentences(line: str) -> None:
    assert len(split_sentences(line)) == 2


@pytest.mark.parametrize("line", ["Am 3. Mai kam er.", "Seit dem 21. Jahrhundert ist es so."])
def test_no_german_ordinal_ends_a_sentence(line: str) -> None:
    assert split_sentences(line, "German") == [line]
    assert len(split_sentences(line, "French")) == 2


@pytest.mark.parametrize(
    "line", ["Das war 1984. Dann kam er.", "Es waren 1,5. Das war viel.", "So. Und so. 3."]
)
def test_other_numbers_end_german_sentences(line: str) -> None:
    assert len(split_sentences(line, "German")) == len(split_sentences(line)) > 1


def test_pauses_follow_the_text() -> None:
    pieces = split_text("One. Two.\n\nThree.\nFour.", 300)

    assert [(piece.text, piece.pause) for piece in pieces] == [
        ("One.", Pause.SENTENCE),
        ("Two.", Pause.PARAGRAPH),
        ("Three.", Pause.SENTENCE),
        ("Four.", Pause.NONE),
    ]


def test_a_long_sentence_is_split_at_clauses_then_words() -> None:
    assert [p.text for p in split_text("aaa bbb, ccc ddd eee; fff", 12)] == [
        "aaa bbb,",
        "ccc ddd eee;",
        "fff",
    ]
    assert [p.text for p in split_text("aaa bbb ccc ddd", 7)] == ["aaa bbb", "ccc ddd"]
    assert [p.text for p in split_text("a" * 10, 4)] == ["aaaa", "aaaa", "aa"]


@given(st.text(max_size=400), st.integers(5, 60))
def test_no_letter_is_lost_and_no_piece_is_too_long(text: str, longest: int) -> None:
    pieces = split_text(text, longest)

    assert all(0 < len(piece.text) <= longest for piece in pieces)
    spoken = "".join(char for piece in pieces for char in piece.text if char.isalnum())
    assert spoken == "".join(char for char in clean_text(text) if char.isalnum())


@given(st.text(alphabet=st.sampled_from("abcABC .!?,\n\"'1"), max_size=200))
def test_sentences_together_are_the_line(text: str) -> None:
    line = clean_text(text).replace("\n", " ")

    assert "".join("".join(split_sentences(line)).split()) == "".join(line.split())


@given(st.text(max_size=200))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = clean_text(text)

    assert clean_text(once) == once


def test_control_characters_are_gone_and_words_stay_apart() -> None:
    assert clean_text("a\x00b\tc\u200bd\u202ee\r\nf\ufeff") == "a b c de\nf"
    assert clean_text("a\n \n\n b\u2029c") == "a\n\nb\n\nc"
    assert clean_text("\ud800x") == "x"


def test_two_hundred_thousand_characters_are_split_in_moments() -> None:
    """V13; the test's time limit is the bound, against anything quadratic."""
    assert len(split_text("word " * 40_000, 300)) > 600
    assert len(split_text("x" * 200_000, 300)) == 667
    assert split_text("." * 200_000, 300) == []
