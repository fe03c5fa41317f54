"""Seeds that follow from what is spoken: the same words by the same voice sound the same."""

from __future__ import annotations

import hashlib
from typing import Final

#: Seeds are below this, whatever is asked for.
SEEDS: Final = 2**31


def seed_of(text: str) -> int:
    """A seed that only these characters decide."""
    raw = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(raw[:4], "big") % SEEDS


def usual_seed(engine: str, voice: str | None, speaker: str | None, language: str, text: str) -> int:
    """The seed of a job's first take where it asks for none: text and voice decide it."""
    return seed_of("\x00".join((engine, voice or "", speaker or "", language, text)))
