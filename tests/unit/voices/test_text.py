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


class TestAnEngineWithOtherLettersInSomeLanguages:
    @pytest.mark.parametrize(
        ("text", "language"),
        [
            ("Größe", "German"),
            ("Привет, Anna", "Russian"),
            ("今天天气很好。二〇二四年", "Chinese"),
            ("コーヒーを のみます。", "Japanese"),
            ("오늘은 날씨가 좋습니다.", "korean"),
        ],
    )
    def test_speaks_what_its_language_is_written_in(self, text: str, language: str) -> None:
        check_text(text, "espeak", language=language)
        assert unspoken_characters(text, "espeak", language) == ""

    @pytest.mark.parametrize("language", ["German", "English", "Auto"])
    def test_refuses_those_of_another_and_names_the_language(self, language: str) -> None:
        with pytest.raises(TextRefused, match=f"with language: {language} ") as caught:
            check_text("Привет, мир! ok", "espeak", language=language)
        assert caught.value.reason == "script"
        assert unspoken_characters("мир ok", "espeak", language) == "мир"

    @pytest.mark.parametrize("text", ["これは いい 日です。", "人々", "きょう 〇"])
    def test_refuses_a_text_of_which_a_part_cannot_be_read(self, text: str) -> None:
        """Without that letter it would say another text."""
        with pytest.raises(TextRefused, match=r"cannot read .* with language: Japanese") as caught:
            check_text(text, "espeak", language="Japanese")
        assert caught.value.message.endswith("in Hiragana, Katakana or Latin letters.")
        check_text(text, "qwen3", language="Japanese")


def test_the_long_vowel_and_the_repeated_letter_belong_to_their_scripts() -> None:
    assert unspoken_characters("コーヒー、人々、二〇二四年", "qwen3", "Japanese") == ""
    assert unspoken_characters("ー々〇", "hibari") == "ー々〇"
