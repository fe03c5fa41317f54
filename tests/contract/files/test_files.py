"""What a spool's client may rely on, however far away the files are (V11, W12)."""

from __future__ import annotations

import select
from collections.abc import Callable
from pathlib import Path

import pytest

from lib.errors import ExitStatus, Unavailable
from lib.spool import Files, HostUnreachable, InvalidSpoolData, SpoolUnusable
from tests.contract.files.conftest import Machine


class TestLooking:
    def test_names_what_is_in_a_folder(self, files: Files) -> None:
        assert files.list("inbox") == []
        files.write("inbox/a.json", b"a")
        files.write("inbox/b.json", b"b")
        files.write("outbox/entry/result.json", b"c")

        assert sorted(files.list("inbox")) == ["a.json", "b.json"]
        assert files.list("outbox") == ["entry"]
        assert files.list("outbox/entry") == ["result.json"]
        assert files.list("entry") == []

    def test_at_many_folders_says_what_each_look_would(self, files: Files) -> None:
        files.write("inbox/a.json", b"a")
        files.write("outbox/entry/result.json", b"c")

        seen = files.scan(["inbox", "work", "outbox"])

        assert dict(seen) == {"inbox": ["a.json"], "work": [], "outbox": ["entry"]}

    def test_for_names_finds_files_and_folders_in_the_order_asked(self, files: Files) -> None:
        files.write("inbox/a.json", b"")
        files.write("outbox/entry/result.json", b"c")
        asked = ["outbox/entry", "work/a.json", "inbox/a.json", "outbox/ent", "inbox/a.json"]

        assert list(files.present(asked)) == ["outbox/entry", "inbox/a.json", "inbox/a.json"]
        assert list(files.present([])) == []


class TestReading:
    def test_brings_the_whole_file_up_to_the_limit(self, files: Files) -> None:
        files.write("log", b"0123456789")

        assert files.read("log", 10) == b"0123456789"
        with pytest.raises(InvalidSpoolData, match="is over 9 bytes"):
            files.read("log", 9)

    def test_from_an_offset_brings_what_there_is_up_to_the_limit(self, files: Files) -> None:
        """A log is followed so: what was read is not read again, however long it grows."""
        files.write("log", b"0123456789")

        assert files.read("log", 4, 0) == b"0123"
        assert files.read("log", 4, 4) == b"4567"
        assert files.read("log", 4, 8) == b"89"
        assert files.read("log", 4, 10) == files.read("log", 4, 99) == b""

    def test_of_what_is_not_there_or_no_plain_file_says_so(self, files: Files, tmp_path: Path) -> None:
        files.write("outbox/entry/result.json", b"c")

        for read in (
            lambda path: files.read(path, 10),
            lambda path: files.read(path, 10, 3),
            lambda path: files.fetch(path, tmp_path / "local", 10),
        ):
            for missing in ("nothing", "outbox/other/result.json"):
                with pytest.raises(FileNotFoundError):
                    read(missing)
            with pytest.raises(InvalidSpoolData, match="is no plain file"):
                read("outbox/entry")


class TestFetching:
    def test_copies_a_file_up_to_the_limit(self, files: Files, tmp_path: Path) -> None:
        data = bytes(range(256)) * 5000
        files.write("outbox/entry/audio.wav", data)

        files.fetch("outbox/entry/audio.wav", tmp_path / "local", len(data))
        assert (tmp_path / "local").read_bytes() == data
        with pytest.raises(InvalidSpoolData, match=f"is over {len(data) - 1} bytes"):
            files.fetch("outbox/entry/audio.wav", tmp_path / "local", len(data) - 1)

    def test_says_when_it_cannot_write_here(self, files: Files, tmp_path: Path) -> None:
        files.write("audio.wav", b"a")

        with pytest.raises(SpoolUnusable, match="cannot be used"):
            files.fetch("audio.wav", tmp_path / "no folder" / "local", 10)


class TestWriting:
    def test_makes_the_folder_and_replaces_what_was_there(self, files: Files) -> None:
        for data in (b"first", b"", b"a longer second"):
            files.write("cancel/deep/entry", data)
            assert files.read("cancel/deep/entry", 100) == data

        assert files.list("cancel/deep") == ["entry"]

    def test_where_something_stands_already_is_not_done(self, files: Files) -> None:
        """So one lease of a job is handed over once, in one call, wherever it has got to meanwhile."""
        assert files.write("inbox/a.json", b"first", unless=["work/a.json", "inbox/a.json"]) is True
        for unless in (["inbox/a.json"], ["nothing", "inbox/a.json"], ["inbox"]):
            assert files.write("inbox/a.json", b"second", unless=unless) is False

        assert files.read("inbox/a.json", 100) == b"first"
        assert files.list("inbox") == ["a.json"]
        assert files.write("inbox/a.json", b"third", unless=["inbox/b.json"]) is True
        assert files.read("inbox/a.json", 100) == b"third"

    def test_renaming_moves_a_file_and_makes_its_folder(self, files: Files) -> None:
        files.write("inbox/a.json", b"a")
        files.write("tmp/b.json", b"b")

        files.rename("inbox/a.json", "work/a.json")
        files.rename("tmp/b.json", "work/a.json")

        assert (files.list("inbox"), files.list("tmp"), files.list("work")) == ([], [], ["a.json"])
        assert files.read("work/a.json", 10) == b"b"

    def test_renaming_moves_a_folder_with_all_in_it(self, files: Files) -> None:
        files.write("tmp/entry/result.json", b"a")
        files.write("tmp/entry/deep/audio.wav", b"b")

        files.rename("tmp/entry", "outbox/entry")

        assert files.list("tmp") == []
        assert sorted(files.list("outbox/entry")) == ["deep", "result.json"]
        assert files.read("outbox/entry/deep/audio.wav", 10) == b"b"

    def test_renaming_what_is_gone_says_so(self, files: Files) -> None:
        """So a job that a worker has just taken up is not withdrawn from it."""
        with pytest.raises(FileNotFoundError):
            files.rename("inbox/a.json", "tmp/a.json")

    def test_removing_takes_all_of_it_and_nothing_beside_it(self, files: Files) -> None:
        for path in ("outbox/a/result.json", "outbox/a/deep/audio.wav", "outbox/ab/x", "cancel/a"):
            files.write(path, b"a")

        for _ in range(2):  # the second time it is gone, which is as well
            files.remove_tree("outbox/a")
            files.remove_tree("cancel/a")

        assert files.list("outbox") == ["ab"]
        assert files.list("cancel") == []


class TestABell:
    def test_is_heard_until_it_was_taken_in(self, files: Files) -> None:
        descriptor = files.listen("bell.client")
        if descriptor is None:  # then nobody waits at it: callers look again after a while
            files.heard("bell.client")
            return
        assert not is_readable(descriptor)

        for rings in (1, 3):
            for _ in range(rings):
                files.ring("bell.client")
            assert is_readable(descriptor)
            assert files.listen("bell.client") == descriptor
            files.heard("bell.client")
            assert not is_readable(descriptor)

    def test_ends_a_wait_that_comes_after_it(self, files: Files) -> None:
        files.wait("bell.client", 0)
        files.ring("bell.client")

        files.wait("bell.client", 600)  # the test's own time limit is the bound

    def test_that_nobody_hears_does_nothing(self, files: Files) -> None:
        files.ring("bell.worker")
        files.heard("bell.worker")
        files.wait("bell.worker", 0)


def is_readable(descriptor: int) -> bool:
    return select.select([descriptor], [], [], 0)[0] != []


CALLS: dict[str, Callable[[Files, Path], object]] = {
    "list": lambda files, local: files.list("inbox"),
    "scan": lambda files, local: files.scan(["inbox", "work"]),
    "present": lambda files, local: files.present(["inbox/a.json"]),
    "read": lambda files, local: files.read("inbox/a.json", 10),
    "write": lambda files, local: files.write("inbox/a.json", b""),
    "rename": lambda files, local: files.rename("inbox/a.json", "work/a.json"),
    "remove_tree": lambda files, local: files.remove_tree("inbox/a.json"),
    "fetch": lambda files, local: files.fetch("inbox/a.json", local, 10),
}


@pytest.mark.parametrize("call", list(CALLS))
def test_files_out_of_reach_are_not_files_that_are_gone(machine: Machine, tmp_path: Path, call: str) -> None:
    """Else a job whose machine is merely out of sight would be given away, or blamed for it."""
    with pytest.raises(machine.refusal) as caught:
        CALLS[call](machine.out_of_reach(), tmp_path / "local")

    assert type(caught.value) is machine.refusal
    far = machine.refusal is HostUnreachable
    assert isinstance(caught.value, Unavailable) is far
    assert caught.value.exit_status is (ExitStatus.UNAVAILABLE if far else ExitStatus.BAD_CONFIGURATION)


@pytest.mark.parametrize("call", ["ring", "heard"])
def test_nothing_depends_on_a_bell(machine: Machine, call: str) -> None:
    getattr(machine.out_of_reach(), call)("bell.worker")
