"""From a text as it is written to the words that are spoken: our own English text normalization."""

from __future__ import annotations

from typing import Final

from lib.textnorm.model import Lexicon, Normalized, Warned
from lib.textnorm.model import Reworded as Change

__all__ = ["FRONT_END", "Change", "Lexicon", "Normalized", "Warned", "normalize"]

#: Raised by a release that reads some text otherwise than the one before.
FRONT_END: Final = 1
_NO_LEXICON: Final = Lexicon()


def normalize(text: str, *, lexicon: Lexicon = _NO_LEXICON) -> Normalized:
    """Say what is written: a pure function of the text and the lexicon that never fails.

    A text that holds a letter or a digit never comes out empty. What cannot be classified is left, with a
    warning. Ordinary prose stays as it is but for line ends, blanks and double quotes.
    """
    # Here, because `plan` imports this package and the tables cost more than the rest of it.
    from lib.textnorm.frontend import normalized

    return normalized(text, lexicon)
