"""What `doctor` and `reconcile` find: an id that never changes its meaning, a sentence, and what mends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lib.errors import ExitStatus


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"  # jobs are lost, refused or not spoken as things are
    WARNING = "warning"  # it works, and somebody should look


@dataclass(frozen=True, slots=True)
class FindingKind:
    """A thing that can be found. `id` is documented in docs/reference/findings.md and never reused."""

    id: str
    severity: Severity
    title: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `subject` is what it is about: a job, a key, a setting, a folder.

    `fix` is what mends it; once that was tried, what was done, or why it was not. `remedy` is the word
    before it.
    """

    kind: FindingKind
    subject: str
    sentence: str
    fix: str
    mended: bool = False
    remedy: str = "do"
    passing: bool = False  # it does not answer now, and nothing here need be mended for it to answer again
    harmless: bool = False  # nothing mends it and nothing needs it: no check should fail of it

    def to_json(self) -> dict[str, Any]:
        """One entry of `findings` in `doctor --json` and `reconcile --json`."""
        return {
            "id": self.kind.id,
            "severity": self.kind.severity.value,
            "subject": self.subject,
            "sentence": self.sentence,
            "fix": self.fix,
            "mended": self.mended,
        }


def exit_status_of(findings: Sequence[Finding], *, blind: FindingKind | None = None) -> ExitStatus:
    """How a doctor ends: 0 when nothing is wrong or there are only warnings, else 69 or 78.

    69 where it found `blind` (without which little else was looked at), or when nothing is wrong but that
    things do not answer: what then asks again may succeed. 78 when something must be mended.
    """
    errors = [item for item in findings if item.kind.severity is Severity.ERROR]
    if not errors:
        return ExitStatus.OK
    waits = any(item.kind is blind for item in errors) or all(item.passing for item in errors)
    return ExitStatus.UNAVAILABLE if waits else ExitStatus.BAD_CONFIGURATION
