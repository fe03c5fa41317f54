"""A bucket of named objects, each written once. Who opens one: `lib.storage.open_bucket`."""

from __future__ import annotations

import re
from typing import Final, Protocol

from lib.errors import BadInput

_SEGMENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


class ObjectRefused(BadInput):
    """The store takes others, and will never take this one: it is too large."""


class Bucket(Protocol):
    """Named objects that are never replaced. Keys are like `2026-11-30/a-fox-7.png`.

    Every call may be repeated. Threads: one at a time.
    Raises, from every method but `place` and `close`: StorageUnavailable, or StorageMisconfigured where a
        person has to mend something; ValueError for a key that is none.
    """

    name: str

    @property
    def keeps_first(self) -> bool:
        """Whether of two that write one key at once the first one's bytes stay, whatever the moment."""
        ...

    def put_new(self, key: str, data: bytes, sha256: str) -> bool:
        """Store `data` where nothing lies; whether these very bytes lie there now. Others are left alone.

        Raises:
            ObjectRefused: the store takes no such object.
        """
        ...

    def sha256(self, key: str) -> str | None:
        """Of the bytes at the key; None where nothing lies."""
        ...

    def place(self, key: str) -> str:
        """Where the object is or would be, for people. The store is not asked."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...


def checked_key(key: str) -> str:
    """The key itself. Raises ValueError for one that is not made of plain segments."""
    segments = key.split("/")
    if not all(_SEGMENT.fullmatch(segment) for segment in segments) or len(key) > 500:
        raise ValueError(f"{key!r} is no key of a bucket")
    return key
