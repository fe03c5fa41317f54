"""One stretch of speech: the words that were sent, those that were heard, and how far they diverge."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from lib.records import WordTiming
from synth.verify.alignment import Step, aligned_sounds
from synth.verify.port import Divergence
from synth.verify.sounds import SoundedWord, SoundReader


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word as a recogniser wrote it, and when, in seconds from the start of what it heard."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of it. `errors` are sounds; one that is like what was sent counts half."""

    sounds: int  # that were sent
    errors: float
    divergences: tuple[Divergence, ...]
    words: tuple[WordTiming, ...]  # those that were sent, in order, where any of their sounds was heard

    @property
    def rate(self) -> float:
        """Errors by what was sent: 0 is all right; where nothing was sent, each sound is one too many."""
        return self.errors / max(self.sounds, 1)


def compare(script: str, heard: Sequence[HeardWord], reader: SoundReader) -> Comparison:
    """Hold what was heard against the script that was sent. Never fails, whatever the texts are."""
    sent_words = reader.sent(script)
    heard_words = list(_sounded(heard, reader))
    sent = "".join(word.sounds for word in sent_words)
    said = "".join(word.sounds for _, word in heard_words)
    steps = aligned_sounds(sent, said)
    return Comparison(
        len(sent),
        sum(step.cost for step in steps),
        tuple(_divergences(steps, sent, said)),
        tuple(_timed(sent_words, heard_words, steps)),
    )


def _sounded(heard: Sequence[HeardWord], reader: SoundReader) -> Iterator[tuple[HeardWord, SoundedWord]]:
    """The heard words with their sounds; one that is said as several shares its time by their sounds."""
    for word in heard:
        parts = [part for part in reader.heard(word.text) if part.sounds]
        total, at = sum(len(part.sounds) for part in parts), word.start
        for part in parts:
            end = at + (word.end - word.start) * len(part.sounds) / total
            yield HeardWord(part.text, at, end), part
            at = end


def _divergences(steps: Sequence[Step], sent: str, heard: str) -> Iterator[Divergence]:
    """The stretches of steps that cost something."""
    reached = 0
    for diverges, group in groupby(steps, key=lambda step: step.cost > 0):
        stretch = list(group)
        places = [step.sent_at for step in stretch if step.sent_at is not None]
        put = [step.heard_at for step in stretch if step.heard_at is not None]
        if diverges:
            cost = sum(step.cost for step in stretch)
            yield Divergence(_letters(sent, places), _letters(heard, put), cost, reached)
        reached = places[-1] + 1 if places else reached


def _letters(text: str, places: Sequence[int]) -> str:
    return text[places[0] : places[-1] + 1] if places else ""


def _timed(
    sent_words: Sequence[SoundedWord],
    heard_words: Sequence[tuple[HeardWord, SoundedWord]],
    steps: Sequence[Step],
) -> Iterator[WordTiming]:
    """When each sent word sounds, by the heard sounds that stand against its own."""
    partner = {step.sent_at: step.heard_at for step in steps if step.sent_at is not None}
    firsts = list(accumulate((len(word.sounds) for _, word in heard_words), initial=0))
    at = 0
    for word in sent_words:
        heard = [partner[each] for each in range(at, at + len(word.sounds))]
        at += len(word.sounds)
        met = [each for each in heard if each is not None]
        if met:
            start = _moment(met[0], 0, firsts, heard_words)
            yield WordTiming(word.text, start, _moment(met[-1], 1, firsts, heard_words), "asr")


def _moment(
    sound: int, behind: int, firsts: Sequence[int], heard_words: Sequence[tuple[HeardWord, SoundedWord]]
) -> float:
    """When the heard sound of that number begins, or ends where `behind` is 1."""
    index = bisect_right(firsts, sound) - 1
    timed, word = heard_words[index]
    share = (sound - firsts[index] + behind) / len(word.sounds)
    return round(timed.start + share * (timed.end - timed.start), 3)
