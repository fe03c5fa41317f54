"""Files are whole or not there, locks end with who holds them, and only plain files are opened."""

from __future__ import annotations

import ast
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lib.files import (
    NotPlain,
    draft_beside,
    is_locked,
    open_plain,
    read_plain,
    sweep_drafts,
    take_folder_lock,
    take_lock,
    try_write,
    write_below,
    write_in_place,
    write_whole,
)
from tests.unit.house import ROOT
from tests.unit.open_files import open_below

#: Writes `new` over a file, and is killed as by SIGKILL before its system call of that number.
KILLED_BEFORE_CALL = """
import os, pathlib, sys
from lib import files
left = int(sys.argv[2])
def counted(call):
    def either(*args, **kwargs):
        global left
        left -= 1
        if left < 0:
            os._exit(9)
        return call(*args, **kwargs)
    return either
for name in ("open", "write", "fsync", "replace", "close"):
    setattr(os, name, counted(getattr(os, name)))
files.write_whole(pathlib.Path(sys.argv[1]), b"new" * 100_000, sync=True)
os._exit(0)
"""
#: Says that it runs, then waits, with what it was given, until its input ends.
HOLDER = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]


def test_a_kill_at_any_step_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    target, seen, number = tmp_path / "file", list[bytes](), 0
    while True:
        target.write_bytes(b"old")
        command = [sys.executable, "-c", KILLED_BEFORE_CALL, str(target), str(number)]
        done = subprocess.run(command, cwd=ROOT, check=False)
        seen.append(target.read_bytes())
        litter = {item for item in tmp_path.iterdir() if item != target}
        assert len(litter) <= 1
        sweep_drafts(tmp_path)
        assert list(tmp_path.iterdir()) == [target]
        if done.returncode == 0:
            break
        assert done.returncode == 9
        number += 1

    assert set(seen) == {b"old", b"new" * 100_000}
    assert seen == sorted(seen, reverse=True)  # old, and from one step on new
    assert number >= 7


def test_the_bytes_are_on_the_disk_before_the_name_and_the_name_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = list[str]()

    def fsync(descriptor: int) -> None:
        inode = os.fstat(descriptor).st_ino
        steps.append("sync folder" if inode == tmp_path.stat().st_ino else f"sync {inode}")

    def replace(source: Path, target: Path) -> None:
        steps.append(f"rename {source.stat().st_ino}")
        rename(source, target)

    rename = os.replace
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)

    write_whole(tmp_path / "file", b"data", sync=True)

    inode = (tmp_path / "file").stat().st_ino
    assert steps == [f"sync {inode}", f"rename {inode}", "sync folder"]


def test_a_refused_write_leaves_what_stood_there_and_no_litter(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "folder", b"data", sync=False)

    assert [item.name for item in tmp_path.iterdir()] == ["folder"]


def test_a_file_is_not_written_into_a_folder_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "gone" / "file", b"data", sync=True)

    assert list(tmp_path.iterdir()) == []


def test_a_draft_has_room_beside_the_longest_name(tmp_path: Path) -> None:
    target = tmp_path / "made" / ("x" * 255)
    with draft_beside(target, make_folder=True) as draft:
        draft.write_bytes(b"data")
        draft.replace(target)

    assert list(target.parent.iterdir()) == [target]


def test_what_is_written_in_place_goes_through_no_link(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(b"theirs")
    (tmp_path / "link").symlink_to("theirs")

    with pytest.raises(OSError, match="symbolic link"):
        write_in_place(tmp_path / "link", b"ours")

    assert (tmp_path / "theirs").read_bytes() == b"theirs"


def test_what_is_written_below_a_folder_goes_through_no_link_and_leaves_no_litter(tmp_path: Path) -> None:
    run, other = tmp_path / "run", tmp_path / "other"
    (run / "a").mkdir(parents=True)
    other.mkdir()
    (run / "way").symlink_to(other)
    (other / "secret").write_bytes(b"theirs")
    (run / "a/end").symlink_to(other / "secret")
    write_below(run, "a/b.txt", b"old")
    write_below(run, "a/b.txt", b"new")
    write_below(run, "a/end", b"mine")
    assert (run / "a/b.txt").read_bytes() == b"new"
    assert (other / "secret").read_bytes() == b"theirs"
    (run / "a/folder").mkdir()
    for wrong in ("../other/secret", "", "a//b"):
        with pytest.raises(NotPlain):
            write_below(run, wrong, b"x")
    for wrong, error in (
        ("way/secret", NotADirectoryError),
        ("none/b", FileNotFoundError),
        ("a/folder", IsADirectoryError),
    ):
        with pytest.raises(error):
            write_below(run, wrong, b"x")
    assert sorted(os.listdir(run / "a")) == ["b.txt", "end", "folder"]
    assert os.listdir(other) == ["secret"]


def test_a_tried_write_leaves_nothing_and_says_when_it_is_refused(tmp_path: Path) -> None:
    try_write(tmp_path)

    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        try_write(tmp_path / "gone")


def test_a_lock_has_one_holder_until_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    held = take_lock(path)
    assert held is not None
    assert take_lock(path) is None
    assert is_locked(path)

    os.close(held)

    assert not is_locked(path)
    again = take_lock(path)
    assert again is not None
    os.close(again)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_is_locked_without_a_file(tmp_path: Path) -> None:
    held = take_folder_lock(tmp_path)
    assert held is not None
    assert take_folder_lock(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    os.close(held)


def test_who_only_looks_at_a_lock_makes_no_file(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "lock")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        is_locked(tmp_path / "file" / "lock")


@pytest.mark.parametrize("given", [True, False])
def test_a_child_keeps_a_lock_that_it_was_given_and_no_other(tmp_path: Path, given: bool) -> None:
    path = tmp_path / "lock"
    lock = take_lock(path)
    assert lock is not None
    pipe, given_fds = subprocess.PIPE, (lock,) if given else ()
    # Where nothing is passed, the child closes nothing by itself: the lock is kept from it by its own flag.
    with subprocess.Popen(HOLDER, stdin=pipe, stdout=pipe, close_fds=given, pass_fds=given_fds) as child:
        os.close(lock)
        assert child.stdout is not None
        child.stdout.readline()
        assert is_locked(path) is given
        child.kill()
    assert not is_locked(path)


def test_only_plain_files_are_read_and_nothing_hangs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"x" * 200_000)
    (tmp_path / "link").symlink_to("file")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "socket"))

    for other in (tmp_path, tmp_path / "pipe", tmp_path / "socket", Path("/dev/zero"), tmp_path / "link"):
        with pytest.raises(NotPlain):
            open_plain(other)
    for other in (tmp_path, tmp_path / "pipe", tmp_path / "socket", Path("/dev/zero")):
        with pytest.raises(NotPlain, match="not a regular file"):
            read_plain(other, 10, follow=True)
    with pytest.raises(FileNotFoundError):
        read_plain(tmp_path / "gone", 10)
    assert read_plain(tmp_path / "link", 200_000, follow=True) == b"x" * 200_000


def test_what_is_read_is_bounded_by_one_byte_more(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 20)

    assert read_plain(tmp_path / "file", 10) == b"x" * 11
    assert read_plain(tmp_path / "file", 20) == b"x" * 20


def test_a_refused_file_leaves_no_descriptor_open(tmp_path: Path) -> None:
    held = take_lock(tmp_path / "lock")
    for _ in range(3):
        with pytest.raises(NotPlain):
            read_plain(tmp_path, 10)
        assert take_lock(tmp_path / "lock") is None
        assert is_locked(tmp_path / "lock")

    assert held is not None
    assert open_below(tmp_path) == [str(tmp_path / "lock")]
    os.close(held)
    assert open_below(tmp_path) == []


#: What else opens, renames or syncs by hand, and why it is none of the three.
BY_HAND = {
    "job_console/notes.py": "locks and syncs the descriptor that it appends with",
    "lib/files.py": "here they stand",
    "lib/storage/hashed_writes.py": "syncs the artifact that it hashes on the way, through an injected disk",
    "lib/manifest/folder.py": "renames drafts in a folder that it holds, and syncs the folder once",
}


CALLS = {"os.fsync", "os.replace", "os.rename", "fcntl.flock", "fcntl.lockf"}


def test_nobody_else_writes_whole_or_locks_by_hand() -> None:
    found = set()
    for package in ("lib", "job_runner", "job_watcher", "job_pipeline", "job_console", "synth"):
        for path in sorted((ROOT / package).rglob("*.py")):
            code = path.read_text(encoding="utf-8")
            if not any(call.rpartition(".")[2] in code for call in CALLS):
                continue
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.Attribute) and ast.unparse(node) in CALLS:
                    found.add(str(path.relative_to(ROOT)))
    assert found == set(BY_HAND)
