"""What a verifier found of a take, and of those that were made in its place and rejected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib.records.reading import Fields


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A take that was made and not kept: how it was made, and what was wrong with it."""

    seed: int
    speed: float
    intonation: float
    score: float | None
    why: str

    def to_json(self) -> dict[str, Any]:
        """One entry of `rejected`."""
        return {
            "seed": self.seed,
            "speed": self.speed,
            "intonation": self.intonation,
            "score": self.score,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Verification:
    """The judgement of take number `take`; `ok` None where nobody judged it. Less `score` is better."""

    take: int
    ok: bool | None
    score: float | None
    why: str | None
    rejected: tuple[RejectedRecord, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """One entry of `verification`."""
        return {
            "take": self.take,
            "ok": self.ok,
            "score": self.score,
            "why": self.why,
            "rejected": [rejected.to_json() for rejected in self.rejected],
        }


def verification_from(fields: Fields) -> Verification:
    """The judgement of an object's fields. Raises InvalidRecord."""
    return Verification(
        take=fields.whole("take", least=1),
        ok=fields.optional_flag("ok"),
        score=fields.optional_number("score"),
        why=fields.optional_text("why"),
        rejected=tuple(
            RejectedRecord(
                seed=rejected.whole("seed"),
                speed=rejected.number("speed"),
                intonation=rejected.number("intonation"),
                score=rejected.optional_number("score"),
                why=rejected.text("why"),
            )
            for rejected in fields.objects("rejected")
        ),
    )
