"""When a note of consent says enough: who agreed, to what and when, or the document that says it."""

from __future__ import annotations

import re
from typing import Final

from lib.voices.errors import quoted

#: What a machine is told in its place, of a consent that passed here (`lib.voices.voice_parcel`).
GIVEN_ELSEWHERE: Final = "Given; it is written in the registry that this was sent from."
#: What people write into a field that has to be filled. Nobody agreed to anything by these.
_NO_ANSWER: Final = frozenset(
    ("", "-", "?", "false", "missing", "n/a", "na", "no", "none", "open", "pending", "tbd", "todo", "unknown")
)
#: Notes that begin as work to be done, and such as say that nobody agreed.
_OPEN: Final = re.compile(r"(?:missing|n/a|none|pending|tbd|to ?do|unknown)\b")
_NEGATION: Final = re.compile(
    r"\b(?:not (?:yet )?(?:agreed?|consented?|given|asked)|no (?:consent|permission))\b"
    r"|\b(?:refused|declined|withdrawn?|withdrew)\b"
    r"|\b(?:has|have|did|does)n['’]t (?:agreed?|consent)"
)
_YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
#: A file, or an address.
_DOCUMENT: Final = re.compile(
    r"(?i)\w\.(?:pdf|txt|md|docx?|odt|rtf|eml|msg|jpe?g|png|tiff?|html?)\b|https?://\S"
)
_WORD: Final = re.compile(r"[^\W\d_]+")
#: "Jo agreed to narration" is the shortest that says who and what; without blanks, as in Chinese, by letters.
_LEAST_WORDS: Final = 4
_LEAST_UNSPACED: Final = 6


def consent_fault(consent: str) -> str | None:
    """What a person's consent lacks, as the end of a sentence about the field; None: it says enough.

    That it is true nobody can see here; that somebody can ask back is what it has to make possible.
    """
    shown = quoted(consent)
    bare = consent.strip(" .!").casefold()
    if bare in _NO_ANSWER or _OPEN.match(bare) or _NEGATION.search(bare):
        return (
            f"is {shown}: nothing is spoken with a person's voice before they agreed; "
            "write who agreed, to what and when"
        )
    if consent == GIVEN_ELSEWHERE or _DOCUMENT.search(consent):
        return None
    words = _WORD.findall(consent)
    said = len(words) >= _LEAST_WORDS or sum(map(len, filter(_is_unspaced, words))) >= _LEAST_UNSPACED
    if said and _YEAR.search(consent):
        return None
    lacks = "does not say when" if said else "does not say who agreed, to what and when"
    return (
        f"is {shown}, which {lacks}; write it like 'Jo Doe agreed to narration by us on 2026-11-02', or name "
        "the document, like 'jo-doe-release.pdf'"
    )


def _is_unspaced(word: str) -> bool:
    """Whether it is of a script that is written without blanks between words."""
    return any("\u0e00" <= letter <= "\u0eff" or "\u3040" <= letter <= "\u9fff" for letter in word)
