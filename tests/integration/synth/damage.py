"""Sound speech, damaged as engines damage it: the table of docs/reference/result-json.md, made of samples.

Two sets of sentences: thresholds were chosen on the first and are shown on both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from synth.audio.levels import Samples

FIRST: Final = (
    "The ferry left the harbour before dawn, and nobody saw it go.",
    "On the fifth of May, eighteen ninety seven, the bridge was opened.",
    "She paid forty two dollars and fifty cents for a broken clock.",
    "Doctor Miller lives at two twenty one Baker Street.",
    "Nobody had counted the boxes in the cellar, because the keeper had gone home for the winter.",
    "What happened next is a matter of record; the rest is only a guess.",
    "Why not ask him again tomorrow?",
    "The queue was empty, so the machine was switched off.",
    "Later that morning the fog lifted, and everyone could see the far shore again.",
    "It costs less to rent a machine for an hour than to keep one for a year.",
    "A thin blue line of smoke rose from the chimney of the last house.",
    "Three of the seven engines failed before the ship had reached the open sea.",
    "He read the letter twice, folded it, and put it into the fire without a word.",
)
SECOND: Final = (
    "Rain fell on the tin roof all night long.",
    "My sister keeps bees behind the old railway station.",
    "If you turn left at the church, you will find the bakery on the corner.",
    "The committee will publish its report at the end of the month.",
    "Her grandfather had been a clockmaker in a small town near the border.",
    "Please close the window before you leave the room.",
    "Seventeen people signed the petition, but only four of them came to the meeting.",
    "The river has changed its course many times since then, and every map of it is wrong.",
    "Bread, butter and a little salt: that is all you need.",
    "I have never seen so many stars.",
    "Although the road was closed, the postman arrived at a quarter past nine, as he always did.",
    "The first snow came early, and the shepherds brought their flocks down from the hills.",
    "Glass is made of sand, soda and lime, melted together at a very high temperature.",
)
#: Lines that are hard for whoever looks at rates and lengths.
_LINES: Final = (
    "Yes|No|Me|When|Stop|Hello|Ah|Oh|One|Seven|Eleven|Silence|Never|Run|A|I|What|Really|Anna|Amen|Twelfths",
    "Strength|Constantinople|Extraordinarily|Internationalization|Why not|Go on|Chapter four|The end|I do",
    "Thank you|Good night|Not now|Part two|Ladies and gentlemen|Once upon a time|Seventeen seventy six",
    "Ha ha ha|No no no|Bells, bells, bells|Tick tock tick tock",
)
SHORT: Final = tuple(f"{line}{mark}" for lines in _LINES for line in lines.split("|") for mark in ".!?")

_AUDIBLE: Final = 0.005  # of full scale


@dataclass(frozen=True, slots=True)
class Spoken:
    """One sentence as the engine made it, untrimmed, with what damage needs beside."""

    samples: Samples
    other: Samples  # another sentence
    quick: Samples  # the same, 1.8 times as quick
    rate: int

    @property
    def ends(self) -> tuple[int, int]:
        """The first sample that is heard, and the one behind the last."""
        heard = np.flatnonzero(np.abs(self.samples) > _AUDIBLE)
        return int(heard[0]), int(heard[-1]) + 1


def _db(decibels: float) -> np.float32:
    return np.float32(10 ** (decibels / 20))


def _noise(length: int, decibels: float, width: int = 1) -> Samples:
    """Noise of that level re full scale; a `width` of many samples makes it a murmur."""
    made = np.convolve(np.random.default_rng(7).normal(size=length + width), np.ones(width), "same")[:length]
    noise: Samples = (made / np.sqrt(np.square(made).mean()) * _db(decibels)).astype(np.float32)
    return noise


def _cut(spoken: Spoken, share: float, seconds: float = 0.0) -> Samples:
    """Without the last part of what is heard."""
    begin, end = spoken.ends
    return spoken.samples[: end - round(share * (end - begin)) - round(seconds * spoken.rate)]


def _tail(spoken: Spoken, tail: Samples) -> Samples:
    return np.concatenate([spoken.samples, tail])


def _again(spoken: Spoken) -> Samples:
    """The last 1.5 s twice more."""
    heard = _cut(spoken, 0.0)
    last = heard[-round(1.5 * spoken.rate) :]
    return np.concatenate([heard, last, last, spoken.samples[len(heard) :]])


def _without_middle(spoken: Spoken) -> Samples:
    begin, end = spoken.ends
    middle, half = (begin + end) // 2, round(0.175 * spoken.rate)
    return np.concatenate([spoken.samples[: middle - half], spoken.samples[middle + half :]])


def _with_gap(spoken: Spoken) -> Samples:
    middle = sum(spoken.ends) // 2
    gap = np.zeros(round(2.5 * spoken.rate), np.float32)
    return np.concatenate([spoken.samples[:middle], gap, spoken.samples[middle:]])


def _clipped(spoken: Spoken) -> Samples:
    """Of voices that are quieter yet, more: their peaks are 6 dB over full scale, too."""
    gain = max(_db(12), _db(6) / np.abs(spoken.samples).max())
    clipped: Samples = np.clip(spoken.samples * gain, -1, 1).astype(np.float32)
    return clipped


def _ended_murmur(spoken: Spoken) -> Samples:
    """A murmur that ends: no word of it is cut off."""
    heard, rate = _cut(spoken, 0.0), spoken.rate
    return np.concatenate([heard, _noise(5 * rate, -40, 40), np.zeros(rate // 2, np.float32)])


#: By name; those of reference tables first.
DAMAGE: Final[Mapping[str, Callable[[Spoken], Samples]]] = {
    "the last quarter is cut": lambda spoken: _cut(spoken, 0.25),
    "the last 250 ms are cut": lambda spoken: _cut(spoken, 0.0, 0.25),
    "the last 1.5 s come three times": _again,
    "another sentence follows": lambda spoken: np.concatenate([spoken.samples, spoken.other]),
    "350 ms are missing in the middle": _without_middle,
    "5 s of murmur follow": lambda spoken: _tail(spoken, _noise(5 * spoken.rate, -40, 40)),
    "5 s of murmur follow, and end": _ended_murmur,
    "5 s of noise follow": lambda spoken: _tail(spoken, _noise(5 * spoken.rate, -15)),
    "2.5 s of silence inside": _with_gap,
    "12 dB louder, clipped": _clipped,
    "direct current of 0.05": lambda spoken: spoken.samples + np.float32(0.05),
    "nothing but zeros": lambda spoken: np.zeros_like(spoken.samples),
    "another text": lambda spoken: spoken.other,
    "1.8 times too quick": lambda spoken: spoken.quick,
    "40 dB too quiet": lambda spoken: spoken.samples * _db(-40),
    "3 s of silence follow": lambda spoken: _tail(spoken, np.zeros(3 * spoken.rate, np.float32)),
    "the first 250 ms are cut": lambda spoken: spoken.samples[spoken.ends[0] + spoken.rate // 4 :],
    "noise over all of it": lambda spoken: spoken.samples + _noise(len(spoken.samples), -32),
}
#: What only a recogniser can find in most cases; what the signal shows of it is reported.
HEARD_ONLY: Final = frozenset({"350 ms are missing in the middle", "another text"})


def damaged(spoken: Spoken) -> Iterator[tuple[str, Samples]]:
    """The sentence with each kind of damage."""
    for name, damage in DAMAGE.items():
        yield name, damage(spoken)
