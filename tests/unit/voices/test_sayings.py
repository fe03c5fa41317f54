"""Whether an engine can say it as a job asks, told before anything is loaded (V16)."""

from __future__ import annotations

import pytest

from lib.voices import (
    EngineFacts,
    SayingRefused,
    SpeedRefused,
    check_sayings,
    check_speed,
    check_text,
    engines,
    estimated_audio_s,
    unread_phonemes,
    unspoken_characters,
    without_markup,
)
from lib.voices.errors import TextRefused


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an engine that says nothing of phonemes and speeds."""
    facts = EngineFacts("plain", "an engine", frozenset({"English"}), {"one": "one"}, {})
    monkeypatch.setitem(engines._BUILT_IN, "plain", facts)
    return "plain"


@pytest.mark.parametrize(
    "phonemes",
    ["ˈuz", "nˈu jˈɔɹk", "ʃəˈvɔːn", "ˈdʒɔɪ.fəl", "t͡ʃeɪndʒ", "'a,b", "ɡəʊ", "ˈbɝd ænd ˈlɛtɚ"],
)
def test_the_engines_own_signs_and_the_usual_ones_pass(phonemes: str) -> None:
    check_sayings("", {"word": f"/{phonemes}/"}, "hibari")
    check_sayings(f"Say [word](/{phonemes}/).", {}, "hibari")


def test_a_sign_the_engine_cannot_say_is_named_with_the_word_and_the_page() -> None:
    with pytest.raises(SayingRefused) as caught:
        check_sayings("", {"Rue": "/ʁyː/"}, "hibari")

    assert caught.value.field == "pronounce"
    assert caught.value.message == (
        "The engine hibari cannot say 'ʁ', 'y', which stands in /ʁyː/ for 'Rue'; "
        "the signs it can say: docs/reference/pronunciation.md."
    )


def test_a_link_in_the_text_is_checked_too() -> None:
    with pytest.raises(SayingRefused, match="'ʁ'") as caught:
        check_sayings("The [Rue](/ʁu/).", {}, "hibari")

    assert caught.value.field == "text"


def test_spellings_become_the_engines_signs_the_longest_first() -> None:
    facts = engines.HIBARI

    assert facts.phonemes_of("tʃeɪndʒ ˈoʊld ɡoː") == "ʧAnʤ ˈOld ɡO"
    assert facts.phonemes_of("bˈɛɹ") == "bˈɛɹ"
    assert facts.unknown_phonemes("xˈɛɹx ʁ") == "xʁ"


def test_respellings_are_nobodys_business_here() -> None:
    check_sayings("", {"Ouse": "ooz"}, "hibari")


def test_an_engine_without_phonemes_says_the_words(plain: str) -> None:
    text, pronounce = "The [Rue](/ʁu/) and the Ouse.", {"Ouse": "/ˈuz/", "Cam": "kam"}

    check_sayings(text, pronounce, plain)

    assert unread_phonemes(text, pronounce, plain) == ("Ouse", "Rue")
    assert unread_phonemes(text, pronounce, "hibari") == ()


class TestSpeed:
    @pytest.mark.parametrize("speed", [0.5, 1.0, 1.7, 2.0])
    def test_within_what_the_engine_can_passes(self, speed: float) -> None:
        check_speed(speed, "hibari")

    @pytest.mark.parametrize("speed", [0.4, 2.1])
    def test_beyond_it_is_refused_with_its_range(self, speed: float) -> None:
        with pytest.raises(SpeedRefused, match=r"from 0.5 to 2, not"):
            check_speed(speed, "hibari")

    def test_other_than_its_own_is_refused_where_an_engine_has_only_that(self, plain: str) -> None:
        check_speed(1.0, plain)
        with pytest.raises(SpeedRefused, match=r"own pace only; leave out the speed 1.1"):
            check_speed(1.1, plain)


class TestMarkup:
    def test_counts_in_estimates_as_it_is_heard(self) -> None:
        """A break as long as it says, at any speed; phonemes as their word."""
        plain = estimated_audio_s("a" * 280, 14.0, speed=2.0)
        with_breaks = estimated_audio_s("a" * 280 + " [pause 1.5s] [pause 90s]", 14.0, speed=2.0)
        assert with_breaks == pytest.approx(plain + 31.5)
        linked = estimated_audio_s("[aaaaaaa](/ænθ/) [aaaaaaa](/ænθ/)", 14.0)
        assert linked == estimated_audio_s("aaaaaaa aaaaaaa", 14.0)

    def test_is_no_letter_that_is_left_out(self) -> None:
        """The documented form draws no false warning; a word in another script does only where it is bare."""
        assert unspoken_characters("The [Ouse](/ˈθuːzβ/) [pause 0.8s] froze.", "hibari") == ""
        assert unspoken_characters("The [Уз](/ˈuz/) froze.", "hibari") == ""
        assert unspoken_characters("The Уз froze.", "hibari") == "Уз"

    def test_is_nothing_to_speak(self) -> None:
        with pytest.raises(TextRefused, match="no letter or digit"):
            check_text("[pause 0.8s]", "hibari")

    def test_is_taken_out_to_leave_the_words(self) -> None:
        assert without_markup("The [Ouse](/ˈuz/),[pause 0.8s]then [a](b).") == "The Ouse, then [a](b)."
