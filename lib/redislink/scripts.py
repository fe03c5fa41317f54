"""The Lua scripts of a package, in its folder `lua`: text, digest, and the interface that headers state."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from typing import Final

_KEY_LINE: Final = re.compile(r"^-- KEYS\[(\d+)\]\s+(\w+)", re.MULTILINE)
_FLAGS: Final = re.compile(r"\A(#!lua[^\n]*\n)")
#: What all scripts begin with, and what those of one package share; neither is a script.
_CLOCK: Final = "clock"
_PRELUDE: Final = "prelude"


@dataclass(frozen=True, slots=True)
class Script:
    """One script: `text` is what the server runs, `keys` the key names of its header in order."""

    name: str
    text: str
    sha: str
    keys: tuple[str, ...]


class ScriptFolder:
    """The scripts of one package. May be used from any thread: what two threads read twice is the same."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._loaded: dict[str, Script] = {}

    def source(self, name: str) -> str:
        """The file's own text, without what is put in front of it."""
        package = __package__ if name == _CLOCK else self._package
        return (resources.files(package) / "lua" / f"{name}.lua").read_text(encoding="utf-8")

    def names(self) -> list[str]:
        """Every script there is."""
        return sorted(set(self._files()) - {_PRELUDE})

    def load(self, name: str) -> Script:
        """Read a script, put clock and prelude behind its flags, and take its keys from its header."""
        known = self._loaded.get(name)
        if known is None:
            known = self._loaded[name] = self._read(name)
        return known

    def forget(self) -> None:
        """Read every script anew when it is wanted next."""
        self._loaded.clear()

    def _read(self, name: str) -> Script:
        own = self.source(name)
        flags = _FLAGS.match(own)
        if flags is None:
            raise ValueError(f"{name}.lua does not begin with #!lua")
        shared = self.source(_CLOCK) + (self.source(_PRELUDE) if _PRELUDE in self._files() else "")
        text = flags.group(1) + shared + own[flags.end() :]
        keys = tuple(match.group(2) for match in _KEY_LINE.finditer(own))
        return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), keys)

    def _files(self) -> list[str]:
        folder = resources.files(self._package) / "lua"
        return [item.name[:-4] for item in folder.iterdir() if item.name.endswith(".lua")]
