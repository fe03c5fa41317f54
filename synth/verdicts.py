"""What the record says of verification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from synth.takes import RawTake

UNVERIFIED: Final = "UNVERIFIED"
PASSED: Final = "PASSED"
FAILED: Final = "FAILED"
_LONGEST_WHY: Final = 200
_WHY_UNVERIFIED: Final = (
    "No speech recogniser is installed, so nobody compared what was said with the text; "
    "only the signal was measured."
)


def verdict_json(takes: Sequence[RawTake]) -> dict[str, Any]:
    """The verdict of the chosen take, which is first; evidence where a take was judged or made again."""
    verdict = takes[0].verdict
    if verdict is None:
        told = {"verdict": UNVERIFIED, "verdict_why": _WHY_UNVERIFIED}
    else:
        told = {"verdict": PASSED if verdict.ok else FAILED, "verdict_why": _short(verdict.why)}
    if not any(take.verdict or take.rejected for take in takes):
        return told
    return {**told, "verification": [_take_json(number, take) for number, take in enumerate(takes, start=1)]}


def _take_json(number: int, take: RawTake) -> dict[str, Any]:
    verdict = take.verdict
    return {
        "take": number,
        "ok": None if verdict is None else verdict.ok,
        "score": None if verdict is None else round(verdict.score, 4),
        "why": None if verdict is None else _short(verdict.why),
        "rejected": [
            {
                "seed": rejected.style.seed,
                "speed": rejected.style.speed,
                "intonation": rejected.style.intonation,
                "score": None if rejected.score is None else round(rejected.score, 4),
                "why": _short(rejected.why),
            }
            for rejected in take.rejected
        ],
    }


def _short(why: str) -> str:
    return why if len(why) <= _LONGEST_WHY else why[: _LONGEST_WHY - 1] + "…"
