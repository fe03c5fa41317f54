"""What was sent and what was heard of it: how far they diverge, in which words, and when each word sounds.

Takes that were heard in one go are compared in one go: where one ends in what was heard is found by their
sounds, since a recogniser's times are not that exact.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Final

from lib.records import WordTiming
from synth.verify.alignment import Step, aligned_sounds
from synth.verify.port import Divergence
from synth.verify.sounds import SoundedWord, SoundReader

_MOST_WORDS: Final = 80  # characters of words that are shown


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word as a recogniser wrote it, and when, in seconds from the start of what it heard."""

    text: str
    start: float = 0.0
    end: float = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of one script. `errors` are sounds; one that is like the one sent counts half."""

    sounds: int  # that were sent
    errors: float
    divergences: tuple[Divergence, ...]
    words: tuple[WordTiming, ...]  # those that were sent, in order, where any of their sounds was heard

    @property
    def rate(self) -> float:
        """Errors by what was sent: 0 is all right; where nothing was sent, each sound is one too many."""
        return self.errors / max(self.sounds, 1)

    @property
    def run(self) -> float:
        """The errors of the longest stretch without a sound that agrees."""
        return max((each.cost for each in self.divergences), default=0.0)


def compare(scripts: Sequence[str], heard: Sequence[HeardWord], reader: SoundReader) -> list[Comparison]:
    """Hold what was heard against the scripts that were sent, in that order. Never fails.

    What was heard between two of them counts for both: nobody knows which one said it.
    """
    sent = [reader.sent(script) for script in scripts]
    said = _HeardSounds.of(heard, reader)
    steps = aligned_sounds("".join(word.sounds for words in sent for word in words), said.sounds)
    found, first = [], 0
    for words, own in zip(sent, _shares(sent, steps), strict=True):
        found.append(_compared(words, own, said, first))
        first += _count(words)
    return found


@dataclass(frozen=True, slots=True)
class _HeardSounds:
    """All that was heard: words with their times, and which of its sounds are whose."""

    words: Sequence[HeardWord]
    counts: Sequence[int]
    sounds: str
    firsts: Sequence[int]

    @classmethod
    def of(cls, heard: Sequence[HeardWord], reader: SoundReader) -> _HeardSounds:
        """Read what was heard as one text: "Elizabeth I" is no word by itself."""
        text = " ".join(word.text.strip() for word in heard)
        begins = list(accumulate((len(word.text.strip()) + 1 for word in heard), initial=0))
        words: list[HeardWord] = []
        sounds: list[str] = []

        def places(word: SoundedWord) -> tuple[int, int]:
            last = max(word.end - 1, word.start)
            return bisect_right(begins, word.start) - 1, bisect_right(begins, last) - 1

        for (first, last), group in groupby(filter(_is_heard, reader.heard(text)), key=places):
            together = list(group)
            # Words that are read across two that were heard begin where those before them end.
            begin = max(heard[first].start, words[-1].end if words else 0.0)
            words += _shared(together, begin, max(heard[last].end, begin))
            sounds += [word.sounds for word in together]
        counts = [len(each) for each in sounds]
        return cls(words, counts, "".join(sounds), list(accumulate(counts, initial=0)))

    def word_at(self, sound: int) -> int:
        """The number of the word that has this sound."""
        return bisect_right(self.firsts, sound) - 1

    def moment(self, sound: int, *, behind: bool) -> float:
        """When a sound begins, or ends, where a word's sounds are equally long."""
        index = self.word_at(sound)
        word, share = self.words[index], (sound - self.firsts[index] + behind) / self.counts[index]
        return round(word.start + share * (word.end - word.start), 3)


def _is_heard(word: SoundedWord) -> bool:
    return bool(word.sounds)


def _shared(words: Sequence[SoundedWord], start: float, end: float) -> Iterator[HeardWord]:
    """Words that were written as one, with their shares of its time."""
    total, at = _count(words), start
    for word in words:
        until = at + (end - start) * len(word.sounds) / total
        yield HeardWord(word.text, at, until)
        at = until


def _count(words: Sequence[SoundedWord]) -> int:
    return sum(len(word.sounds) for word in words)


def _shares(sent: Sequence[Sequence[SoundedWord]], steps: Sequence[Step]) -> list[list[Step]]:
    """The steps of each script. Those that nothing sent stands against may be of two."""
    ends = list(accumulate(_count(words) for words in sent))
    shares: list[list[Step]] = [[] for _ in sent]
    reached = 0  # sounds that were sent before
    for step in steps:
        if step.sent_at is not None:
            shares[bisect_right(ends, step.sent_at)].append(step)
            reached = step.sent_at + 1
            continue
        before = min(bisect_right(ends, max(reached - 1, 0)), len(sent) - 1)
        after = min(bisect_right(ends, reached), len(sent) - 1)
        for index in dict.fromkeys((before, after)):
            shares[index].append(step)
    return shares


def _compared(
    words: Sequence[SoundedWord], steps: Sequence[Step], said: _HeardSounds, first: int
) -> Comparison:
    return Comparison(
        _count(words),
        sum(step.cost for step in steps),
        tuple(_divergences(words, steps, said, first)),
        tuple(_timed(words, steps, said, first)),
    )


def _divergences(
    words: Sequence[SoundedWord], steps: Sequence[Step], said: _HeardSounds, first: int
) -> Iterator[Divergence]:
    """The stretches of steps that cost something."""
    sent = "".join(word.sounds for word in words)
    firsts = list(accumulate((len(word.sounds) for word in words), initial=0))
    reached = 0
    for diverges, group in groupby(steps, key=lambda step: step.cost > 0):
        stretch = list(group)
        places = [step.sent_at - first for step in stretch if step.sent_at is not None]
        put = [step.heard_at for step in stretch if step.heard_at is not None]
        if diverges:
            mine = dict.fromkeys(words[bisect_right(firsts, place) - 1] for place in places)
            theirs = dict.fromkeys(map(said.word_at, put))
            yield Divergence(
                _letters(sent, places),
                _letters(said.sounds, put),
                sum(step.cost for step in stretch),
                places[0] if places else reached,
                " ".join(word.text for word in mine)[:_MOST_WORDS],
                " ".join(said.words[index].text for index in theirs)[:_MOST_WORDS],
            )
        reached = places[-1] + 1 if places else reached


def _letters(text: str, places: Sequence[int]) -> str:
    return text[places[0] : places[-1] + 1] if places else ""


def _timed(
    words: Sequence[SoundedWord], steps: Sequence[Step], said: _HeardSounds, first: int
) -> Iterator[WordTiming]:
    """When each sent word sounds, by the heard sounds that stand against its own."""
    partner = {step.sent_at: step.heard_at for step in steps if step.sent_at is not None}
    at = first
    for word in words:
        met = [heard for each in range(at, at + len(word.sounds)) if (heard := partner.get(each)) is not None]
        at += len(word.sounds)
        if met:
            start, end = said.moment(met[0], behind=False), said.moment(met[-1], behind=True)
            yield WordTiming(word.text, start, end, "asr")
