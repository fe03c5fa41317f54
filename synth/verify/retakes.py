"""How much care a profile is worth: how often a take that fails is made again, and what then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Care:
    """What follows when a take does not pass."""

    retakes: int  # how often it is made again, each time differently
    refuses: bool  # whether the job fails when no take passed; else it passes with a warning


#: By profile.
CARE: Final[Mapping[str, Care]] = {
    "fast": Care(retakes=1, refuses=False),
    "balanced": Care(retakes=2, refuses=False),
    "quality": Care(retakes=4, refuses=True),
}


def care_of(profile: str) -> Care:
    """The care of a profile."""
    return CARE[profile]
