"""What can be wrong with a voice, a speaker, a language or a text. All are the user's to mend."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import Final

from lib.errors import BadConfiguration, BadInput

_LONGEST_SHOWN = 80
_PASSING: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.ESTALE})


class UnknownVoice(BadInput):
    """No registry folder holds a voice of that name."""


class UnknownSpeaker(BadInput):
    """The engine has no speaker of that name."""


class UnknownLanguage(BadInput):
    """No engine knows the language, or the chosen one does not speak it."""


class InvalidVoice(BadInput):
    """A `voice.yaml` breaks a rule, or a file it names is missing or has changed.

    `reason` is one word for programs: `unreadable`, `field`, `consent`, `missing`, `changed`, `outside`,
    `too_large`, `io` (it cannot be read now), or that of a fault in the recording
    (lib.voices.recording_faults).
    """

    def __init__(self, message: str, reason: str = "field") -> None:
        super().__init__(message)
        self.reason = reason


class TextRefused(BadInput):
    """The engine cannot speak the text as it stands.

    `reason` is one word for programs: `empty`, `no_speech`, `script` or `too_long`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class SayingRefused(BadInput):
    """The engine cannot say the phonemes that are given for `word`. `field` is where they stand."""

    def __init__(self, field: str, word: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.word = word


class SpeedRefused(BadInput):
    """The engine cannot speak at that speed."""


class UnknownEngine(BadConfiguration):
    """No installed package provides the engine."""


def quoted(value: str) -> str:
    """A caller's word for a sentence: quoted, one line, of bounded length."""
    shown = value if len(value) <= _LONGEST_SHOWN else value[: _LONGEST_SHOWN - 1] + "…"
    return repr(shown)


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence that names the known words nearest to `word`, or all of them when none is near."""
    from difflib import get_close_matches

    names = sorted(set(known))
    if not names:
        return "There are none."
    by_folded = {name.casefold(): name for name in names}
    close = get_close_matches(word[:_LONGEST_SHOWN].casefold(), by_folded, n=3, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(by_folded[name] for name in close)}?"
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return f"Known: {shown}."


def reading_reason(error: OSError, otherwise: str) -> str:
    """The `reason` of an InvalidVoice whose file could not be read: `io` where it may be well soon."""
    return "io" if error.errno in _PASSING else otherwise
