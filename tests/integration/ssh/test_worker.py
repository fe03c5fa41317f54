"""A worker is at work on its machine whatever becomes of the connection; it ends when told to (W12)."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib.clock import SystemClock
from lib.spool.bell import Bell, ring
from lib.workers import WorkerDeath
from lib.workers.ssh import SftpFiles, SshHost, SshMachine, SshOptions, SshThread, SshWorkerSetup
from tests.integration.ssh.test_commands import eventually, lives
from tests.integration.ssh_machines import machine_of
from tests.integration.sshd import SshServer, children_of

SLEEPS = ("sh", "-c", "echo begun; exec sleep 600", "sh")
Hosts = Callable[..., SshHost]


@pytest.fixture
def server(own_sshd: SshServer) -> SshServer:
    return own_sshd


@pytest.fixture
def host(server: SshServer, ssh_thread: SshThread, tmp_path: Path) -> Iterator[Hosts]:
    """Makes hosts of one place; what runs there is ended at the end."""
    made = list[SshHost]()

    def make(command: tuple[str, ...] = SLEEPS, machine: SshMachine | None = None) -> SshHost:
        setup = SshWorkerSetup(command, str(tmp_path), "hibari", "/voices", SystemClock())
        made.append(SshHost("far/1", machine or machine_of(server, ssh_thread), setup))
        return made[-1]

    yield make
    if made:
        made[-1].stop(0.0)
    for each in made:
        each.close()
    assert eventually(lambda: left_behind(tmp_path) == []), left_behind(tmp_path)


def left_behind(folder: Path) -> list[str]:
    """The processes whose words name the folder, but for pytest's own."""
    found = list[str]()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(folder) in words:
                found.append(entry.name + words.replace("\0", " ")[-200:])
    return found


def supervisor(folder: Path) -> int:
    """The process that stays with the worker; 0 while none does."""
    try:
        pid = int((folder / "run/work/pid").read_text().split()[0])
    except (OSError, IndexError, ValueError):
        return 0
    return pid if lives(pid) else 0


def running(host: SshHost, folder: Path) -> int:
    """Tend until a worker runs; its supervisor."""
    assert eventually(lambda: host.tend() is None and len(children_of(supervisor(folder))) == 1)
    return supervisor(folder)


def death_of(host: SshHost) -> WorkerDeath:
    """Tend until a death is reported."""
    found = list[WorkerDeath]()

    def look() -> bool:
        death = host.tend()
        found.extend([] if death is None else [death])
        return death is not None

    assert eventually(look)
    return found[0]


class TestABrokenConnection:
    def test_leaves_the_worker_at_work_and_starts_no_second_one(
        self, host: Hosts, server: SshServer, tmp_path: Path
    ) -> None:
        far = host()
        first = running(far, tmp_path)
        for _ in range(2):
            server.cut()
            assert eventually(lambda: far.files().list("inbox") == [])
        server.stop()
        assert lives(first)
        server.start()
        assert eventually(lambda: far.files().list("inbox") == [])

        assert running(far, tmp_path) == first
        assert far.tend() is None

    def test_hides_no_death(self, host: Hosts, server: SshServer, tmp_path: Path) -> None:
        far = host()
        first = running(far, tmp_path)
        server.stop()
        os.kill(children_of(first)[0], signal.SIGSEGV)
        server.start()

        assert death_of(far).status == -signal.SIGSEGV
        assert running(far, tmp_path) != first

    @pytest.mark.parametrize("anew", ["machine", "container"])
    def test_by_the_machines_restart_blames_no_job(
        self, host: Hosts, server: SshServer, tmp_path: Path, anew: str
    ) -> None:
        """Its files stay; the processes are gone, and what is noted of them is of an earlier start."""
        far = host()
        first = running(far, tmp_path)
        server.stop()
        os.killpg(os.getpgid(first), signal.SIGKILL)
        noted = tmp_path / "run/work/pid"
        pid, began, boot, which = noted.read_text().split()
        kernel, _, container = boot.partition(".")
        assert container
        before = f"{kernel}.1{container}" if anew == "container" else f"0{kernel[1:]}x.{container}"
        noted.write_text(f"{pid} {began} {before} {which}\n")
        server.start()

        death = death_of(far)

        assert (death.status, death.sentence) == (69, "its machine was started anew")
        assert death.with_its_machine
        assert not death.blames_the_job
        assert running(far, tmp_path) != first

    def test_leaves_no_listener_that_takes_rings_away(
        self, host: Hosts, server: SshServer, tmp_path: Path
    ) -> None:
        """Half open: the machine does not know that we are gone, and its end of the session still listens."""
        far = host()
        running(far, tmp_path)
        server.freeze()
        other = host()
        running(other, tmp_path)
        server.freeze(signal.SIGCONT)
        bell = other.files().listen("bell.client")
        assert bell is not None

        for _ in range(5):
            other.files().heard("bell.client")
            ring(tmp_path / "spool" / "bell.client")
            assert select.select([bell], [], [], 10)[0]


class TestTheNextWatcher:
    def test_finds_the_worker_at_work(self, host: Hosts, server: SshServer, tmp_path: Path) -> None:
        first = running(host(), tmp_path)
        server.cut()

        assert running(host(), tmp_path) == first

    def test_hears_of_a_death_in_between_once(self, host: Hosts, tmp_path: Path) -> None:
        before = host(("sh", "-c", "echo last words; sleep 600", "sh"))
        first = running(before, tmp_path)
        assert eventually(lambda: before.log(100) == b"last words\n")
        before.close()
        os.kill(children_of(first)[0], signal.SIGKILL)
        later = host(("sh", "-c", "echo last words; sleep 600", "sh"))

        death = death_of(later)

        assert (death.status, death.blames_the_job, death.log_tail) == (-9, True, ("last words",))
        running(later, tmp_path)
        assert later.tend() is None

    def test_with_other_settings_replaces_the_worker_gently(self, host: Hosts, tmp_path: Path) -> None:
        marks = tmp_path / "asked"
        script = f"trap 'touch {marks}; exit 0' TERM; while :; do sleep 0.05; done"
        first = running(host(("sh", "-c", script, "sh")), tmp_path)

        later = host()

        assert eventually(lambda: later.tend() is None and supervisor(tmp_path) not in (0, first))
        assert marks.exists()
        assert not lives(first)


class TestItsEnd:
    def test_takes_what_it_started_along(self, host: Hosts, tmp_path: Path) -> None:
        script = f"sleep 600 & echo $! >{tmp_path}/child; wait"
        far = host(("sh", "-c", script, "sh"))
        running(far, tmp_path)
        assert eventually(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text() != "")

        far.restart()

        assert not lives(int((tmp_path / "child").read_text()))
        assert not (tmp_path / "run" / "work").exists()

    def test_is_asked_for_first_and_waited_for(self, host: Hosts, tmp_path: Path) -> None:
        script = f"trap 'sleep 0.3; touch {tmp_path}/done; exit 0' TERM; while :; do sleep 0.05; done"
        far = host(("sh", "-c", script, "sh"))
        running(far, tmp_path)

        far.stop(10.0)

        assert (tmp_path / "done").exists()
        assert far.tend() is None

    def test_that_the_machine_was_not_there_for_is_owed(
        self, host: Hosts, server: SshServer, tmp_path: Path
    ) -> None:
        far = host()
        first = running(far, tmp_path)
        server.stop()
        far.restart()
        assert lives(first)
        server.start()

        assert eventually(lambda: far.tend() is None and supervisor(tmp_path) not in (0, first))
        assert not lives(first)

    def test_by_itself_says_its_status_and_its_last_lines(self, host: Hosts, tmp_path: Path) -> None:
        script = "for n in 1 2 3; do echo line $n; done; printf '\\033[31mred\\n'; exit 78"

        death = death_of(host(("sh", "-c", script, "sh")))

        assert (death.status, death.sentence, death.blames_the_job) == (78, "exit status 78", False)
        assert death.log_tail[:3] == ("line 1", "line 2", "line 3")
        assert death.last_line == "[31mred"  # no control character reaches a terminal here

    def test_with_its_whole_session_is_a_death_too(self, host: Hosts, tmp_path: Path) -> None:
        far = host()
        os.killpg(running(far, tmp_path), signal.SIGKILL)

        assert death_of(far).sentence == "its whole session was ended"

    def test_over_and_over_is_followed_by_growing_pauses(self, host: Hosts, tmp_path: Path) -> None:
        far = host(("sh", "-c", f"echo x >>{tmp_path}/starts; exit 1", "sh"))

        for _ in range(3):
            death_of(far)
        assert len((tmp_path / "starts").read_text().split()) == 3


class TestBells:
    def test_ring_both_ways(self, host: Hosts, tmp_path: Path) -> None:
        far = host()
        running(far, tmp_path)
        files = far.files()
        bell = files.listen("bell.client")
        assert bell is not None
        worker = Bell(tmp_path / "spool" / "bell.worker")
        try:
            files.heard("bell.client")
            ring(tmp_path / "spool" / "bell.client")
            assert select.select([bell], [], [], 10)[0]

            files.ring("bell.worker")
            assert worker.wait(10)
        finally:
            worker.close()

    def test_a_new_session_removes_what_a_broken_one_left_half_written(
        self, host: Hosts, tmp_path: Path
    ) -> None:
        inbox = tmp_path / "spool" / "inbox"
        inbox.mkdir(parents=True)
        (inbox / ".0123456789abcdef.part").write_text("half")
        (inbox / "whole.json").write_text("whole")

        running(host(), tmp_path)

        assert [item.name for item in inbox.iterdir()] == ["whole.json"]


def test_the_log_is_followed_from_where_it_was_read(host: Hosts, tmp_path: Path) -> None:
    far = host(
        (
            "sh",
            "-c",
            "echo first; while [ ! -e $0 ]; do sleep 0.02; done; echo second; exec sleep 600",
            str(tmp_path / "go"),
        )
    )
    running(far, tmp_path)
    assert eventually(lambda: far.log(100) == b"first\n")

    (tmp_path / "go").touch()

    assert eventually(lambda: far.log(100, 6) == b"second\n")
    assert far.log(3, 6) == b"sec"


def test_a_worker_is_told_neither_to_end_with_us_nor_any_secret() -> None:
    setup = SshWorkerSetup(
        (sys.executable, "-m", "synth.main"),
        "place",
        "hibari",
        "/voices",
        SystemClock(),
        pauses="0.2,0.4,0.9",
        environ={"PYTHONPATH": "/code"},
    )

    words = setup.argv()

    assert words[:2] == ["env", "PYTHONPATH=/code"]
    assert "--exit-with-parent" not in words
    assert words[words.index("--spool") + 1] == "place/spool"


def test_what_was_looked_at_ahead_is_out_of_date_after_a_change(
    ssh_machine: SshMachine, host: Hosts, tmp_path: Path
) -> None:
    files: SftpFiles = host().files()
    files.look_ahead(["inbox"])
    files.write("inbox/a.json", b"a")
    assert files.scan(["inbox"]) == {"inbox": ["a.json"]}
    files.look_ahead(["inbox"])
    assert files.scan(["work"]) == {"work": []}
    files.look_ahead(["inbox"])
    assert files.scan(["inbox"]) == {"inbox": ["a.json"]}


def test_tending_a_machine_that_is_silent_returns_at_once(
    server: SshServer, ssh_thread: SshThread, host: Hosts, tmp_path: Path
) -> None:
    import time

    far = host(machine=machine_of(server, ssh_thread, SshOptions(call_s=20.0)))
    running(far, tmp_path)
    server.freeze()
    begun = time.monotonic()
    for _ in range(50):
        far.tend()
    assert time.monotonic() - begun < 10  # none waited for an answer
    server.freeze(signal.SIGCONT)
