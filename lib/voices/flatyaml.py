"""A YAML file that is one mapping of texts, read from the parser's events: nothing nested is ever built."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

from lib.foreign import DEEPEST, yaml_events

_TEXTS: Final = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:value")


class NotFlat(Exception):
    """What is wrong, as the end of a sentence about the file; `line` where that is known."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.line = line


def read_flat(data: bytes) -> dict[str, str | None]:
    """The mapping in `data`. A value that is no text (a number, a date, a list, nothing) becomes None.

    Raises:
        NotFlat: no YAML, no mapping, a key twice, nested deeper than `DEEPEST`, or with anchors or tags.
    """
    import yaml
    from yaml.resolver import Resolver

    # A plain scalar that looks like something else is no text; quoted ones always are.
    resolve: Callable[..., str] = Resolver().resolve
    fields: dict[str, str | None] = {}
    try:
        for key, value in _pairs(_events(data)):
            name = _text(key, resolve)
            if name is None:
                _refuse_root()
            if name in fields:
                raise NotFlat(f"has the field {name[:80]!r} twice", _line(key))
            fields[name] = _text(value, resolve)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a tag whose escapes are no UTF-8
        mark = getattr(error, "problem_mark", None)
        raise NotFlat("is no valid YAML", mark.line + 1 if mark is not None else None) from None
    return fields


def _refuse_root() -> NoReturn:
    raise NotFlat("must be a mapping of fields such as name, engine and language")


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _events(data: bytes) -> Iterator[tuple[int, Any]]:
    """Each event of the one document with the level it stands on, 0 for the root."""
    from yaml import events

    next_event, level, documents = yaml_events(data), 0, 0
    while (event := next_event()) is not None:
        if isinstance(event, events.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise NotFlat("holds a second document; it is one", _line(event))
        if not isinstance(event, events.NodeEvent | events.CollectionEndEvent):
            continue
        if isinstance(event, events.CollectionEndEvent):
            level -= 1
        elif event.anchor is not None or getattr(event, "tag", None) is not None:
            raise NotFlat("has an anchor, an alias or a tag, which are not accepted", _line(event))
        yield level, event
        if isinstance(event, events.CollectionStartEvent):
            level += 1
            if level > DEEPEST:
                raise NotFlat(f"is nested deeper than {DEEPEST} levels", _line(event))


def _pairs(levelled: Iterator[tuple[int, Any]]) -> Iterator[tuple[Any, Any]]:
    """The events that begin each key and its value."""
    from yaml import events

    root, key = False, None
    for level, event in levelled:
        if isinstance(event, events.CollectionEndEvent):
            continue
        if level == 0:
            root = isinstance(event, events.MappingStartEvent)
        if level == 0 and not root:
            _refuse_root()
        if level == 1 and key is None:
            key = event
        elif level == 1:
            yield key, event
            key = None
    if not root:
        _refuse_root()


def _text(event: Any, resolve: Callable[..., str]) -> str | None:
    from yaml import ScalarEvent, ScalarNode

    if not isinstance(event, ScalarEvent):
        return None
    is_text = not event.implicit[0] or resolve(ScalarNode, event.value, (True, False)) in _TEXTS
    return str(event.value) if is_text else None
