"""What is written is found again for what is spoken, whatever the front-end and the splitter made of it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.textnorm import Lexicon, Normalized, normalize
from lib.voices import without_markup
from synth.speech.shown_text import ShownText, shown_text
from synth.text.pieces import split_text
from synth.text.wording import aligned, letters_of, wording_of

MIXED = (
    "# The tides\r\n\r\nDr. Smith of New York paid $42.50 for 5 kg\nof ap-\nples on May 20, 2024 [3]. "
    "“It was — almost — too much,” he said; 1,234,567 people saw the [Ouse](/ˈuz/).\n\n"
    "[pause 0.8s] Yes. <b>No</b> &amp; never. A self-\nmade man*s* &lt;café&gt; ﬁne ½ ②."
)


def shown(text: str, longest: int = 300, **lexicon: str) -> tuple[Normalized, list[str], ShownText]:
    normalized = normalize(text, lexicon=Lexicon(lexicon))
    pieces = [piece.text for piece in split_text(normalized.script, longest)]
    return normalized, pieces, shown_text(normalized, pieces, [True] * len(pieces))


def parts(text: str, longest: int = 300, **lexicon: str) -> list[str]:
    """What is shown of each piece."""
    found = shown(text, longest, **lexicon)[2]
    return [found.wording.shown[piece.start : piece.end].strip() for piece in found.pieces]


class TestWhatIsShown:
    def test_is_what_is_written_and_not_what_is_said(self) -> None:
        assert parts("Dr. Smith paid $42.50. He had 3.5 kg, i.e. 7 lb.") == [
            "Dr. Smith paid $42.50.",
            "He had 3.5 kg, i.e. 7 lb.",
        ]

    def test_has_no_markup_and_of_a_link_its_word(self) -> None:
        assert parts("The [Ouse](/ˈuz/) is **wide** [pause 0.8s] and <b>deep</b>[2].") == [
            "The Ouse is wide",
            "and deep.",
        ]

    def test_has_entities_as_the_signs_that_they_stand_for(self) -> None:
        assert parts("Tom &amp; Ann paid **$42**.50.") == ["Tom & Ann paid $42.50."]

    def test_has_words_whole_that_were_broken_at_a_line_end(self) -> None:
        assert parts("We saw the ap-\nples and a self-\nmade man.") == [
            "We saw the apples and a self-made man."
        ]

    def test_has_neither_controls_nor_what_is_not_seen(self) -> None:
        (found,) = parts("A\x07 b\u00adroken\u200b word\x1b[2J\ufeff here.")

        assert found.isprintable()
        assert found.startswith("A broken word")

    def test_has_quotes_and_marks_with_the_sentence_that_they_are_of(self) -> None:
        assert parts("He said: “Come.” “Why?” she asked. (Nobody came.) Then — at last — it rained.") == [
            "He said: “Come.”",
            "“Why?” she asked.",
            "(Nobody came.)",
            "Then — at last — it rained.",
        ]

    def test_of_words_of_a_lexicon_is_what_is_written(self) -> None:
        assert parts("The SQL of Nguyen.", SQL="sequel", Nguyen="/wɪn/") == ["The SQL of Nguyen."]

    def test_of_a_text_of_nothing_but_markup_is_the_text(self) -> None:
        assert parts("<hello>") == ["<hello>"]

    def test_is_parted_where_the_pieces_are(self) -> None:
        text = (
            "We went over the hill, and then over the next one, and then there were no more hills to go over."
        )

        found = parts(text, longest=60)

        assert " ".join(found) == text
        assert len(found) > 1

    def test_leaves_out_what_is_not_spoken(self) -> None:
        normalized = normalize("One. Two. Three.")

        found = shown_text(normalized, ["One.", "Two.", "Three."], [True, False, True])

        assert [found.wording.shown[p.start : p.end].strip() for p in found.pieces] == ["One.", "Three."]

    def test_ends_a_paragraph_where_one_ends(self) -> None:
        found = shown("# One\n\nTwo. Three.\n\nFour.")[2]

        assert [piece.ends for piece in found.pieces] == [True, False, True, True]

    @pytest.mark.parametrize(
        "text", ["天気がいい。散歩に行こう。", "Привет, мир. Как дела?", "مرحبا بالعالم. كيف حالك؟"]
    )
    def test_of_another_language_is_the_text(self, text: str) -> None:
        pieces = [piece.text for piece in split_text(text, 300)]

        found = shown_text(Normalized(text, text, text), pieces, [True] * len(pieces))

        assert "".join(found.wording.shown[p.start : p.end] for p in found.pieces) == text


def every_letter_is_shown(text: str, longest: int, **lexicon: str) -> None:
    _, pieces, found = shown(text, longest, **lexicon)
    wording = found.wording

    whole = "".join(wording.shown[piece.start : piece.end] for piece in found.pieces)
    assert whole == (wording.shown if pieces else "")
    spoken = letters_of("".join(map(without_markup, pieces)))
    told = "".join(wording.letters[piece.first : piece.last] for piece in found.pieces)
    assert told == wording.letters[len(wording.letters) - len(told) :] or told in wording.letters
    assert bool(spoken) <= bool(letters_of(whole) or wording.shown)
    assert [piece.start for piece in found.pieces] == sorted(piece.start for piece in found.pieces)


_PARTS = st.sampled_from(
    [
        *(
            "Dr. Smith",
            "$42.50",
            "1,234",
            "May 20, 2024",
            "New York",
            "3 p.m.",
            "[Ouse](/ˈuz/)",
            "[pause 1s]",
        ),
        *("**bold**", "<b>x</b>", "<br>", "&amp;", "[1]", "\n", "\n\n", "ap-\nples", "# Head\n", "- item\n"),
        *(
            "“quoted”",
            "it's",
            "'tis",
            "— so",
            "日本語。",
            "é",
            "e\u0301",
            "ﬁ",
            "½",
            "https://x.org/a",
            "a@b.org",
        ),
        *(".", "!", "?", ",", ";", "A", "the", "sea", "SQL", "5 kg", "10:30", "IV", "50%", "#1", "☂", "\x07"),
    ]
)
WRITTEN = st.lists(_PARTS | st.text(max_size=8), max_size=25).map(" ".join)


@given(WRITTEN, st.sampled_from([20, 60, 300]))
@example(MIXED, 300)
@example(MIXED, 40)
def test_no_letter_of_any_text_is_lost(text: str, longest: int) -> None:
    every_letter_is_shown(text, longest, SQL="sequel")


@given(WRITTEN)
@example(MIXED)
@example("Dr. Smith " * 12 + "$42.50 $42.50")
def test_each_piece_shows_the_letters_that_it_says(text: str) -> None:
    """Where the front-end told all that it changed, its letters are those of its part."""
    _, pieces, found = shown(text)
    letters = found.wording.letters
    if letters != letters_of("".join(map(without_markup, pieces))):
        return

    for piece, part in zip(pieces, found.pieces, strict=True):
        assert letters[part.first : part.last] == letters_of(without_markup(piece))
        if part.last > part.first:
            begins, ends = found.wording.starts[part.first], found.wording.ends[part.first]
            assert part.start <= begins or ends <= part.start  # what two pieces say as one is of the first
            assert found.wording.ends[part.last - 1] <= part.end


def test_all_letters_of_a_text_of_all_kinds_are_told() -> None:
    """So that the test above has something to hold."""
    normalized, pieces, found = shown(MIXED)

    assert found.wording.letters == letters_of("".join(map(without_markup, pieces)))
    assert wording_of(normalized).shown == found.wording.shown


class TestLikeness:
    def test_of_equal_letters_is_all(self) -> None:
        assert aligned("abcdef", ["abc", "def"]) == [(0, 3), (3, 6)]

    def test_goes_on_behind_what_was_left_out(self) -> None:
        letters = letters_of("The first sentence. The second one was left out. And here is the third.")
        first, third = map(letters_of, ("The first sentence.", "And here is the third."))

        assert [letters[start:end] for start, end in aligned(letters, [first, third])] == [first, third]

    def test_goes_on_behind_other_letters(self) -> None:
        letters = letters_of("We paid nine euros for it and went home.")
        said = ["wepaidninedollars", "foritandwenthome"]

        (_, end), (start, last) = aligned(letters, said)

        assert (letters[start:], last) == ("foritandwenthome", len(letters))
        assert end <= start

    @given(st.text("ab", max_size=40), st.lists(st.text("ab", max_size=12), max_size=6))
    def test_is_in_order_whatever_the_letters_are(self, letters: str, said: list[str]) -> None:
        found = aligned(letters, said)

        assert len(found) == len(said)
        flat = [at for pair in found for at in pair]
        assert flat == sorted(flat)
        assert all(0 <= at <= len(letters) for at in flat)
