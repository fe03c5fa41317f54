"""FileStorage: content-addressed, verified, repeatable (W14's ground)."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from lib.storage import ArtifactMismatch, FileStorage, StorageUnavailable, StoredArtifact


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "store")


def audio(tmp_path: Path, data: bytes = b"RIFF" + b"\x01\x02" * 4000) -> tuple[Path, str, int]:
    path = tmp_path / "take.wav"
    path.write_bytes(data)
    return path, hashlib.sha256(data).hexdigest(), len(data)


def test_a_stored_artifact_stands_under_the_name_of_its_content(storage: FileStorage, tmp_path: Path) -> None:
    path, sha, size = audio(tmp_path)

    stored = storage.put(path, sha256=sha, size=size)

    assert (tmp_path / "store" / "blobs" / "sha256" / sha[:2] / sha).read_bytes() == path.read_bytes()
    assert stored == StoredArtifact(key=f"blobs/sha256/{sha[:2]}/{sha}", sha256=sha, size=size)
    assert storage.verify(stored)


@pytest.mark.parametrize(
    ("sha", "size"),
    [("0" * 64, None), (None, 3)],
    ids=["another sha256", "another length"],
)
def test_bytes_that_were_not_promised_are_refused(
    storage: FileStorage, tmp_path: Path, sha: str | None, size: int | None
) -> None:
    path, true_sha, true_size = audio(tmp_path)

    with pytest.raises(ArtifactMismatch, match="was not stored"):
        storage.put(path, sha256=sha or true_sha, size=true_size if size is None else size)

    assert not list((tmp_path / "store").rglob("*.part"))
    assert not [p for p in (tmp_path / "store" / "blobs").rglob("*") if p.is_file()]


def test_a_promise_that_is_no_sha256_reaches_no_path(storage: FileStorage, tmp_path: Path) -> None:
    path, _, size = audio(tmp_path)

    with pytest.raises(ArtifactMismatch, match="no sha256"):
        storage.put(path, sha256="../../../etc/passwd", size=size)


def test_a_damaged_blob_is_noticed_and_mended_by_the_next_put(storage: FileStorage, tmp_path: Path) -> None:
    path, sha, size = audio(tmp_path)
    stored = storage.put(path, sha256=sha, size=size)
    (tmp_path / "store" / stored.key).write_bytes(b"\0" * size)
    assert not storage.verify(stored)

    storage.put(path, sha256=sha, size=size)

    assert storage.verify(stored)


def test_publishing_twice_writes_once(storage: FileStorage, tmp_path: Path) -> None:
    path, sha, size = audio(tmp_path)
    stored = storage.put(path, sha256=sha, size=size)

    first = Path(storage.publish(stored, "topic/beat-001.wav"))
    before = first.stat()
    again = Path(storage.publish(stored, "topic/beat-001.wav"))

    assert again == first == Path(storage.location("topic/beat-001.wav"))
    assert (again.stat().st_ino, again.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_editing_the_published_file_does_not_touch_the_blob(storage: FileStorage, tmp_path: Path) -> None:
    path, sha, size = audio(tmp_path)
    stored = storage.put(path, sha256=sha, size=size)

    with Path(storage.publish(stored, "a/b.wav")).open("r+b") as stream:
        stream.write(b"edited")

    assert storage.verify(stored)


@pytest.mark.parametrize("name", ["/etc/passwd", "../escape.wav", ""])
def test_a_name_that_no_validator_passed_is_refused(storage: FileStorage, name: str) -> None:
    with pytest.raises(ValueError, match="no validated output name"):
        storage.location(name)


def test_a_full_disk_is_a_sentence(
    storage: FileStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, sha, size = audio(tmp_path)

    def full(fd: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(StorageUnavailable, match="the disk is full"):
        storage.put(path, sha256=sha, size=size)
    assert not [p for p in (tmp_path / "store").rglob("*") if p.is_file()]


def test_a_look_compares_the_size_and_reads_no_bytes(storage: FileStorage, tmp_path: Path) -> None:
    path, sha, size = audio(tmp_path)
    stored = storage.put(path, sha256=sha, size=size)
    blob = tmp_path / "store" / stored.key

    assert storage.has(stored)
    blob.write_bytes(b"\0" * size)
    assert storage.has(stored)
    blob.write_bytes(b"\0" * (size - 1))
    assert not storage.has(stored)
    blob.unlink()
    assert not storage.has(stored)
