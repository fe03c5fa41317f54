"""A command on a machine ends there before its call ends here, and what went wrong is told apart (W12)."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib.errors import ExitStatus
from lib.spool import HostUnreachable
from lib.workers.ssh import RemoteFailed, RemoteTimedOut, SshMachine, SshOptions, SshThread
from tests.integration.ssh_machines import machine_of, nowhere
from tests.integration.sshd import SshServer, need_sshd

EVIL = "'\"; $(touch /tmp/evil) `id` \\ $HOME * ~ \n!#&|<>é\t"


@pytest.fixture
def slow_to_look(tmp_path: Path) -> Iterator[SshServer]:
    """A machine on which whatever waits for a moment waits for longer."""
    need_sshd()
    sleep = tmp_path / "sleep"
    sleep.write_text(f"#!/bin/sh\nexec {shutil.which('sleep')} 0.7\n")
    sleep.chmod(0o700)
    server = SshServer(f"SetEnv PATH={tmp_path}:{os.environ['PATH']}\n")
    server.start()
    yield server
    server.remove()


class TestACommand:
    def test_gets_its_words_as_they_are(self, ssh_machine: SshMachine) -> None:
        words = [EVIL, "", "-n", "--", "two words"]

        done = ssh_machine.run(["printf", "%s\\0", *words])

        assert done.text().split("\0")[:-1] == words

    def test_gets_its_input_and_says_how_it_ended(self, ssh_machine: SshMachine) -> None:
        data = os.urandom(300_000)

        done = ssh_machine.run(["cat"], input=data)
        failed = ssh_machine.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
        killed = ssh_machine.run(["sh", "-c", "kill -SEGV $$"])

        assert (done.status, done.stdout, done.cut) == (0, data, False)
        assert (failed.status, failed.stdout, failed.stderr) == (3, b"out\n", b"err\n")
        assert killed.status == 128 + signal.SIGSEGV
        assert ssh_machine.run(["no-such-program"]).status == 127

    def test_that_ends_without_reading_its_input_is_none_that_broke(self, ssh_machine: SshMachine) -> None:
        assert ssh_machine.run(["true"], input=b"x" * 5_000_000).ok

    def test_that_writes_without_end_is_cut_off(self, ssh_machine: SshMachine) -> None:
        done = ssh_machine.run(["sh", "-c", "yes | head -c 3000000"], most=1000)

        assert (len(done.stdout), done.cut) == (1000, True)


class TestTrouble:
    def test_a_command_over_its_time_is_ended_there_with_all_it_started(
        self, ssh_machine: SshMachine, tmp_path: Path
    ) -> None:
        """A client that goes away ends nothing: it has to be said, and seen."""
        script = "trap '' TERM; sleep 600 & echo $! >>$1; echo $$ >>$1; wait"

        with pytest.raises(RemoteTimedOut, match="ran over its 2 s and was ended there") as caught:
            ssh_machine.run(["sh", "-c", script, "sh", str(tmp_path / "pids")], timeout_s=2.0)

        assert caught.value.exit_status is ExitStatus.TRY_AGAIN
        assert not isinstance(caught.value, HostUnreachable)
        pids = (tmp_path / "pids").read_text().split()
        assert len(pids) == 2
        assert [pid for pid in pids if lives(int(pid))] == []
        assert ssh_machine.run(["echo", "on"]).text() == "on\n"  # the connection is none the worse for it

    def test_a_command_is_ended_in_time_where_each_look_at_it_takes_long(
        self, slow_to_look: SshServer, ssh_thread: SshThread
    ) -> None:
        """A machine that is busy is no machine that does not answer."""
        machine = machine_of(slow_to_look, ssh_thread)
        words = ["sh", "-c", f"trap '' TERM; {shutil.which('sleep')} 600; :"]

        with pytest.raises(RemoteTimedOut, match="was ended there"):
            machine.run(words, timeout_s=1.0)

    def test_another_status_than_0_is_a_command_that_failed(self, ssh_machine: SshMachine) -> None:
        done = ssh_machine.run(["sh", "-c", "echo no room >&2; exit 4"])

        said = "Making room failed on gpu with exit status 4: no room"
        with pytest.raises(RemoteFailed, match=said) as caught:
            done.checked("Making room", "gpu")
        assert (caught.value.status, caught.value.said) == (4, "no room")

    def test_nobody_at_home_is_a_machine_that_does_not_answer(
        self, sshd: SshServer, ssh_thread: SshThread
    ) -> None:
        with pytest.raises(HostUnreachable, match="refuses connections: start its SSH server") as caught:
            nowhere(sshd, ssh_thread).run(["true"])
        assert caught.value.exit_status is ExitStatus.UNAVAILABLE

    def test_a_frozen_machine_is_found_out_and_let_go_of(
        self, own_sshd: SshServer, ssh_thread: SshThread
    ) -> None:
        """Half open: the line stands, and nobody answers. Without a bound a call would wait for ever."""
        machine = machine_of(own_sshd, ssh_thread, SshOptions(call_s=0.5))
        assert eventually(lambda: machine.with_sftp(lambda sftp: sftp.exists("/")))  # on a busy machine, too
        own_sshd.freeze()
        begun = time.monotonic()

        with pytest.raises(HostUnreachable, match=r"gave no answer within \d s"):
            machine.with_sftp(lambda sftp: sftp.exists("/"))

        assert time.monotonic() - begun < 5
        assert eventually(lambda: machine.run(["echo", "on"]).text() == "on\n")  # over a new connection

    def test_keepalives_find_a_frozen_machine_while_a_command_runs(
        self, own_sshd: SshServer, ssh_thread: SshThread, tmp_path: Path
    ) -> None:
        machine = machine_of(own_sshd, ssh_thread, SshOptions(keepalive_s=0.5))
        freezing = ssh_thread.begin(_once_there(tmp_path / "begun", own_sshd.freeze))

        with pytest.raises(HostUnreachable, match="broke"):
            machine.run(_sleeps(tmp_path / "begun"), timeout_s=60)

        assert time.monotonic() - freezing.result(30) < 10


class TestTheConnection:
    def test_comes_back_after_it_was_cut(self, own_sshd: SshServer, ssh_thread: SshThread) -> None:
        machine = machine_of(own_sshd, ssh_thread)
        for _ in range(2):
            assert machine.run(["echo", "on"]).text() == "on\n"
            own_sshd.cut()
            assert eventually(lambda: machine.run(["echo", "on"]).text() == "on\n")

    def test_that_was_cut_leaves_a_line_and_another_when_it_is_back(
        self, own_sshd: SshServer, ssh_thread: SshThread, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "lib.workers.ssh.machine")
        machine = machine_of(own_sshd, ssh_thread)
        machine.connect()
        assert caplog.messages == []
        own_sshd.stop()
        deadline = time.monotonic() + 20
        while not caplog.messages and time.monotonic() < deadline:
            with contextlib.suppress(HostUnreachable):
                machine.run(["true"])
        own_sshd.start()

        machine.connect()

        assert caplog.messages == [
            f"the connection to {machine.name} is lost (it was cut), it is made anew",
            f"the connection to {machine.name} is there again",
        ]

    def test_to_a_machine_that_is_off_does_not_hold_up_who_asks_again(
        self, own_sshd: SshServer, ssh_thread: SshThread
    ) -> None:
        """One that is off must not slow down the visits to a hundred others."""
        machine = machine_of(own_sshd, ssh_thread)
        own_sshd.stop()
        with pytest.raises(HostUnreachable):
            machine.run(["true"])
        begun = time.monotonic()
        for _ in range(100):
            with pytest.raises(HostUnreachable, match="refuses connections"):
                machine.run(["true"])
        assert time.monotonic() - begun < 10  # the pauses between tries grow to 30 s

        own_sshd.start()
        assert eventually(lambda: machine.run(["echo", "on"]).text() == "on\n")

    def test_is_tried_at_once_by_who_wants_it_made(self, own_sshd: SshServer, ssh_thread: SshThread) -> None:
        """Else whoever tries again after minutes would hear what was wrong then, and wait again."""
        machine = machine_of(own_sshd, ssh_thread)
        own_sshd.stop()
        for _ in range(4):  # the pause is long by now
            with pytest.raises(HostUnreachable, match="refuses connections"):
                machine.connect()
        own_sshd.start()

        machine.connect()

        assert machine.run(["echo", "on"]).text() == "on\n"

    @pytest.mark.parametrize(
        "error", [OSError(errno.EHOSTUNREACH, "No route to host"), ValueError("no number"), IndexError("end")]
    )
    def test_is_the_machines_trouble_whatever_breaks_it(
        self, ssh_machine: SshMachine, error: Exception
    ) -> None:
        """The system's word for a line that is gone, or an answer that makes no sense, ends no watcher."""

        async def breaks(_: object) -> None:
            raise error

        with pytest.raises(HostUnreachable, match=r"The connection to .* broke: "):
            ssh_machine.with_sftp(breaks)

    def test_broken_in_the_middle_of_a_command_is_said(
        self, own_sshd: SshServer, ssh_thread: SshThread, tmp_path: Path
    ) -> None:
        machine = machine_of(own_sshd, ssh_thread)
        cutting = ssh_thread.begin(_once_there(tmp_path / "begun", own_sshd.cut))

        with pytest.raises(HostUnreachable, match="broke"):
            machine.run(_sleeps(tmp_path / "begun"), timeout_s=60)
        cutting.result(30)


def _sleeps(begun: Path) -> list[str]:
    """The words of a command that says when it runs, and does nothing for a long while then."""
    return ["sh", "-c", ': >"$0"; exec sleep 60', str(begun)]


async def _once_there(file: Path, act: Callable[[], None]) -> float:
    """Act when that file is there; the time right before."""
    while not file.exists():
        await asyncio.sleep(0.01)
    at = time.monotonic()
    act()
    return at


def lives(pid: int) -> bool:
    """Whether a process is there and not merely uncollected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def eventually(look: object, within_s: float = 15.0) -> bool:
    """Whether it holds within a while; a machine that does not answer yet is looked at again."""
    assert callable(look)
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        try:
            if look():
                return True
        except HostUnreachable:
            pass
        time.sleep(0.02)
    return False
