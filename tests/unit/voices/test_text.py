"""Which texts are refused before anything is loaded (V13)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import ExitStatus
from lib.textnorm import normalize
from lib.voices import TextRefused, check_text, engine_facts, unspoken_characters

LIMIT = engine_facts("hibari").max_characters


@pytest.mark.parametrize(
    "text", ["Hello.", "5", "café", "x", "ﬁne", "½", "１２", "OK 你好", "Łódź", "𝐛old", "x" * LIMIT]
)
def test_what_holds_something_to_speak_passes(text: str) -> None:
    check_text(text, "hibari")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("...", "no_speech"),
        ("🎉🎉", "no_speech"),
        ("你好", "no_speech"),
        ("مرحبا بالعالم", "no_speech"),
        ("\u200b\u0000", "no_speech"),
        ("Привет, мир! ok", "script"),
        ("x" * (LIMIT + 1), "too_long"),
        ("x" * 200_000, "too_long"),
    ],
)
def test_what_cannot_be_spoken_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(TextRefused) as caught:
        check_text(text, "hibari")

    assert caught.value.reason == reason
    assert caught.value.exit_status is ExitStatus.BAD_INPUT
    assert len(caught.value.message) < 300


def test_a_long_text_passes_with_chunk() -> None:
    check_text("A word. " * 25_000, "hibari", chunk=True)


def test_a_text_over_all_limits_is_refused_with_chunk_too() -> None:
    with pytest.raises(TextRefused, match="at most 1,000,000 in one job"):
        check_text("x" * 1_000_001, "hibari", chunk=True)


def test_letters_of_other_scripts_are_named_once_each() -> None:
    assert unspoken_characters("Hello 你好你, мир!", "hibari") == "你好мир"
    assert unspoken_characters("Hello café!", "hibari") == ""


@given(st.text(max_size=300))
def test_any_text_passes_or_is_refused(text: str) -> None:
    try:
        check_text(text, "hibari")
    except TextRefused:
        return
    assert any(char.isalnum() for char in normalize(text).spoken)  # the names of signs count
