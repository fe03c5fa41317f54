"""The languages a job may name. An engine speaks some of them."""

from __future__ import annotations

from typing import Final

from lib.voices.errors import UnknownLanguage, nearest, quoted

#: Names as job files write them; they are those of the Qwen speech models. Matching ignores case.
LANGUAGES: Final[tuple[str, ...]] = (
    "Auto",
    "Chinese",
    "English",
    "French",
    "German",
    "Italian",
    "Japanese",
    "Korean",
    "Portuguese",
    "Russian",
    "Spanish",
)
AUTO: Final = "Auto"
_CANONICAL: Final = {name.casefold(): name for name in LANGUAGES}


def canonical_language(name: str) -> str:
    """The language as this project writes it: `english` becomes `English`.

    Raises:
        UnknownLanguage: not in `LANGUAGES`.
    """
    canonical = _CANONICAL.get(name.casefold())
    if canonical is None:
        raise UnknownLanguage(f"The language {quoted(name)} is unknown. {nearest(name, LANGUAGES)}")
    return canonical
