"""The rules a field's value can follow. Each rule checks a value and describes itself as JSON Schema.

A rule returns the value in its stored form, or raises `Refused` with a phrase that completes
"field NAME ...". None never reaches a rule: an explicit null means that the field is not set.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from lib.clock import parse_rfc3339
from lib.jobspec.hints import count_hint, number_hint, time_hint
from lib.jobspec.lookalikes import quotes_hint
from lib.jobspec.names import OUTPUT_NAME_PATTERN, REQUEST_ID_PATTERN, check_output_name, check_request_id
from lib.jobspec.pictures import MAX_PROMPT
from lib.jobspec.problems import Refused, nearest, shown

MAX_TEXT_BYTES: Final = 1024 * 1024
LAST_SECOND: Final = 253_402_300_799  # 9999-12-31T23:59:59Z
_SPEAKABLE: Final = re.compile(r"[^\W_]")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_QUOTE_IT: Final = "put quotes around it"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value must be. `expects` is for people, `schema` for editors, `check` decides."""

    expects: str
    schema: Mapping[str, Any]
    check: Callable[[Any], Any]


def as_text(value: object) -> str:
    """Return `value` when it is text that can be stored; YAML's look-alikes get a hint."""
    if isinstance(value, str):
        if not value.isascii() and _SURROGATE.search(value):
            raise Refused("holds half of a surrogate pair, which is no character")
        return value
    if isinstance(value, bool):
        hint = "unquoted yes, no, on, off, true and false are truth values in YAML; " + _QUOTE_IT
        raise Refused(f"must be text, not {shown(value)}", hint)
    if isinstance(value, date):
        raise Refused(f"must be text; {shown(value)} is no text", _QUOTE_IT)
    if isinstance(value, int | float):
        raise Refused(f"must be text, not the number {shown(value)}", _QUOTE_IT)
    raise Refused(f"must be text, not {shown(value)}")


def check_spoken_text(value: object) -> str:
    """Return text that holds a letter or digit and is at most `MAX_TEXT_BYTES` long in UTF-8."""
    text = as_text(value)
    if not _SPEAKABLE.search(text):
        raise Refused("holds nothing to speak; write at least one letter or digit")
    if len(text) > MAX_TEXT_BYTES // 4 and len(text.encode()) > MAX_TEXT_BYTES:
        raise Refused(f"is {len(text.encode())} bytes long; at most {MAX_TEXT_BYTES} are allowed")
    return text


def spoken_text() -> Rule:
    """Text to be spoken."""
    schema = {"type": "string", "minLength": 1, "pattern": r"\S"}
    return Rule("text with at least one letter or digit, at most 1 MiB", schema, check_spoken_text)


def prompt() -> Rule:
    """What a picture shows."""

    def check(value: object) -> str:
        text = as_text(value)
        if not _SPEAKABLE.search(text):
            raise Refused("holds nothing to draw; write at least one letter or digit")
        if "\0" in text:
            raise Refused("holds a NUL, which is no character of a text")
        if len(text) > MAX_PROMPT:
            raise Refused(f"is {len(text)} characters long; at most {MAX_PROMPT} are allowed")
        return text

    schema = {"type": "string", "minLength": 1, "maxLength": MAX_PROMPT, "pattern": r"\S"}
    return Rule(f"text with at least one letter or digit, at most {MAX_PROMPT} characters", schema, check)


def file_path() -> Rule:
    """A path as written; what it may lead to is decided when the file is opened."""

    def check(value: object) -> str:
        text = as_text(value)
        if not text or not text.isprintable():
            raise Refused(f"{shown(text)} is no file name")
        return text

    schema = {
        "type": "string",
        "minLength": 1,
        "pattern": r"^[^/\u0000-\u001f\u007f][^\u0000-\u001f\u007f]*$(?!\n)",
    }
    return Rule("a path relative to the YAML's folder", schema, check)


def output_name(*, as_stored: bool = False) -> Rule:
    """A relative path that names a job's files; `as_stored`: one that an earlier version accepted, too."""
    schema = {"type": "string", "minLength": 1, "maxLength": 512, "pattern": OUTPUT_NAME_PATTERN}
    return Rule(
        "a relative path", schema, lambda value: check_output_name(as_text(value), as_stored=as_stored)
    )


def request_id() -> Rule:
    """A job's id in the queue."""
    schema = {"type": "string", "pattern": REQUEST_ID_PATTERN}
    return Rule("an id", schema, lambda value: check_request_id(as_text(value)))


def word(pattern: str, alphabet: str, limit: int) -> Rule:
    """A short name of a fixed alphabet."""
    compiled = re.compile(pattern)

    def check(value: object) -> str:
        text = value if isinstance(value, str) else as_text(value)
        if not compiled.match(text):
            message = f"{shown(text)} is no name; it is 1 to {limit} of {alphabet}"
            raise Refused(message, quotes_hint(text))
        return text

    return Rule(f"a name of {alphabet}", {"type": "string", "pattern": pattern}, check)


def choice(*allowed: str) -> Rule:
    """One of a few words."""
    listed = allowed[0] if len(allowed) == 1 else f"{', '.join(allowed[:-1])} or {allowed[-1]}"
    known = frozenset(allowed)

    def check(value: object) -> str:
        if isinstance(value, str) and value in known:
            return value
        suggestion = (quotes_hint(value) or nearest(value, allowed)) if isinstance(value, str) else None
        raise Refused(f"must be {listed}, not {shown(value)}", suggestion)

    return Rule(listed, {"enum": list(allowed)}, check)


def one_number(*allowed: int) -> Rule:
    """One of a few whole numbers; 2.0 is 2."""
    listed = f"{', '.join(map(str, allowed[:-1]))} or {allowed[-1]}"

    def check(value: object) -> int:
        if isinstance(value, int | float) and not isinstance(value, bool) and value in allowed:
            return int(value)
        raise Refused(f"must be {listed}, not {shown(value)}", number_hint(value))

    return Rule(listed, {"enum": list(allowed)}, check)


def truth() -> Rule:
    """True or false, and nothing that merely looks like it."""

    def check(value: object) -> bool:
        if isinstance(value, bool):
            return value
        unquoted = isinstance(value, str) and value.lower() in ("true", "false", "yes", "no", "on", "off")
        raise Refused(
            f"must be true or false, not {shown(value)}", "leave the quotes away" if unquoted else None
        )

    return Rule("true or false", {"type": "boolean"}, check)


def whole_number(low: int, high: int, *, step: int = 1) -> Rule:
    """A whole number of a closed range, and a multiple of `step`. `true` is no number; 2.0 is 2."""
    expects = (
        f"a whole number from {low} to {high}" if step == 1 else f"a multiple of {step} from {low} to {high}"
    )

    def check(value: object) -> int:
        if type(value) is int and low <= value <= high and value % step == 0:
            return value
        if isinstance(value, float) and value.is_integer() and low <= value <= high and value % step == 0:
            return int(value)
        raise Refused(f"must be {expects}, not {shown(value)}", number_hint(value))

    multiple = {} if step == 1 else {"multipleOf": step}
    return Rule(expects, {"type": "integer", "minimum": low, "maximum": high, **multiple}, check)


def number(low: float, high: float) -> Rule:
    """A finite number of a closed range. `true` is no number."""
    expects = f"a number from {low:g} to {high:g}"

    def check(value: object) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        raise Refused(f"must be {expects}, not {shown(value)}", number_hint(value))

    return Rule(expects, {"type": "number", "minimum": low, "maximum": high}, check)


def moment() -> Rule:
    """A time: seconds since the epoch, or RFC 3339 with a zone, quoted or not."""
    expects = "a time such as 2026-11-22T09:00:00Z, or seconds since 1970"

    def check(value: object) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _in_time(float(value) if -1 < value <= LAST_SECOND + 1 else math.inf, value)
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise Refused(f"{shown(value)} has no time zone", "add Z for UTC, or +01:00")
            return _in_time(value.timestamp(), value)
        if isinstance(value, str):
            return _in_time(_parsed_time(value, expects), value)
        raise Refused(f"must be {expects}, not {shown(value)}", time_hint(value))

    pattern = r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}.*([Zz]|[+-]\d{2}:?\d{2})$(?!\n)"
    number = {"type": "number", "minimum": 0, "maximum": LAST_SECOND}
    return Rule(expects, {"anyOf": [number, {"type": "string", "pattern": pattern}]}, check)


def _in_time(seconds: float, given: object) -> float:
    if not 0 <= seconds <= LAST_SECOND:  # false for a NaN too
        hint = count_hint(given) if isinstance(given, int | float) else None
        raise Refused(f"must lie between 1970 and 9999, which {shown(given)} does not", hint)
    return seconds


def _parsed_time(text: str, expects: str) -> float:
    try:
        return parse_rfc3339(text)
    except ValueError as error:
        if "time zone" in str(error):
            raise Refused(f"{shown(text)} has no time zone", "add Z for UTC, or +01:00") from None
        raise Refused(f"must be {expects}, not {shown(text)}", time_hint(text)) from None
    except OverflowError:
        return math.inf
