"""Takes secrets out of texts: those that are known, in each form in which they may be written, and what looks
like one wherever it came from."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, quote_plus, unquote

HIDDEN_PART: Final = "***"

#: A shorter one is hidden only as a word of its own: else "key" would be missing from "monkey".
_SHORT: Final = 6
#: Of a shorter piece of base64, other things may hold as much by chance.
_PIECE: Final = 8
_VALUE: Final = r"[^&\s\"'<>,;]+"
#: What signs a URL or a request, keys in queries, the login of a URL, a token in a header, a private key.
#: Each with signs, in small letters: a text that has none of them is not looked through.
_LOOKS: Final = (
    (
        ("sig", "credential", "security-token", "awsaccesskeyid"),
        re.compile(
            r"(?i)\b((?:x-amz-)?(?:signature|credential|security-token)|awsaccesskeyid|sig)"
            rf"(=|%3D|['\"]?:\s*(?:b?['\"])?){_VALUE}"
        ),
    ),
    (
        ("key", "token", "secret", "passwd", "password"),
        re.compile(
            r"(?i)\b((?:(?:api|access|auth|secret)[_-]?)(?:key|token)|token|secret|passwd|password)(=|%3D)"
            rf"{_VALUE}"
        ),
    ),
    (("://",), re.compile(r"(://)()[^/\s@'\"]*:[^\s'\"]+(?=@)")),
    (("://",), re.compile(r"(?i)(https?://)()[^/\s@'\"]+(?=@)")),
    (("bearer", "basic"), re.compile(r"(?i)\b(bearer|basic)(\s+)[A-Za-z0-9+/=._~*-]{8,}")),
    (
        ("private key",),
        re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)().+?(?=-----END|$)", re.S),
    ),
)
#: All signs, most often of a text that has none of them: to look for each costs less than a pattern of all.
_SIGNS: Final = tuple(sign for signs, _ in _LOOKS for sign in signs)


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
        self._forms, self._pattern = forms, _pattern_of(forms) if forms else None

    def hide(self, text: str) -> str:
        """The text without them."""
        text = self.hide_known(text)
        folded = text.casefold()
        if not any(map(folded.__contains__, _SIGNS)):
            return text
        for signs, looks in _LOOKS:
            if any(sign in folded for sign in signs):
                text = looks.sub(rf"\1\2{HIDDEN_PART}", text)
        return text

    def hide_known(self, text: str) -> str:
        """The text without those that are known; what only looks like one stays."""
        if self._pattern is None or not any(map(text.__contains__, self._forms)):
            return text  # as nearly always: so many looks for a piece cost less than one for any of them
        return self._pattern.sub(HIDDEN_PART, text)


def _forms(secret: str) -> set[str]:
    """How a secret may be written: as it is, in URLs, in JSON, in what Python shows of a text, in base64."""
    found = set[str]()
    for text in {secret, unquote(secret)}:
        in_json = json.dumps(text)[1:-1]
        found |= {text, repr(text)[1:-1], in_json, in_json.replace("/", "\\/")}
        found.add(json.dumps(text, ensure_ascii=False)[1:-1])
        in_urls = {quote(text, safe="", errors="replace"), quote(text, errors="replace")}
        in_urls.add(quote_plus(text, errors="replace"))
        found |= in_urls | {re.sub("%..", lambda code: code[0].lower(), url) for url in in_urls}
        found.update(_pieces(text.encode("utf-8", "replace")))
    return found


def _pieces(data: bytes) -> Iterator[str]:
    """What base64 of anything that holds `data` has in it, wherever in it that stands."""
    for before, first in ((0, 0), (1, 2), (2, 3)):
        whole = (before + len(data)) // 3 * 4 + (
            (before + len(data)) % 3
        )  # without what the next bytes change
        piece = b64encode(b"\0" * before + data).decode()[first:whole]
        if len(piece) >= _PIECE:
            yield piece
            yield piece.replace("+", "-").replace("/", "_")


def _pattern_of(forms: Iterable[str]) -> re.Pattern[str]:
    """Any of these, the longest first."""
    return re.compile("|".join(map(_part, sorted(forms, key=len, reverse=True))))


def _part(form: str) -> str:
    escaped = re.escape(form)
    return rf"(?<!\w){escaped}(?!\w)" if len(form) < _SHORT else escaped
