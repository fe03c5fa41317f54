"""A `.env` file: lines of NAME=value, as shells and containers write them.

No expansion of `$NAME` and no commands: what stands there is the value.
"""

from __future__ import annotations

import re

from lib.errors import BadConfiguration

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "$": "$"}


def parse_dotenv(content: str, *, name: str) -> dict[str, str]:
    """Names and values, the last of equal names winning. `name` is the file's, for errors.

    Values stand bare (a ` #` begins a comment), in single quotes (as they are) or in double quotes
    (with the escapes `\\n \\t \\r \\" \\\\ \\$`).

    Raises:
        BadConfiguration: names file and line, never the line's text, which may be a secret.
    """
    values: dict[str, str] = {}
    for number, line in enumerate(content.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        value = _value(match[2]) if match else None
        if match is None or value is None:
            reason = "is not NAME=value" if match is None else "has a quote that is not closed"
            raise BadConfiguration(f"{name}, line {number}: the line {reason}; mend or delete it")
        values[match[1]] = value
    return values


def _value(text: str) -> str | None:
    """The value, or None when a quote is not closed or something follows it."""
    if text[:1] not in ("'", '"'):
        bare = re.split(r"(?:^|\s)#", text, maxsplit=1)[0]
        return bare.strip()
    pattern = r"'([^']*)'\s*(?:#.*)?" if text[0] == "'" else r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?'
    match = re.fullmatch(pattern, text)
    if match is None:
        return None
    if text[0] == "'":
        return match[1]
    return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[0]), match[1])
