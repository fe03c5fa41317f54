"""Split a text at sentences, and only where it must at clauses and words; nothing that is said is left out.

Markup comes in its canonical form (`lib.voices.markup`): a link is never cut, a pause is the silence after
the piece before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from lib.voices import LINK, PAUSE, Pauses, held_pause_s
from synth.text.clauses import HELD, fit
from synth.text.pauses import Pause, silence_s
from synth.text.sentences import split_sentences
from synth.text.unsaid import tidy
from synth.text.unseen import clean_text

# Private use: cleaning has left none of them in the text.
_HOLDER: Final = "\ue000"
_HELD_LINK: Final = re.compile(f"{_HOLDER}{HELD}*")
_SAID: Final = re.compile(rf"[^\W_]|{_HOLDER}")
_LONGEST_HELD: Final = 60


@dataclass(frozen=True, slots=True)
class Piece:
    """What an engine speaks at once, and the silence that follows."""

    text: str
    pause: Pause
    exact_s: float | None = None  # what a `[pause]` asks for in place of the usual silence
    lead_s: float = 0.0  # asked for before it; only the first piece has some

    def silence_s(self, pauses: Pauses) -> float:
        """Seconds until the next piece."""
        return silence_s(self.pause, pauses) if self.exact_s is None else self.exact_s

    def with_break(self, seconds: float) -> Piece:
        """The piece followed by a break, beside those it has."""
        return replace(self, exact_s=round((self.exact_s or 0.0) + seconds, 3))


def split_text(text: str, longest: int, language: str = "English") -> list[Piece]:
    """Pieces of at most `longest` characters (of links, the word counts); the last one's pause is `NONE`.

    A piece holds a letter or a digit; a run of marks alone joins nothing to say and is passed over.
    """
    cleaned, links = _hold_links(clean_text(text))
    pieces: list[Piece] = []
    lead_s = 0.0
    for paragraph in cleaned.split("\n\n"):
        for part, break_s in _parts(tidy(paragraph)):
            if pieces and break_s:
                pieces[-1] = pieces[-1].with_break(break_s)
            else:
                lead_s += break_s
            pieces.extend(_split_line(part, longest, language))
        _end_with(pieces, Pause.PARAGRAPH)
    _end_with(pieces, Pause.NONE)
    if pieces and lead_s:
        pieces[0] = replace(pieces[0], lead_s=round(lead_s, 3))
    return _with_links(pieces, links) if links else pieces


def _hold_links(text: str) -> tuple[str, list[str]]:
    """The text with a word of private characters for each link, and the links in order."""
    links: list[str] = []
    if "](/" not in text:
        return text, links

    def hold(match: re.Match[str]) -> str:
        links.append(match.group())
        return _HOLDER + HELD * min(len(match[1]) - 1, _LONGEST_HELD)

    return LINK.sub(hold, text), links


def _with_links(pieces: list[Piece], links: list[str]) -> list[Piece]:
    following = iter(links)
    return [
        replace(piece, text=_HELD_LINK.sub(lambda match: next(following), piece.text))
        if _HOLDER in piece.text
        else piece
        for piece in pieces
    ]


def _parts(paragraph: str) -> Iterator[tuple[str, float]]:
    """What is to be said between breaks, each with the seconds of break before it."""
    if "[pause " not in paragraph:
        yield paragraph, 0.0
        return
    said = PAUSE.split(paragraph)
    yield said[0], 0.0
    for seconds, part in zip(said[1::2], said[2::2], strict=True):
        yield part, held_pause_s(seconds)


def _split_line(line: str, longest: int, language: str) -> Iterator[Piece]:
    for sentence in split_sentences(line, language):
        parts = [part for part in fit(sentence, longest) if _speakable(part)]
        for part in parts[:-1]:
            yield Piece(part, Pause.CLAUSE)
        if parts:
            yield Piece(parts[-1], Pause.SENTENCE)


def _end_with(pieces: list[Piece], pause: Pause) -> None:
    if pieces:
        pieces[-1] = replace(pieces[-1], pause=pause)


def _speakable(text: str) -> bool:
    return _SAID.search(text) is not None
