"""Takes secrets out of texts: those that are known, in each form in which they may be written, and what looks
like one wherever it came from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, unquote

HIDDEN_PART: Final = "***"

#: A shorter one is hidden only as a word of its own: else "key" would be missing from "monkey".
_SHORT: Final = 6
#: What signs a URL or a request, the login of a URL, and a token in a header.
_LOOKS: Final = (
    re.compile(
        r"(?i)\b((?:x-amz-)?(?:signature|credential|security-token)|awsaccesskeyid|sig)(=|%3D|\"?:\s*\"?)"
        r"[^&\s\"'<>,;]+"
    ),
    re.compile(r"(://)()[^/\s@'\"]*:[^\s@'\"]+(?=@)"),
    re.compile(r"(?i)\b(bearer|basic)(\s+)[A-Za-z0-9+/=._~-]{8,}"),
)


class Redactor:
    """Hides secrets in texts. Made once with all that are known; `more` adds those that are learnt later.

    Threads: any.
    Raises: nothing.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        self.more(secrets)

    def more(self, secrets: Iterable[str]) -> None:
        """Hide these too."""
        forms = self._forms.union(*(_forms(secret) for secret in secrets if secret.strip()))
        parts = (_part(form) for form in sorted(forms, key=len, reverse=True))
        pattern = "|".join(parts)
        self._forms, self._pattern = forms, re.compile(pattern) if pattern else None

    def hide(self, text: str) -> str:
        """The text without them."""
        if self._pattern is not None:
            text = self._pattern.sub(HIDDEN_PART, text)
        for looks in _LOOKS:
            text = looks.sub(rf"\1\2{HIDDEN_PART}", text)
        return text

    def hide_known(self, text: str) -> str:
        """The text without those that are known; what only looks like one stays."""
        return text if self._pattern is None else self._pattern.sub(HIDDEN_PART, text)


def _forms(secret: str) -> set[str]:
    """How a secret may be written: as it is, in URLs, in JSON, in what Python shows of a text."""
    plain = {secret, unquote(secret)}
    return {
        form
        for text in plain
        for form in (
            text,
            quote(text, safe=""),
            quote(text),
            repr(text)[1:-1],
            json.dumps(text)[1:-1],
            json.dumps(text, ensure_ascii=False)[1:-1],
        )
    }


def _part(form: str) -> str:
    escaped = re.escape(form)
    return rf"(?<!\w){escaped}(?!\w)" if len(form) < _SHORT else escaped
