"""The Lua scripts as they lie beside this module: text, digest, and the interface their headers state."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

_KEY_LINE: Final = re.compile(r"^-- KEYS\[(\d+)\]\s+(\w+)", re.MULTILINE)
_FLAGS: Final = re.compile(r"\A(#!lua[^\n]*\n)")


@dataclass(frozen=True, slots=True)
class Script:
    """One script: `text` is what the server runs, `keys` the key names of its header in order."""

    name: str
    text: str
    sha: str
    keys: tuple[str, ...]


def source(name: str) -> str:
    """The file's own text, without the prelude."""
    return (resources.files("lib.jobqueue") / "lua" / f"{name}.lua").read_text(encoding="utf-8")


def names() -> list[str]:
    """Every script there is; the prelude is none."""
    folder = resources.files("lib.jobqueue") / "lua"
    found = (item.name for item in folder.iterdir())
    return sorted(name[:-4] for name in found if name.endswith(".lua") and name != "prelude.lua")


@cache
def load(name: str) -> Script:
    """Read a script, put the prelude behind its flags, and take its keys from its header."""
    own = source(name)
    flags = _FLAGS.match(own)
    if flags is None:
        raise ValueError(f"{name}.lua does not begin with #!lua")
    text = flags.group(1) + source("prelude") + own[flags.end() :]
    keys = tuple(match.group(2) for match in _KEY_LINE.finditer(own))
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), keys)
