"""What hibari's dictionary is given, and what it makes of it."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from lib.textnorm import normalize
from lib.textnorm.tables import word_list
from lib.voices.engines import HIBARI
from synth.engines.hibari.text import readable


@cache
def _reader() -> Any:
    from hibari.g2p import G2P

    return G2P()


def sounds(written: str) -> str:
    """The phonemes of a text as the engine speaks it."""
    phonemes: str = _reader()(readable(normalize(written).script, HIBARI), normalize_text=False)
    return phonemes


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("It is U S A made.", "It is U S [A](/ˈA/) made."),
        ("D N A test", "D N [A](/ˈA/) test"),
        ("an A four page", "an [A](/ˈA/) four page"),
        ("A T and T", "[A](/ˈA/) T and T"),
        ("A man had A Plan.", "A man had A Plan."),
        ("Ms Lee", "[Ms](/mˈɪz/) Lee"),
        ("a" * 30, f"{'a' * 28} aa"),
        ("He’d\nknow", "He'd know"),
    ],
)
def test_what_the_dictionary_takes_for_something_else_is_marked(text: str, given: str) -> None:
    assert readable(text, HIBARI) == given


def test_the_letter_a_is_no_article() -> None:
    assert sounds("DNA").endswith("ˈA")
    assert sounds("A man").startswith("ɐ")


def test_a_king_without_a_numeral_has_none() -> None:
    assert "zˈiɹOθ" not in sounds("King Charles met Pope Leo.")
    assert sounds("King Charles") == _reader()("King", normalize_text=False) + " " + _reader()(
        "Charles", normalize_text=False
    )


_COMMONEST = word_list(
    """the of and to a in is it you that he was for on are with as I his they be at one have this from or
    had by hot but some what there we can out other were all your when up use word how said an each
    she which do their time if will way about many then them would write like so these her long make
    thing see him two has look more day could go come did my sound no most number who over know water
    than call first people may down side been now find any new work part take get place made live
    where after back little only round man year came show every good me give our under name very
    through just form sentence great think say help low line before turn cause same mean differ move
    right boy old too does tell"""
)


@pytest.mark.parametrize("quote", ['"', "“"])
def test_a_word_behind_an_opening_quote_is_read_as_without_it(quote: str) -> None:
    assert len(_COMMONEST) >= 150
    for word in _COMMONEST:
        line = f"{word[0].upper()}{word[1:]} is here"
        assert sounds(f"{quote}{line},{quote if quote == chr(34) else chr(0x201D)} he said.") == sounds(
            f"{line}, he said."
        ), word
