"""What a verifier is. Where there is none, takes are UNVERIFIED: nobody compared them with the text."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from lib.records import WordTiming
from synth.audio.levels import Samples


@dataclass(frozen=True, slots=True)
class SentPiece:
    """A part of a take, and what was sent of it: `[word](/phonemes/)` where the engine reads those."""

    script: str
    start: float  # seconds from the start of the samples
    end: float


@dataclass(frozen=True, slots=True)
class Sent:
    """What the engine was asked to say in one take."""

    text: str  # all pieces, in order, as they were sent, without markup
    language: str
    engine: str = ""
    profile: str = ""
    stretches: tuple[SentPiece, ...] = ()  # in order; empty: all of it is one
    ranked: bool = False  # whether takes are chosen by the score: it must not depend on their neighbours
    timed: bool = False  # whether anybody wants to know when the words sound


@dataclass(frozen=True, slots=True)
class Divergence:
    """A stretch of sounds that was heard otherwise than it was sent, and the words that it lies in."""

    sent: str  # sounds; empty where nothing was
    heard: str
    cost: float  # in sounds; one that is like the one sent counts half
    place: int = 0  # of its first sound, in what was sent of its stretch
    words: str = ""
    heard_as: str = ""
    stretch: int = 0  # which


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verifier heard of one take."""

    ok: bool
    score: float  # how much of it is wrong: 0 is all right, 1 nothing; may be above
    why: str  # a phrase with the evidence, such as "12 of 80 sounds differ"
    words: tuple[WordTiming, ...] = ()  # when each was heard, in seconds of the samples; source `asr`
    sounds: int = 0  # in what was sent
    divergences: tuple[Divergence, ...] = ()
    recognizer: str = ""  # what heard it
    stretch_sounds: tuple[int, ...] = ()  # of those in what was sent, by stretch
    wrong_stretches: tuple[int, ...] = ()  # by their places


@dataclass(frozen=True, slots=True)
class Unheard:
    """Why a verifier cannot judge a take; such a take is UNVERIFIED, and its record has the sentence."""

    why: str


class Verifier(Protocol):
    """Compares what was spoken with what was to be spoken.

    The same samples get the same verdict. Called in the thread that speaks, once for each take.
    """

    name: str

    def verify(self, sent: Sent, samples: Samples, sample_rate: int) -> Verdict | Unheard | None:
        """Judge one take, trimmed and joined, before its level is set.

        None is as Unheard, for a reason that is told elsewhere: no recogniser is there.
        """
        ...


@runtime_checkable
class BesideVerifier(Protocol):
    """What a verifier has beside the rest when it hears while the engine goes on speaking."""

    def begin(self, sent: Sent, samples: Samples, sample_rate: int) -> Future[Verdict | Unheard | None]:
        """As `verify`, at once; the answer comes later. The samples stay as they are until it came."""
        ...
