"""What the YAML parser's refusals mean for people: where to look, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml
from yaml.events import Event, MappingEndEvent, ScalarEvent, SequenceEndEvent
from yaml.reader import ReaderError

from lib.jobspec.lookalikes import ODD_BLANKS, named

_TABS: Final = "indent by spaces, not tabs"
_COLON: Final = 'put quotes around a text that holds ": ", or write >- and the text on the lines below'
_INDENT: Final = "check how far it is indented: the fields of one job start in the same column"
_NO_CLOSE: Final = "close the quote where the text ends"
_INNER: Final = r"""inside of "..." write a quote as \", inside of '...' write an apostrophe as ''"""
_BELOW: Final = "write the text on the lines below the > or |, indented deeper"
_ESCAPE: Final = r"inside of double quotes a backslash is written \\; in single quotes it stands for itself"
_DASH: Final = "put a space after the - that starts a job"
_SPACE: Final = 'put a space after the ":"'
_FIELD: Final = "write a field as its name, a colon and a space; indent the further lines of a text deeper"

#: Where YAML ends a line.
BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_KEY_LINE: Final = re.compile(r"\s*(?:- +)?\w+:(?:\s|$)")
_GLUED_DASH: Final = re.compile(r"\s*-\w+:")
_GLUED_COLON: Final = re.compile(r"\s*(?:- +)?\w+:\S")
# Keys are lower-case here, as ours are, for lines of a text look much like this: "- Anna: Hello".
_ODD_INDENT: Final = re.compile(
    rf"[ {ODD_BLANKS}]*?(?:- +)?([{ODD_BLANKS}])[\s{ODD_BLANKS}]*(?:-\s+)?[a-z_]+:"
)
_ODD_GAP: Final = re.compile(rf" *(?:- +)?(?:-|[a-z_]+:)([{ODD_BLANKS}])")
_ODD_COLON: Final = re.compile(r" *(?:- +)?[a-z_]+([\uff1a\ufe55\u2236])")
_ODD_DASH: Final = re.compile(r" *([\u2022\u2023\u00b7\u2010-\u2015\u2212*])\s+[a-z_]+:")
_FENCE: Final = re.compile(r"```|~~~")  # in the first column, where no text of a job stands
_SLASHES: Final = re.compile(r"(?:^|[\s,{}\[\]])(?://|/\*)")
_SLASHED: Final = re.compile(r"\s*(?://|/\*)")
_QUOTED: Final = re.compile(r"\"(?:[^\"\\]|\\.)*+\"|'[^']*'")
_COMMENT: Final = re.compile(r"\s#")
_PLAIN_SPACES: Final = "write ordinary spaces in their place; copied text often brings others"
_LOOK_ALIKES: Final = (
    (_ODD_INDENT, "a space", _PLAIN_SPACES),
    (_ODD_GAP, "a space", _PLAIN_SPACES),
    (_ODD_COLON, "a colon", "write an ordinary colon and a space"),
    (_ODD_DASH, "a -", "start each job with an ordinary - and a space"),
)


@dataclass(frozen=True, slots=True)
class YamlFault:
    """Why reading stopped: a line from 1, what is wrong there, and what to do where that is known."""

    line: int
    message: str
    suggestion: str | None = None


def fault_of(error: Exception, data: bytes, last: Event | None) -> YamlFault:
    """Explain what stopped the parser in `data` after it had given the event `last`."""
    if isinstance(error, ReaderError):
        line = data.count(b"\n", 0, error.position) + 1
        return YamlFault(line, f"is no valid YAML: {error.reason} (U+{_code_point(error.character):04X})")
    if not isinstance(error, yaml.MarkedYAMLError):
        return YamlFault(1, "is no valid YAML")
    refusal = _Refusal(error, data, last)
    for fault in refusal.known():
        return fault
    return refusal.fault(None)


class _Refusal:
    """One refusal of the parser. Its words differ between the C and the Python parser; marks do not."""

    def __init__(self, error: yaml.MarkedYAMLError, data: bytes, last: Event | None) -> None:
        self._line, self._column = _place(error.problem_mark or error.context_mark)
        self._opened = _place(error.context_mark or error.problem_mark)[0]
        self._context = error.context or ""
        self._problem = error.problem or ""
        self._said = ", ".join(part for part in (error.context, error.problem) if part)
        self._lines = BREAK.split(data.decode("utf-8", "replace"))
        self._last = last
        self._first_line, self._first_column = _place(last and last.start_mark)
        self._end_line, self._end_column = _place(last and last.end_mark)

    def fault(self, suggestion: str | None, line: int | None = None) -> YamlFault:
        """The parser's own words, with our advice."""
        return YamlFault(line or self._line, f"is no valid YAML: {self._said}", suggestion)

    def known(self) -> Iterator[YamlFault]:
        """Explanations that fit, best first."""
        yield from self._look_alikes()
        yield from self._slashes()
        yield from self._quotes()
        yield from self._characters()
        yield from self._colons()
        yield from self._brackets()
        if "expected key" in self._problem or "block end" in self._problem or "'-'" in self._problem:
            yield self.fault(_INDENT)

    def _look_alikes(self) -> Iterator[YamlFault]:
        """The nearest line, up to where reading stopped, that holds what only looks like YAML."""
        for line in range(min(self._line, len(self._lines)), 0, -1):
            text = self._text(line)
            if _FENCE.match(text):
                advice = "take the lines with ``` away: they mark code in a text, and are no part of it"
                yield YamlFault(line, "is no valid YAML: a code fence stands here", advice)
            for pattern, what, advice in _LOOK_ALIKES:
                found = pattern.match(text)
                if found:
                    message = f"is no valid YAML: {named(found[1])} stands here where YAML has {what}"
                    yield YamlFault(line, message, advice)

    def _slashes(self) -> Iterator[YamlFault]:
        """A comment as in programs: between brackets, or before all else."""
        first = next((number for number, text in enumerate(self._lines, start=1) if text.strip()), 1)
        looked_at = {first} if _SLASHED.match(self._text(first)) else set()
        if "flow" in self._context:
            looked_at.update(range(self._opened, self._line + 1))
        for line in sorted(looked_at):
            if _SLASHES.search(_QUOTED.sub('""', self._text(line))):
                message = "is no valid YAML: a comment begins with // or /* here"
                yield YamlFault(line, message, "begin it with # and a space, or take it away")

    def _quotes(self) -> Iterator[YamlFault]:
        if "escape" in self._problem:
            yield self.fault(_ESCAPE)
        elif "quoted scalar" in self._context or "double-quoted" in self._context:
            if "end of stream" in self._problem or "document" in self._problem:
                yield YamlFault(
                    self._opened, "is no valid YAML: the quote that opens here is never closed", _NO_CLOSE
                )
        elif isinstance(self._last, ScalarEvent) and self._last.style in ("'", '"'):
            yield from self._after_a_quote(self._first_line, self._end_line)

    def _after_a_quote(self, opened: int, closed: int) -> Iterator[YamlFault]:
        """A quoted text has ended too early, or where the next one was meant to begin."""
        if closed != self._line:
            return
        if opened == closed:
            yield self.fault(f"put quotes around the whole text; {_INNER}")
        else:
            message = f"is no valid YAML: the quote that opens here is closed in line {closed}"
            yield YamlFault(opened, message, f"{_NO_CLOSE}; {_INNER}")

    def _characters(self) -> Iterator[YamlFault]:
        character = self._text(self._line)[self._column : self._column + 1]
        if "tab" in self._problem or (character == "\t" and "token" in self._problem):
            yield self.fault(_TABS)
        elif "block scalar" in self._context:
            yield self.fault(_BELOW)
        elif "anchor" in self._context or "alias" in self._context:
            yield self.fault(_starts_with("&" if "anchor" in self._context else "*"))
        elif any(
            words in self._said for words in ("start any token", "keys are not", "entries are not", "node")
        ):
            yield self.fault(_starts_with(character) if character.strip() else None)

    def _colons(self) -> Iterator[YamlFault]:
        if "could not find expected ':'" in self._problem:
            glued = _GLUED_COLON.match(self._text(self._opened))
            yield self.fault(_SPACE if glued else _FIELD, self._opened)
        elif "mapping values" in self._problem:
            yield self._second_colon()

    def _second_colon(self) -> YamlFault:
        first = self._first_line if isinstance(self._last, ScalarEvent) else self._line
        if first < self._line and _KEY_LINE.match(self._text(self._line)):
            # This line was taken for more of a text that began above it.
            if _GLUED_DASH.match(self._text(first)):
                return self.fault(_DASH, first)
            if _GLUED_COLON.match(self._text(first)):
                return self.fault(_SPACE, first)
            return self.fault(f"{_INDENT}; or {_COLON}")
        return self.fault(_COLON)

    def _brackets(self) -> Iterator[YamlFault]:
        if "flow" in self._context:
            for line in range(self._opened, self._line + 1):
                if _COMMENT.search(self._text(line)):
                    advice = "put quotes around a text with a # in it"
                    yield YamlFault(line, 'is no valid YAML: what stands behind a " #" is a comment', advice)
            advice = "close what opens here; or put quotes around a text that starts with [ or {"
            yield self.fault(advice, self._opened)
        elif isinstance(self._last, SequenceEndEvent | MappingEndEvent):
            is_written = self._end_column > self._first_column  # a ] or }; an indented block just ends
            if is_written and self._end_line == self._line:
                yield self.fault(_starts_with("[ or {"))

    def _text(self, line: int) -> str:
        return self._lines[line - 1] if line <= len(self._lines) else ""


def _place(mark: Any) -> tuple[int, int]:
    """Line from 1 and column from 0 of a mark of either parser."""
    return (1, 0) if mark is None else (mark.line + 1, mark.column)


def _starts_with(character: str) -> str:
    return f"put quotes around a text that starts with {character}"


def _code_point(character: object) -> int:
    return character if isinstance(character, int) else ord(str(character)[:1] or "\0")
