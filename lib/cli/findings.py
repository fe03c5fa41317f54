"""Prints findings, and what mends each."""

from __future__ import annotations

from collections.abc import Sequence

from lib.cli import output
from lib.findings import Finding


def show_findings(findings: Sequence[Finding], *, nothing: str, tried: bool = False) -> None:
    """Each finding with what mends it, for people; once that was `tried`, with what came of it."""
    if not findings:
        output.say(nothing)
    for item in findings:
        word = "mended" if item.mended else item.kind.severity.value
        output.say_state(word, f" {item.kind.id} {item.kind.title}", pad=7)
        output.say(f"        {item.sentence}.")
        word = "done" if item.mended else "left" if tried else item.remedy
        output.say(f"        {word}: {item.fix}.")
