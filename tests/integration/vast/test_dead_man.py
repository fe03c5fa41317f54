"""A machine ends itself when nobody needs it any more, whatever shell it has and whatever happens to it."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from job_watcher.rehearsal.vast import FakeVast, RehearsalClock
from job_watcher.rehearsal.vast.faults import server_error
from lib.providers.vast.onstart import NONCE_FILE
from tests.integration.vast.fake_vast import rent
from tests.integration.vast.switches import NONCE, PUBLIC_KEY, Switch, shell, wait_for

SHELLS = ["dash", "busybox", pytest.param("bash", marks=pytest.mark.soak)]
Machine = Callable[..., Switch]


@pytest.fixture
def machine(vast: FakeVast, sdk: object, tmp_path: Path) -> Iterator[Machine]:
    """Makes the machine of a new rental, with the key that Vast gave to it alone."""
    made: list[Switch] = []

    def make(words: list[str] | None = None, programs: tuple[str, ...] = ("curl",)) -> Switch:
        instance = rent(sdk)
        (found,) = [each for each in vast.instances() if each.id == instance]
        made.append(Switch(tmp_path, vast.url, instance, found.key, words or shell("sh"), programs))
        return made[-1]

    yield make
    for each in made:
        each.close()


def all_of(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.rglob("*") if path.is_file())


def is_gone(vast: FakeVast) -> bool:
    return wait_for(lambda: not vast.living())


@pytest.mark.parametrize("name", SHELLS)
def test_it_goes_when_nobody_ever_came(vast: FakeVast, machine: Machine, name: str) -> None:
    switch = machine(shell(name))
    switch.start(lease_s=4, nobody_s=60)
    switch.set_uptime(1059.0)
    assert switch.stays()
    switch.set_uptime(1061.0)
    assert is_gone(vast)
    assert switch.ending == "nobody ever came"


@pytest.mark.parametrize("name", SHELLS)
def test_it_stays_while_its_lease_is_renewed_and_goes_when_it_is_not(
    vast: FakeVast, machine: Machine, name: str
) -> None:
    switch = machine(shell(name))
    switch.start(lease_s=4, nobody_s=60)
    for turn in range(2):
        switch.renew(f"turn {turn}")
        assert switch.stays()
        switch.set_uptime(1000.0 + 3 * (turn + 1))
    assert switch.stays()
    switch.set_uptime(1011.0)
    assert is_gone(vast)
    assert switch.ending == "nobody renews its lease"


@pytest.mark.parametrize("is_taken_away", [False, True])
def test_a_lease_that_says_nothing_new_is_not_renewed(
    vast: FakeVast, machine: Machine, is_taken_away: bool
) -> None:
    switch = machine()
    switch.start(lease_s=4, nobody_s=60)
    switch.renew("once")
    assert switch.stays()
    if is_taken_away:
        shutil.rmtree(switch.home / ".job-runner")
    else:
        switch.renew("once")
    switch.set_uptime(1006.0)
    assert is_gone(vast)


def test_it_goes_at_its_end_though_its_lease_is_renewed(vast: FakeVast, machine: Machine) -> None:
    switch = machine()
    switch.start(lease_s=4, ends_in_s=2.0)
    switch.renew("first")
    assert is_gone(vast)
    assert switch.ending == "its time is over"


def test_it_goes_at_its_end_though_its_clock_is_behind(vast: FakeVast, machine: Machine) -> None:
    switch = machine()
    switch.write_program("date", "#!/bin/sh\necho 1000\n")
    switch.start(lease_s=4, nobody_s=3600, ends_in_s=600.0)
    switch.set_uptime(1601.0)
    assert is_gone(vast)
    assert switch.ending == "its time is over"


def test_it_tries_until_it_is_done(vast: FakeVast, machine: Machine) -> None:
    vast.faults.add(server_error("destroy", times=3))
    switch = machine()
    switch.start(lease_s=4, nobody_s=60)
    switch.set_uptime(1061.0)
    assert is_gone(vast)
    assert len(vast.journal.entries("destroy")) >= 4


@pytest.mark.parametrize("program", ["curl", "python3", "wget"])
def test_it_asks_with_what_is_there_and_shows_its_key_to_nobody(
    vast: FakeVast, machine: Machine, program: str
) -> None:
    switch = machine(programs=())
    real = sys.executable if program == "python3" else shutil.which(program)
    if real is None:
        pytest.skip(f"{program} is not installed")
    heard = switch.folder / "words"
    switch.write_program(program, f'#!/bin/sh\necho "$@" >>{heard}\nexec {real} "$@"\n')
    switch.start(lease_s=4, nobody_s=60)
    switch.set_uptime(1061.0)
    assert is_gone(vast)
    assert str(switch.instance) in heard.read_text()
    assert switch.key not in heard.read_text()
    assert wait_for(lambda: switch.key not in all_of(switch.home))
    assert not [words for words in switch.processes().values() if switch.key in words]


def test_no_signal_keeps_it_from_going(vast: FakeVast, machine: Machine) -> None:
    switch = machine()
    switch.start(lease_s=4, nobody_s=60)
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1):
        switch.signal(number, of="dead-man")
    # what a shell starts for a moment has its command line until it is another program
    first = {words: pid for pid, words in sorted(switch.processes().items(), reverse=True)}
    before = {pid for words, pid in first.items() if "dead-man" in words}
    assert len(before) == 2
    switch.set_uptime(1061.0)
    assert is_gone(vast)
    assert before <= set(switch.processes())


def test_the_one_that_watches_may_be_killed(vast: FakeVast, machine: Machine) -> None:
    switch = machine()
    switch.start(lease_s=4, nobody_s=60)
    switch.signal(signal.SIGKILL, of="dead-man watch")
    switch.set_uptime(1061.0)
    assert is_gone(vast)
    assert switch.ending == "nobody ever came"  # it has not begun to count anew


def test_what_was_decided_once_is_done(vast: FakeVast, machine: Machine) -> None:
    vast.faults.add(server_error("destroy", times=2))
    switch = machine()
    switch.start(lease_s=4, nobody_s=60)
    switch.set_uptime(1061.0)
    assert wait_for(lambda: bool(switch.ending))
    switch.set_uptime(1000.0)
    switch.renew("too late")
    switch.signal(signal.SIGKILL, of="dead-man watch")
    assert is_gone(vast)


def test_its_last_words_are_said_once_before_it_goes(vast: FakeVast, machine: Machine) -> None:
    vast.faults.add(server_error("destroy", times=2))
    switch = machine()
    switch.start(lease_s=4, nobody_s=60)
    words, said = switch.home / ".job-runner/last-words", switch.folder / "said"
    words.write_text(f"#!/bin/sh\necho farewell >>{said}\n")
    words.chmod(0o700)
    switch.set_uptime(1061.0)
    assert wait_for(lambda: bool(vast.journal.entries("destroy")))
    switch.signal(signal.SIGKILL, of="dead-man watch")
    assert is_gone(vast)
    assert said.read_text() == "farewell\n"


def test_it_lets_us_in_and_again_when_keys_were_written_anew(vast: FakeVast, machine: Machine) -> None:
    switch = machine()
    file = switch.home / ".ssh/authorized_keys"
    file.parent.mkdir()
    file.write_text("ssh-ed25519 BBBB of somebody")  # without an end of its line
    switch.start(lease_s=4)
    assert wait_for(lambda: PUBLIC_KEY in file.read_text().splitlines())
    assert "ssh-ed25519 BBBB of somebody" in file.read_text().splitlines()
    file.write_text("")
    assert wait_for(lambda: PUBLIC_KEY in file.read_text().splitlines())
    assert file.stat().st_mode & 0o777 == 0o600
    assert switch.home.joinpath(NONCE_FILE).read_text() == NONCE


def test_vast_takes_the_script_whole(vast: FakeVast, machine: Machine) -> None:
    assert isinstance(vast.clock, RehearsalClock)
    switch = machine()
    switch.start()
    assert len(switch.folder.joinpath("onstart").read_text()) < 3000  # of 4096
