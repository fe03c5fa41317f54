"""Texts become cues that can be read while they are heard (V10)."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.captions import READING, SOURCES, Cue, Knot, TimedLine, cue_trouble, cut_cues, fitted
from lib.captions.breaks import width
from lib.captions.lines import lines_of


def stretch(text: str, start: float, end: float, *inner: Knot, ends: bool = False) -> TimedLine:
    knots = (Knot(0, start, start, "piece"), *inner, Knot(len(text), end, end, "piece"))
    return TimedLine(text, knots, ends=ends)


def parts_of(text: str, characters: int = 42) -> list[str]:
    """Every line that is shown of a text at 15 characters a second."""
    cues = cut_cues([stretch(text, 0.0, max(len(text) / 15, 0.1))], len(text) / 15 + 5)
    return [line for cue in cues for line in lines_of(cue.text, characters)]


WALK = "We walked along the river, past the old mill, and then over the bridge to where the boats were kept."
LONG = (
    "The mayor said on Thursday that {} would have to wait until the autumn, although most of the people "
    "who live there had asked for it again and again, and nobody on the council could say why it was so."
)


class TestWhatBelongsTogether:
    @pytest.mark.parametrize(
        "whole",
        [
            "Dr. Smith",
            "J. R. R. Tolkien",
            "$42.50",
            "$5 million",
            "1,234,567 people",
            "10 000",
            "5 kg",
            "3 p.m.",
            "New York",
            "New York City",
            "Ludwig van Beethoven",
            "Leonardo da Vinci",
            "May 20, 2024",
            "20 May 2024",
            "Apollo 11",
            "No. 5",
            "p. 17",
            "e.g. this",
            "€ 5",
            "50 %",
        ],
    )
    def test_is_on_one_line_wherever_it_stands(self, whole: str) -> None:
        kept = whole.removesuffix(" people").removesuffix(" this")
        for words in range(40):
            text = " ".join(["so"] * words + [LONG.format(whole)])

            shown = parts_of(text)

            assert any(kept in line for line in shown), shown

    def test_what_is_said_as_one_is_in_one_cue(self) -> None:
        text = "word " * 12 + "half past ten in the morning " + "word " * 12
        at = text.index("half")
        held = ((at, at + len("half past ten in the morning")),)
        whole = stretch(text.strip(), 0.0, 12.0)

        cues = cut_cues([TimedLine(whole.text, whole.knots, held)], 12.0)

        assert len(cues) > 1
        assert any("half past ten in the morning" in cue.text for cue in cues)

    def test_a_headline_in_capitals_is_cut_like_any_other_text(self) -> None:
        shown = parts_of("THE WHOLE TOWN " * 20)

        assert all(len(line) <= 42 for line in shown)

    def test_a_cut_falls_at_a_mark_before_it_falls_anywhere(self) -> None:
        text = "When the boats came home in the evening, the whole village stood on the wall and waited."

        cues = cut_cues([stretch(text, 0.0, 6.5)], 7.0)

        assert cues[0].text == "When the boats came home in the evening,"


class TestScripts:
    def test_without_blanks_are_cut_between_letters_and_not_before_marks(self) -> None:
        text = "黄色い太陽が、山の向こうに沈んでいくのを、私たちは静かに見ていた。" * 3

        shown = parts_of(text)

        assert "".join(shown) == text
        assert all(width(line) <= 42 for line in shown)
        assert not any(line[0] in "、。ゃっー" for line in shown)

    def test_from_right_to_left_stay_as_they_are(self) -> None:
        text = " ".join(["في صباح يوم من الأيام خرج الصياد إلى البحر ومعه شبكته القديمة،"] * 2)

        assert " ".join(parts_of(text)) == text

    def test_a_letter_keeps_its_marks_and_an_emoji_its_parts(self) -> None:
        family, accented = "👩‍👩‍👧‍👦", "e\u0301"
        for text in (family * 40, accented * 90):
            shown = parts_of(text)

            assert "".join(shown) == text
            assert not any(
                line[0] == "\u200d" or line[-1] == "\u200d" or unicodedata.combining(line[0])
                for line in shown
            )


class TestTimes:
    def test_a_cue_that_is_a_whole_stretch_has_its_times_and_source(self) -> None:
        cues = cut_cues([stretch("The water was high.", 0.06, 1.4)], 2.0)

        assert cues == [Cue(0.06, 1.4, "The water was high.", "piece")]

    def test_a_cut_is_at_the_moment_that_is_known_there(self) -> None:
        text = WALK
        at = text.index("and then")

        first, second = cut_cues([stretch(text, 0.0, 6.4, Knot(at, 2.9, 3.2, "engine"))], 7.0)

        assert (first.end, first.source, second.start, second.source) == (2.9, "engine", 3.2, "engine")

    def test_a_cut_whose_moment_is_not_known_is_estimated_by_letters(self) -> None:
        text = WALK

        first, second = cut_cues([stretch(text, 0.0, 10.0)], 11.0)

        assert (first.source, second.source) == ("estimated", "estimated")
        assert second.start == pytest.approx(10 * len(first.text) / len(text), abs=0.2)

    def test_what_is_said_quickly_stays_on_in_the_silence_behind_it(self) -> None:
        text = "A sentence of forty-two letters, so to say."

        alone, followed = (
            cut_cues([stretch(text, 0.0, 1.3), *more], 9.0)
            for more in ((), (stretch("And this is what comes next.", 2.0, 4.0),))
        )

        assert alone[0].end == pytest.approx(len(text) / 17, abs=0.001)
        assert followed[0].end == 2.0, "not over the next one"

    def test_nothing_stays_on_after_the_audio(self) -> None:
        assert cut_cues([stretch("Yes.", 0.06, 0.2)], 0.32)[0].end == 0.32

    def test_two_brief_sentences_are_one_cue_but_not_across_paragraphs(self) -> None:
        yes, no = stretch("Yes.", 0.0, 0.4), stretch("No.", 0.8, 1.2)
        apart = stretch("Yes.", 0.0, 0.4, ends=True)

        assert [cue.text for cue in cut_cues([yes, no], 2.0)] == ["Yes. No."]
        assert [cue.text for cue in cut_cues([apart, no], 2.0)] == ["Yes.", "No."]

    def test_what_was_cut_and_put_together_again_is_as_sure_as_its_ends(self) -> None:
        text = "so it was all over now and then, here and there in the town by the quiet river."
        held = ((text.index("now"), text.index(" in the")),)
        whole = stretch(text, 0.0, 2.3)

        (cue,) = cut_cues([TimedLine(text, whole.knots, held)], 9.0)

        assert (cue.text, cue.source) == (text, "piece")


_WORDS = st.one_of(
    st.text(min_size=1, max_size=12),
    st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=60),
    st.sampled_from(
        ["New", "York", "Dr.", "$42.50", "a", "and", "日本語のテキスト。", "-->", "<b>", "&amp;", "1 000"]
    ),
)
#: A line as captions get it: no controls, no line ends, single blanks.
TEXTS = (
    st.lists(_WORDS, min_size=1, max_size=40)
    .map(
        lambda words: " ".join(
            "".join(char for char in word if unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp"))
            for word in words
        )
    )
    .map(lambda text: " ".join(text.split()))
    .filter(bool)
)


@given(
    st.lists(TEXTS, min_size=1, max_size=4),
    st.floats(0.5, 30.0),
    st.floats(0.0, 2.0),
    st.sampled_from([42, 32, 20]),
)
@example(["x" * 500, "Yes."], 0.5, 0.0, 42)
@example(["A B " * 60], 30.0, 0.0, 42)
@example(["．" * 400], 0.5, 0.0, 42)
def test_every_limit_holds_for_any_text(texts: list[str], lasts: float, gap: float, characters: int) -> None:
    stretches, at = [], 0.0
    for text in texts:
        stretches.append(stretch(text, at, at + lasts))
        at += lasts + gap
    audio_s = at + 1.0

    cues = fitted(cut_cues(stretches, audio_s), characters)

    assert cue_trouble(cues, audio_s) is None
    for cue in cues:
        lines = lines_of(cue.text, characters)
        assert len(lines) <= 2
        assert all(width(line) <= characters and line == line.strip() and line for line in lines)
        assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", cue.text)
        assert cue.source in SOURCES
    for cue, following in pairwise(cues):
        assert cue.end <= following.start
    assert re.sub(r"\s", "", "".join(cue.text for cue in cues)) == re.sub(r"\s", "", "".join(texts))


@given(st.lists(TEXTS, min_size=1, max_size=4), st.floats(0.5, 30.0), st.floats(0.0, 2.0))
def test_a_cue_is_as_long_as_it_takes_to_read_or_has_no_silence_behind_it(
    texts: list[str], lasts: float, gap: float
) -> None:
    stretches = [stretch(text, n * (lasts + gap), n * (lasts + gap) + lasts) for n, text in enumerate(texts)]
    audio_s = len(texts) * (lasts + gap) + 1.0

    cues = cut_cues(stretches, audio_s)

    ends = [*(cue.start for cue in cues[1:]), audio_s]
    for cue, limit in zip(cues, ends, strict=True):
        enough = max(READING.shortest_s, len(cue.text) / READING.per_second) - 0.001
        assert cue.end - cue.start >= enough or cue.end == pytest.approx(limit, abs=0.002)
