"""What is told of a rented machine, and who keeps it alive (W7, W11)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from job_watcher.providers.over_ssh.keeper import MachineKeeper
from job_watcher.providers.over_ssh.ports import MachineOut
from job_watcher.providers.rented.machine import TendedMachine
from job_watcher.providers.rented.machine_patience import MachinePatience
from job_watcher.providers.rented.ways_in import RentedLink
from lib.clock import ManualClock
from lib.providers.rental import Endpoint, Rental, RentalStatus
from lib.spool import HostUnreachable
from tests.unit.dispatch.bench import ScriptedHost
from tests.unit.rented.near import DIRECT, PROXY, NearLink, Prepared

LEASE = ".job-runner/lease"
PATIENCE = MachinePatience(first_s=0.01, lease_every_s=0.02, confirm_after_s=(0.01,) * 500, recheck_s=1.0)


def rental(status: RentalStatus = RentalStatus.RUNNING, *ways: Endpoint) -> Rental:
    return Rental("i1", "label", status, 200_000, "m1", 0.0, endpoints=ways or (DIRECT, PROXY))


class CountingClock(ManualClock):
    """Knows how often it was asked: the lease's thread asks it at each of its turns."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def monotonic(self) -> float:
        self.asked += 1
        return super().monotonic()


class Tended:
    """One machine with everything that a test may change of it."""

    def __init__(self, folder: Path) -> None:
        self.clock = CountingClock()
        self.home = folder / "home"
        self.home.mkdir()
        worker = ScriptedHost(folder / "spool", self.clock, "token-1")
        self.ways = {way: NearLink(self.home, way, worker) for way in (DIRECT, PROXY)}
        self.preparation = Prepared()
        self.check: Callable[[], None] = lambda: None
        self.confirm: Callable[[], bool | None] = lambda: True
        self.leads = True
        self.news = threading.Event()
        link = RentedLink("token-1", lambda way: self.ways[way])
        keeper = MachineKeeper(link, self.preparation, self.clock, self.news.set, longest_pause_s=0.01)
        self.machine = TendedMachine(
            link,
            keeper,
            lease_file=LEASE,
            check=lambda: self.check(),
            confirm=lambda: self.confirm(),
            leads=lambda: self.leads,
            clock=self.clock,
            patience=PATIENCE,
        )

    def lease(self) -> str:
        file = self.home / LEASE
        return file.read_text() if file.exists() else ""

    def gate(self, running: Rental | None = None) -> str | None:
        """What it says now; "silent" when it does not answer."""
        try:
            return self.machine.look(running or rental()).gate
        except HostUnreachable:
            return "silent"

    def break_ways(self, *ways: Endpoint) -> None:
        """From now on nothing goes that way; a renewal that had begun on it is over."""
        for way in ways:
            self.ways[way].trouble = HostUnreachable("It is gone.")
        self.let_it_turn(2)  # else it would end at the hour that the test moves to, and count as an answer

    def let_it_turn(self, times: int) -> None:
        before = self.clock.asked
        self.wait(lambda: self.clock.asked >= before + times)

    def wait(self, condition: Callable[[], object]) -> None:
        give_up = time.monotonic() + 50.0
        while not condition():
            assert time.monotonic() < give_up, "it never happened"
            time.sleep(0.002)


@pytest.fixture
def tended(tmp_path: Path) -> Iterator[Tended]:
    made = Tended(tmp_path)
    yield made
    made.machine.close()


def test_nothing_is_begun_before_it_runs_and_says_where(tended: Tended) -> None:
    assert tended.gate(rental(RentalStatus.STARTING)) == "silent"
    assert tended.machine.is_starting

    assert tended.ways[DIRECT].connections == 0


def test_a_machine_that_passes_its_checks_is_ready(tended: Tended) -> None:
    tended.wait(lambda: tended.gate() == "")

    assert not tended.machine.is_starting
    assert tended.machine.files() is not None


def test_its_lease_is_renewed_with_something_new_each_time(tended: Tended) -> None:
    """W7: the switch on the machine compares what it reads with what it read before."""
    tended.wait(lambda: tended.gate() == "")
    tended.wait(tended.lease)
    first = tended.lease()

    tended.wait(lambda: tended.lease() != first)


def test_its_lease_runs_out_when_the_loop_asks_after_it_no_more(tended: Tended) -> None:
    """W7: a watcher that hangs must not keep machines."""
    tended.wait(lambda: tended.gate() == "")
    tended.wait(tended.lease)

    tended.clock.advance(PATIENCE.loop_s + 1)
    tended.let_it_turn(2)  # a renewal that had begun may end
    last = tended.lease()
    tended.let_it_turn(5)

    assert tended.lease() == last


def test_a_failed_gate_is_told_with_its_code(tended: Tended) -> None:
    tended.preparation.out = MachineOut("wrong_gpu", "It has another one.")

    tended.wait(lambda: tended.gate() == "wrong_gpu")


def test_what_may_pass_while_it_starts_is_no_failure_until_it_took_too_long(tended: Tended) -> None:
    """Vast's keys and proxies come late: the rent of a good machine must not be thrown away for that."""
    for way in tended.ways.values():
        way.trouble = HostUnreachable("It refuses connections.")
    tended.gate()
    tended.wait(tended.news.is_set)
    assert tended.gate() == "silent"

    tended.clock.advance(PATIENCE.reach_s + 1)

    tended.wait(lambda: tended.gate() == "unreachable")


def test_a_machine_that_answers_no_more_is_silent(tended: Tended) -> None:
    tended.wait(lambda: tended.gate() == "")
    tended.break_ways(DIRECT, PROXY)

    tended.clock.advance(PATIENCE.fresh_s + 1)

    tended.wait(lambda: tended.gate() == "silent")


def test_the_proxy_goes_on_where_the_direct_way_breaks(tended: Tended) -> None:
    tended.wait(lambda: tended.gate() == "")
    tended.break_ways(DIRECT)

    tended.clock.advance(PATIENCE.fresh_s / 2 + 1)

    tended.wait(lambda: tended.machine.link.way == PROXY)
    tended.wait(lambda: tended.gate() == "")


def test_what_breaks_while_it_works_is_found(tended: Tended) -> None:
    """W16: a GPU that fell off the bus, a full disk."""

    def gone() -> None:
        raise MachineOut("gpu", "nvidia-smi lists no GPU.")

    tended.wait(lambda: tended.gate() == "")
    tended.check = gone
    tended.clock.advance(PATIENCE.recheck_s + 0.1)

    tended.wait(lambda: tended.gate() == "gpu")


def test_a_host_key_that_its_own_log_does_not_show_is_a_reason_to_leave(tended: Tended) -> None:
    def other() -> bool | None:
        raise MachineOut("host_key", "Somebody stands between.")

    tended.confirm = other

    tended.wait(lambda: tended.gate() == "host_key")


def test_a_lease_that_cannot_be_written_is_a_full_disk(tended: Tended) -> None:
    (tended.home / ".job-runner").write_text("in the way")

    tended.wait(lambda: tended.gate() == "disk")
