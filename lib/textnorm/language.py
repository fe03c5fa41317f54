"""Whether a paragraph is in another language, by its commonest words; and which script letters are of."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from lib.textnorm.tables import word_set

_LOOKED_AT: Final = 1500  # characters of a paragraph
_FEWEST_WORDS: Final = 4
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_ENGLISH: Final = word_set("""
    the of and to a in is it you that he was for on are with as i his they be at one have this from or
    had by but what all were when we there can an your which their said if do will each about how up out
    them then she many some so these would him into has more her two like see could no than been who its
    now did my over down only may after just where most know not me our us very because if through
    before""")
_OTHERS: Final = {
    "German": """
    der die das und ist nicht ein eine zu den mit von auf für im dem des sich auch wie wir ich sie er es
    aber war haben hat wird sind bei nach oder aus einen einer noch nur über so kann wenn werden""",
    "French": """
    le la les de des et un une est pas que qui dans pour sur au aux avec ce il elle nous vous je ne se
    son sa ses plus par mais ou du en sont été cette tout comme leur""",
    "Spanish": """
    el la los las de y que en un una es no por con para su se del al lo como más pero sus le ya o este
    sí porque esta entre cuando muy sin sobre también hay está fue""",
    "Italian": """
    il lo la gli le di e che un una è non per con del della nel si da sono come anche più ma ha al dei
    questo alla suo io mi ci era essere stato quando""",
    "Portuguese": """
    o a os as de e que um uma é não por com para do da no na se em mais como mas foi ao ele das dos seu
    sua ou quando muito nos já está eu também""",
    "Dutch": """
    de het een en van is niet dat in op te zijn met voor aan er ook als maar om door naar bij nog heeft
    was wordt werd ze hij wij ik deze dit uit over kan geen""",
}
#: Stand in names, and beside one tell nothing: "Maria de la Cruz".
_OF_NAMES: Final = word_set(
    "de la le les du des di da do dos das del della el los las lo il y e i van von den der"
)
_SETS: Final = {name: frozenset(words.split()) for name, words in _OTHERS.items()}


def other_language(paragraph: str) -> str | None:
    """The name of the language, where the paragraph is not English and one is known; else None.

    Two different words of it must stand there that are no part of a name.
    """
    written = _WORD.findall(paragraph[:_LOOKED_AT])
    words = [word.lower() for word in written]
    if len(words) < _FEWEST_WORDS:
        return None
    english = sum(word in _ENGLISH for word in words)
    if english * 6 >= len(words):
        return None
    best, hits = max(
        ((name, sum(word in known for word in words)) for name, known in _SETS.items()), key=lambda x: x[1]
    )
    if hits * 5 < len(words) or hits <= english * 1.5:
        return None
    different = {
        word
        for at, word in enumerate(words)
        if word in _SETS[best] and not (word in _OF_NAMES and _is_beside_name(written, at))
    }
    return best if len(different) >= 2 else None


def _is_beside_name(written: list[str], at: int) -> bool:
    return any(word[0].isupper() for word in (*written[max(at - 1, 0) : at], *written[at + 1 : at + 2]))


@lru_cache(maxsize=4096)
def script_of(char: str) -> str:
    """The script of a letter as its Unicode name begins: "Latin", "Cyrillic"."""
    return unicodedata.name(char, "unknown").partition(" ")[0].capitalize()


def foreign_runs(text: str) -> list[tuple[int, int, str]]:
    """Runs of letters that are not Latin, with what they are; a Greek letter alone has a name and is none."""
    if text.isascii():
        return []
    foreign = {
        char for char in set(text) if char.isalpha() and char > "\u024f" and script_of(char) not in _LATIN
    }
    if not foreign:
        return []
    letters = "".join(re.escape(char) for char in sorted(foreign))
    runs = []
    for match in re.finditer(rf"[{letters}]+(?: [{letters}]+)*", text):
        script = script_of(match.group()[0])
        if not (script in ("Greek", "Micro", "Ohm") and match.end() - match.start() == 1):
            runs.append((match.start(), match.end(), _CALLED.get(script, f"letters are {script}")))
    return runs


_CALLED: Final = {
    "Cjk": "characters are Chinese, Japanese or Korean",
    "Hiragana": "characters are Japanese",
    "Katakana": "characters are Japanese",
    "Hangul": "characters are Korean",
    "Bopomofo": "characters are Chinese",
}
#: Also what belongs to no script of its own: raised letters, letters of mathematics, marks of phonetics.
_LATIN: Final = frozenset(
    {
        "Latin",
        "Fullwidth",
        "Mathematical",
        "Superscript",
        "Modifier",
        "Double-struck",
        "Script",
        "Planck",
        "Kelvin",
        "Angstrom",
    }
)
