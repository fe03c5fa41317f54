"""What was found of a take, by a verifier and in its signal, and of what was made in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib.records.reading import Fields


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A take, or one piece of it, that was made and not kept: how, and what was wrong with it."""

    seed: int
    speed: float
    intonation: float
    score: float | None
    why: str
    piece: int | None = None  # which piece, from 1; None: all of the take
    checks: tuple[str, ...] = ()  # of the signal, that it failed

    def to_json(self) -> dict[str, Any]:
        """One entry of `rejected`."""
        return {
            "seed": self.seed,
            "speed": self.speed,
            "intonation": self.intonation,
            "score": self.score,
            "why": self.why,
            "piece": self.piece,
            "checks": list(self.checks),
        }


@dataclass(frozen=True, slots=True)
class FaultRecord:
    """What a check of the signal found in a piece that was kept, for want of a better one."""

    check: str
    piece: int  # from 1
    why: str

    def to_json(self) -> dict[str, Any]:
        """One entry of `faults`."""
        return {"check": self.check, "piece": self.piece, "why": self.why}


@dataclass(frozen=True, slots=True)
class Verification:
    """The judgement of take number `take`; `ok` None where nobody heard it. Less `score` is better."""

    take: int
    ok: bool | None
    score: float | None
    why: str | None
    rejected: tuple[RejectedRecord, ...] = ()
    faults: tuple[FaultRecord, ...] = ()

    @property
    def broken(self) -> int:
        """How many takes or pieces were made and found wrong: those rejected, and what was kept of this."""
        kept = len({fault.piece for fault in self.faults}) or int(self.ok is False)
        return len(self.rejected) + kept

    def to_json(self) -> dict[str, Any]:
        """One entry of `verification`."""
        return {
            "take": self.take,
            "ok": self.ok,
            "score": self.score,
            "why": self.why,
            "rejected": [rejected.to_json() for rejected in self.rejected],
            "faults": [fault.to_json() for fault in self.faults],
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
                piece=rejected.optional_whole("piece"),
                checks=rejected.texts("checks"),
            )
            for rejected in fields.objects("rejected")
        ),
        faults=tuple(
            FaultRecord(fault.text("check"), fault.whole("piece", least=1), fault.text("why"))
            for fault in fields.objects("faults")
        ),
    )
