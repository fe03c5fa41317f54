"""No link within `outputs` is followed; `outputs` itself may be one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from lib.storage import FileStorage, NotStored, StorageUnavailable, StoredArtifact
from tests.unit.storage.stored import publish

AUDIO = b"RIFF" + b"\x01\x02" * 4000
SHA = hashlib.sha256(AUDIO).hexdigest()
NAME = "topic/part/a.wav"


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "store")


@pytest.fixture
def stored(tmp_path: Path, storage: FileStorage) -> StoredArtifact:
    source = tmp_path / "take.wav"
    source.write_bytes(AUDIO)
    return storage.put(source, sha256=SHA, bytes=len(AUDIO))


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder that a link could lead to, with a file of the published name."""
    folder = tmp_path / "elsewhere"
    (folder / "part").mkdir(parents=True)
    (folder / "a.wav").write_bytes(b"not ours")
    (folder / "part/a.wav").write_bytes(b"not ours")
    return folder


@pytest.mark.parametrize(("link", "to"), [("topic", "."), ("topic/part", ".")])
def test_a_folder_that_is_a_link_takes_no_write(
    tmp_path: Path, storage: FileStorage, stored: StoredArtifact, elsewhere: Path, link: str, to: str
) -> None:
    path = tmp_path / "store/outputs" / link
    path.parent.mkdir(parents=True)
    path.symlink_to(elsewhere / to)
    before = {file: file.read_bytes() for file in elsewhere.rglob("*") if file.is_file()}

    with pytest.raises(StorageUnavailable, match=rf"outputs/{link} is a symbolic link"):
        publish(storage, stored, NAME)

    assert {file: file.read_bytes() for file in elsewhere.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("link", ["topic", "topic/part", NAME])
def test_what_lies_behind_a_link_is_neither_published_nor_restored(
    tmp_path: Path, storage: FileStorage, stored: StoredArtifact, link: str
) -> None:
    publish(storage, stored, NAME)
    path, moved = tmp_path / "store/outputs" / link, tmp_path / "moved"
    path.rename(moved)
    path.symlink_to(moved)

    assert storage.stands(stored, NAME) is False
    assert not storage.published(NAME)
    (tmp_path / "store" / stored.key).unlink()
    with pytest.raises(NotStored, match="Nothing is published as"):
        storage.restore(stored, NAME)


def test_a_file_that_is_a_link_is_replaced_and_what_it_led_to_stays(
    tmp_path: Path, storage: FileStorage, stored: StoredArtifact, elsewhere: Path
) -> None:
    path = tmp_path / "store/outputs" / NAME
    path.parent.mkdir(parents=True)
    path.symlink_to(elsewhere / "a.wav")

    publish(storage, stored, NAME)

    assert not path.is_symlink()
    assert path.read_bytes() == AUDIO
    assert (elsewhere / "a.wav").read_bytes() == b"not ours"


def test_a_link_to_nothing_is_replaced_and_makes_nothing(
    tmp_path: Path, storage: FileStorage, stored: StoredArtifact
) -> None:
    path = tmp_path / "store/outputs" / NAME
    path.parent.mkdir(parents=True)
    path.symlink_to(tmp_path / "not there")

    assert storage.stands(stored, NAME) is False
    publish(storage, stored, NAME)

    assert path.read_bytes() == AUDIO
    assert not (tmp_path / "not there").exists()


@pytest.mark.parametrize("which", ["store", "store/outputs", "store/blobs"])
def test_the_folders_themselves_may_be_links(tmp_path: Path, stored: StoredArtifact, which: str) -> None:
    path, moved = tmp_path / which, tmp_path / "big disk"
    if not path.exists():
        path.mkdir()
    path.rename(moved)
    path.symlink_to(moved)
    storage = FileStorage(tmp_path / "store")

    assert Path(publish(storage, stored, NAME)).read_bytes() == AUDIO
    assert storage.stands(stored, NAME)
