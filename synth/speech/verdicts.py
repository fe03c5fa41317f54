"""What the record says of verification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lib.records import RejectedRecord, Verification
from synth.speech.takes import RawTake

UNVERIFIED: Final = "UNVERIFIED"
PASSED: Final = "PASSED"
FAILED: Final = "FAILED"
_LONGEST_WHY: Final = 200
_WHY_UNVERIFIED: Final = (
    "No speech recogniser is installed, so nobody compared what was said with the text; "
    "only the signal was measured."
)


def verdict_of(chosen: RawTake) -> tuple[str, str]:
    """The verdict of the chosen take and why, in words."""
    verdict = chosen.verdict
    if verdict is None:
        return UNVERIFIED, _WHY_UNVERIFIED
    return PASSED if verdict.ok else FAILED, _short(verdict.why)


def verification(takes: Sequence[RawTake]) -> tuple[Verification, ...]:
    """The evidence, take by take, the chosen first; none where no take was judged or made again."""
    if not any(take.verdict or take.rejected for take in takes):
        return ()
    return tuple(_of(number, take) for number, take in enumerate(takes, start=1))


def _of(number: int, take: RawTake) -> Verification:
    verdict = take.verdict
    return Verification(
        take=number,
        ok=None if verdict is None else verdict.ok,
        score=None if verdict is None else round(verdict.score, 4),
        why=None if verdict is None else _short(verdict.why),
        rejected=tuple(
            RejectedRecord(
                seed=rejected.style.seed,
                speed=rejected.style.speed,
                intonation=rejected.style.intonation,
                score=None if rejected.score is None else round(rejected.score, 4),
                why=_short(rejected.why),
            )
            for rejected in take.rejected
        ),
    )


def _short(why: str) -> str:
    return why if len(why) <= _LONGEST_WHY else why[: _LONGEST_WHY - 1] + "…"
