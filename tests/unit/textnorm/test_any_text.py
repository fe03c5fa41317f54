"""Any text at all: nothing crashes, nothing is lost whole, every change stands where it says."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.textnorm import Lexicon, normalize, reading
from lib.textnorm.lexicon_use import LexiconUse
from lib.textnorm.tables import word_list
from tests.unit.textnorm.readings import rows

_SIGNS = st.sampled_from("$€£%&@#*_-–−.,:;/\\()[]{}<>|~^'\"“”‘’°′″½²₂№→•\n\r\t 0123456789IVXabAB µπж漢🎉")


@settings(deadline=None, max_examples=300)
@given(st.text() | st.text(_SIGNS, max_size=60))
def test_nothing_crashes_or_comes_out_empty(text: str) -> None:
    read = normalize(text)
    assert read.written == text
    if any(char.isalnum() and char.isprintable() for char in text):
        assert any(char.isalnum() for char in read.spoken)
    for change in read.changes:
        assert text[change.start : change.end] == change.written
    for warning in read.warnings:
        assert text[warning.start : warning.end] == warning.written


@settings(deadline=None, max_examples=100)
@given(st.text(_SIGNS, max_size=60))
def test_no_digit_is_left(text: str) -> None:
    spoken = normalize(text).spoken
    assert not any(char.isdecimal() for char in spoken)


@pytest.mark.parametrize(
    "sign",
    [
        ".",
        '"',
        "5",
        "5 ",
        "5-",
        "[",
        "]",
        "(",
        "{",
        "$",
        "<",
        "*",
        "- ",
        "1,",
        "1.",
        "A",
        "a.",
        "&a",
        "/",
        "a@",
        "\n",
        " ",
        "ab-\n",
    ],
)
def test_time_grows_with_the_length_only(sign: str) -> None:
    """Eight times the text takes about eight times as long, whatever it is made of."""
    short, long = (sign * (length // len(sign)) for length in (2_500, 20_000))
    allowed = 24 * min(_seconds(short) for _ in range(3)) + 0.05
    assert any(_seconds(long) < allowed for _ in range(3))  # a busy computer may disturb one


def _seconds(text: str) -> float:
    started = time.process_time()
    normalize(text)
    return time.process_time() - started


_PIECES = word_list("""
    0 1 7 12 400 555 0199 1999 2024 000 1,000 1.5 1,5 . , .. ; ( ) - / % $ : ' " x × to of am p.m. kg in in.
    ft. mins million bn May st dogs people they years' stars ½ = th k A4""")
_NUMERIC = st.lists(st.sampled_from([*_PIECES, "\n"]), max_size=9)


@settings(deadline=None, max_examples=400)
@given(_NUMERIC, st.sampled_from(["", " "]), st.sampled_from(["", " "]))
def test_a_bare_number_is_read_as_if_every_rule_were_asked(parts: list[str], gap: str, last: str) -> None:
    text = gap.join(parts) + last + " ".join(parts)
    quick = normalize(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "is_bare", lambda text, start: False)
        assert normalize(text) == quick


@pytest.mark.parametrize("name", ["examples.tsv", "fresh.tsv"])
def test_so_are_the_numbers_of_the_tables(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = [normalize(written) for _, written, _ in rows(name)]
    monkeypatch.setattr(reading, "is_bare", lambda text, start: False)
    assert [normalize(written) for _, written, _ in rows(name)] == quick


_WORDS = st.sampled_from(
    ["Ouse", "ouse", "Cam", "cam's", "new york", "York", "A=B", "$5", "é", "ſ", "İ", "5"]
)
_AROUND = st.sampled_from([*" \n.,'’()/*_`|-", "[Cam](/k/)", "<b>", "s", "New ", "OUSE", "\u00ad", "\u200b"])


@settings(deadline=None, max_examples=300)
@given(
    st.lists(_WORDS | _AROUND, max_size=12).map("".join), st.dictionaries(_WORDS, st.just("so"), max_size=8)
)
def test_a_text_is_said_by_the_words_that_it_holds_as_by_the_whole_lexicon(
    text: str, entries: dict[str, str]
) -> None:
    used = LexiconUse(entries).of(text)

    assert used.items() <= entries.items()
    assert normalize(text, lexicon=Lexicon(used)) == normalize(text, lexicon=Lexicon(entries))


def test_of_a_lexicon_only_the_words_that_stand_in_a_text_are_used() -> None:
    lexicon = LexiconUse({"Ouse": "ooz", "cam": "kam", "New York": "noo yawk", "US": "the states"})

    assert lexicon.of("The Ouse\u2019s bus, CAM.") == {"Ouse": "ooz", "cam": "kam"}
    assert lexicon.of("ouse, Camden, New Yorker, us") == {}
