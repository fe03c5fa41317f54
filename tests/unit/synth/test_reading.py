"""What a reader sees and does not say, breaths in long texts, and markup (V16, V17)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.voices import LINK
from lib.voices.usual_silences import Pauses
from synth.text.pauses import Pause, marks_in
from synth.text.pieces import Piece, split_text
from synth.text.unsaid import tidy

LONG = (
    "the old lamp was lit again and nobody who walked along the pier that night could say why it had been "
    "left burning so long after the boats came home from the far side of the bay where the fish were said to "
    "be larger than anywhere else on the whole of that long grey coast which he had loved since he was a boy"
)


def texts(text: str, longest: int = 300) -> list[str]:
    return [piece.text for piece in split_text(text, longest)]


class TestLines:
    @pytest.mark.parametrize(
        ("written", "read"),
        [
            (
                "Nobody\nis about, on the wall of the\nold pier.",
                "Nobody is about, on the wall of the old pier.",
            ),
            ("The lan-\ntern was lit.", "The lantern was lit."),
            ("A mother-in-\nlaw came.", "A mother-in-law came."),
            ("A well-\nknown twenty-\none.", "A well-known twenty-one."),
            ("The Anglo-\nSaxon king.", "The Anglo-Saxon king."),
            ("One\r\ntwo\u2028three.", "One two three."),
        ],
    )
    def test_end_inside_a_paragraph_without_being_heard(self, written: str, read: str) -> None:
        """V17."""
        assert texts(written) == [read]

    def test_with_a_blank_one_between_end_a_paragraph(self) -> None:
        pieces = split_text("One\ntwo\n \nthree", 300)

        assert pieces == [Piece("One two", Pause.PARAGRAPH), Piece("three", Pause.NONE)]


class TestQuotes:
    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ('"The door is open," he said.', "The door is open, he said."),
            ("“He'd know,” she said.", "He'd know, she said."),
            ("„Komm,“ »he« said.", "Komm, he said."),
            ("‘Come in,’ he said.", "Come in, he said."),
            ("'Don't go,' they said.", "Don't go, they said."),
            ("'Twas the boys' books.", "'Twas the boys' books."),
            ("‘He came on.", "He came on."),
            ("He came on.’", "He came on."),
            ("Give ‘em this.", "Give ‘em this."),
            ("Give 'em the 'old' lamps.", "Give 'em the old lamps."),
            ('He said,"Wait."', "He said, Wait."),
        ],
    )
    def test_are_not_read(self, written: str, read: str) -> None:
        """V17: dialogue is read as without them."""
        assert texts(written) == [read]

    @given(st.text(alphabet=st.sampled_from("ab.,!? "), max_size=60))
    def test_around_a_text_change_nothing_in_it(self, text: str) -> None:
        assert texts(f'"{text}"') == texts(f"“{text}”") == texts(text)


class TestDashes:
    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ("He came -- at last -- home.", "He came, at last, home."),
            ("It rained - hard - all day.", "It rained, hard, all day."),
            ("The pier — what was left — shook.", "The pier, what was left, shook."),
            ("The pier – what was left – shook.", "The pier, what was left, shook."),
            ("It was late—too late.", "It was late, too late."),
            ("No, -- he said.", "No, he said."),
            ("But I—", "But I,"),
            ("— Come in.", "Come in."),
            ("A well-known twenty-one.", "A well-known twenty-one."),
            ("5 - 3 is 2.", "5 - 3 is 2."),
        ],
    )
    def test_that_part_a_sentence_become_commas(self, written: str, read: str) -> None:
        """V17: engines pause there; over dashes most read on."""
        assert texts(written) == [read]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("The lamp[12] was lit.", "The lamp was lit."),
        ("The lamp [3, 4] was lit [7].", "The lamp was lit."),
        ("The lamp[1–3] was lit.[a]", "The lamp was lit."),
        ("It was lit [citation needed] in May.", "It was lit in May."),
        ("It was lit[note 3] by some[who?] men.", "It was lit by some men."),
        ("He saw [a] ghost [sic].", "He saw [a] ghost [sic]."),
    ],
)
def test_reference_marks_are_not_read(written: str, read: str) -> None:
    """V17: words that an editor put in are."""
    assert texts(written) == [read]


class TestLongTexts:
    def test_without_a_mark_are_cut_where_clauses_begin(self) -> None:
        """V17."""
        pieces = split_text(LONG, 300)

        assert [piece.text.split()[0] for piece in pieces[1:]] == ["where"]
        assert " ".join(piece.text for piece in pieces) == LONG
        assert [piece.pause for piece in pieces] == [Pause.CLAUSE, Pause.NONE]

    def test_are_cut_at_their_marks_first_and_into_like_parts(self) -> None:
        text = f"{'word ' * 20}to, {'word ' * 20}and, {'word ' * 20}or {'word ' * 20}end"

        assert [len(part) for part in texts(text)] == pytest.approx([208, 206], abs=2)

    def test_of_a_breath_are_not_cut(self) -> None:
        assert texts(LONG[:219]) == [LONG[:219]]
        assert len(texts("Yes, " * 59)) == 1

    def test_without_conjunctions_are_cut_before_prepositions_and_then_anywhere(self) -> None:
        assert texts("aaaa bbbb cccc in dddd eeee", 20) == ["aaaa bbbb cccc", "in dddd eeee"]
        assert texts("aaaa bbbb cccc dddd eeee ffff", 20) == ["aaaa bbbb cccc", "dddd eeee ffff"]


class TestPauseMarks:
    """V16: `[pause 0.8s]` is exactly that silence."""

    def test_stand_in_place_of_the_usual_silence(self) -> None:
        pieces = split_text("One. [pause 2s] Two, [pause 0.125s] three.", 300)

        assert [(piece.text, piece.silence_s(Pauses())) for piece in pieces] == [
            ("One.", 2.0),
            ("Two,", 0.125),
            ("three.", 0.0),
        ]

    @pytest.mark.parametrize("text", ["A. [pause 3s]\n\nB.", "A.\n\n[pause 3s] B.", "A.\n\n[pause 3s]\n\nB."])
    def test_win_at_the_end_of_a_paragraph(self, text: str) -> None:
        assert [piece.silence_s(Pauses()) for piece in split_text(text, 300)] == [3.0, 0.0]

    def test_before_all_and_after_all_are_heard_too(self) -> None:
        [piece] = split_text("[pause 1.5s] One. [pause 2s]", 300)

        assert (piece.text, piece.lead_s, piece.exact_s) == ("One.", 1.5, 2.0)

    def test_add_up(self) -> None:
        assert split_text("One. [pause 1s][pause 0.5s] Two.", 300)[0].exact_s == 1.5

    def test_are_held_in_their_bounds(self) -> None:
        assert split_text("One. [pause 99s] Two.", 300)[0].exact_s == 30.0
        assert split_text("One. [pause 0s] Two.", 300)[0].exact_s == 0.05

    def test_do_not_change_with_the_speed(self) -> None:
        [first, second, _] = split_text("One. [pause 2s] Two. Three.", 300)

        assert first.silence_s(Pauses().at_speed(2.0)) == 2.0
        assert second.silence_s(Pauses().at_speed(2.0)) == 0.225


class TestLinks:
    """V16: `[word](/phonemes/)` is one word."""

    def test_hold_no_end_of_a_sentence_and_no_place_to_cut(self) -> None:
        link = "[St. Ives and York](/sˌAnt ˈIvz. ænd jˈɔɹk/)"

        assert texts(f"Go to {link}. Then stop.") == [f"Go to {link}.", "Then stop."]
        assert texts(f"aaaa bbbb {link} cccc", 12) == ["aaaa bbbb", link, "cccc"]
        assert texts(f"{link}{link}", 5) == [link, link]

    def test_count_by_their_word(self) -> None:
        text = "[a](/ə/) " * 100

        assert texts(text.strip(), 250) == [text.strip()]

    def test_keep_what_looks_like_quotes_and_dashes(self) -> None:
        assert texts("Say [“no” — yes](/nˈO/) now.") == ["Say [“no” — yes](/nˈO/) now."]

    @given(st.lists(st.sampled_from(["word", "[Ouse](/ˈuz/)", "and", "end.", "[pause 1s]", "long-word"])))
    def test_come_out_whole_and_in_order(self, words: list[str]) -> None:
        found = [link for text in texts(" ".join(words), 20) for link in LINK.findall(text)]

        assert found == [("Ouse", "ˈuz")] * words.count("[Ouse](/ˈuz/)")


def test_marks_inside_a_piece_have_their_place_by_letters() -> None:
    assert marks_in("aa, bb; cccc... dd.") == [
        (0.2, Pause.CLAUSE),
        (0.4, Pause.CLAUSE),
        (0.8, Pause.SENTENCE),
    ]
    assert marks_in("3,500 at 10:30.") == []
    assert marks_in("[Ouse](/ˈuz, ə/), then") == [(0.5, Pause.CLAUSE)]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("pre-\nand post-war", "pre- and post-war"),
        ("Nord-\nund Südsee", "Nord- und Südsee"),
        ("mother-\nin-law", "mother-in-law"),
        ("lan-\ntern", "lantern"),
    ],
)
def test_a_hyphen_that_something_hangs_on_stays_at_a_line_end(written: str, read: str) -> None:
    assert tidy(written) == read
