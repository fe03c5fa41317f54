"""Text as hibari's dictionary can read it, and phonemes in runs that its model can hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from lib.voices import LINK, EngineFacts

MOST_PHONEMES: Final = 380  # in one call; the package splits at 400, where it finds a comma
_LONGEST_WORD: Final = 28  # letters; the reader of unknown words drops the rest
_LONG_WORD: Final = re.compile(rf"[^\W\d_]{{{_LONGEST_WORD + 1},}}")
_LONGEST_NUMBER: Final = 15  # digits; beyond, it has no names for the scales
_LONG_NUMBER: Final = re.compile(rf"\d{{{_LONGEST_NUMBER + 1},}}")
_ONE_LETTER: Final = re.compile(r"\s*[A-Za-z]\s*")
_COMMA: Final = re.compile(r"([,;:])(?= )")
#: The letter, which its dictionary takes for the article: among other letters, and behind a word.
_LETTER_A: Final = re.compile(
    r"(?<![^\s(])A(?= [A-Z](?![\w'’.]))|(?<=(?<!\w)[B-Z] )A(?![\w'’])"
    r"|(?<=[a-z] )A(?! [A-Z][a-z])(?![\w'’\]])"
)
_MS: Final = re.compile(r"(?<!\w)Ms(?!\w)")
_BLANKS: Final = re.compile(r"\s+")
_LAST_PLAIN_LATIN: Final = "\u024f"
_MARKS: Final = frozenset("ˈˌː")  # stress and length: no sounds of their own


def readable(text: str, facts: EngineFacts) -> str:
    """The text as the model's dictionary can read all of it; links keep their phonemes, in its own signs.

    A text of one letter is that letter's name, which the dictionary knows by the full stop behind it: "A"
    would be the word.
    """
    if _ONE_LETTER.fullmatch(text):
        return f"{text.strip().upper()}."
    text = _BLANKS.sub(" ", text).strip()
    if "](/" not in text:
        return _plain(text)
    parts, at = [], 0
    for link in LINK.finditer(text):
        parts += [_plain(text[at : link.start()]), f"[{link[1]}](/{facts.phonemes_of(link[2])}/)"]
        at = link.end()
    return "".join([*parts, _plain(text[at:])])


def _plain(text: str) -> str:
    """The words of a script without links.

    Over-long words and numbers, of which it would drop the end, get blanks; letters with marks it does not
    know lose the marks; the letter A and the title Ms, which it takes for other words, bring their sounds.
    Numbers, signs and abbreviations are words already (lib.textnorm): the package's own normaliser, which
    takes "King Charles" for a King with a Roman numeral, is not asked.
    """
    if not text.isascii():
        text = text.replace("’", "'").replace("¹", " 1 ")  # a raised 1 it fails at
        text = "".join(_plain_letter(char) for char in unicodedata.normalize("NFC", text))
    text = _LETTER_A.sub("[A](/ˈA/)", _MS.sub("[Ms](/mˈɪz/)", text))
    text = _LONG_WORD.sub(lambda match: " ".join(_cut(match.group(), _LONGEST_WORD)), text)
    return _LONG_NUMBER.sub(lambda match: " ".join(match.group()), text)


def _plain_letter(char: str) -> str:
    if char <= _LAST_PLAIN_LATIN or not char.isalnum():
        return char
    return "".join(part for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part))


def _cut(text: str, length: int) -> Iterator[str]:
    for first in range(0, len(text), length):
        yield text[first : first + length]


def with_breaks(phonemes: str) -> str:
    """The phonemes with a mark behind each comma that makes the model pause there: it reads over every third.

    How long it pauses does not matter here; the take is made even afterwards.
    """
    return _COMMA.sub(r"\1…", phonemes)


def fit(phonemes: str) -> Iterator[str]:
    """The phonemes in runs the model can hold, broken between words."""
    if len(phonemes) <= MOST_PHONEMES:
        if phonemes:
            yield phonemes
        return
    held = ""
    for word in phonemes.split(" "):
        for part in _cut(word, MOST_PHONEMES):
            if held and len(held) + 1 + len(part) > MOST_PHONEMES:
                yield held
                held = part
            else:
                held = f"{held} {part}" if held else part
    if held:
        yield held


def sounds(phonemes: str) -> int:
    """How many sounds the phonemes stand for."""
    return sum(1 for char in phonemes if char.isalpha() and char not in _MARKS)
