"""FileStorage: what is particular to a folder. What every store does is in tests/contract/storage."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from lib.storage import (
    ArtifactMismatch,
    FileStorage,
    StorageUnavailable,
    StoredArtifact,
    publish_takes,
)
from lib.storage.hashed_writes import Disk
from lib.storage.name_ownership import entry_key
from tests.unit.storage.stored import CLAIM, publish, take_of

AUDIO = b"RIFF" + b"\x01\x02" * 4000
SHA = hashlib.sha256(AUDIO).hexdigest()


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "store")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "take.wav"
    path.write_bytes(AUDIO)
    return path


@pytest.fixture
def stored(storage: FileStorage, source: Path) -> StoredArtifact:
    return storage.put(source, sha256=SHA, bytes=len(AUDIO))


class Altered(io.FileIO):
    """A file whose bytes are altered on their way to the disk, or from it."""

    def __init__(self, path: Path, mode: str, alter: Callable[[bytes], bytes]) -> None:
        super().__init__(path, mode)
        self._alter = alter

    def write(self, data: bytes) -> int:  # type: ignore[override]  # this test writes nothing but bytes
        super().write(self._alter(data))
        return len(data)

    def read(self, size: int | None = -1) -> bytes:
        return self._alter(super().read(-1 if size is None else size) or b"")


def flipped(data: bytes) -> bytes:
    return data[:1] + bytes([data[1] ^ 4]) + data[2:] if data else data


def cut(data: bytes) -> bytes:
    return data[:-1]


def damaging_writes(alter: Callable[[bytes], bytes]) -> Disk:
    def fill(path: Path) -> BinaryIO:
        return Altered(path, "r+b", alter)

    return Disk(fill=fill)


def damaging_reads(alter: Callable[[bytes], bytes]) -> Disk:
    def read(path: Path) -> BinaryIO:
        return Altered(path, "rb", alter)

    return Disk(read=read)


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


class TestADiskThatDamages:
    @pytest.mark.parametrize("alter", [flipped, cut])
    def test_on_the_way_in_stores_nothing(
        self, tmp_path: Path, source: Path, alter: Callable[[bytes], bytes]
    ) -> None:
        """The file is good and the store is not: the job waits, it does not fail."""
        storage = FileStorage(tmp_path / "store", damaging_writes(alter))

        with pytest.raises(StorageUnavailable, match="does not give back what was written"):
            storage.put(source, sha256=SHA, bytes=len(AUDIO))

        assert files_in(tmp_path / "store") == []

    def test_on_the_way_back_stores_nothing(self, tmp_path: Path, source: Path) -> None:
        storage = FileStorage(tmp_path / "store", damaging_reads(flipped))

        with pytest.raises(StorageUnavailable, match="does not give back what was written"):
            storage.put(source, sha256=SHA, bytes=len(AUDIO))

        assert files_in(tmp_path / "store") == []

    @pytest.mark.parametrize("alter", [flipped, cut])
    def test_a_published_copy_leaves_what_stood_there(
        self, tmp_path: Path, storage: FileStorage, stored: StoredArtifact, alter: Callable[[bytes], bytes]
    ) -> None:
        older = tmp_path / "store/outputs/a.wav"
        older.parent.mkdir()
        older.write_bytes(b"an older take")

        with pytest.raises(StorageUnavailable, match=r"a\.wav was not written"):
            publish(FileStorage(tmp_path / "store", damaging_writes(alter)), stored, "a.wav")

        assert older.read_bytes() == b"an older take"
        assert files_in(tmp_path / "store/outputs") == ["a.wav"]

    @pytest.mark.parametrize("where", ["its blob", "its copy"])
    def test_a_waveform_leaves_it_out_and_publishes_the_audio(
        self, tmp_path: Path, storage: FileStorage, stored: StoredArtifact, where: str
    ) -> None:
        source = tmp_path / "peaks"
        source.write_bytes(b"peaks")
        peaks = storage.put(source, sha256=hashlib.sha256(b"peaks").hexdigest(), bytes=5)
        publishing = storage
        if where == "its blob":
            (tmp_path / "store" / peaks.key).write_bytes(b"Peaks")
        else:
            publishing = FileStorage(
                tmp_path / "store", damaging_writes(lambda data: flipped(data) if data == b"peaks" else data)
            )

        publish_takes(publishing, CLAIM, [take_of("a", stored, peaks)])

        assert files_in(tmp_path / "store/outputs") == ["a.wav"]

    def test_a_copy_for_the_caller_brings_nothing(
        self, tmp_path: Path, storage: FileStorage, stored: StoredArtifact
    ) -> None:
        local = tmp_path / "desk" / "local.wav"

        with pytest.raises(ArtifactMismatch):
            FileStorage(tmp_path / "store", damaging_reads(flipped)).fetch(stored, local)

        assert files_in(local.parent) == []


class TestReadingBack:
    def test_asks_the_disk_and_not_the_page_cache(
        self, storage: FileStorage, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dropped: list[str] = []

        def drop(fd: int, start: int, length: int, advice: int) -> None:
            assert (start, length, advice) == (0, 0, os.POSIX_FADV_DONTNEED)
            dropped.append(os.readlink(f"/proc/self/fd/{fd}"))

        monkeypatch.setattr(os, "posix_fadvise", drop)
        stored = storage.put(source, sha256=SHA, bytes=len(AUDIO))
        publish(storage, stored, "a.wav")

        blobs, outputs = (tmp_path / "store" / stored.key).parent, tmp_path / "store/outputs"
        assert [Path(name).parent for name in dropped] == [blobs, outputs]

    def test_does_without_where_the_system_cannot(
        self, storage: FileStorage, source: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delattr(os, "posix_fadvise")

        assert storage.verify(storage.put(source, sha256=SHA, bytes=len(AUDIO)))


class TestAPowerCut:
    """What was said to be stored has its bytes and its name on the disk, in this order."""

    @pytest.fixture
    def steps(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path]]:
        found: list[tuple[str, Path]] = []
        sync, rename = os.fsync, os.replace

        def fsync(fd: int) -> None:
            found.append(("sync", Path(os.readlink(f"/proc/self/fd/{fd}"))))
            sync(fd)

        def replace(draft: Path, target: Path) -> None:
            found.append(("rename", target))
            rename(draft, target)

        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(os, "replace", replace)
        return found

    def test_loses_neither_a_blob_nor_its_name(
        self, storage: FileStorage, source: Path, tmp_path: Path, steps: list[tuple[str, Path]]
    ) -> None:
        stored = storage.put(source, sha256=SHA, bytes=len(AUDIO))

        blob = tmp_path / "store" / stored.key
        (first, draft), *others = steps
        assert (first, draft.parent, draft.suffix) == ("sync", blob.parent, ".part")
        assert others == [("rename", blob), ("sync", blob.parent)]

    def test_loses_no_published_file(
        self, storage: FileStorage, stored: StoredArtifact, tmp_path: Path, steps: list[tuple[str, Path]]
    ) -> None:
        """Nor whose it is, which is on the disk before."""
        place = Path(publish(storage, stored, "topic/a.wav"))

        (record, _), *others = [
            (path, kind) for kind, path in steps if path.parent.parent.name == "published"
        ]
        named = tmp_path / "store" / entry_key("topic/a")
        assert (record.parent, others) == (named.parent, [(named, "rename")])
        assert steps[-3:] == [("sync", named.parent), ("rename", place), ("sync", place.parent)]


def test_publishing_twice_writes_once(storage: FileStorage, stored: StoredArtifact) -> None:
    first = Path(publish(storage, stored, "topic/beat-001.wav"))
    before = first.stat()
    again = Path(publish(storage, stored, "topic/beat-001.wav"))

    assert again == first == Path(storage.location("topic/beat-001.wav"))
    assert (again.stat().st_ino, again.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_editing_the_published_file_does_not_touch_the_blob(
    storage: FileStorage, stored: StoredArtifact
) -> None:
    with Path(publish(storage, stored, "a/b.wav")).open("r+b") as stream:
        stream.write(b"edited")

    assert storage.verify(stored)


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "the file system is read-only")],
)
def test_a_disk_that_refuses_is_a_sentence(tmp_path: Path, source: Path, number: int, reason: str) -> None:
    def refuse(data: bytes) -> bytes:
        raise OSError(number, os.strerror(number))

    storage = FileStorage(tmp_path / "store", damaging_writes(refuse))

    with pytest.raises(StorageUnavailable, match=reason):
        storage.put(source, sha256=SHA, bytes=len(AUDIO))
    assert files_in(tmp_path / "store") == []


def test_a_disk_that_stops_reading_is_the_stores_trouble(tmp_path: Path, stored: StoredArtifact) -> None:
    def refuse(data: bytes) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    storage = FileStorage(tmp_path / "store", damaging_reads(refuse))

    for act in (
        lambda: storage.verify(stored),
        lambda: publish(storage, stored, "a.wav"),
        lambda: storage.fetch(stored, tmp_path / "local.wav"),
    ):
        with pytest.raises(StorageUnavailable, match="Input/output error"):
            act()


def test_a_folder_takes_no_upload_from_a_machine(storage: FileStorage) -> None:
    assert storage.sign_upload(SHA, len(AUDIO)) is None
