"""The console's token: what its callers must know, and what its links are signed with.

It is made by whoever needs it first, and lies in the data folder.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

from lib.errors import BadConfiguration
from lib.files import read_plain, sync_file

_FILE: Final = "console.token"
_LONGEST: Final = 4096
_SHORTEST: Final = 16  # characters: what is guessed in a lifetime at the rate of wrong tokens is shorter


def token_file(data: Path) -> Path:
    """Where the token lies."""
    return data / _FILE


def ensure_token(data: Path) -> str:
    """The token of the data folder, made there when it is missing. Its file is for its owner alone.

    Raises:
        BadConfiguration: the file cannot be read or made, or others may read it.
    """
    path = token_file(data)
    try:
        with contextlib.suppress(FileExistsError):
            _make(path)
        if path.lstat().st_mode & 0o077:
            raise BadConfiguration(
                f"others may read {path}, so it keeps nobody out; remove it: the next start makes a new one"
            )
        token = read_plain(path, _LONGEST).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no token"
        raise BadConfiguration(
            f"the token of the console in {path} cannot be used: {reason}; give this user the right to it, "
            "or set JOB_CONSOLE_TOKEN"
        ) from None
    return checked_token(token, str(path))


def checked_token(token: str, where: str) -> str:
    """The token, if it is one that nobody guesses.

    Raises:
        BadConfiguration: it is too short, or holds what no header can.
    """
    if len(token) < _SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        raise BadConfiguration(
            f"the token of the console ({where}) is too short, or holds blanks or other letters than ASCII; "
            f"give {_SHORTEST} characters or more, as `openssl rand -hex 32` makes them"
        )
    return token


def _make(path: Path) -> None:
    """Write a new token where none is, whole: a start that is killed leaves none of half the length."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        os.write(descriptor, f"{secrets.token_urlsafe(32)}\n".encode())
        sync_file(draft)
        os.link(draft, path)  # of two first starts one makes it, and both read that one
    finally:
        os.close(descriptor)
        with contextlib.suppress(OSError):
            draft.unlink()
