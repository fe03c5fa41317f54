"""Where machines without any right of ours put what they finished: `incoming/`, by URLs signed for one key.

Nothing that lies there is to be believed: whoever takes it in compares it as what any machine returns.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, MutableMapping, Sequence
from typing import BinaryIO, Final

from lib.storage.port import IncomingFile, NotStored

INCOMING: Final = "incoming/"
#: `<job>/<lease_no>-<8 of the token>/<file>`; the job by 32 digits of its id's hash.
_NAME: Final = re.compile(r"[0-9a-f]{32}/[0-9]{1,18}-[A-Za-z0-9_-]{8}/[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def is_incoming(name: str) -> bool:
    """Whether files may be put under that name."""
    return _NAME.fullmatch(name) is not None


def incoming_key(name: str) -> str:
    """`incoming/<name>`. Raises ValueError."""
    if not is_incoming(name):
        raise ValueError(f"{name[:200]!r} is no name below {INCOMING}")
    return INCOMING + name


class MemoryIncoming:
    """`Incoming` in a dictionary, by key. `put` does what a machine's PUT does.

    Raises: as `Incoming`, and what `before` raises, which is called at each access.
    """

    def __init__(
        self,
        objects: MutableMapping[str, bytes],
        url: str,
        before: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        self._objects, self._url, self._before, self._now = objects, url, before, now
        self._signed: dict[str, tuple[str, float]] = {}  # by URL: the key, and until when
        self._came: dict[str, float] = {}

    def sign(self, name: str, *, life_s: int) -> str:
        """A URL that only `put` knows."""
        until = self._now() + life_s
        url = f"{self._url}/{incoming_key(name)}?until={until}"
        self._signed[url] = incoming_key(name), until
        return url

    def put(self, url: str, data: bytes) -> bool:
        """Whether it was taken."""
        key, until = self._signed.get(url, ("", 0.0))
        if self._now() >= until:
            return False
        self._objects[key], self._came[key] = data, self._now()
        return True

    def list(self) -> Sequence[IncomingFile]:
        """All of them."""
        self._before()
        found = [(key.removeprefix(INCOMING), key) for key in self._objects if key.startswith(INCOMING)]
        return [
            IncomingFile(name, len(self._objects[key]), self._came.get(key, 0.0))
            for name, key in found
            if is_incoming(name)
        ]

    def open(self, name: str) -> BinaryIO:
        """A stream over the bytes."""
        self._before()
        data = self._objects.get(incoming_key(name))
        if data is None:
            raise NotStored(f"{INCOMING}{name} is not in the store.")
        return io.BytesIO(data)

    def remove(self, names: Sequence[str]) -> None:
        """Forget them."""
        self._before()
        for name in names:
            self._objects.pop(incoming_key(name), None)
