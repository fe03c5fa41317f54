"""Every Lua script there is, whichever package carries it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from lib.jobqueue.redis.scripts import SCRIPTS as QUEUE
from lib.leadership.lock import SCRIPTS as LOCK
from lib.redislink.scripts import Script, ScriptFolder

FOLDERS: Final = (QUEUE, LOCK)
SHARED: Final = ("clock", "prelude")  # what is put in front of scripts


def names() -> list[str]:
    """Those that the server runs."""
    return [name for folder in FOLDERS for name in folder.names()]


def source(name: str) -> str:
    """The text of one, or of what is shared."""
    return folder_of(name).source(name)


def load(name: str) -> Script:
    """One as the server runs it."""
    return folder_of(name).load(name)


def folder_of(name: str) -> ScriptFolder:
    """The folder it lies in."""
    return LOCK if name in LOCK.names() else QUEUE


def put_in(patch: pytest.MonkeyPatch, change: Callable[[str, str], str]) -> None:
    """From now on a script's text, or a shared one's, is what `change` makes of its name and text."""
    whole = ScriptFolder.source

    def source(self: ScriptFolder, name: str) -> str:
        return change(name, whole(self, name))

    patch.setattr(ScriptFolder, "source", source)
    for folder in FOLDERS:
        folder.forget()
