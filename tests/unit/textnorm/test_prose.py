"""Ordinary prose stays as it is: no word of it is changed."""

from __future__ import annotations

import random
from pathlib import Path

from lib.textnorm import normalize
from lib.textnorm.tables import word_list
from tests.unit.textnorm.readings import words

_PROSE = (Path(__file__).parent / "prose.txt").read_text(encoding="utf-8")
_WORDS = 20_000

# What classes are named by, and what looks like one of them but is a word.
_NOUNS = word_list(
    """man mix sun sea sat wed fig art no gen op col rep sen gov pt ch act part book king mark page line
    pound foot inch yard mile second minute hour day month year march may will ill civil lid dim vivid
    mild did can van mass cal ark sec max min pop dot dash slash at in is it us we he she who or am pm
    ad id ok so go do by my me up on an as if be to of stone gram watt volt bar ton mole dear deer
    doctor saint street drive road lane place number figure volume chapter section title type phase
    grade plan class group number half quarter third point minus plus dollar cent penny euro degree
    per cent"""
)
_FRAMES = (
    "The {a} was near the {b}, and the {c} was not.",
    "He said {a}. She said {b}. They said no.",
    "I saw a {a} and I heard the {b} before the {c}",
    "What is {a}? It is {b}; it is {c}!",
    "{A} and {b}, or {c}: that is all.",
    "My {a}'s {b} is in the {c}.",
    "Is the {a} a {b}? No. Is it a {c}? It was I.",
    "When the {a} came, we were at the {b} - by the {c} -- and so on...",
    "Anna gave the {a} to Tom, who had the {b} (and a {c}).",
    "A {a}-like {b} is no {c}.",
)


def prose() -> list[str]:
    """At least 20,000 words: paragraphs written for this, and sentences of what looks like classes."""
    paragraphs = _PROSE.strip().split("\n\n")
    chance = random.Random(11)
    count = len(_PROSE.split())
    while count < _WORDS:
        sentences = []
        for frame in _FRAMES:
            a, b, c = chance.sample(_NOUNS, 3)
            sentences.append(frame.format(a=a, b=b, c=c, A=a.capitalize()))
        paragraphs.append(" ".join(sentences))
        count += len(paragraphs[-1].split())
    return paragraphs


def test_no_word_of_ordinary_prose_is_changed() -> None:
    paragraphs = prose()
    assert sum(len(paragraph.split()) for paragraph in paragraphs) >= _WORDS
    for paragraph in paragraphs:
        read = normalize(paragraph)
        assert [change for change in read.changes] == []
        assert words(read.spoken) == words(paragraph)


def test_only_double_quotes_go() -> None:
    read = normalize(_PROSE)
    assert read.script == _PROSE.strip().replace('"', "")
    assert read.warnings == ()


def test_hard_wrapped_prose_reads_as_on_one_line() -> None:
    wrapped = "\n".join(_PROSE.split(" "))
    assert normalize(wrapped).script == normalize(_PROSE).script
