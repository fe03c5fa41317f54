"""What the front-end takes and gives: frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

#: A break that a text asks for is held within these seconds.
SHORTEST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Reworded:
    """One stretch that is said otherwise than it stands."""

    written: str
    spoken: str
    kind: str  # its class, e.g. "money"
    start: int  # offsets in the text as it was written
    end: int


@dataclass(frozen=True, slots=True)
class Warned:
    """One stretch that will not be read well, what happens to it, and what to write instead."""

    kind: str
    written: str
    start: int
    end: int
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Normalized:
    """A text and how it is said.

    `script` is for the splitter and the engine: words and sentence marks, paragraphs parted by "\\n\\n", and
    markup in two canonical forms only, `[word](/phonemes/)` and `[pause 0.8s]`. `spoken` has no markup.
    """

    written: str
    script: str
    spoken: str
    changes: tuple[Reworded, ...] = ()
    warnings: tuple[Warned, ...] = ()


@dataclass(frozen=True, slots=True)
class Lexicon:
    """How words are to be said: a word to plain words, or to `/phonemes/`.

    Whole words only, without case unless the entry has an upper-case letter; then exactly.
    """

    entries: Mapping[str, str] = field(default_factory=dict)
