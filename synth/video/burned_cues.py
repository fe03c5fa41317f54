"""Captions made ready to be burned in: what is too long for two lines becomes several captions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from lib.errors import BadInput
from synth.typeset.caption_painter import CaptionPainter
from synth.video.cue_files import SpokenWord, VideoCue


def burnable(cues: Sequence[VideoCue], painter: CaptionPainter) -> tuple[VideoCue, ...]:
    """The cues, each of which fits into a caption of that painter.

    Raises:
        BadInput: no font has letters of a cue; the sentence says which cue.
    """
    found: list[VideoCue] = []
    for number, cue in enumerate(cues, start=1):
        try:
            parts = painter.parts(cue.text)
        except BadInput as error:
            raise BadInput(f"Caption {number} cannot be drawn: {error.message}") from None
        found += [cue] if len(parts) == 1 else _split(cue, parts)
    return tuple(found)


def letters_without_font(cues: Sequence[VideoCue], painter: CaptionPainter) -> list[str]:
    """The symbols that burned captions lack, because no font has them."""
    return list(dict.fromkeys(symbol for cue in cues for symbol in painter.left_out(cue.text)))


def _split(cue: VideoCue, parts: Sequence[str]) -> Iterator[VideoCue]:
    """A cue for each part: from its first word on where that is known, else by the share of its letters."""
    counts = list(accumulate((len(part.split()) for part in parts), initial=0))
    ends = list(accumulate(_letters(part) for part in parts))
    starts = [cue.start]
    for number, past in zip(counts[1:-1], ends[:-1], strict=True):
        word = _word_at(cue.words, number)
        moment = cue.start + (cue.end - cue.start) * past / ends[-1] if word is None else word.start
        starts.append(min(max(moment, starts[-1]), cue.end))
    if any(end <= start for start, end in pairwise([*starts, cue.end])):  # words that are said at once
        starts = [cue.start + (cue.end - cue.start) * past / ends[-1] for past in [0, *ends[:-1]]]
    for part, (start, end) in zip(parts, pairwise([*starts, cue.end]), strict=True):
        words = tuple(word for word in cue.words if start <= word.start < end)
        yield VideoCue(start, end, part, words)


def _word_at(words: Sequence[SpokenWord], number: int) -> SpokenWord | None:
    """The word that begins as number `number` of the text, counted from 0."""
    at = 0
    for word in words:
        if at >= number:
            return word
        at += len(word.text.split())
    return None


def _letters(text: str) -> int:
    return max(sum(char.isalnum() for char in text), 1)
