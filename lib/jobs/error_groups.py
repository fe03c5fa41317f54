"""Failures that look alike as one: what is wrong, how often, since when."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lib.clock import rfc3339
from lib.jobqueue import FinishedJob

#: What a signature looks like.
SIGNATURE_PATTERN: Final = r"^[0-9a-f]{12}$"
_NAMED: Final = 3
_LONGEST: Final = 400
_NO_REASON: Final = ("unknown", "no reason was recorded")
#: What differs between failures of one cause: quoted words, paths, numbers, names with digits.
_OWN: Final = re.compile(r"\"[^\"]*\"|'[^']*'|(?:/[\w.~+-]+){2,}|[\w:.~-]*\d[\w:.~-]*")


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Failures of one signature. `sentence` is that of the latest, `named` are the latest jobs of them."""

    signature: str
    error_class: str
    sentence: str
    count: int
    first_at: float
    last_at: float
    named: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """One group of `GET /queue/failures`."""
        return {
            "signature": self.signature,
            "class": self.error_class,
            "message": self.sentence,
            "count": self.count,
            "first_at": rfc3339(self.first_at),
            "last_at": rfc3339(self.last_at),
            "jobs": list(self.named),
        }


def signature_of(job: FinishedJob) -> str:
    """What failures of one cause share, as hexadecimals: their class, and their sentence without names."""
    error_class, message = _error(job)
    alike = " ".join(_OWN.sub("…", message.replace(job.request_id, "…")[:_LONGEST]).split())
    return hashlib.sha256(f"{error_class}\0{alike}".encode("utf-8", "replace")).hexdigest()[:12]


def _error(job: FinishedJob) -> tuple[str, str]:
    failure = job.failure()
    return (failure.error_class, failure.message) if failure else _NO_REASON


def error_groups(failed: Iterable[FinishedJob]) -> Sequence[ErrorGroup]:
    """The groups of failed jobs, which come most recent first; the largest group first. Pure."""
    found: dict[str, list[FinishedJob]] = {}
    for job in failed:
        found.setdefault(signature_of(job), []).append(job)
    groups = [
        ErrorGroup(
            signature,
            *_error(jobs[0]),
            count=len(jobs),
            first_at=jobs[-1].finished_at,
            last_at=jobs[0].finished_at,
            named=tuple(job.request_id for job in jobs[:_NAMED]),
        )
        for signature, jobs in found.items()
    ]
    return sorted(groups, key=lambda group: (-group.count, -group.last_at))
