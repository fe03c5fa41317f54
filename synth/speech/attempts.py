"""A take while it is spoken: its pieces, what was tried of each, and how a piece with a fault is mended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from synth.audio.trim import Joiner, trim
from synth.engines.port import Speech
from synth.speech.heard_pieces import HeardPiece
from synth.speech.kept_pieces import KeptPiece
from synth.speech.takes import RawTake, RejectedTake, Style
from synth.speech.verdicts import shortened
from synth.text.pieces import split_text

_SHORTEST_SPLIT: Final = 40  # characters; what is shorter is not said better in two
_A_LITTLE_OVER_HALF: Final = 0.6
_MOST_TOLD: Final = 4  # reasons for which a take failed, in its evidence


@dataclass(slots=True)
class Attempt:
    """A take while its pieces are spoken. `slot` is the variant it is for."""

    slot: int
    style: Style
    heard: dict[int, HeardPiece | KeptPiece] = field(default_factory=dict)  # by piece
    rejected: list[RejectedTake] = field(default_factory=list)  # pieces that were said again
    own_styles: dict[int, Style] = field(default_factory=dict)  # of pieces that were heard wrong in `style`

    def style_of(self, index: int) -> Style:
        """How a piece is spoken."""
        return self.own_styles.get(index, self.style)

    def again(self, wrong: Sequence[int], style: Style) -> Attempt:
        """The same take, to be spoken again in `style` where it was heard wrong."""
        kept = {index: heard for index, heard in self.heard.items() if index not in wrong}
        styles = {**self.own_styles, **dict.fromkeys(wrong, style)}
        return replace(self, heard=kept, rejected=list(self.rejected), own_styles=styles)


@dataclass(frozen=True, slots=True)
class Try:
    """One way in which a piece was spoken."""

    seed: int
    speech: Speech
    heard: HeardPiece


@dataclass(slots=True)
class Split:
    """A piece that is spoken in parts, since it has a fault however it is spoken whole."""

    texts: Sequence[str]
    spoken: dict[int, Speech] = field(default_factory=dict)  # by part

    def put(self, part: int, speech: Speech, pause_s: float) -> Speech | None:
        """Take a part; the whole piece once all are there, `pause_s` of silence between them."""
        self.spoken[part] = speech
        if len(self.spoken) < len(self.texts):
            return None
        return _joined([self.spoken[index] for index in range(len(self.texts))], pause_s)


@dataclass(frozen=True, slots=True)
class Turn:
    """One piece of a take to speak, or one part of it, and what came of it before.

    `again` says why it has to be said again, each time that the engine failed.
    """

    attempt: Attempt
    index: int
    again: tuple[str, ...] = ()
    tries: tuple[Try, ...] = ()  # that have a fault
    split: Split | None = None
    part: int = 0

    @property
    def seed_parts(self) -> tuple[int, ...]:
        """What its seed is derived of, beside that of the take: another each time."""
        times = len(self.again) + len(self.tries)
        if self.split is not None:
            return self.index, times, self.part + 1
        return (self.index, times) if times else (self.index,)

    def in_parts(self, language: str, text: str) -> Iterator[Turn]:
        """The turns in which it is spoken in parts; none where its text cannot be cut."""
        texts = halves(text, language)
        if self.split is None and len(texts) > 1:
            split = Split(texts)
            for part in range(len(texts)):
                yield replace(self, split=split, part=part)

    def reject(self, kept: Try, *, of_several: bool) -> None:
        """Note in the attempt all tries but the one that is kept."""
        for each in self.tries:
            if each is kept:
                continue
            style = replace(self.attempt.style, seed=each.seed)
            checks = tuple(fault.check for fault in each.heard.faults)
            why = " ".join(fault.why for fault in each.heard.faults)
            piece = self.index + 1 if of_several else None
            self.attempt.rejected.append(RejectedTake(style, why, piece=piece, checks=checks))


def halves(text: str, language: str) -> list[str]:
    """The piece in two parts or a few, cut where one draws breath; alone where it is too short for that."""
    if len(text) < _SHORTEST_SPLIT:
        return [text]
    return [part.text for part in split_text(text, round(len(text) * _A_LITTLE_OVER_HALF), language)]


def _joined(parts: Sequence[Speech], pause_s: float) -> Speech:
    """One speech of several, with the silence of the first before it and that of the last after it."""
    rate = parts[0].sample_rate
    trimmed = [trim(part.samples, rate) for part in parts]
    joiner = Joiner([pause_s] * (len(parts) - 1) + [0.0], rate)
    joined = [piece for each in trimmed for piece in joiner.add(each.samples).parts]
    counts = [part.phonemes for part in parts if part.phonemes is not None]
    return Speech(np.concatenate(joined), rate, sum(counts) if len(counts) == len(parts) else None)


def rejected(take: RawTake) -> RejectedTake:
    """What is kept of a take that another one was better than."""
    verdict = take.verdict
    whys = [*([verdict.why] if verdict is not None and not verdict.ok else []), *_found(take)]
    score = None if verdict is None else verdict.score
    return RejectedTake(take.style, " ".join(whys) or "Another one was better.", score, checks=take.flags)


def _found(take: RawTake) -> list[str]:
    """What the checks found, each in a sentence."""
    return [each.why for each in take.faults]


def evidence(take: RawTake) -> str:
    """Why a take failed, and its predecessors: of a long text some of it, since all of it fills a record."""
    found = [*([take.verdict.why] if take.verdict is not None and not take.verdict.ok else []), *_found(take)]
    whys = [*(each.why for each in take.rejected), " ".join(found)]
    times = sum(each.piece is None for each in take.rejected) + 1
    told = [shortened(why) for why in dict.fromkeys(whys)]
    if (left := len(told) - _MOST_TOLD) > 0:
        told[_MOST_TOLD - 1 : -1] = [f"{left} more"]
    return f"made {'once' if times == 1 else f'{times} times'} ({' / '.join(told)})"
