"""What the record says of verification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lib.records import FaultRecord, RejectedRecord, Verification
from synth.speech.takes import RawTake, RejectedTake
from synth.verify import CHECKS, SignalFault, Unheard, Verdict

UNVERIFIED: Final = "UNVERIFIED"
PASSED: Final = "PASSED"
FAILED: Final = "FAILED"
_LONGEST_WHY: Final = 200
_MOST_FAULTS: Final = 20  # told of all takes together; a long one has hundreds of pieces
_LEAST_FAULTS: Final = 2  # told of each take: a record with 16 of them has 64 KiB
_WHY_UNVERIFIED: Final = (
    "No speech recogniser listens here (none is installed, or VERIFY is never), so nobody compared what was "
    "said with the text; "
    f"{len(CHECKS)} checks of the signal found nothing."
)


def verdict_of(chosen: RawTake) -> tuple[str, str]:
    """The verdict of the chosen take and why, in words. What nobody heard never passed."""
    return verdict_of_given(chosen.verdict or chosen.unheard, [each.fault for each in chosen.faults])


def verdict_of_given(answer: Verdict | Unheard | None, faults: Sequence[SignalFault]) -> tuple[str, str]:
    """As `verdict_of`, of what a verifier answered and what the checks of the signal found."""
    verdict = answer if isinstance(answer, Verdict) else None
    heard = [verdict.why] if verdict is not None and not verdict.ok else []
    if heard or faults:
        return FAILED, shortened(" ".join([*heard, *(fault.why for fault in faults)]))
    if isinstance(answer, Unheard):
        return UNVERIFIED, shortened(answer.why)
    return (UNVERIFIED, _WHY_UNVERIFIED) if verdict is None else (PASSED, shortened(verdict.why))


def verification(takes: Sequence[RawTake]) -> tuple[Verification, ...]:
    """The evidence, take by take, the chosen first; none where nothing was judged, made again or wrong."""
    if not any(take.verdict or take.rejected or take.faults for take in takes):
        return ()
    most = max(_MOST_FAULTS // len(takes), _LEAST_FAULTS)
    return tuple(_of(number, take, most) for number, take in enumerate(takes, start=1))


def _of(number: int, take: RawTake, most: int) -> Verification:
    verdict = take.verdict
    return Verification(
        take=number,
        ok=None if verdict is None else verdict.ok,
        score=None if verdict is None else round(verdict.score, 4),
        why=None if verdict is None else shortened(verdict.why),
        rejected=tuple(map(_rejected, take.rejected[:most])),
        faults=tuple(
            FaultRecord(each.fault.check, each.piece, shortened(each.why)) for each in take.faults[:most]
        ),
    )


def _rejected(rejected: RejectedTake) -> RejectedRecord:
    return RejectedRecord(
        seed=rejected.style.seed,
        speed=rejected.style.speed,
        intonation=rejected.style.intonation,
        score=None if rejected.score is None else round(rejected.score, 4),
        why=shortened(rejected.why),
        piece=rejected.piece,
        checks=rejected.checks,
    )


def shortened(why: str) -> str:
    """A sentence of at most 200 characters: who wants all of it finds it in what it is about."""
    return why if len(why) <= _LONGEST_WHY else why[: _LONGEST_WHY - 1] + "…"
