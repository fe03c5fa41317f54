"""Parses what others wrote (YAML, JSON, TOML), bounded before anything is made of it.

Every door for texts from outside keeps these bounds. Parsers that build their values by calling themselves
are the reason: the one in C ends the whole process where a text is nested deeply enough, and the others raise
`RecursionError`, which nobody expects.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

#: How deep lists and mappings may be nested; far below what readers and stores of JSON allow.
DEEPEST: Final = 64

# To the end of its line where a quote is not closed, so that no text is read twice.
_TOML_TEXT: Final = re.compile(r'"(?:[^"\\\n]|\\.)*\\?(?:"|$)|\'[^\'\n]*(?:\'|$)|#.*', re.MULTILINE)


class TooDeep(ValueError):
    """Lists and mappings are nested deeper than they may be."""

    def __init__(self, levels: int) -> None:
        super().__init__(f"it is nested deeper than {levels} levels")


def yaml_events(data: bytes) -> Callable[[], Any]:
    """The next event of the YAML in `data` at each call, None after the last. Never recurses.

    The C parser's events, or those of the Python parser where PyYAML was built without it. Whoever builds
    something of them counts its levels against `DEEPEST`.
    """
    import yaml  # costs 30 ms, and most commands read no YAML

    if yaml.__with_libyaml__:
        from yaml._yaml import CParser

        parser: Any = CParser(data)
        return lambda: parser.get_event()
    parser = yaml.SafeLoader(data)
    return lambda: parser.get_event() if parser.check_event() else None


def parse_json(text: str | bytes, *, deepest: int = DEEPEST, **hooks: Any) -> Any:
    """The value of a JSON text. `hooks` are those of `json.loads`.

    Raises:
        ValueError: it is no JSON, or (TooDeep) nested more than `deepest` levels deep.
    """
    try:
        value = json.loads(text, **hooks)
    except RecursionError:
        raise TooDeep(deepest) from None
    # Nearly every text has fewer brackets than it may have levels: to count them costs less than to walk.
    if _brackets(text) > deepest and is_deeper(value, deepest):
        raise TooDeep(deepest)
    return value


def _brackets(text: str | bytes) -> int:
    return text.count("{") + text.count("[") if isinstance(text, str) else text.count(b"{") + text.count(b"[")


def parse_toml(text: str) -> dict[str, Any]:
    """The document of a TOML text.

    Raises:
        ValueError: it is no TOML (`tomllib.TOMLDecodeError` names the line), or (TooDeep) nested too deeply.
    """
    import tomllib

    # The time for a key of n parts, a.b.c, grows with the third power of n.
    if any(line.count(".") > DEEPEST for line in _TOML_TEXT.sub('""', text).splitlines()):
        raise TooDeep(DEEPEST)
    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise TooDeep(DEEPEST) from None
    if is_deeper(document, DEEPEST):
        raise TooDeep(DEEPEST)
    return document


def is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and mappings are nested more than `levels` deep. Looks no deeper than that."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    # what is no container is passed over here: a call for each number took longer than reading a long list
    return levels == 0 or any(is_deeper(item, levels - 1) for item in inner if isinstance(item, dict | list))
