"""What lies below a store's `incoming/`, as the outbox of a spool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from lib.errors import Unavailable
from lib.spool import HostUnreachable, InvalidSpoolData
from lib.spool.errors import unusable
from lib.spool.layout import OUTBOX
from lib.storage import Incoming, IncomingFile, NotStored

T = TypeVar("T")
_CHUNK: Final = 1 << 20


class IncomingFiles:
    """`Files` of entries that were shown to it. Nothing can be written there, only removed.

    Until `is_known` nobody has seen all that lies there, and it does not answer: nothing is missing yet.

    Threads: the loop's only.
    Raises: as `Files`.
    """

    def __init__(self, incoming: Incoming) -> None:
        self._incoming = incoming
        self._shown: dict[str, Mapping[str, IncomingFile]] = {}
        self.is_known = False

    def show(self, entries: Mapping[str, Mapping[str, IncomingFile]]) -> None:
        """From now on it has these, each with its files by name."""
        self._shown = dict(entries)

    def list(self, folder: str) -> list[str]:
        """The entries, in the outbox."""
        if not self.is_known:
            raise HostUnreachable("The store has not told yet what machines left there.")
        return [*self._shown] if folder == OUTBOX else []

    def scan(self, folders: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """The same of each."""
        return {folder: self.list(folder) for folder in folders}

    def present(self, paths: Sequence[str]) -> Sequence[str]:
        """Entries only."""
        return [path for path in paths if path in {f"{OUTBOX}/{entry}" for entry in self._shown}]

    def read(self, path: str, limit: int, offset: int | None = None) -> bytes:
        """From the store; no part of a file is ever asked for."""
        if offset is not None:
            raise FileNotFoundError(path)
        file = self._file(path, limit)

        def whole(stream: BinaryIO) -> bytes:
            return stream.read(file.bytes)

        return self._opened(file, path, whole)

    def fetch(self, path: str, local: Path, limit: int) -> None:
        """Copy it; a file that grew since it was listed is cut off, and then it is another one."""
        file = self._file(path, limit)

        def copy(stream: BinaryIO) -> None:
            left = file.bytes
            try:
                with local.open("wb") as target:
                    while left > 0 and (data := stream.read(min(_CHUNK, left))):
                        target.write(data)
                        left -= len(data)
            except OSError as error:
                raise unusable(local, error) from error

        self._opened(file, path, copy)

    def write(self, path: str, data: bytes, unless: Sequence[str] = ()) -> bool:
        """Nothing is written there."""
        raise HostUnreachable("What machines left in the store takes no jobs.")

    def rename(self, source: str, target: str) -> None:
        """Nothing moves there."""
        raise FileNotFoundError(source)

    def remove_tree(self, path: str) -> None:
        """Remove an entry of the outbox; there is nothing else."""
        entry = path.removeprefix(f"{OUTBOX}/")
        files = self._shown.get(entry)
        if files is None:
            return
        try:
            self._incoming.remove([file.name for file in files.values()])
        except Unavailable as error:
            raise HostUnreachable(error.message) from error
        del self._shown[entry]

    def ring(self, bell: str) -> None:
        """Nobody waits there."""

    def wait(self, bell: str, timeout_s: float) -> None:
        """Nothing rings there."""

    def listen(self, bell: str) -> int | None:
        """It cannot be heard."""
        return None

    def heard(self, bell: str) -> None:
        """It cannot be heard."""

    def _file(self, path: str, limit: int) -> IncomingFile:
        folder, _, rest = path.partition("/")
        entry, _, name = rest.partition("/")
        file = self._shown.get(entry, {}).get(name) if folder == OUTBOX else None
        if file is None:
            raise FileNotFoundError(path)
        if file.bytes > limit:
            raise InvalidSpoolData(f"{path} in the store has {file.bytes} bytes, more than {limit}.")
        return file

    def _opened(self, file: IncomingFile, path: str, use: Callable[[BinaryIO], T]) -> T:
        try:
            with self._incoming.open(file.name) as stream:
                return use(stream)
        except NotStored:
            raise FileNotFoundError(path) from None
        except Unavailable as error:
            raise HostUnreachable(error.message) from error
