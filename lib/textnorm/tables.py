"""Tables of words, written as people read them."""

from __future__ import annotations


def word_list(text: str) -> list[str]:
    """The words of `text` in their order."""
    return text.split()


def word_set(text: str) -> frozenset[str]:
    """The words of `text`."""
    return frozenset(text.split())
