"""Letters, line ends and directions of writing."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from lib.captions.breaks import INSIDE_WORD
from synth.typeset.bidi import is_right_to_left, levels, visual_order
from synth.typeset.fonts import FontShelf
from synth.typeset.graphemes import clusters
from synth.typeset.letters import han_family, plain, visible
from synth.typeset.line_breaks import line_ends
from synth.typeset.text_lines import Lettering, Typesetter

SHELF = FontShelf(with_system=False)


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("añb", ["a", "ñ", "b"]),
        ("e\u0301x", ["e\u0301", "x"]),
        ("👩‍🚀!", ["👩‍🚀", "!"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        ("👍🏽k", ["👍🏽", "k"]),
        ("각한", ["각", "한"]),
        ("\u1100\u1161\u11a8x", ["\u1100\u1161\u11a8", "x"]),
        ("क्षत्रिय", ["क्ष", "त्रि", "य"]),
        ("น้ำแก", ["น้ำ", "แก"]),
        ("ស្ត្រី", ["ស្ត្រី"]),
    ],
)
def test_a_letter_is_what_a_reader_takes_for_one(text: str, letters: list[str]) -> None:
    assert clusters(text) == letters


@given(st.text())
def test_letters_joined_are_the_text(text: str) -> None:
    assert "".join(clusters(text)) == text


def ways(text: str) -> list[str]:
    """The stretches between the places where a line may well end."""
    ends = [0, *(end.at for end in line_ends(text) if end.cost < INSIDE_WORD)]
    return [text[a:b] for a, b in pairwise(ends)]


@pytest.mark.parametrize(
    ("text", "stretches"),
    [
        ("two words", ["two ", "words"]),
        ("well-known", ["well-", "known"]),
        ("from 3-4 on", ["from ", "3-4 ", "on"]),
        ("10\u00a0km far", ["10\u00a0km ", "far"]),
        ("猫です。「名前」", ["猫", "で", "す。", "「名", "前」"]),
        ("ラーメン", ["ラー", "メ", "ン"]),
        ("漢字ABC漢字", ["漢", "字", "ABC", "漢", "字"]),
        ("한국어 낱말", ["한국어 ", "낱말"]),
        ("แก้วน้ำ", ["แก้", "ว", "น้ำ"]),
        ("¿Qué? (sí)", ["¿Qué? ", "(sí)"]),
        ("a/b", ["a/", "b"]),
    ],
)
def test_lines_end_where_the_script_lets_them(text: str, stretches: list[str]) -> None:
    assert ways(text) == stretches


@given(st.text(max_size=60))
def test_no_line_begins_with_a_mark_or_a_closing_sign(text: str) -> None:
    shown = plain(text).replace("\n", " ")
    for end in line_ends(shown)[:-1]:
        assert unicodedata.category(shown[end.at])[0] != "M" or shown[end.at - 1].isspace()
        assert shown[end.at] not in "、。」）!?,." or shown[end.at - 1].isspace()


def test_the_text_alone_says_from_where_it_is_written() -> None:
    assert is_right_to_left("123 שלום")
    assert not is_right_to_left("abc שלום")
    assert levels("abc", False) == [0, 0, 0]
    assert levels("ש 12", True) == [1, 1, 2, 2]
    assert levels("ש ", False) == [1, 0]  # a blank at the end stands where the line ends
    assert visual_order([1, 2, 1]) == [2, 1, 0]


RTL = "שלום (abc 12) עולם 3.5%! [x] - ד"


@pytest.mark.parametrize(
    "text",
    [
        RTL,
        "abc שלום def",
        "שלום 12,5 עולם",
        "a (ש) b",
        "ש (a) b ג",
        "1 ש 2",
        "ש, a; ב",
        "x 5% ש",
        "ש abc -5 ג",
        "«ש» a",
    ],
)
@pytest.mark.parametrize("right_to_left", [False, True])
def test_runs_stand_where_the_shaper_of_one_font_puts_them(text: str, right_to_left: bool) -> None:
    """Heebo has both scripts, so FriBidi, inside Pillow, orders the whole line: the judge of our order."""
    setter = Typesetter(SHELF, Lettering(("Heebo",), 400))
    line = setter.line(text, 40, right_to_left=right_to_left)
    assert {run.family for run in line.runs} == {"Heebo"}
    ours, theirs = (Image.new("L", (900, 90)) for _ in range(2))
    setter.draw(ImageDraw.Draw(ours), line, 20, 60)
    font = SHELF.font("Heebo", 40, 400)
    direction = "rtl" if right_to_left else "ltr"
    ImageDraw.Draw(theirs).text((20, 60), text, 255, font, anchor="ls", direction=direction)
    assert _columns(ours) == pytest.approx(_columns(theirs), abs=3)


def _columns(picture: Image.Image) -> list[int]:
    """Where words begin, in pixels: columns with ink behind at least six without."""
    inked = [bool(picture.crop((x, 0, x + 1, picture.height)).getbbox()) for x in range(picture.width)]
    return [x for x in range(6, len(inked)) if inked[x] and not any(inked[x - 6 : x])]


class TestPlainText:
    def test_controls_and_hidden_directions_are_gone(self) -> None:
        assert plain("a\x00b\x1bc\u202ed\u2066e") == "abcde"
        assert plain("one\r\ntwo\u2028three\x85four") == "one\ntwo\nthree\nfour"
        assert plain(" a \t b ") == "a b"

    def test_a_letter_keeps_six_marks_at_most(self) -> None:
        assert plain("x" + "\u0317" * 40 + "y") == "x" + "\u0317" * 6 + "y"

    @given(st.text())
    def test_it_is_plain_once_and_for_all(self, text: str) -> None:
        once = plain(text)
        assert plain(once) == once
        assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in once.replace("\n", ""))

    def test_what_no_font_needs_is_not_asked_of_one(self) -> None:
        assert visible("❤\ufe0f") == "❤"

    @pytest.mark.parametrize(
        ("text", "language"),
        [("漢字です", "JP"), ("漢字 한글", "KR"), ("汉字", "SC"), ("ㄅ漢", "TC"), ("abc", "")],
    )
    def test_ideographs_look_as_their_language_writes_them(self, text: str, language: str) -> None:
        assert han_family(text).endswith(language)
