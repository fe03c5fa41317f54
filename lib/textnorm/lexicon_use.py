"""Which words of a lexicon a text holds: what a job has to carry of a large one."""

from __future__ import annotations

from collections.abc import Mapping

from lib.textnorm.edits import apply
from lib.textnorm.markup import entries_standing, prepared
from lib.textnorm.shape import character_edits


class LexiconUse:
    """A lexicon that many texts are held against. Safe to share between threads."""

    def __init__(self, entries: Mapping[str, str]) -> None:
        self._entries = entries
        self._by_word = prepared(dict(entries))

    def of(self, text: str) -> dict[str, str]:
        """The entries that stand in the text, in the order of the words.

        With them alone the text is said as with all: the others match nowhere. An entry that markup or a
        longer one covers may be among them.
        """
        seen, _ = apply(text, character_edits(text))
        return {word: self._entries[word] for word in sorted(entries_standing(seen, self._by_word))}
