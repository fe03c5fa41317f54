"""Any text at all: nothing crashes, nothing is lost whole, every change stands where it says."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.textnorm import normalize

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
    short, long = (_seconds(sign * (length // len(sign))) for length in (2_500, 20_000))
    assert long < 24 * short + 0.05


def _seconds(text: str) -> float:
    times = []
    for _ in range(3):
        started = time.process_time()
        normalize(text)
        times.append(time.process_time() - started)
    return min(times)
