"""Nothing that somebody writes into a prompt becomes a path."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.storage.bucket import checked_key
from synth.imagen.object_names import mark_of, object_name, slug_of

_NAME = re.compile(r"2026-11-30/[a-z0-9]+(?:-[a-z0-9]+)*-[0-9]+(?:-[0-9a-f]{8})?\.png")


@pytest.mark.parametrize(
    ("prompt", "slug"),
    [
        ("A lighthouse in the fog.", "a-lighthouse-in-the-fog"),
        ("../../etc/passwd", "etc-passwd"),
        ("/dev/null", "dev-null"),
        ("Café crème", "cafe-creme"),
        ("灯台", "picture"),
        ("..", "picture"),
        ("-" * 500 + "x", "picture"),
        ("con\r\nSet-Cookie: a=b", "con-set-cookie-a-b"),
        ("%2e%2e%2fpasswd", "2e-2e-2fpasswd"),
        ("x" * 100, "x" * 48),
        ("a" * 47 + " b", "a" * 47),
    ],
)
def test_a_slug_is_letters_digits_and_hyphens(prompt: str, slug: str) -> None:
    assert slug_of(prompt) == slug


@given(st.text(max_size=500), st.integers(0, 2**63 - 1), st.sampled_from(["", "0badcafe"]))
def test_every_prompt_has_a_name_that_every_bucket_takes(prompt: str, seed: int, mark: str) -> None:
    name = object_name("2026-11-30", prompt, seed, mark)

    assert _NAME.fullmatch(name)
    assert checked_key(name) == name


@pytest.mark.parametrize("day", ["infinity", "10000-01-01", "0044-03-15 BC", "../..", ""])
def test_a_day_is_one(day: str) -> None:
    with pytest.raises(ValueError, match="is no day"):
        object_name(day, "x", 1)


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", "../a", "a/..", "a/.hidden", "a b", "a\\b", "a\n", "x" * 201]
)
def test_other_keys_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match="is no key of a bucket"):
        checked_key(key)


def test_a_mark_is_eight_characters_of_the_id() -> None:
    assert mark_of("0BADCAFE-1234-4000-8000-000000000000") == "0badcafe"
