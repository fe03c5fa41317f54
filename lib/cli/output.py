"""Prints results on stdout and words for people on stderr.

One model feeds both `--json` and tables. Values come from files, queues and machines, so control
characters are made visible before they reach a terminal.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from functools import cache
from os.path import normpath
from pathlib import PurePath
from typing import Any, Final, TextIO

from lib.cli.colour import takes_colour
from lib.cli.layout import (
    NARROWEST,
    Column,
    display_width,
    painted,
    paragraph,
    plain_lines,
    table_lines,
    width_of,
    wrapped,
)
from lib.cli.streams import is_unicode, tell
from lib.errors import UsageError
from lib.urls import HIDDEN_PART

__all__ = [
    "Column",
    "Table",
    "clean",
    "concealed",
    "confirm",
    "detail",
    "display_width",
    "emit_csv",
    "emit_json",
    "emit_json_array",
    "emit_json_lines",
    "error",
    "field_lines",
    "is_verbose",
    "json_printed",
    "note",
    "say",
    "say_state",
    "show_fields",
    "tell_json_line",
    "tell_json_line_aside",
    "verbosity",
    "warn",
]


#: What steers a terminal or is read otherwise than it stands: C1 controls (U+0080-9F) and DEL, line and
#: paragraph separators, every mark that reorders what is read, and halves of surrogate pairs.
_STEERING: Final = "\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff"
_NOT_IN_JSON: Final = re.compile(f"[{_STEERING}]")  # `json` itself escapes the C0 controls within texts
_NOT_IN_LINES: Final = re.compile(f"[\x00-\x1f{_STEERING}]")
_NOT_IN_PARAGRAPHS: Final = re.compile(f"[\x00-\x09\x0b-\x1f{_STEERING}]")


class _Mark:
    """Something that is so, or not, of the command line that runs."""

    def __init__(self) -> None:
        self._set = False

    def set(self) -> None:
        self._set = True

    def clear(self) -> None:
        self._set = False

    def is_set(self) -> bool:
        return self._set


#: Whether it has put JSON on stdout: an error must not add a second value.
json_printed = _Mark()
#: Whether this command line asked to be told more (`-v`).
verbosity = _Mark()


class _Concealed:
    """Logins of the command line that runs: they are in nothing that is printed.

    And secrets of its settings: they are in nothing that is told on stderr, nor in errors. A result is not
    touched for them: a short secret may be a word of it.
    """

    def __init__(self) -> None:
        self._forms: tuple[str, ...] = ()
        self._secrets: tuple[str, ...] = ()

    def know(self, secrets: Iterable[str]) -> None:
        """Conceal these too, in each form."""
        self._secrets = (*self._secrets, *secrets)

    def forget(self) -> None:
        """Begin anew, for the next command line of this process."""
        self._forms, self._secrets = (), ()

    def hide_secrets(self, text: str) -> str:
        """A sentence without secrets and logins."""
        if self._secrets:
            from lib.redact import Redactor  # few command lines come here: made when it is needed

            text = Redactor(self._secrets).hide_known(text)
        return self.hide(text)

    def set(self, logins: Iterable[str]) -> None:
        """Conceal these, in each form in which a sentence or JSON may hold them."""
        forms = set[str]()
        for login in logins:
            for form in (login, " ".join(login.split()), *_in_paths(login)):
                quoted = repr(form)[1:-1]
                forms.update((form, quoted, *_in_json(form), *_in_json(quoted)))
        self._forms = tuple(sorted((f"{form}@" for form in forms), key=len, reverse=True))

    def hide(self, text: str) -> str:
        """The text without them."""
        for form in self._forms:
            text = text.replace(form, f"{HIDDEN_PART}@")
        return text


def _in_paths(login: str) -> list[str]:
    """A login as paths hold it, as it stands and resolved, with its @: a slash before that stays in them."""
    name = f"x/{login}@"
    paths = str(PurePath(name)), normpath(name)
    return [path.removeprefix("x/").removesuffix("@") for path in paths]


def _in_json(text: str) -> tuple[str, str]:
    return json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]


concealed = _Concealed()


def is_verbose() -> bool:
    """Whether people asked to be told more."""
    return verbosity.is_set()


def emit_json(value: Any) -> None:
    """Print one JSON value on stdout: indented on a terminal, compact in a pipe.

    Decimals (money) and paths become strings; NaN and infinity raise ValueError.
    """
    text = _json_text(value, indent=2 if sys.stdout.isatty() else None)
    json_printed.set()
    sys.stdout.write(text + "\n")


def emit_json_lines(values: Iterable[Any]) -> None:
    """Print one compact JSON value a line, as they come; nothing is held back."""
    for value in values:
        json_printed.set()
        sys.stdout.write(_json_text(value) + "\n")


def tell_json_line(value: Any) -> None:
    """Print one compact JSON value on a line of stdout, at once, for whoever follows a command that stays.

    It is told, not answered: a reader that went away, or a full disk, does not end the command.
    """
    tell(sys.stdout, _json_text(value) + "\n")


def tell_json_line_aside(value: Any) -> None:
    """As `tell_json_line`, on stderr: a log that programs read."""
    tell(sys.stderr, _json_text(value) + "\n")


def emit_json_array(values: Iterable[Any]) -> None:
    """Print one JSON array, an element a line, as they come; nothing is held back."""
    json_printed.set()
    before = "[\n"
    for value in values:
        sys.stdout.write(before + _json_text(value))
        before = ",\n"
    sys.stdout.write("[]\n" if before == "[\n" else "\n]\n")


def emit_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a line of headings and one of each row (RFC 4180, but with plain line ends); None is empty."""
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(["" if cell is None else clean(str(cell)) for cell in row])


@cache
def _encoder(indent: int | None, ensure_ascii: bool) -> json.JSONEncoder:
    """Made once: `json.dumps` with options makes one for each call."""
    return json.JSONEncoder(
        indent=indent,
        separators=None if indent else (",", ":"),
        allow_nan=False,
        ensure_ascii=ensure_ascii,
        default=_plain_value,
    )


def _json_text(value: Any, *, indent: int | None = None) -> str:
    """JSON that a terminal may show: what would steer it is written as `\\u009b`, which is the same value."""
    text = _encoder(indent, not is_unicode(sys.stdout)).encode(value)
    text = concealed.hide(text)
    if text.isascii() and "\x7f" not in text:  # as nearly always
        return text
    return _NOT_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(text: str = "") -> None:
    """Print a result line for people on stdout."""
    _write(sys.stdout, clean(text, keep_newlines=True))


def say_state(state: str, text: str, *, pad: int = 0) -> None:
    """Print a result line that begins with the word for a state, coloured on a terminal."""
    word = clean(state)
    line = f"{word.ljust(pad)}{clean(text)}"
    colour = takes_colour(sys.stdout)
    _write(sys.stdout, line, first=word if colour else "")


def note(text: str) -> None:
    """Tell people something on stderr; never part of a result."""
    _to_stderr(text)


def detail(text: str) -> None:
    """Tell people something on stderr, where they asked to be told more."""
    if is_verbose():
        note(text)


def warn(text: str) -> None:
    """Warn people on stderr."""
    _to_stderr(f"warning: {text}", first="warning")


def error(text: str) -> None:
    """Print the sentence a command ends with, on stderr."""
    _to_stderr(f"error: {text}", first="error")


def confirm(question: str, *, yes: bool) -> bool:
    """Ask on the terminal; `yes` (from `--yes`) answers beforehand. End of input means no.

    Raises:
        UsageError: there is no terminal to ask on and `yes` is false.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody can be asked here: add --yes to go on without a question")
    sys.stderr.write(clean(question) + " [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


@dataclass(slots=True)
class Table:
    """Rows for people: drawn to the terminal's width, or plain aligned text in a pipe.

    In a pipe nothing is folded or cut and the first line holds the headings.
    """

    columns: Sequence[Column]
    title: str | None = None
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def row(self, *cells: object) -> None:
        """Add a row; None is shown as `-`. Raises ValueError when the number of cells is wrong."""
        if len(cells) != len(self.columns):
            raise ValueError(f"the table has {len(self.columns)} columns, the row {len(cells)} cells")
        self.rows.append(tuple("-" if cell is None else clean(str(cell)) for cell in cells))

    def show(self, file: TextIO | None = None) -> None:
        """Print it, on stdout by default."""
        stream = file or sys.stdout
        if stream.isatty():
            stream.write("\n".join(self.lines(width_of(stream), colour=takes_colour(stream))) + "\n")
        else:
            stream.write(self.plain())

    def plain(self) -> str:
        """The aligned text, one line per row."""
        return "\n".join(plain_lines(self.columns, self.rows)) + "\n"

    def lines(self, width: int, *, colour: bool = False) -> list[str]:
        """The table as it stands on a terminal of that width."""
        title = [clean(self.title)] if self.title else []
        return [*title, *table_lines(self.columns, self.rows, width, colour=colour)]


def show_fields(fields: Mapping[str, object], *, title: str | None = None) -> None:
    """Print names and values under each other on stdout; None is shown as `-`."""
    if title:
        say(title)
    for line in field_lines(fields, width_of(sys.stdout) if sys.stdout.isatty() else None):
        sys.stdout.write(line + "\n")


def field_lines(fields: Mapping[str, object], width: int | None = None) -> list[str]:
    """Names and values under each other; a value that is too long for `width` goes on below itself."""
    shown = {clean(name): value for name, value in fields.items()}
    names = max((len(name) for name in shown), default=0)
    lines = []
    for name, value in shown.items():
        line = f"{name.ljust(names)}  {'-' if value is None else clean(str(value))}"
        if width is None or display_width(line) <= width:
            lines.append(line)
        else:
            head = name.ljust(names) + "  "
            body = wrapped(line[len(head) :], max(width - len(head), NARROWEST))
            lines += [head + body[0], *(" " * len(head) + rest for rest in body[1:])]
    return lines


def clean(text: str, *, keep_newlines: bool = False) -> str:
    """Make control characters visible (`\\x1b`), so that data cannot steer a terminal; hide logins."""
    text = concealed.hide(text)
    if text.isprintable():
        return text
    return (_NOT_IN_PARAGRAPHS if keep_newlines else _NOT_IN_LINES).sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "backslashreplace").decode("ascii")


def _to_stderr(text: str, *, first: str = "") -> None:
    with contextlib.suppress(BrokenPipeError, ValueError):
        sys.stdout.flush()  # keeps the two streams in order when both are a terminal
    word = first if first and takes_colour(sys.stderr) else ""
    told = clean(concealed.hide_secrets(text), keep_newlines=True)
    tell(sys.stderr, _line(sys.stderr, told, first=word))


def _write(stream: TextIO, text: str, *, first: str = "") -> None:
    stream.write(_line(stream, text, first=first))


def _line(stream: TextIO, text: str, *, first: str = "") -> str:
    """A line, wrapped at spaces on a terminal; the word `first` at its beginning gets its colour."""
    if stream.isatty():
        text = paragraph(text, width_of(stream))
    return painted(first) + text[len(first) :] + "\n"


def _plain_value(value: Any) -> Any:
    if isinstance(value, Decimal | PurePath):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    to_json = getattr(value, "to_json", None)
    if to_json is not None:
        return to_json()
    raise TypeError(f"a {type(value).__name__} has no JSON form")
