"""Values of single jobs in a file of jobs, replaced where they stand: comments and the rest stay as written.

Importing this brings the YAML parser, about 30 ms. JSON is YAML here, so a beatsheet is edited the same way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from lib.foreign import yaml_events

_BOM: Final = "\ufeff"
_LISTS: Final = ("jobs", "beats")
#: Text that means itself without quotes: no sign of YAML in it, and no word of YAML's own.
_PLAIN: Final = re.compile(
    r"(?!(?i:yes|no|on|off|true|false|null)$)[^\W\d_](?:[\w ,.;!?'’()/–—-]*[\w.;!?'’)])?"
)
#: What JSON leaves as it is, and YAML takes for the end of a line or refuses.
_LINE_ENDS: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")
_OTHER_NAMES: Final[Mapping[str, tuple[str, ...]]] = {"text": ("narration",)}


@dataclass(slots=True)
class _FieldPlace:
    """Where a field stands, in characters of the text: its key, and its value from `begin` to `end`."""

    key_at: int
    column: int
    quoted: bool
    begin: int = 0
    end: int = 0
    style: str | None = None


@dataclass(slots=True)
class _Open:
    """A mapping or a list while it is read. `last` is where the latest value in it ends."""

    is_map: bool
    is_flow: bool
    at: int
    key: tuple[str, _FieldPlace] | None = None
    places: dict[str, _FieldPlace] = field(default_factory=dict)
    items: list[_Open | None] = field(default_factory=list)
    lists: dict[str, _Open] = field(default_factory=dict)
    last: int = 0


def with_values(data: bytes, changes: Mapping[int, Mapping[str, Any]]) -> bytes:
    """The file with fields of some jobs set: by the job's number from 0, by the field's name, None for none.

    `data` is a valid file. What cannot be placed is left out; who asks reads the file again and compares.
    """
    text = data.decode("utf-8-sig")
    jobs = _jobs(text)
    edits: list[tuple[int, int, str]] = []
    for number, values in changes.items():
        job = jobs[number] if number < len(jobs) else None
        if job is not None and job.places:
            edits += [_edit(text, job, name, value) for name, value in values.items()]
    for begin, end, put in sorted(edits, reverse=True):
        text = text[:begin] + put + text[end:]
    bom = _BOM if data.startswith(_BOM.encode()) else ""
    return (bom + text).encode()


def _edit(text: str, job: _Open, name: str, value: Any) -> tuple[int, int, str]:
    found = next((each for each in (name, *_OTHER_NAMES.get(name, ())) if each in job.places), None)
    if found is not None:
        place = job.places[found]
        return place.begin, place.end, _written(value, place)
    first = min(job.places.values(), key=lambda place: place.key_at)
    key = json.dumps(name) if first.quoted else name
    behind = ", " if job.is_flow else "\n" + " " * first.column
    return first.key_at, first.key_at, f"{key}: {yaml_text(value, quoted=first.quoted)}{behind}"


def _written(value: Any, place: _FieldPlace) -> str:
    """The value in the style of the one before."""
    if isinstance(value, str) and place.style in ("|", ">") and value.strip() == value:
        indent = " " * (place.column + 2)
        lines = [f"{indent}{line}" if line else "" for line in value.split("\n")]
        return "\n".join(["|-", *lines])
    if isinstance(value, str) and place.style == "'" and "\n" not in value:
        return "'" + value.replace("'", "''") + "'"
    return yaml_text(value, quoted=place.style == '"')


def yaml_text(value: Any, *, quoted: bool = False) -> str:
    """A value on one line of YAML; text without quotes where it means itself, unless `quoted`."""
    if isinstance(value, str) and not quoted and _PLAIN.fullmatch(value):
        return value
    return _LINE_ENDS.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def _jobs(text: str) -> list[_Open | None]:
    """The jobs of the file in their order; None for what is no mapping of its own."""
    root = _read(text)
    if root is None:
        return []
    if not root.is_map:
        return root.items
    for name in _LISTS:
        if name in root.lists:
            return root.lists[name].items
    return [root]


def _read(text: str) -> _Open | None:
    next_event = yaml_events(text.encode())
    stack: list[_Open] = []
    root: _Open | None = None
    while (event := next_event()) is not None:
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            stack.append(_Open(isinstance(event, MappingStartEvent), bool(event.flow_style), _at(event)))
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            closed = stack.pop()
            # A block ends where the next thing begins, behind the comments between: its last value ends it.
            closed.last = _end(event) if closed.is_flow else closed.last
            if stack:
                _put(stack[-1], closed.at, closed.last, None, closed)
            else:
                root = closed
        elif isinstance(event, ScalarEvent | AliasEvent) and stack:
            _scalar(stack[-1], event, text)
    return root


def _at(event: Any) -> int:
    begin: int = event.start_mark.index
    return begin


def _end(event: Any) -> int:
    end: int = event.end_mark.index
    return end


def _scalar(into: _Open, event: Any, text: str) -> None:
    at, end, style = _at(event), _end(event), getattr(event, "style", None)
    if into.is_map and into.key is None:
        place = _FieldPlace(at, event.start_mark.column, style in ("'", '"'))
        into.key = (getattr(event, "value", ""), place)
        return
    if style in ("|", ">"):  # the line ends behind it belong to what follows
        end = at + len(text[at:end].rstrip())
    _put(into, at, end, style, None)


def _put(into: _Open, begin: int, end: int, style: str | None, value: _Open | None) -> None:
    into.last = end
    if not into.is_map:
        into.items.append(value if value is not None and value.is_map else None)
    elif into.key is None:  # a list or mapping as a key: no valid file has one
        return
    else:
        name, place = into.key
        place.begin, place.end, place.style = begin, end, style
        into.places[name], into.key = place, None
        if value is not None and not value.is_map:
            into.lists[name] = value
