"""What a machine says is bounded and looked at twice: one that lies harms nobody but itself (V11, W12)."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import asyncssh
import pytest

from lib.records import FileRef
from lib.spool import (
    HostUnreachable,
    InvalidSpoolData,
    Phase,
    ResultError,
    ResultErrorClass,
    SpoolClient,
    SpoolJob,
    SpoolResult,
    entry_name,
)
from lib.spool.layout import MAX_RESULT_BYTES
from lib.workers.ssh import Place, SftpFiles, SshMachine, SshOptions, SshThread
from tests.integration.ssh.scripted import Process, Script, ScriptedServer, never
from tests.integration.sshd import SshServer

ENTRY = entry_name("a", 1, "marknone")
FAST = SshOptions(call_s=1.0)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """The spool's folder on the machine, with the outbox of one entry."""
    folder = tmp_path / "place" / "spool"
    (folder / "outbox" / ENTRY).mkdir(parents=True)
    return folder


@pytest.fixture
def client(ssh_machine: SshMachine, spool: Path) -> Iterator[SpoolClient]:
    """Our side of it, over a real server."""
    files = SftpFiles(ssh_machine, Place(str(spool), str(spool.parent / "run")))
    yield SpoolClient(files)
    files.close()


Hostile = Callable[..., SftpFiles]


@pytest.fixture
def hostile(sshd: SshServer, ssh_thread: SshThread, tmp_path: Path) -> Iterator[Hostile]:
    """Makes the files of a machine that follows a script; its folder is `place`.

    One that answers, if with lies, has as long for it as any machine: `options` are for one that does not.
    """
    made = list[tuple[ScriptedServer, SftpFiles]]()

    def make(script: Script, options: SshOptions | None = None) -> SftpFiles:
        (tmp_path / "place").mkdir(exist_ok=True)
        server = ScriptedServer(tmp_path / "place", script, sshd.key_file)
        files = SftpFiles(server.machine(ssh_thread, options), Place("/spool", "/run"))
        made.append((server, files))
        return files

    yield make
    for server, files in made:
        files.close()
        server.close()


def result_of(entry: str = ENTRY) -> SpoolResult:
    error = ResultError(ResultErrorClass.ENGINE, "It broke.", ())
    return SpoolResult(entry, "a", 1.0, 2.0, None, error)


class TestThings:
    """That are no plain files of the spool are not opened."""

    @pytest.mark.parametrize("thing", ["link", "fifo", "folder", "device"])
    def test_in_place_of_a_result_is_refused_at_once(
        self, client: SpoolClient, spool: Path, thing: str
    ) -> None:
        at = spool / "outbox" / ENTRY / "result.json"
        if thing == "link":
            at.symlink_to("/etc/passwd")
        elif thing == "device":
            at.symlink_to("/dev/zero")
        elif thing == "fifo":
            os.mkfifo(at)
        else:
            at.mkdir()
        begun = time.monotonic()

        with pytest.raises(InvalidSpoolData, match="is no plain file"):
            client.result(ENTRY)
        assert time.monotonic() - begun < 5  # a FIFO that is opened would hold the session of all files

    def test_behind_a_folder_that_is_a_link_is_refused(
        self, client: SpoolClient, spool: Path, tmp_path: Path
    ) -> None:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "result.json").write_bytes(result_of().to_bytes())
        (spool / "outbox" / ENTRY).rmdir()
        (spool / "outbox" / ENTRY).symlink_to(elsewhere)

        with pytest.raises(InvalidSpoolData, match="is no plain file"):
            client.result(ENTRY)
        client.acknowledge(ENTRY)
        assert (elsewhere / "result.json").exists()  # the link went, not what it leads to
        assert not (spool / "outbox" / ENTRY).is_symlink()

    def test_in_place_of_audio_are_refused(self, client: SpoolClient, spool: Path, tmp_path: Path) -> None:
        os.mkfifo(spool / "outbox" / ENTRY / "audio.wav")

        with pytest.raises(InvalidSpoolData, match="is no plain file"):
            client.fetch(ENTRY, FileRef("audio.wav", 10, "0" * 64), tmp_path / "local")
        assert not (tmp_path / "local").exists()


class TestAFileThatBecameShorter:
    def test_is_told_as_that_though_its_close_fails_too(self, hostile: Hostile, tmp_path: Path) -> None:
        """What went wrong first is what a person has to know."""

        def refuse() -> None:
            raise asyncssh.SFTPFailure("no close today")

        files = hostile(Script(size=100, close=refuse))
        (tmp_path / "place" / "spool").mkdir()
        (tmp_path / "place" / "spool" / "audio").write_bytes(b"short")

        with pytest.raises(InvalidSpoolData, match="became shorter while it was copied"):
            files.fetch("audio", tmp_path / "local", 1000)


class TestResults:
    def test_of_another_job_are_refused(self, client: SpoolClient, spool: Path) -> None:
        (spool / "outbox" / ENTRY / "result.json").write_bytes(
            result_of(entry_name("another", 1, "marknone")).to_bytes()
        )

        with pytest.raises(InvalidSpoolData, match="belongs to another job"):
            client.result(ENTRY)

    def test_over_their_bound_are_not_read(self, client: SpoolClient, spool: Path) -> None:
        with (spool / "outbox" / ENTRY / "result.json").open("wb") as file:
            file.truncate(MAX_RESULT_BYTES + 1)

        with pytest.raises(InvalidSpoolData, match="is over"):
            client.result(ENTRY)

    def test_with_audio_of_another_content_or_size_are_refused(
        self, client: SpoolClient, spool: Path, tmp_path: Path
    ) -> None:
        (spool / "outbox" / ENTRY / "audio.wav").write_bytes(b"x" * 100_000)

        lies = {100_000: "another sha256", 99_999: "is over", 100_001: "has 100000 bytes"}
        for size, problem in lies.items():
            with pytest.raises(InvalidSpoolData, match=problem):
                client.fetch(ENTRY, FileRef("audio.wav", size, "0" * 64), tmp_path / "local")
            assert not (tmp_path / "local").exists()

    def test_named_by_a_path_are_none(self, client: SpoolClient, tmp_path: Path) -> None:
        for name in ("../../up", "/etc/passwd", "a/b", ".."):
            with pytest.raises(InvalidSpoolData, match="no plain name"):
                client.fetch(ENTRY, FileRef(name, 1, "0" * 64), tmp_path / "local")

    def test_by_names_that_are_no_entries_are_not_seen(self, client: SpoolClient, spool: Path) -> None:
        for name in ("..x", "result.json", "\udcff", "a\nb", ENTRY[:-1]):
            (spool / "outbox" / name).mkdir()

        assert client.entries() == {ENTRY: Phase.OUTBOX}


class TestAServer:
    def test_that_sends_more_than_it_said_is_cut_off(self, hostile: Hostile, spool: Path) -> None:
        async def zeros(offset: int, size: int) -> bytes:
            return b"\0" * (2 * size)

        (spool / "log").write_bytes(b"0123456789")
        files = hostile(Script(read=zeros))

        with pytest.raises(InvalidSpoolData, match="is over 1000 bytes"):
            files.read("log", 1000)
        assert len(files.read("log", 1000, 5)) == 1000

    def test_that_says_a_file_is_huge_sends_none_of_it(
        self, hostile: Hostile, spool: Path, tmp_path: Path
    ) -> None:
        (spool / "log").write_bytes(b"0123456789")
        script = Script(size=1 << 60)

        with pytest.raises(InvalidSpoolData, match="is over"):
            hostile(script).fetch("log", tmp_path / "local", 1 << 32)
        assert "read" not in script.asked

    def test_whose_file_ends_before_its_size_is_refused(
        self, hostile: Hostile, spool: Path, tmp_path: Path
    ) -> None:
        (spool / "log").write_bytes(b"0123456789")

        with pytest.raises(InvalidSpoolData, match="became shorter"):
            hostile(Script(size=100)).fetch("log", tmp_path / "local", 1000)

    def test_that_answers_no_question_is_let_go_of(self, hostile: Hostile, spool: Path) -> None:
        (spool / "log").write_bytes(b"0123456789")
        files = hostile(Script(read=never), FAST)
        begun = time.monotonic()

        with pytest.raises(HostUnreachable, match="gave no answer within 1 s"):
            files.read("log", 1000)
        assert time.monotonic() - begun < 5

    def test_whose_folder_has_no_end_is_given_up(self, hostile: Hostile) -> None:
        async def endless() -> AsyncIterator[str]:
            for number in itertools.count():
                yield f"{number:032x}.1-marknone.json"

        with pytest.raises(HostUnreachable, match=r"over 10000 names|gave no answer"):
            hostile(Script(names=endless), FAST).list("inbox")

    def test_whose_disk_is_full_is_unreachable_and_not_this_machines_trouble(
        self, ssh_machine: SshMachine
    ) -> None:
        files = SftpFiles(ssh_machine, Place("/proc/self", "/nowhere"))

        with pytest.raises(HostUnreachable, match="look whether its disk is full"):
            files.write("inbox/a.json", b"x")


class TestASession:
    def test_that_rings_without_end_is_cut_off_before_it_fills_the_memory(self, hostile: Hostile) -> None:
        taken = list[int]()  # bytes, of each session

        async def ring(process: Process) -> None:
            process.stdout.write(b"= hello\n")
            taken.append(0)
            while not process.channel.is_closing():
                process.stdout.write(b"!" * 65536)
                await process.stdout.drain()
                taken[-1] += 65536

        files, other = hostile(Script(session=ring), FAST), hostile(Script())
        assert files.listen("bell.client") is not None
        begun = time.monotonic()
        while time.monotonic() - begun < 1.0:
            with contextlib.suppress(HostUnreachable):
                files.wait("bell.client", 0.05)
                files.list("inbox")
            assert other.list("inbox") == []  # the thread has time for others
        assert taken
        assert max(taken) <= 1 << 20

    @pytest.mark.parametrize("words", [b"x" * 10_000, b"= " + b"y" * 10_000, b"= hello\n= rm -rf\n" * 50])
    def test_that_says_what_nobody_asked_for_says_nothing(self, hostile: Hostile, words: bytes) -> None:
        async def say(process: Process) -> None:
            process.stdout.write(words)
            await process.stdin.read()

        files = hostile(Script(session=say), FAST)
        files.listen("bell.client")
        assert files.list("inbox") == []


def test_a_copy_whose_connection_breaks_goes_on_where_it_was(
    hostile: Hostile, spool: Path, tmp_path: Path
) -> None:
    data = os.urandom(5_000_000)
    (spool / "audio.wav").write_bytes(data)
    reads = list[int]()
    broken = threading.Event()

    async def once(offset: int, size: int) -> bytes:
        if offset >= 3_000_000 and not broken.is_set():
            broken.set()
            await never()
        reads.append(offset)
        return data[offset : offset + size]

    hostile(Script(read=once), FAST).fetch("audio.wav", tmp_path / "local", len(data))

    assert (tmp_path / "local").read_bytes() == data
    assert reads.count(0) == 1


def test_a_batch_is_handed_over_in_three_waits_a_job(hostile: Hostile, spool: Path) -> None:
    """Looks and the new file; its bytes; the rename. On a far machine each is a way there and back."""
    script = Script()
    files = hostile(script)
    files.write("inbox/warm", b"")
    script.asked.clear()

    for number in range(8):
        job = SpoolJob(f"job-{number}", 1, "marknone", 1, "v1:any", {"output_name": "a", "text": "Hello."})
        SpoolClient(files).submit(job)

    assert script.asked == {"lstat": 24, "open": 8, "write": 8, "rename": 8}
    assert len(list((spool / "inbox").iterdir())) == 9
