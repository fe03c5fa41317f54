"""P20: gates are decided on a real terminal, by real keys, on a real ledger; the terminal is as before."""

from __future__ import annotations

import getpass
import os
import signal
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.jobqueue.memory.queue import MemoryQueue
from lib.pipeline.gates import approve_gate
from lib.pipeline.trail import events_after
from lib.pipeline.views import get_job_status
from tests.doubles.console import ConsoleDesk
from tests.e2e.home import Home
from tests.e2e.test_terminal import Screen

WATCH = ("job-pipeline", "gates", "--watch", "--operator", "ann")
_LFLAG = 3


class GateScreen(Screen):
    """A program on a terminal whose modes are looked at."""

    def __init__(self, home: Home, *words: str, typed: str = "", **settings: str) -> None:
        super().__init__(home, *words, columns=100, rows=30, typed=typed, **settings)

    def press(self, keys: str) -> None:
        """Press keys, without Enter."""
        os.write(self._ours, keys.encode())

    def echoes(self) -> bool:
        """Whether the terminal shows what is typed, as a shell wants it."""
        return bool(termios.tcgetattr(self._ours)[_LFLAG] & termios.ECHO)

    def is_in_lines(self) -> bool:
        """Whether it gives whole lines."""
        return bool(termios.tcgetattr(self._ours)[_LFLAG] & termios.ICANON)

    def until_plain(self) -> None:
        """Read to the end of the program; its terminal must be as before."""
        while self._read(30.0):
            pass
        self.process.wait(30)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    user = Home(tmp_path)
    yield user
    user.run("down")


@pytest.fixture
def shop(home: Home) -> Iterator[ConsoleDesk]:
    """Two gates that wait, in the folder of the user."""
    home.environ["DATABASE_URL"] = f"sqlite:///{home.folder / 'pipeline.db'}"
    shop = ConsoleDesk(home.folder, MemoryQueue())
    for run in ("r1", "r2"):
        shop.start(run)
        shop.work(run, files={"script.md": f"The story of {run}.".encode()})
    yield shop
    shop.close()


def decided(shop: ConsoleDesk, run: str) -> tuple[str | None, str | None, str | None]:
    gate = get_job_status(shop.ledger, run).gates[-1]
    return gate.decision, gate.operator, gate.notes


def test_keys_decide_and_the_terminal_is_as_before(home: Home, shop: ConsoleDesk) -> None:
    screen = GateScreen(home, *WATCH)
    screen.until("The story of r1.")
    assert not screen.is_in_lines()
    screen.press("a")
    screen.until("approved in")
    screen.press("u")
    screen.until("taken back: script of r1")
    screen.press("\x1b[B")  # the arrow
    screen.until("The story of r2.")
    screen.press("r")
    screen.until("Why is it rejected?")
    screen.press("less about the möön\n")
    screen.until("rejected in")
    assert decided(shop, "r2")[0] is None
    screen.process.send_signal(signal.SIGINT)  # what Ctrl-C is, where the terminal rules the program
    screen.until_plain()
    assert screen.process.returncode == 0
    assert screen.is_in_lines()
    assert screen.echoes()
    assert decided(shop, "r2") == ("rejected", "ann", "less about the möön")
    assert decided(shop, "r1")[0] is None
    assert "rejected: script of r2" in screen.seen
    lines = (home.folder / "runs" / "r2" / "events.jsonl").read_text().splitlines()
    assert "gate_rejected" in lines[-1]
    kinds = [event.kind for event in events_after(shop.ledger, 0, run="r2")]
    assert kinds[-1] == "gate_rejected"


@pytest.mark.parametrize("program", [WATCH, ("job-runner", "dashboard", "--watch")])
def test_what_was_pressed_before_there_was_a_screen_decides_nothing(
    home: Home, shop: ConsoleDesk, program: tuple[str, ...]
) -> None:
    # The first would approve what nobody saw, the second end it at once.
    screen = GateScreen(home, *program, typed="aq")
    screen.until("The story of r1.")
    screen.press("j")
    screen.until("The story of r2.")
    screen.press("q")
    screen.until_plain()
    assert decided(shop, "r1")[0] is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sends_what_was_decided_and_gives_the_terminal_back(
    home: Home, shop: ConsoleDesk, number: signal.Signals
) -> None:
    screen = GateScreen(home, *WATCH)
    screen.until("The story of r1.")
    screen.press("a")
    screen.until("approved in")
    screen.process.send_signal(number)
    screen.until_plain()
    assert screen.is_in_lines()
    assert screen.echoes()
    assert decided(shop, "r1")[:2] == ("approved", "ann")


def test_a_decision_that_somebody_made_first_is_told(home: Home, shop: ConsoleDesk) -> None:
    screen = GateScreen(home, *WATCH)
    screen.until("The story of r1.")
    screen.press("a")
    screen.until("approved in")
    approve_gate(shop.ledger, "r1", "script", operator="bob")
    screen.press("q")
    screen.until_plain()
    assert "was approved by bob" in " ".join(screen.seen.split())


def test_the_dashboard_decides_the_same_gates(home: Home, shop: ConsoleDesk) -> None:
    screen = GateScreen(home, "job-runner", "dashboard", "--watch", "--every", "0.5")
    screen.until("The story of r1.")
    screen.until("Nothing to do")
    screen.press("a")
    screen.until("approved in")
    screen.press("q")
    screen.until_plain()
    assert screen.echoes()
    assert decided(shop, "r1")[:2] == ("approved", getpass.getuser())


def test_without_a_terminal_it_is_one_sentence(home: Home, shop: ConsoleDesk) -> None:
    ended = home.run(*WATCH[1:], program="job-pipeline")
    assert ended.returncode == 2
    assert "needs a terminal at its standard input" in ended.stderr
