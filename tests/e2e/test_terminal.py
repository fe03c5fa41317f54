"""What people see: terminals, phones, pipes, completion and versions."""

from __future__ import annotations

import codecs
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path

import pytest

from tests import warm
from tests.e2e.home import Home

COLOUR = re.compile(r"\x1b\[3[0-9]m")


class Screen:
    """A program, warm, on a terminal of the test's own."""

    def __init__(
        self, home: Home, *words: str, columns: int = 80, rows: int = 24, typed: str = "", **settings: str
    ) -> None:
        """`typed` is what was pressed before there is a program."""
        ours, theirs = pty.openpty()
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.write(ours, typed.encode())
        self._ours = ours
        self._decoder = codecs.getincrementaldecoder("utf-8")()  # a read may end within a character
        self.seen = ""
        kept = {name: value for name, value in home.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
        self.process = subprocess.Popen(
            [str(warm.programs() / words[0]), *words[1:]],
            cwd=home.folder,
            env={**kept, "TERM": "xterm-256color", **settings},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def until(self, wanted: str, within: float = 30.0) -> str:
        """Read until the text shows."""
        give_up = time.monotonic() + within
        while wanted not in self.seen:
            assert self._read(give_up - time.monotonic()), f"{wanted!r} never came: {self.seen!r}"
        return self.seen

    def until_line(self, pattern: str, within: float = 30.0) -> None:
        """Read until a line matches."""
        give_up = time.monotonic() + within
        while not any(re.search(pattern, line) for line in bare(self.seen)):
            assert self._read(give_up - time.monotonic()), f"{pattern!r} never came: {self.seen!r}"

    def answer(self, words: str) -> None:
        """Type a line."""
        os.write(self._ours, f"{words}\n".encode())

    def end(self, within: float = 30.0) -> str:
        """Read until the program ends."""
        give_up = time.monotonic() + within
        while self._read(give_up - time.monotonic()):
            pass
        self.process.wait(within)
        os.close(self._ours)
        return self.seen.replace("\r\n", "\n")

    def _read(self, seconds: float) -> bool:
        if not select.select([self._ours], [], [], max(seconds, 0))[0]:
            return False
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # the other end is closed
            return False
        self.seen += self._decoder.decode(data)
        return bool(data)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    user = Home(tmp_path)
    yield user
    user.run("down")


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home where two jobs of jobs.yaml are done. Not to be changed by tests."""
    user = Home(tmp_path_factory.mktemp("spoken"))
    user.run("up", user.jobs(2))
    yield user
    user.run("down")


def bare(text: str) -> list[str]:
    """The lines without colours."""
    return [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in text.splitlines()]


@pytest.mark.parametrize("columns", [80, 40])
@pytest.mark.parametrize("command", ["status", "history", "report", "plan", "dashboard"])
def test_everything_fits_the_terminal_down_to_a_phone(spoken: Home, command: str, columns: int) -> None:
    words = (command, "jobs.yaml") if command in ("report", "plan") else (command,)

    shown = Screen(spoken, "job-runner", *words, columns=columns).end()

    too_long = [line for line in bare(shown) if len(line) > columns and "/" not in line]  # paths stay whole
    assert too_long == []
    assert "topic:beat-001" in shown or command == "status"


@pytest.mark.parametrize("columns", [80, 40])
@pytest.mark.parametrize(
    "words",
    [
        ("job-runner", "config", "show"),
        ("job-runner", "config", "show", "--sources"),
        ("job-watcher", "simulate", "jobs.yaml", "--seeds", "12"),
        ("job-watcher", "simulate", "jobs.yaml", "--seeds", "2", "--max-machines", "8", "--within", "60"),
    ],
    ids=" ".join,
)
def test_what_is_long_fits_too(tmp_path: Path, words: tuple[str, ...], columns: int) -> None:
    home = Home(tmp_path)
    home.jobs(40)
    (tmp_path / ".env").write_text(f"VOICES_DIR={tmp_path}/a-folder/of-voices/with-a-long-name/in/it\n")

    shown = Screen(home, *words, columns=columns).end().rpartition("\x1b[2K")[2]  # after the bar

    assert [line for line in bare(shown) if len(line) > columns] == []
    if "--sources" in words:
        assert re.search(r"\s\.env\b", shown)  # not the whole way to it


@pytest.mark.parametrize("more", [(), ("--max-machines", "8", "--within", "60"), ("--worst",)])
def test_a_simulation_fits_a_usual_terminal_in_a_pipe_too(home: Home, more: tuple[str, ...]) -> None:
    home.jobs(40)

    shown = home.run("simulate", "jobs.yaml", "--seeds", "12", *more, program="job-watcher").stdout

    assert [line for line in shown.splitlines() if len(line) > 80 and "because: " not in line] == []


def test_states_are_coloured_on_a_terminal_and_nowhere_else(spoken: Home) -> None:
    assert "\x1b[32mdone" in Screen(spoken, "job-runner", "history").end()
    assert not COLOUR.search(Screen(spoken, "job-runner", "history", NO_COLOR="1").end())
    assert not COLOUR.search(Screen(spoken, "job-runner", "history", TERM="dumb").end())
    assert "\x1b" not in spoken.run("history").stdout


def test_the_live_dashboard_has_its_own_screen_and_ctrl_c_is_its_normal_end(home: Home) -> None:
    """Q23."""
    home.run("enqueue", home.jobs(1))
    screen = Screen(home, "job-runner", "dashboard", "--watch", "--every", "0.2")
    screen.until("watcher_not_running")
    screen.until("Ctrl-C ends")
    home.run("pause")
    screen.until("(waiting 1")
    home.run("enqueue", home.jobs(2, name="more.yaml"))
    screen.until("(waiting 2")  # it looked again by itself

    screen.process.send_signal(signal.SIGINT)
    shown = screen.end()

    assert screen.process.returncode == 0
    assert shown.index("\x1b[?1049h") < shown.index("\x1b[?1049l")  # the old screen is given back
    assert "interrupted" not in shown


def test_the_dashboard_shows_what_runs_how_far_it_is_and_how_long_ago_the_last_ended(home: Home) -> None:
    home.run("enqueue", home.jobs(150))
    watcher = home.start("run", program="job-watcher")
    screen = Screen(home, "job-runner", "dashboard", "--watch", "--every", "0.2")
    screen.until("running now")
    screen.until_line(r"\d+ of 150 ended \(\d+%\), [\d.]+ jobs a (second|minute), .* left")
    screen.until_line(r"\d s ago +done +topic:beat-\d+")
    watcher.send_signal(signal.SIGTERM)
    screen.process.send_signal(signal.SIGINT)

    screen.end()
    watcher.communicate(timeout=60)
    assert " of 151 ended" not in screen.seen  # a job that ends during the look counts once


def test_waiting_shows_a_bar_on_a_terminal(home: Home) -> None:
    home.run("enqueue", home.jobs(1))
    screen = Screen(home, "job-runner", "wait", "topic:beat-001")
    screen.until("jobs: 0/1 (0%)")
    home.run("once", program="job-watcher")

    assert "topic:beat-001" in screen.end().rpartition("following")[2]
    assert screen.process.returncode == 0


def test_up_asks_before_a_changed_line_is_spoken_anew_and_without_a_terminal_wants_the_word(
    home: Home,
) -> None:
    """Q42."""
    path = home.jobs(1)
    home.run("up", path)
    published = home.folder / ".local/share/job-runner/storage/outputs/topic/beat-001.wav"
    first = published.read_bytes()
    home.jobs(1, text="Other words.")

    refused = home.run("up", path)
    assert refused.returncode == 65
    assert "line 3: topic:beat-001 (done): text differs" in refused.stderr
    assert "--replace" in refused.stderr

    no = Screen(home, "job-runner", "up", str(path))
    assert "line 3: topic:beat-001" in no.until("1 line changed; speak it again?")
    no.answer("n")
    assert "nothing was enqueued" in no.end()
    assert (no.process.returncode, published.read_bytes()) == (65, first)

    yes = Screen(home, "job-runner", "up", str(path))
    yes.until("1 line changed; speak it again?")
    yes.answer("y")
    yes.end(60)
    second = published.read_bytes()
    assert (yes.process.returncode, home.json("result", "topic:beat-001")["revision"]) == (0, 2)
    assert second != first

    home.jobs(1)
    assert home.run("up", path, "--replace").returncode == 0
    assert (home.json("result", "topic:beat-001")["revision"], published.read_bytes()) == (3, first)
    (kept,) = home.json("result", "topic:beat-001", "--revision", "2")["files"]
    assert Path(kept).read_bytes() == second


LONG = "The sea comes back twice a day, and nobody who lives beside it looks up. " * 12


@pytest.mark.parametrize(
    ("words", "bar"),
    [
        (("voice-synth", "speak", LONG, "--chunk"), "pieces: 12/12 (100%)"),
        (("job-watcher", "simulate", "jobs.yaml", "--seeds", "3"), "days: 3/3 (100%)"),
    ],
    ids=["speak", "simulate"],
)
def test_what_takes_long_shows_how_far_it_is_on_a_terminal_and_nothing_in_a_pipe(
    home: Home, words: tuple[str, ...], bar: str
) -> None:
    home.jobs(2)

    shown = Screen(home, *words).end()
    piped = home.run(*words[1:], program=words[0])

    assert bar in shown
    assert re.search(r"\d+\.\d/s", shown)  # its rate
    assert shown.index(bar) < shown.rindex("\x1b[?25h")  # the bar makes room for what comes after
    assert bar.partition(":")[0] not in piped.stderr


def completions(home: Home, shell: str, line: str) -> str:
    """What the shell's completion script would ask for `line`."""
    asked = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    return home.run(_JOB_RUNNER_COMPLETE=f"complete_{shell}", **asked).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands_and_options(home: Home, shell: str) -> None:
    commands = completions(home, shell, "job-runner re")
    nested = completions(home, shell, "job-runner config s")
    options = completions(home, shell, "job-runner enqueue-beatsheet --v")

    assert all(name in commands for name in ("report", "result", "resume"))
    assert "status" not in commands
    assert "show" in nested
    assert "--voice" in options


def in_bash(home: Home, command: str) -> subprocess.CompletedProcess[str]:
    """Run it as bash does: which shell is asked about is found by looking at the parent process."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", f"{command} && :"],  # more than one command: bash stays the parent
        cwd=home.folder,
        env={**home.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_completion_is_shown_and_installed_for_a_shell(home: Home) -> None:
    shown = in_bash(home, "job-runner --show-completion")
    installed = in_bash(home, "job-runner --install-completion")

    assert "complete_bash" in shown.stdout
    assert installed.returncode == 0, installed.stderr
    assert "job-runner" in (home.folder / ".bashrc").read_text()


@pytest.mark.parametrize("program", ["job-runner", "job-watcher", "voice-synth"])
def test_each_program_says_its_version(home: Home, program: str) -> None:
    said = home.run("--version", program=program)

    assert re.fullmatch(rf"{program} \d+\.\d+\.\d+\S*\n", said.stdout)


def test_a_mistyped_command_gets_the_nearest_one(home: Home) -> None:
    refused = home.run("enqeue")

    assert refused.returncode == 2
    assert "did you mean 'enqueue'?" in refused.stderr
