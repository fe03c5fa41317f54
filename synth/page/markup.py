"""HTML that cannot be broken out of: every text is escaped unless it was made by `tag`."""

from __future__ import annotations

import html
import json
import os
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

#: What HTML cannot hold or shows as nothing: control characters but for tab and line end, halves of
#: surrogate pairs, which no UTF-8 can hold, and signs that no document may have.
_UNFIT: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


class Markup(str):
    """HTML as it is. Made by `tag` and by constants of ours, never of a caller's text."""

    __slots__ = ()


def tag(name: str, *inside: str | None, **attributes: str | bool | None) -> Markup:
    """One element. What is inside and the attributes' values is escaped where it is no Markup.

    An attribute is written with its underscores as hyphens, `class_` without that; True is one without a
    value, None and False leave it out.
    """
    written = [f"<{name}"]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        written.append(f" {key.rstrip('_').replace('_', '-')}")
        if value is not True:
            written.append(f'="{escaped(value)}"')
    written.append(">")
    written += [each if isinstance(each, Markup) else escaped(each) for each in inside if each is not None]
    return Markup("".join([*written, "" if name in _VOID else f"</{name}>"]))


_VOID: Final = frozenset({"input", "img"})  # of those that we write


def escaped(text: str) -> str:
    """The text as it may stand in an element or a quoted attribute."""
    return html.escape(fit(text), quote=True)


def fit(text: str) -> str:
    """The text with a sign in place of what no document can hold."""
    return _UNFIT.sub("\ufffd", text)


def script_json(value: Any) -> Markup:
    """JSON for a script element, which nothing in it can end and no script reads otherwise."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def address(file: Path, folder: Path) -> str:
    """The relative URL of a file for a page in `folder`, whatever either is called; both are absolute.

    It begins with a dot, so that no name is taken for a scheme or a host.
    """
    path = os.path.relpath(os.fsencode(file), os.fsencode(folder))
    return f"./{quote(path, safe='/')}"
