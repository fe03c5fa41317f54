"""What a killed writer leaves is swept by the next one there; what a living one writes stays."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lib.files import draft_beside, sweep_drafts
from lib.storage import FileStorage, StoredArtifact
from tests.unit.storage.stored import publish

AUDIO = b"RIFF" + b"\x01\x02" * 4000
SHA = hashlib.sha256(AUDIO).hexdigest()
_WRITES_FOR_EVER = """
import sys
from pathlib import Path
from lib.files import draft_beside
with draft_beside(Path(sys.argv[1]), make_folder=True) as draft:
    draft.write_bytes(b"half of it")
    print("begun", flush=True)
    sys.stdin.read()
"""


@contextmanager
def a_writer(target: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process in the midst of writing `target`; killed at the end, if not before."""
    argv = [sys.executable, "-c", _WRITES_FOR_EVER, str(target)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        yield process
        process.kill()


def parts_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.part"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "take.wav"
    path.write_bytes(AUDIO)
    return path


@pytest.fixture
def stored(root: Path, source: Path) -> StoredArtifact:
    return FileStorage(root).put(source, sha256=SHA, bytes=len(AUDIO))


def test_a_killed_publication_leaves_no_draft_for_ever(root: Path, stored: StoredArtifact) -> None:
    with a_writer(root / "outputs/topic/a.wav") as writer:
        publish(FileStorage(root), stored, "topic/b.wav")
        assert len(parts_in(root)) == 1, "a living writer lost its draft"
        writer.kill()
        writer.wait()

    publish(FileStorage(root), stored, "topic/b.wav")

    assert parts_in(root) == []


@pytest.mark.parametrize("lost", [False, True], ids=["put", "restore"])
def test_nor_does_a_killed_put(root: Path, stored: StoredArtifact, source: Path, lost: bool) -> None:
    publish(FileStorage(root), stored, "a.wav")
    with a_writer(root / stored.key):
        pass
    assert len(parts_in(root)) == 1
    if lost:
        (root / stored.key).unlink()

    if lost:
        FileStorage(root).restore(stored, "a.wav")
    else:
        FileStorage(root).put(source, sha256=SHA, bytes=len(AUDIO))

    assert parts_in(root) == []


def test_nor_a_killed_copy_for_the_caller(root: Path, stored: StoredArtifact, tmp_path: Path) -> None:
    local = tmp_path / "desk/a.wav"
    with a_writer(local):
        pass

    FileStorage(root).fetch(stored, local)

    assert [path.name for path in local.parent.iterdir()] == ["a.wav"]


def test_a_draft_of_another_thread_stays(tmp_path: Path) -> None:
    with draft_beside(tmp_path / "a.wav") as draft:
        sweep_drafts(tmp_path)
        assert draft.exists()
    assert list(tmp_path.iterdir()) == []


def test_nothing_else_of_such_a_name_is_touched(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_bytes(b"x")
    name = f".{'0' * 16}"
    (tmp_path / f"{name}.part").symlink_to(target)
    (tmp_path / f".{'1' * 16}.part").mkdir()
    os.mkfifo(tmp_path / f".{'2' * 16}.part.wav")
    (tmp_path / "mine.part").write_bytes(b"y")
    before = sorted(tmp_path.iterdir())

    sweep_drafts(tmp_path)
    sweep_drafts(tmp_path / "missing")

    assert sorted(tmp_path.iterdir()) == before
