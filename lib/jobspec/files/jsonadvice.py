"""What the breaks of JSON's grammar mean for people: what stands there, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from lib.jobspec.lookalikes import named, odd_blank_in
from lib.jobspec.problems import shown

_SENTENCE_START: Final = re.compile(r"[^\W\d_]")
_BARE_KEY: Final = re.compile(r"([A-Za-z_][\w-]*)[ \t]*:")
_WORD: Final = re.compile(r"[A-Za-z_]+")
_YAML: Final = re.compile(r"(?:#.*\n|---\s*\n|\s*\n)*(?:- +)?[A-Za-z_]+:(?:[ \t]|\n)(?!\s*[{`])")
_WORDS: Final = {
    "True": "write true",
    "False": "write false",
    "None": "write null",
    "NULL": "write null",
    "Null": "write null",
    "nil": "write null",
    "undefined": "write null, or leave the key away",
    "NaN": "write null, or leave the key away",
    "Infinity": "write null, or leave the key away",
    "TRUE": "write true",
    "FALSE": "write false",
    "yes": "write true",
    "no": "write false",
}
_TYPOGRAPHIC: Final = "\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
_ESCAPE_HINT: Final = "write a backslash as \\\\"


class JsonFault(NamedTuple):
    """What is wrong, as the end of "is no valid JSON: ...", and what to do."""

    message: str
    suggestion: str


def json_fault(text: str, at: int) -> JsonFault | None:
    """Explain why reading stopped before the character `at`; None where only the grammar can say it."""
    return next(_known(text, at), None)


def string_fault(text: str, at: int) -> JsonFault:
    """Explain why no text could be read from the quote at `at` on."""
    end = at + 1
    while end < len(text):
        char = text[end]
        if char == "\\":
            escape = text[end : end + 2]
            if escape[1:2] not in tuple('"\\/bfnrt') and not re.match(r"\\u[0-9A-Fa-f]{4}", text[end:]):
                return JsonFault(f"{shown(escape)} is no escape", _ESCAPE_HINT)
            end += 2
        elif char in "\r\n":
            return JsonFault(
                "a text is not ended on its line", "close the quote, or write the line break as \\n"
            )
        elif char < " ":
            hint = "write it as \\t" if char == "\t" else "take it away"
            return JsonFault(f"a text holds {named(char)}", hint)
        else:
            end += 1
    return JsonFault("a text is never ended", "close the quote where the text ends")


def _known(text: str, at: int) -> Iterator[JsonFault]:
    """Explanations that fit, best first."""
    rest = text[at : at + 80]
    if rest.startswith(("```", "~~~")):
        yield JsonFault("a code fence stands here", "take the lines with ``` away, they are no part of it")
    if rest.startswith(("//", "/*", "#")):
        yield JsonFault("a comment stands here, and JSON has none", "take it away")
    if rest.startswith(("...", "\u2026")):
        yield JsonFault("dots stand here for something left out", "write it out, or take the dots away")
    if rest[:1] == "'":
        yield JsonFault("a text stands in single quotes", "write it in double quotes")
    if rest[:1] and rest[0] in _TYPOGRAPHIC:
        yield JsonFault("a text stands in typographic quotes", "write it in plain double quotes")
    if rest[:1] and odd_blank_in(rest[0]):
        yield JsonFault(f"{named(rest[0])} stands here", "write an ordinary space in its place")
    yield from _outside(text, at, rest)
    yield from _numbers(text, at, rest)
    yield from _marks(text, at, rest)


def _outside(text: str, at: int, rest: str) -> Iterator[JsonFault]:
    """What stands before the whole value, or behind it."""
    if not text.strip():
        yield JsonFault("the file is empty", "write an object with topic and beats")
    elif not text[:at].strip():
        if _YAML.match(text):
            yield JsonFault("this looks like YAML", "give a job file in YAML to job-runner enqueue or up")
        elif _SENTENCE_START.match(rest) and re.search(r"[{\[]", text):
            yield JsonFault("words stand before the value", "keep only what is between { and }")
    elif text[:at].rstrip()[-1:] in "}]" and not _is_within(text, at):
        if rest[:1] in ("{", "["):
            yield JsonFault("a second value begins here", "put all beats into the one list of one object")
        elif _SENTENCE_START.match(rest):
            yield JsonFault("words stand behind the value", "keep only what is between { and }")


def _numbers(text: str, at: int, rest: str) -> Iterator[JsonFault]:
    before = text[at - 1 : at]
    if rest[:1] == "+":
        yield JsonFault("a number begins with +", "leave the + away")
    elif re.match(r"\.[0-9]", rest) and before in "[:, \n\t":
        yield JsonFault("a number begins with a point", f"write 0{rest[:2]}")
    elif before.isdigit() and rest[:1] == ".":
        yield JsonFault("a number ends in a point", "write a digit behind it, or leave it away")
    elif before == "0" and re.match(r"[0-9xXob_]", rest):
        yield JsonFault(
            "a number has a zero in front", "leave the zero away, or put quotes around it if it is text"
        )
    elif before.isdigit() and re.match(r"[A-Za-z_:%]", rest):
        yield JsonFault("something stands behind a number", "put quotes around it if it is text")


def _marks(text: str, at: int, rest: str) -> Iterator[JsonFault]:
    """Quotes, colons and commas that are missing or are others."""
    key, word = _BARE_KEY.match(rest), _WORD.match(rest)
    inside = text[:at].rstrip()[-1:]
    if key and inside in ("{", ","):
        yield JsonFault(f"the key {key[1]} stands without quotes", f'write "{key[1]}"')
    elif word and word[0] in _WORDS and inside in (":", ",", "["):
        yield JsonFault(f"{word[0]} is no JSON value", _WORDS[word[0]])
    elif rest[:1] == "=" and inside == '"':
        yield JsonFault("a = stands where JSON has a colon", 'write ":"')
    elif rest[:1] == ";":
        yield JsonFault("a ; stands where JSON has a comma", 'write ","')
    elif inside == '"' and word and text[at - 1 : at] in ('"', " "):
        yield JsonFault("a text ends before this word", r"write a quote inside of a text as \"")
    elif rest[:1] in ('"', "{") and (inside in '"}]' or inside.isalnum()) and _is_within(text, at):
        yield JsonFault("a comma is missing before this", 'put a "," behind what stands before it')


def _is_within(text: str, at: int) -> bool:
    """Whether something is open here, so that a second value is no second file."""
    return text[:at].count("{") > text[:at].count("}") or text[:at].count("[") > text[:at].count("]")
