"""What a setting's text may look like, and the value it becomes.

A parser raises ValueError without the text in its message: the text may be a secret, and whoever
reports the error decides whether it may be shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from lib.urls import ENCODE, is_torn, shown

_DURATION = re.compile(r"(\d{1,12})\s*([smhd]?)")
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_MACHINE = (
    r"[A-Za-z0-9_][A-Za-z0-9_.-]*@(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)(:\d{1,5})?"
    r"(\?key=[^\s,?*]+)?(\*([1-9]\d{0,2}|gpu))?"
)
_QUOTES: Final = ('"', "'", "\u2018", "\u201c")
HIDDEN: Final = "(hidden)"


class Unfit(ValueError):
    """A text that does not fit for one reason of several: `bound` is the sentence of that one."""

    def __init__(self, bound: str) -> None:
        super().__init__(bound)
        self.bound = bound


class Secret:
    """A text that never shows by accident: `str`, `repr` and formatting give `(hidden)`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one call that needs it."""
        return self._text

    def __repr__(self) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> Any:
        raise TypeError("a secret is not written anywhere")


@dataclass(frozen=True, slots=True)
class SettingKind:
    """A type of setting: the sentence for its bound ("a whole number from 1 to 9"), and its parser."""

    bound: str
    parse: Callable[[str], Any]
    secret: bool = False  # the whole text is hidden
    url: bool = False  # a password inside is hidden
    may_be_empty: bool = True  # an empty text counts as not set; else it is an error

    @property
    def may_be_a_file(self) -> bool:
        """True when the value may stand in a file named by NAME_FILE or be a systemd credential."""
        return self.secret or self.url

    def show(self, value: Any) -> str | None:
        """The value for people and records, without secrets; None when it is not set."""
        if value is None or value == ():
            return None
        if self.secret:
            return HIDDEN
        if self.url:
            return shown(value)
        return " ".join(value) if isinstance(value, tuple) else str(value)


def text(pattern: str | None = None, bound: str = "text on one line") -> SettingKind:
    """Any printable line, or one that matches all of `pattern`."""
    compiled = re.compile(pattern) if pattern else None

    def parse(raw: str) -> str:
        if not raw.isprintable() or (compiled and not compiled.fullmatch(raw)):
            raise ValueError
        return raw

    return SettingKind(bound, parse)


def secret() -> SettingKind:
    """A printable line that is never shown."""

    def parse(raw: str) -> Secret:
        if not raw.isprintable():
            raise ValueError
        return Secret(raw)

    return SettingKind("one line without control characters", parse, secret=True)


def choice(*names: str) -> SettingKind:
    """One of some names."""

    def parse(raw: str) -> str:
        if raw not in names:
            raise ValueError
        return raw

    return SettingKind(f"one of {', '.join(names)}", parse)


def whole(low: int, high: int) -> SettingKind:
    """A whole number, both bounds allowed."""

    def parse(raw: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", raw) or not low <= int(raw) <= high:
            raise ValueError
        return int(raw)

    return SettingKind(f"a whole number from {low} to {high}", parse)


def number(low: float, high: float) -> SettingKind:
    """A finite number, both bounds allowed."""

    def parse(raw: str) -> float:
        value = float(raw)
        if not low <= value <= high:  # also refuses NaN
            raise ValueError
        return value

    return SettingKind(f"a number from {low:g} to {high:g}", parse)


def money(high: int = 1_000_000) -> SettingKind:
    """US dollars, exact, zero or more."""

    def parse(raw: str) -> Decimal:
        try:
            value = Decimal(raw)
        except InvalidOperation:
            raise ValueError from None
        if not (value.is_finite() and 0 <= value <= high):
            raise ValueError
        return value

    return SettingKind(f"US dollars from 0 to {high}, like 2.50", parse)


def duration(low: int, high: int) -> SettingKind:
    """Seconds, or a number with s, m, h or d; becomes whole seconds."""

    def parse(raw: str) -> int:
        match = _DURATION.fullmatch(raw)
        if match is None:
            raise ValueError
        seconds = int(match[1]) * _SECONDS[match[2]]
        if not low <= seconds <= high:
            raise ValueError
        return seconds

    return SettingKind(f"seconds from {low} to {high}, or like 90s, 15m, 12h, 30d", parse)


def path(bound: str = "a folder's path") -> SettingKind:
    """A folder or file; `~` is the home folder, a relative one is made absolute by whoever loads it."""

    def parse(raw: str) -> Path:
        if "\0" in raw:
            raise ValueError
        return Path(raw)

    return SettingKind(bound, parse)


def url(*schemes: str, may_be_empty: bool = True) -> SettingKind:
    """A URL of one of these schemes; a password in it is never shown.

    `may_be_empty` is False where whoever gave an empty one must not get the default: records that were meant
    for a server would go to a file.
    """

    def parse(raw: str) -> str:
        scheme, _, rest = raw.partition(":")
        if raw[:1] in _QUOTES and raw[:1] == raw[-1:]:
            raise Unfit("a URL without quotes around it; a shell takes them away, other places keep them")
        if scheme.lower() not in schemes:
            raise ValueError
        if scheme.lower().startswith("redis") and not rest.startswith("//"):
            raise Unfit(f"a URL with two slashes, as in {scheme.lower()}://127.0.0.1:6379/0")
        raw = f"{scheme.lower()}:{rest}"  # clients know schemes in small letters only
        try:
            parts = urlsplit(raw)
        except ValueError:  # a bracket without its other half
            raise Unfit(f"a URL without '[' and ']' in its password; {ENCODE}") from None
        if not (parts.netloc or parts.path.strip("/")):
            raise ValueError
        _check_password(raw, parts.scheme)
        for host in parts.netloc.rpartition("@")[2].split(","):  # several of a cluster, or Sentinels
            _check_port(host)
        return raw

    return SettingKind(
        f"a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}",
        parse,
        url=True,
        may_be_empty=may_be_empty,
    )


def _check_password(raw: str, scheme: str) -> None:
    if not raw.isprintable() or " " in raw:
        raise Unfit(f"a URL without blanks and control characters; {ENCODE}")
    if is_torn(raw) or ("#" in raw and scheme not in ("file", "sqlite")):  # in paths of files it is a letter
        raise Unfit(f"a URL without '/', '?', '#' and '@' in its password; {ENCODE}")


def _check_port(host: str) -> None:
    try:
        _ = urlsplit(f"//{host}").port
    except ValueError:
        raise Unfit(f"a URL whose port is a number up to 65535; {ENCODE}") from None


def pauses(high: float = 10.0) -> SettingKind:
    """Seconds after a clause, a sentence and a paragraph, none shorter than the one before; stays text."""

    def parse(raw: str) -> str:
        seconds = [float(part) for part in raw.split(",")]
        if len(seconds) != 3 or not 0.0 <= seconds[0] <= seconds[1] <= seconds[2] <= high:  # also refuses NaN
            raise ValueError
        return ",".join(f"{value:g}" for value in seconds)

    return SettingKind(f"three numbers of seconds from 0 to {high:g}, rising, like 0.2,0.45,0.9", parse)


def machines() -> SettingKind:
    """Machines to reach by SSH, separated by commas or blanks."""
    return words(_MACHINE, "a list of user@host:port, separated by commas")


def words(pattern: str, bound: str) -> SettingKind:
    """Words of one form, at least one, separated by commas or blanks."""
    compiled = re.compile(pattern)

    def parse(raw: str) -> tuple[str, ...]:
        found = tuple(raw.replace(",", " ").split())
        if not found or not all(compiled.fullmatch(word) for word in found):
            raise ValueError
        return found

    return SettingKind(bound, parse)
