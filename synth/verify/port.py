"""What a verifier is. Where there is none, takes are UNVERIFIED: nobody compared them with the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from synth.audio.spectrum import Samples


@dataclass(frozen=True, slots=True)
class Sent:
    """What the engine was asked to say in one take."""

    text: str  # all pieces, in order, as they were sent
    language: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verifier heard of one take."""

    ok: bool
    score: float  # how much of it is wrong: 0 is all right, 1 nothing; may be above
    why: str  # a phrase with the evidence, such as "12 of 80 sounds differ"


class Verifier(Protocol):
    """Compares what was spoken with what was to be spoken.

    The same samples get the same verdict. Called in the thread that speaks, once for each take.
    """

    name: str

    def verify(self, sent: Sent, samples: Samples, sample_rate: int) -> Verdict | None:
        """Judge one take, trimmed and joined, before its level is set.

        None when it cannot: it does not know the language, say. Such a take is UNVERIFIED.
        """
        ...
