"""Texts in any script: their sentences, how many words they have and how long they take to say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from lib.textnorm.tables import word_set
from lib.voices import estimated_audio_s

_CLOSING: Final = "\"'”’»)\\]」』）】》"
#: Behind a mark of these, and what closes behind it, a sentence ends; the first ones need a blank there.
_END: Final = re.compile(
    rf"(?<![.!?…])[.!?…]++[{_CLOSING}]*+(?=\s)|[。！？｡؟۔।॥։።]++[{_CLOSING}]*+", re.UNICODE
)
_SHORTENED: Final = word_set("""
    dr mr mrs ms st vs prof gen col capt rev sr jr no vol fig cf e.g i.e approx bzw ca nr z.b u.a""")
# Without blanks between words: Han, kana, Thai, Lao, Burmese, Khmer.
_DENSE: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
_WORD: Final = re.compile(r"[^\W_]+(?:[-'’.,][^\W_]+)*")
_DENSE_A_WORD: Final = 2.0  # characters of such a script
_DENSE_A_SECOND: Final = 4.5
#: Any language that the front-end does not read: its words are counted as they are written.
_UNREAD: Final = "Russian"
_LETTER: Final = re.compile(r"[^\W\d_]")
_LATIN: Final = re.compile(r"[A-Za-z\u00c0-\u024f]")


def sentences(text: str) -> list[str]:
    """The sentences of a text on one line, each stripped, in order; nothing of it is lost but blanks."""
    found, start = list[str](), 0
    for match in _END.finditer(text):
        if _ends(text, match):
            found.append(text[start : match.end()].strip())
            start = match.end()
    found.append(text[start:].strip())
    return [sentence for sentence in found if sentence]


def _ends(text: str, match: re.Match[str]) -> bool:
    mark = match.group()[0]
    if mark not in ".!?…":
        return True
    if text[match.end() : match.end() + 40].lstrip()[:1].islower():  # "Really?" he said.
        return False
    if mark != ".":
        return True
    word = text[max(0, match.start() - 12) : match.start()].rpartition(" ")[2].lstrip("\"'“‘«([").lower()
    return word not in _SHORTENED and not (len(word) == 1 and word.isalpha())


def count_words(text: str) -> int:
    """How many words a text has; of scripts without blanks two characters count as one."""
    dense = len(_DENSE.findall(text))
    return len(_WORD.findall(_DENSE.sub(" ", text))) + round(dense / _DENSE_A_WORD + 0.01)


def seconds_of(text: str) -> float:
    """About how long a text takes to say, to a tenth of a second: the estimate of all plans where it fits."""
    dense = len(_DENSE.findall(text))
    language = "English" if _is_latin(text) else _UNREAD
    rest = _DENSE.sub("", text)
    spoken = estimated_audio_s(rest, language=language) if _WORD.search(rest) else 0.0
    return round(spoken + dense / _DENSE_A_SECOND, 1)


def _is_latin(text: str) -> bool:
    letters = len(_LETTER.findall(text))
    return letters == 0 or len(_LATIN.findall(text)) * 2 >= letters


def pieces(text: str, most: int) -> list[str]:
    """A text cut at sentences into pieces of `most` characters; a longer sentence is cut at a blank."""
    if len(text) <= most:
        return [text]
    cut, piece = list[str](), ""
    for part in (short for sentence in sentences(text) for short in _cut(sentence, most)):
        if piece and len(piece) + 1 + len(part) > most:
            cut.append(piece)
            piece = part
        else:
            piece = f"{piece}{'' if _DENSE.match(piece[-2:-1]) else ' '}{part}" if piece else part
    return [*cut, piece] if piece else cut


def _cut(sentence: str, most: int) -> Iterator[str]:
    while len(sentence) > most:
        at = sentence.rfind(" ", most // 2, most)
        at = most if at < 0 else at
        yield sentence[:at].rstrip()
        sentence = sentence[at:].lstrip()
    yield sentence


def first_words(text: str, most: int) -> str:
    """The beginning of a text on one line, `most` characters at most, cut at a blank."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    at = line.rfind(" ", most // 2, most)
    return line[: at if at > 0 else most - 1].rstrip(" ,;:") + "…"


def clean(text: str) -> str:
    """A text without what cannot be said or shown: controls, direction marks, halves of characters.

    Line ends and tabs stay; what joins letters of a script (U+200C, U+200D) does, too.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    if text.isascii() and text.isprintable():
        return text
    return "".join(c for c in text if c in "\n\t\u200c\u200d" or unicodedata.category(c)[0] != "C")


def is_speakable(text: str) -> bool:
    """Whether there is a letter or digit in it."""
    return re.search(r"[^\W_]", text) is not None
