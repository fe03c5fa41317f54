"""A text made ready to be set: nothing in it that no eye sees, and nothing that no font has."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from lib.errors import BadConfiguration, BadInput, MissingExtra
from synth.typeset.fonts import FontShelf, MissingLetters, has_shaping
from synth.typeset.graphemes import clusters, is_extending

_LINE_ENDS: Final = re.compile("\r\n|[\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
_BLANKS: Final = re.compile(r"[^\S\n\u00a0]+")
#: Explicit directions of writing, which a line of its own has no use for, and which hide what a text says.
_EMBEDDINGS: Final = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
_MOST_MARKS: Final = 6  # on one letter; Vietnamese has two, Hebrew with chant four
_SEEN_AS_NOTHING: Final = frozenset("\u034f\u061c\u115f\u1160\u17b4\u17b5\u3164\uffa0")
#: Symbols, private and not yet assigned characters: pictures more than letters. They may be left out.
_PICTURES: Final = frozenset(("So", "Sk", "Cn", "Co"))
_KANA: Final = re.compile("[\u3040-\u30ff]")
_HANGUL: Final = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
_BOPOMOFO: Final = re.compile("[\u3100-\u312f]")
_HAN: Final = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")


def plain(text: str) -> str:
    """The text in composed letters; line ends as \\n, other blanks as one, controls gone."""
    text = _LINE_ENDS.sub("\n", unicodedata.normalize("NFC", text))
    text = _BLANKS.sub(" ", text.replace("\u202f", "\u00a0"))
    if not text.isprintable() or not text.isascii():
        text = "".join(char for char in text if not _is_control(char))
        text = "".join(map(_with_few_marks, clusters(text)))
    return "\n".join(line.strip() for line in text.split("\n")).strip()


def settable(text: str, shelf: FontShelf, families: Sequence[str]) -> tuple[str, list[str]]:
    """The text that the fonts can set, and the symbols (emoji for one) that were left out of it.

    Raises:
        MissingLetters: letters, digits or marks of it are in no font, or nothing of it is left.
        lib.errors.BadInput: it has nothing that can be seen.
        BadConfiguration: its script needs shaping, which this system has not; MissingExtra: there is no font.
    """
    if shelf.is_empty:
        raise MissingExtra("Setting type (there is no font here)", "images")
    if not has_shaping() and (shaped := next(filter(_needs_shaping, text), None)):
        raise BadConfiguration(
            f"Letters such as {shaped} (U+{ord(shaped):04X}) are set with the system's library FriBidi, "
            "which is not installed; install it, as the package libfribidi0 of Debian."
        )
    kept: list[str] = []
    missing: list[str] = []
    left_out: list[str] = []
    for cluster in clusters(text):
        seen = visible(cluster)
        if not seen.strip() or shelf.family_of(seen, families) is not None:
            kept.append(cluster)
        elif unicodedata.category(seen[0]) in _PICTURES:
            left_out.append(cluster)
        else:
            missing.append(cluster)
    rest = plain("".join(kept))
    if missing or (left_out and not visible(rest).strip()):
        raise MissingLetters(list(dict.fromkeys(missing or left_out)))
    if not visible(rest).strip():
        raise BadInput("A text has no letter that can be seen.")
    return rest, list(dict.fromkeys(left_out))


def visible(cluster: str) -> str:
    """The characters of it that a font must have."""
    return cluster if cluster.isascii() else "".join(char for char in cluster if not _is_unseen(char))


def han_family(text: str) -> str:
    """Which of the sister fonts of Noto Sans CJK draws its ideographs as its language does; empty: none is.

    Japanese has kana, Korean has Hangul, bopomofo is of Taiwan; a text of ideographs alone is taken for
    simplified Chinese.
    """
    for pattern, language in ((_KANA, "JP"), (_HANGUL, "KR"), (_BOPOMOFO, "TC"), (_HAN, "SC")):
        if pattern.search(text):
            return f"Noto Sans CJK {language}"
    return ""


def _is_control(char: str) -> bool:
    return char != "\n" and (unicodedata.category(char) in ("Cc", "Cs") or char in _EMBEDDINGS)


def _is_unseen(char: str) -> bool:
    code = ord(char)
    is_selector = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF or 0x180B <= code <= 0x180F
    return is_selector or char in _SEEN_AS_NOTHING or unicodedata.category(char) == "Cf"


def _with_few_marks(cluster: str) -> str:
    if len(cluster) <= _MOST_MARKS:
        return cluster
    marks = 0
    kept = []
    for char in cluster:
        marks = marks + 1 if is_extending(char) and char != "\u200d" else 0
        if marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def _needs_shaping(char: str) -> bool:
    return unicodedata.category(char) in ("Mn", "Mc") or unicodedata.bidirectional(char) in ("R", "AL", "AN")
