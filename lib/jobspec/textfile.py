"""Reads a `text_file`, and nothing outside the folder it belongs to."""

from __future__ import annotations

import os
from pathlib import Path

from lib.files import NotPlain, read_plain
from lib.jobspec.missing import near_miss
from lib.jobspec.problems import Refused, shown
from lib.jobspec.rules import MAX_TEXT_BYTES, check_spoken_text


def read_text_file(name: str, base_dir: Path | None) -> str:
    """Return the text to speak that the file `name` under `base_dir` holds.

    Raises:
        Refused: as `read_file`, or there is nothing to speak.
    """
    text = read_file(name, base_dir, "give the text itself as text")
    try:
        return check_spoken_text(text)
    except Refused as refused:
        raise Refused(f"{shown(name)} {refused.message}") from None


def read_file(name: str, base_dir: Path | None, instead: str | None = None) -> str:
    """Return what `name` under `base_dir` holds, without a byte order mark.

    Symbolic links are followed only as far as they stay inside `base_dir`.

    Raises:
        Refused: no base folder, a path that leads out of it, not a regular file, not readable, larger
            than `MAX_TEXT_BYTES`, or not UTF-8. `instead` says what to do where there is no folder.
    """
    if base_dir is None:
        raise Refused("is not accepted here, where files have no folder", instead)
    try:
        data = _read(_resolved(name, base_dir), name)
    except FileNotFoundError:
        raise Refused(f"{shown(name)} does not exist", _meant(name, base_dir)) from None
    if len(data) > MAX_TEXT_BYTES:
        raise Refused(f"{shown(name)} is larger than {MAX_TEXT_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused(
            f"{shown(name)} is not UTF-8: byte {data[error.start]:#04x} in its line {line}"
        ) from None


def _meant(name: str, base_dir: Path) -> str | None:
    """What to write instead of a file that is not there."""
    if os.path.exists(name) and not os.path.samefile(os.curdir, base_dir):
        return "it is relative to the YAML's folder, not to the current one"
    return near_miss(name, base_dir)


def _resolved(name: str, base_dir: Path) -> str:
    if os.path.isabs(name):
        raise Refused(f"{shown(name)} is absolute; it is relative to the YAML's folder")
    try:
        base = os.path.realpath(base_dir)
        path = os.path.realpath(os.path.join(base, name))
    except (OSError, ValueError):
        raise Refused(f"{shown(name)} is no usable path") from None
    if os.path.commonpath((base, path)) != base:
        raise Refused(f"{shown(name)} leads out of the YAML's folder")
    return path


def _read(path: str, name: str) -> bytes:
    try:
        return read_plain(path, MAX_TEXT_BYTES)  # no link: a swap after resolving is refused
    except FileNotFoundError:
        raise
    except NotPlain:
        raise Refused(f"{shown(name)} is not a regular file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise Refused(f"{shown(name)} cannot be read: {reason or 'no usable path'}") from None
