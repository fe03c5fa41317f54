"""Texts fitted to boxes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from lib.errors import BadInput
from synth.typeset.fonts import FontShelf
from synth.typeset.letters import plain, settable
from synth.typeset.text_block import FitLimits, TextBlock, TooMuchText, fit_beginning, fit_block
from synth.typeset.text_lines import Lettering, Typesetter
from tests.unit.synth.typeset.fribidi import needs_fribidi

SETTER = Typesetter(FontShelf(with_system=False), Lettering(("Inter",), 600, 1.1))
WORD = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz"


def fitted(text: str, width: int = 480, height: int = 300, largest: float = 60, lines: int = 9) -> TextBlock:
    return fit_block(text, FitLimits(width, height, largest, 9, lines), SETTER)


def shown(block: TextBlock) -> list[str]:
    return [line.text for line in block.lines]


def test_a_short_text_stands_in_the_largest_letters() -> None:
    block = fitted("Light")
    assert (block.size, shown(block)) == (60, ["Light"])


def test_a_longer_one_in_smaller_letters_and_as_large_as_fits() -> None:
    text = "A quiet history of the sea, told by the people who kept its lights burning"
    block = fitted(text)
    assert 30 < block.size < 60
    assert block.height <= 300 < block.height + 1.6 * block.pitch
    assert " ".join(shown(block)) == text


def test_lines_are_even_and_end_where_they_read_well() -> None:
    assert shown(fitted("one two three four", width=330, largest=44)) == ["one two", "three four"]
    assert shown(fitted("the keeper of the lamp", width=420, largest=50)) == ["the keeper", "of the lamp"]


def test_a_word_that_no_line_holds_is_cut_with_a_hyphen_and_no_other_is() -> None:
    block = fitted(f"{WORD} by word", height=260)
    assert "".join(line.removesuffix("-") for line in shown(block)).replace(" ", "") == f"{WORD}byword"
    assert block.hyphened == {number for number, line in enumerate(shown(block)) if line.endswith("-")}
    assert block.hyphened
    assert not fitted("words of usual length in a box that is large").hyphened


def test_a_soft_hyphen_is_seen_only_where_its_word_is_cut() -> None:
    assert shown(fitted("Licht\u00adhaus", width=400)) == ["Lichthaus"]
    assert shown(fitted("Leucht\u00adturm\u00adwärter", width=330, largest=60, height=140)) == [
        "Leucht-",
        "turmwärter",
    ]


def test_paragraphs_stay_apart() -> None:
    assert shown(fitted("one\n\ntwo", height=400)) == ["one", "two"]


def test_lines_of_a_tall_script_do_not_touch() -> None:
    block = fitted("ที่นี้มีผู้ใหญ่ ที่นี้มีผู้ใหญ่ ที่นี้มีผู้ใหญ่", largest=44)
    above, below = block.lines[0], block.lines[1]
    assert block.pitch > above.descent + below.ascent


def test_too_much_text_is_refused_or_ends_in_an_ellipsis() -> None:
    text = "word " * 900
    with pytest.raises(TooMuchText, match="4500 characters does not fit 480 by 300 pixels in letters of 9"):
        fitted(text)
    block = fit_beginning(text, FitLimits(480, 300, 60, 9), SETTER)
    assert block is not None
    assert block.is_cut
    assert shown(block)[-1].endswith("word…")
    assert block.height > 270
    assert fit_beginning(text, FitLimits(480, 3, 60, 9), SETTER) is None


def test_ink_is_where_the_block_says() -> None:
    block = fitted("Ágil fjord Ünder jpq\nAVAVA.", width=470)
    canvas = Image.new("L", (600, 400))
    block.draw(ImageDraw.Draw(canvas), SETTER, (60, 40), 480, 0.5)
    box = canvas.getbbox()
    assert box is not None
    assert 60 <= box[0] < box[2] <= 540
    assert abs(box[1] - 40) <= 2
    assert abs(box[3] - 40 - block.height) <= 3


@settings(max_examples=40)
@given(
    st.text(st.sampled_from("ab .,-жщ漢字「」ก้าשלם١٢\u0301"), min_size=1, max_size=50), st.integers(40, 500)
)
@needs_fribidi
def test_no_letter_is_lost_whatever_the_box(text: str, width: int) -> None:
    text = " ".join(text.split())
    try:
        text, _ = settable(plain(text), SETTER.shelf, SETTER.lettering.families)
    except BadInput:
        return
    block = fit_beginning(text, FitLimits(width, 400, 40, 8), SETTER)
    assert block is not None
    if not block.is_cut:
        lines = [
            line.removesuffix("-") if n in block.hyphened else line for n, line in enumerate(shown(block))
        ]
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(line.width + 2 * line.overhang <= width for line in block.lines)
