"""The captions of a take: the written text, piece by piece, by the clock of the audio."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from lib.captions import SOURCES, Cue, Knot, TimedLine, cut_cues
from lib.records import WordTiming
from synth.speech.shown_text import ShownPiece, ShownText
from synth.speech.takes import RawTake, SoundingPiece
from synth.text.wording import Wording, aligned, letters_of

_NEAR: Final = 2.5  # letters between a mark in the piece and the same mark in what is written


def captions_of(shown: ShownText, take: RawTake, audio_seconds: float) -> tuple[Cue, ...]:
    """The cues of a take, in order and within the audio."""
    words = _SaidWords.of(shown.wording, take.words)
    stretches: list[TimedLine] = []
    for piece, sounding in zip(shown.pieces, take.sounding, strict=True):
        stretch = _stretch(shown.wording, piece, sounding, words)
        if stretch.text:
            stretches.append(stretch)
        elif stretches:  # it says more of what is written before it
            stretches[-1] = _until(stretches[-1], sounding.end, stretch.ends)
    return tuple(cut_cues(stretches, audio_seconds))


def _until(stretch: TimedLine, end: float, ends: bool) -> TimedLine:
    last = stretch.knots[-1]
    knots = (*stretch.knots[:-1], Knot(last.at, end, end, last.source))
    return TimedLine(stretch.text, knots, stretch.held, stretch.ends or ends)


def _stretch(
    wording: Wording, piece: ShownPiece, sounding: SoundingPiece, words: _SaidWords | None
) -> TimedLine:
    whole = wording.shown[piece.start : piece.end]
    text = whole.strip().replace("\n", " ")
    begin = piece.start + len(whole) - len(whole.lstrip())
    inner = [
        (at, min(max(wording.first_letter(begin + at), piece.first), piece.last)) for at in _word_starts(text)
    ]
    knots = _guessed(inner, piece, sounding) if words is None else words.knots(inner)
    held = tuple((start - begin, end - begin) for start, end in wording.held_within(begin, begin + len(text)))
    return TimedLine(
        text,
        (
            Knot(0, sounding.start, sounding.start, "piece"),
            *_between(knots, sounding),
            Knot(len(text), sounding.end, sounding.end, "piece"),
        ),
        held,
        piece.ends,
    )


def _word_starts(text: str) -> list[int]:
    return [at for at in range(1, len(text)) if text[at - 1] == " "]


def _between(knots: Sequence[Knot], sounding: SoundingPiece) -> Iterator[Knot]:
    """The knots in order, within what the piece takes: an engine may tell other times."""
    reached = sounding.start
    for knot in knots:
        before = min(max(knot.before, reached), sounding.end)
        after = min(max(knot.after, before), sounding.end)
        yield Knot(knot.at, before, after, knot.source)
        reached = after


def _guessed(inner: Sequence[tuple[int, int]], piece: ShownPiece, sounding: SoundingPiece) -> list[Knot]:
    """When words begin: by the letters before them, between the pauses that stand for marks."""
    letters = max(piece.last - piece.first, 1)
    shares = [(at, (letter - piece.first) / letters) for at, letter in inner]
    paused: dict[int, tuple[float, float]] = {}
    anchors = [(0.0, sounding.start, sounding.start)]
    for pause in sounding.pauses:
        at, share = min(shares, key=lambda each: abs(each[1] - pause.place), default=(-1, 2.0))
        if abs(share - pause.place) * letters <= _NEAR and share > anchors[-1][0]:
            paused[at] = (pause.start_s, pause.end_s)
            anchors.append((share, pause.start_s, pause.end_s))
    anchors.append((1.0, sounding.end, sounding.end))
    knots = []
    for at, share in shares:
        if at in paused:
            knots.append(Knot(at, *paused[at], "estimated"))
        else:
            moment = _moment(share, anchors)
            knots.append(Knot(at, moment, moment, "estimated"))
    return knots


def _moment(share: float, anchors: Sequence[tuple[float, float, float]]) -> float:
    for (before, _, began), (after, ended, _) in pairwise(anchors):
        if share <= after:
            part = (share - before) / (after - before) if after > before else 1.0
            return began + part * (ended - began)
    return anchors[-1][1]


@dataclass(frozen=True, slots=True)
class _SaidWords:
    """The words of which an engine told when they sound, by the letters that they are."""

    words: Sequence[WordTiming]
    firsts: Sequence[int]
    lasts: Sequence[int]

    @classmethod
    def of(cls, wording: Wording, words: Sequence[WordTiming]) -> _SaidWords | None:
        """Find them; None where there are none."""
        if not words or any(word.source not in SOURCES for word in words):
            return None
        places = aligned(wording.letters, [letters_of(word.text) for word in words])
        return cls(words, [first for first, _ in places], [last for _, last in places])

    def knots(self, inner: Sequence[tuple[int, int]]) -> list[Knot]:
        """When what stands at these places begins, by the numbers of their letters."""
        knots = []
        for at, letter in inner:
            index = bisect_right(self.firsts, letter) - 1
            if index < 0:
                continue
            word, first = self.words[index], self.firsts[index]
            if first == letter:
                before = self.words[index - 1].end if index else word.start
                knots.append(Knot(at, min(before, word.start), word.start, word.source))
            else:
                share = (letter - first) / max(self.lasts[index] - first, 1)
                moment = word.start + min(share, 1.0) * (word.end - word.start)
                knots.append(Knot(at, moment, moment, "estimated"))
        return knots
