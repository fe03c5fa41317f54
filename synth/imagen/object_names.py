"""The names that pictures get in their bucket: nothing of a prompt but letters, digits and hyphens."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_LONGEST: Final = 48
_READ: Final = 400  # characters of a prompt that are looked at
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NAMELESS: Final = "picture"  # for prompts without a Latin letter or a digit


def slug_of(prompt: str) -> str:
    """A short name: lower-case ASCII letters, digits and single hyphens, 1 to 48, whatever the prompt."""
    plain = unicodedata.normalize("NFKD", prompt[:_READ]).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall(r"[a-z0-9]+", plain))
    return words[:_LONGEST].strip("-") or _NAMELESS


def object_name(day: str, prompt: str, seed: int, mark: str = "") -> str:
    """`<YYYY-MM-DD>/<slug>-<seed>.png`; with a mark `<YYYY-MM-DD>/<slug>-<seed>-<mark>.png`.

    Raises:
        ValueError: `day` is none.
    """
    if not _DAY.fullmatch(day):
        raise ValueError(f"{day!r} is no day")
    end = f"-{mark}" if mark else ""
    return f"{day}/{slug_of(prompt)}-{seed}{end}.png"


def mark_of(id: str) -> str:
    """Eight characters of a row's id, for a name that is another picture's already."""
    return id.replace("-", "")[:8].lower()
