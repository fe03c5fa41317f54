"""Prose that nobody wrote for this test keeps every word (V14): 100,000 words of Debian's fortunes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final

import pytest

from lib.textnorm import normalize

FOLDER: Final = Path("/usr/share/games/fortunes")
#: More than the test needs to be worth its name, fewer than any version of the package has.
LEAST_WORDS: Final = 50_000
_WORD: Final = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*")
_ORDINARY: Final = re.compile(r"[A-Za-z ,.;:!?'\"()-]+")
#: Capitals, initials, single letters, file names and kings: paragraphs with one are other tests' business.
_OTHER: Final = re.compile(r"[A-Z]{2}|\b[B-HJ-NP-Zb-z]\b|\b[a-z]\.|\w\.\w|(?<!\w)\.\w|[a-z] I\b(?! [a-z])")
#: Abbreviations, each with its full stop, are the only words that are said as others.
_ABBREVIATIONS: Final = frozenset(
    _WORD.findall(
        "adj admin assoc bros capt cmdr co col dr etc gen gov hon jr lt ltd maj mr mrs ms mt prof rep rev sen"
        " sr st vs wm"
    )
)


def paragraphs() -> Iterator[str]:
    """Ordinary prose, each paragraph on one line as it would stand in a job."""
    for path in sorted(FOLDER.iterdir()):
        if path.suffix or path.is_symlink() or not path.is_file():
            continue  # indexes, and the same texts under other names
        for fortune in path.read_text("utf-8", errors="replace").split("\n%\n"):
            for paragraph in re.split(r"\n\s*\n", fortune):
                line = " ".join(paragraph.split())
                if _ORDINARY.fullmatch(line) and not _OTHER.search(line):
                    yield line


def changed(before: list[str], after: list[str]) -> Iterator[tuple[str, str]]:
    """The runs of words that differ, but for abbreviations that were written out."""
    for kind, a, b, x, y in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal" and not (a < b and {word.lower() for word in before[a:b]} <= _ABBREVIATIONS):
            yield " ".join(before[a:b]), " ".join(after[x:y])


@pytest.mark.soak
@pytest.mark.skipif(not FOLDER.is_dir(), reason="no prose of others: apt-get install fortunes")
def test_every_word_of_a_hundred_thousand_is_kept() -> None:
    words, found = 0, Counter[tuple[str, str]]()
    for paragraph in paragraphs():
        before, after = _WORD.findall(paragraph), _WORD.findall(normalize(paragraph).spoken)
        words += len(before)
        if before != after:
            found.update(changed(before, after))

    assert words > LEAST_WORDS
    assert found == Counter()
