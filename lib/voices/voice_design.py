"""The description that a voice is made from: what it may hold, and how it is written down.

It goes to the model as it stands, between marks of its own: so it holds none of these, and no sign that
cannot be seen. The model's authors take 2,048 characters in Chinese or English in the service they sell; what
the published weights do with more, or in another language, nobody says.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MOST_CHARACTERS: Final = 2_048

_MARK: Final = re.compile(r"<\|.*?\|>|<tts_\w+>")  # of the model's tokenizer
#: Control and format characters (those that turn the direction of writing, say), halves of pairs, and what
#: no standard gives a meaning.
_UNFIT: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_SHOWN: Final = 40


def one_line(description: str) -> str:
    """The description as it is spoken from: white space of any kind, line ends too, is one blank.

    So the same words are the same voice, however their file is laid out.
    """
    return " ".join(unicodedata.normalize("NFC", description).split())


def design_fault(design: str) -> str | None:
    """Why no voice can be made from `design`, which `one_line` gave, as the end of a sentence; None: fit."""
    if len(design) > MOST_CHARACTERS:
        return f"has {len(design):,} characters, and {MOST_CHARACTERS:,} are the most; say the same in fewer"
    for sign in design:
        if unicodedata.category(sign) in _UNFIT:
            return f"holds U+{ord(sign):04X}, a sign that cannot be seen; leave it out"
    mark = _MARK.search(design)
    if mark is not None:
        return f"holds {mark[0][:_SHOWN]!r}, which is a mark of the model's own; leave it out"
    if not any(map(str.isalpha, design)):
        return "describes nothing: it holds no word; write how the voice sounds"
    return None
