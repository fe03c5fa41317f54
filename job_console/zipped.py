"""Files as one ZIP archive that is made while it is sent: nothing of it lies in memory or on a disk."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Final

_BLOCK: Final = 1 << 16
_DATE: Final = (1980, 1, 1, 0, 0, 0)  # the same files are the same archive
_PLAIN_FILE: Final = 0o100644 << 16

#: A name in the archive, and what opens the file.
ZipEntry = tuple[str, Callable[[], BinaryIO]]


class _Outlet:
    """What a ZipFile writes to, which cannot go back; what was written is taken away in between."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        """Take what follows."""
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is held."""

    def take(self) -> bytes:
        """What came since."""
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken


def zip_blocks(entries: Iterable[ZipEntry]) -> Iterator[bytes]:
    """The archive in blocks. Audio is stored as it is: it hardly gets smaller.

    Raises: what an entry's file raises, in the middle; who reads then has half an archive that says so.
    """
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w") as archive:
        for name, open_file in entries:
            about = zipfile.ZipInfo(name, _DATE)
            about.external_attr = _PLAIN_FILE
            with open_file() as source, archive.open(about, "w") as target:
                while block := source.read(_BLOCK):
                    target.write(block)
                    yield outlet.take()
            yield outlet.take()
    yield outlet.take()
