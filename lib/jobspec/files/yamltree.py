"""From YAML bytes to plain values with line numbers, built from the parser's events.

Only what a job file needs: text, numbers, truth values, null, dates, lists, mappings and simple aliases.
Scalars mean exactly what they mean to `yaml.safe_load`. Everything else is a problem with its line, and
reading goes on behind it where that is possible, so that one pass finds all of them.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from lib.foreign import DEEPEST, yaml_events
from lib.jobspec.files.anchors import Anchored, Anchors
from lib.jobspec.files.commas import Commas
from lib.jobspec.files.yamladvice import BREAK, fault_of
from lib.jobspec.files.yamlscalars import AnotherBase, Scalars
from lib.jobspec.problems import BROKEN, Refused, shown

MAX_NODES: Final = 5_000_000
_NO_REMARKS: Final[Mapping[Any, str]] = MappingProxyType({})  # shared: nearly all mappings have none
_REMARK: Final = re.compile(r"[ \t]+#.*")

Path = tuple[str | int, ...]


class LinedDict(dict[Any, Any]):
    """A mapping that knows its first line, the line of each key, and the comment behind a bare value."""

    __slots__ = ("line", "lines", "remarks")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[Any, int] = {}
        self.remarks: Mapping[Any, str] = _NO_REMARKS


class LinedList(list[Any]):
    """A list that knows the line it starts on and the line of each item."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong with the file itself. `path` leads from its root to the place.

    `number` is what stands there in base 10, where it is written in another.
    """

    line: int
    path: Path
    message: str
    suggestion: str | None = None
    number: str | None = None


@dataclass(slots=True)
class Tree:
    """What was read. `complete` is false when reading stopped at a flaw, so that `root` is a part only."""

    root: Any = None
    line: int = 1
    complete: bool = True
    flaws: list[Flaw] = field(default_factory=list)


def read_yaml(data: bytes) -> Tree:
    """Read one YAML document of UTF-8 bytes. Never raises for any bytes; `flaws` says what is wrong."""
    builder = _Builder(data)
    try:
        builder.consume(yaml_events(data))
    except _YamlStop:
        pass
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a tag whose escapes are no UTF-8
        builder.tree.complete = False
        fault = fault_of(error, data, builder.last)
        builder.tree.flaws.append(Flaw(fault.line, (), fault.message, fault.suggestion))
    return builder.tree


@contextmanager
def resting_collector() -> Iterator[None]:
    """Pause the garbage collector: a growing tree is no garbage, and its passes cost more than parsing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def line_of(root: Any, path: Path, line: int) -> int:
    """The line of what `path` leads to, or of the nearest thing above it that has one."""
    node = root
    for part in path:
        if isinstance(node, LinedDict):
            line = node.lines.get(part, line)
            node = node.get(part)
        elif isinstance(node, LinedList) and isinstance(part, int) and part < len(node):
            line = node.lines[part]
            node = node[part]
        else:
            break
    return line


def _lines_with_remarks(data: bytes) -> dict[int, str]:
    """The lines that may hold a comment behind something, by number from 0."""
    if b" #" not in data and b"\t#" not in data:
        return {}
    lines = BREAK.split(data.decode("utf-8-sig", "replace"))
    return {number: line for number, line in enumerate(lines) if " #" in line or "\t#" in line}


class _YamlStop(Exception):
    """Reading cannot go on; the flaw has been noted."""


class _KeyState:
    """What stands in the place of a mapping's key; never equal to a value of the file."""


_NO_KEY: Final = _KeyState()  # the next value is a key
_DROPPED: Final = _KeyState()  # the key was refused; its value is read and thrown away


class _Builder:
    """Builds the tree from events. `_into` is the open collection, `_key` the key that waits for a value.

    `_nodes`, `_characters` and `_deepest` count what has been read with every alias written out.
    """

    def __init__(self, data: bytes) -> None:
        self.tree = Tree()
        self._source = _lines_with_remarks(data)
        self.last: Event | None = None  # before reading stopped
        self._into: Any = None
        self._key: Any = _NO_KEY
        self._stack: list[
            tuple[Any, Any, Any]
        ] = []  # collection, its key afterwards, the child's place in it
        self._documents = 0
        self._scalars = Scalars()
        self._commas = Commas(data)
        self._before: Any = None  # the scalar before the latest one
        self._latest: Any = None
        self._anchors = Anchors()
        self._nodes = 0
        self._characters = 0
        self._deepest = 0

    def consume(self, next_event: Callable[[], Event | None]) -> None:
        """Take events until there are no more."""
        scalar = self._scalar
        others: dict[type, Callable[[Any], None]] = {
            MappingStartEvent: self._mapping_start,
            SequenceStartEvent: self._sequence_start,
            MappingEndEvent: self._end,
            SequenceEndEvent: self._end,
            AliasEvent: self._alias,
            DocumentStartEvent: self._document_start,
        }
        event: Event | None = None
        try:
            while (event := next_event()) is not None:
                kind = type(event)
                if kind is ScalarEvent:
                    scalar(event)
                elif kind in others:
                    others[kind](event)
        finally:
            self.last = event

    def _scalar(self, event: Any) -> None:
        value = event.value
        line = event.start_mark.line + 1
        self._nodes += 1
        self._characters += len(value)
        if self._nodes > MAX_NODES:
            self._check_size(line, 0)
        if event.tag is not None:
            self._tagged(event.tag, line)
            value = BROKEN
        elif event.implicit[0]:
            try:
                value = self._scalars.resolve(value)
            except Refused as refused:
                number = refused.number if isinstance(refused, AnotherBase) else None
                self.tree.flaws.append(Flaw(line, self._here(), refused.message, refused.suggestion, number))
                value = BROKEN
            if self._source:
                self._note_remark(event.end_mark)
            if not event.value:
                self._check_comma(event)
        if event.anchor is not None:
            self._anchors.known[event.anchor] = Anchored(value, 1, len(event.value), 0)
        self._before, self._latest = self._latest, event
        self._place(value, line)

    def _check_comma(self, event: Any) -> None:
        """Refuse an empty value whose key is the rest of a text that a comma cut off."""
        into, key = self._into, self._key
        if type(into) is not LinedDict or isinstance(key, _KeyState):
            return
        cut = self._commas.cut(self._before, self._latest, event, into)
        if cut is None:
            return
        path = (*self._path(), cut.key)
        flaws = self.tree.flaws
        if flaws and (flaws[-1].path, flaws[-1].line) == (path, cut.line):
            flaws.pop()  # what was known of the rest, before this piece of it
        self._flaw(cut.line, path, cut.message, cut.suggestion)
        into[cut.key] = BROKEN
        del into.lines[key]
        self._key = _DROPPED

    def _note_remark(self, end: Any) -> None:
        """Keep the comment behind an unquoted value of a mapping: its author may have meant it as text."""
        if type(self._into) is LinedDict and not isinstance(self._key, _KeyState):
            found = _REMARK.match(self._source.get(end.line, ""), end.column)
            if found:
                self._into.remarks = {**self._into.remarks, self._key: found[0]}

    def _place(self, value: Any, line: int) -> None:
        into = self._into
        if type(into) is LinedDict:
            key = self._key
            if key is _NO_KEY:
                self._take_key(value, line)
            else:
                if key is not _DROPPED:
                    into[key] = value
                self._key = _NO_KEY
        elif into is not None:
            into.append(value)
            into.lines.append(line)
        else:
            self.tree.root = value
            self.tree.line = line

    def _take_key(self, key: Any, line: int) -> None:
        lines = self._into.lines
        if key is BROKEN:
            self._key = _DROPPED
        elif key in lines and isinstance(key, str):  # other keys are wrong in themselves, and 1 equals true
            path = (*self._path(), key)
            self._flaw(line, path, f"stands twice in the same mapping, first in line {lines[key]}")
            self._key = _DROPPED
        else:
            lines[key] = line
            self._key = key

    def _mapping_start(self, event: Any) -> None:
        self._open(LinedDict(event.start_mark.line + 1), event)

    def _sequence_start(self, event: Any) -> None:
        self._open(LinedList(event.start_mark.line + 1), event)

    def _open(self, collection: LinedDict | LinedList, event: Any) -> None:
        line = collection.line
        if event.tag is not None:
            self._tagged(event.tag, line)
        depth = len(self._stack) + 1
        self._nodes += 1
        self._check_size(line, depth)
        if event.anchor is not None:
            self._anchors.open(event.anchor, depth, self._nodes - 1, self._characters, self._deepest)
            self._deepest = depth
        self._deepest = max(self._deepest, depth)
        place = self._here_part()
        if self._expects_key():
            self._no_key(line)
        else:
            self._place(collection, line)
        self._stack.append((self._into, self._key, place))
        self._into = collection
        self._key = _NO_KEY

    def _end(self, event: Any) -> None:
        depth = len(self._stack)
        self._deepest = self._anchors.close(self._into, depth, self._nodes, self._characters, self._deepest)
        self._into, self._key, _ = self._stack.pop()

    def _alias(self, event: Any) -> None:
        line = event.start_mark.line + 1
        value: Any = BROKEN
        if event.anchor not in self._anchors.known:
            self._flaw(line, self._here(), f"is an alias of {shown(event.anchor)}, which no anchor defines")
        elif (anchored := self._anchors.known[event.anchor]) is None:
            self._flaw(
                line, self._here(), f"is an alias of {shown(event.anchor)} inside of that anchor itself"
            )
        else:
            value = anchored.value
            self._repeat(anchored, line)
        if self._expects_key() and isinstance(value, dict | list):
            self._no_key(line)
        else:
            self._place(value, line)

    def _repeat(self, anchored: Anchored, line: int) -> None:
        depth = len(self._stack) + anchored.height
        self._nodes += anchored.nodes
        self._characters += anchored.characters
        self._deepest = max(self._deepest, depth)
        if not self._anchors.repeat(anchored, self._nodes, self._characters):
            self._stop(line, self._here(), "repeats too much by aliases; write it out or make several files")
        self._check_size(line, depth)

    def _check_size(self, line: int, depth: int) -> None:
        if depth > DEEPEST:
            self._stop(line, self._here(), f"is nested deeper than {DEEPEST} levels")
        if self._nodes > MAX_NODES:
            self._stop(line, (), f"the file holds more than {MAX_NODES} values; make several files of it")

    def _document_start(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            message = "a second document starts here; a job file is one document"
            self._flaw(event.start_mark.line + 1, (), message)
            raise _YamlStop  # the first document is complete and worth checking

    def _expects_key(self) -> bool:
        return self._key is _NO_KEY and type(self._into) is LinedDict

    def _no_key(self, line: int) -> None:
        self._flaw(line, self._path(), "has a list or mapping where a key is expected; keys are text")
        self._key = _DROPPED

    def _tagged(self, tag: str, line: int) -> None:
        self._flaw(
            line, self._here(), f"has the YAML tag {shown(tag)}; tags are not accepted", "leave it away"
        )

    def _flaw(self, line: int, path: Path, message: str, suggestion: str | None = None) -> None:
        self.tree.flaws.append(Flaw(line, path, message, suggestion))

    def _stop(self, line: int, path: Path, message: str) -> NoReturn:
        self._flaw(line, path, message)
        self.tree.complete = False
        raise _YamlStop

    def _path(self) -> Path:
        """The way to the open collection."""
        return tuple(part for _, _, part in self._stack if part is not None)

    def _here(self) -> Path:
        """The way to the value that comes next."""
        part = self._here_part()
        return self._path() if part is None else (*self._path(), part)

    def _here_part(self) -> Any:
        if type(self._into) is LinedList:
            return len(self._into)
        return None if isinstance(self._key, _KeyState) else self._key
