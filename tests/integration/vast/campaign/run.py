"""One run of the campaign: a company with machines, a queue, and watchers that die and are replaced."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

from job_watcher.rehearsal.vast import FakeVast, RequestFault
from job_watcher.rehearsal.vast.instances import RentedInstance
from job_watcher.rehearsal.vast.refusal import ApiRefusal
from job_watcher.rehearsal.whole_run import programs_of_image
from lib.jobqueue import Event, connect
from lib.leadership.lock import open_leader_lock
from lib.machines import open_ledger
from lib.machines.labels import parse_label
from lib.machines.place import LEDGER_SCHEMA
from tests.integration.servers import Server
from tests.integration.sshd import need_sshd
from tests.integration.vast.campaign.company_time import CompanyTime
from tests.integration.vast.campaign.schedule import Schedule
from tests.integration.vast.campaign.watchers import SPEED, WatcherOrder, Watchers

#: Of this computer: what has not come by then never will. No run is judged by how long it took.
_PATIENCE_S: Final = 240.0
_LOOK_S: Final = 0.05
_LEASE_MS: Final = 9000
_WATCHERS: Final = 2
_KILLED: Final = -signal.SIGKILL
_DAY_S: Final = 86_400.0
_ROUNDING_MICROS: Final = 5


class CampaignRun:
    """Begins with a watcher and the first jobs; `go` until all is over, then look at what is left.

    A stand-by is started when the first job has begun. When half of the first jobs are settled the leader is
    killed, or stands still until it has been replaced; no other is started before the stand-by leads.

    Threads: one, but for what the company does at a request.
    Raises: AssertionError where something never comes, or a watcher ends by itself.
    """

    def __init__(self, schedule: Schedule, server: Server, folder: Path, program: str) -> None:
        self.schedule, self.folder, self.url, self._program = schedule, folder, server.url, program
        self.data = folder / "data"
        self.data.mkdir()
        self.time = CompanyTime.begin(folder / "time", speed=SPEED, start=time.time())
        self.queue = connect(server.url)
        self.ledger = open_ledger(f"sqlite:///{self.data}/ledger.db", schema=LEDGER_SCHEMA)
        self._lock = open_leader_lock(server.url, owner="campaign")
        self.vast = FakeVast(folder / "machines", clock=self.time, offers=schedule.offers)
        self.watchers = Watchers()
        self.specs = [*schedule.first, *schedule.later]
        self.events: list[Event] = []
        self.found: list[str] = []  # where on machines a secret stood
        self.searched: set[int] = set()
        self.leaders: list[str] = []
        self._rests: list[tuple[float, float]] = []
        self.statuses: list[int] = []  # of watchers that were told to end
        self._deaths = list(schedule.deaths)
        self._befalls = list(schedule.befalls)
        self._replaced = True
        self._prepare()

    def _prepare(self) -> None:
        """The company as the schedule has it; a machine is searched when it is given back."""
        schedule, lifecycle = self.schedule, self.vast.account.lifecycle
        self.vast.lags.seen_after_s = schedule.seen_after_s
        self.vast.lags.gone_after_s = schedule.gone_after_s
        self.vast.throttle.on = schedule.is_throttled
        lifecycle.on_destroy = self._search

    def close(self) -> None:
        """End everything."""
        self.watchers.close()
        self.vast.close()
        for each in (self.queue, self.ledger, self._lock):
            each.close()

    # --- the run -----------------------------------------------------------------------------------------

    def go(self) -> None:
        """From the first job to an empty account, and to the bill of two days later."""
        schedule = self.schedule
        self._start_watcher()
        self.queue.enqueue(schedule.first)
        self.vast.faults.add(*schedule.faults)
        self._follow("a first job begun", lambda: any(each.kind == "begun" for each in self.events))
        self._start_watcher()
        self._follow("half of the work", lambda: 2 * len(self.settled()) >= len(schedule.first))
        self._have_the_leader_replaced()
        self._follow("the first jobs settled", lambda: len(self.settled()) == len(schedule.first))
        rest = self.time.now()
        self._rest(schedule.pause_s)
        self._rests.append((rest, self.time.now()))
        self.queue.enqueue(schedule.later)
        self._follow("all jobs settled", lambda: len(self.settled()) == len(self.specs))
        self._leave()

    def work_off(self) -> None:
        """The same without a stand-by and without later jobs."""
        self._start_watcher()
        self.queue.enqueue(self.schedule.first)
        self._follow("all jobs settled", lambda: len(self.settled()) == len(self.specs))
        self._leave()

    def _leave(self) -> None:
        rest = self.time.now()
        self._follow("no machine left", self._is_empty)
        self._rests.append((rest, self.time.now()))
        self.vast.faults.clear()
        self.time.push(2 * _DAY_S)
        self._follow("the ledger equal to the bill", lambda: not self.differences())
        self.statuses = self.watchers.end()

    def _follow(self, what: str, until: Callable[[], object]) -> None:
        give_up = time.monotonic() + _PATIENCE_S
        while not until():
            if time.monotonic() > give_up:
                raise AssertionError(f"never came: {what}\n{self.log()}")
            self._look()

    def _rest(self, seconds: float) -> None:
        end = self.time.now() + seconds
        self._follow("the end of a pause", lambda: self.time.now() >= end)

    def _look(self) -> None:
        """Take what is new, replace who has ended, have befall what is due."""
        last = self.events[-1].id if self.events else "0"
        self.events += self.queue.follow_events(last, count=1000, block_s=_LOOK_S)
        for status in self.watchers.ended():
            assert status == _KILLED, f"a watcher ended by itself with {status}\n{self.log()}"
            if self._replaced or not self.watchers.living:
                self._start_watcher()
        leader = self._leader()
        if leader is not None and leader not in self.leaders:
            self.leaders.append(leader)
        while self._befalls and len(self.settled()) >= self._befalls[0][0]:
            running = [each.id for each in self.vast.instances() if each.actual == "running"]
            living = sorted(set(running) & set(self.vast.living()))
            if not living:
                return
            with contextlib.suppress(ApiRefusal):
                self.vast.befall(living[0], self._befalls.pop(0)[1])

    def settled(self) -> set[str]:
        """The jobs that are done or failed."""
        return {each.request_id or "" for each in self.events if each.kind in ("done", "failed")}

    # --- watchers ----------------------------------------------------------------------------------------

    def _start_watcher(self) -> None:
        death = self._deaths.pop(0) if self._deaths else None
        if death is not None and death[0].startswith("request."):
            self._plan_death_at(*death)
            death = None
        settings = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ},
            "PROVIDER": "vast",
            "VAST_URL": self.vast.url,
            "VAST_API_KEY": self.vast.api_key,
            "NO_PROXY": "127.0.0.1",
            "REDIS_URL": self.url,
            "JOBS_DATA_DIR": str(self.data),
            "WATCHER_LEASE_IDLE_MS": str(_LEASE_MS),
            "WATCHER_DRAIN_SECONDS": "10",
            "VAST_IMAGE": f"this-computer@sha256:{'0' * 64}",
            "SSH_VOICE_SYNTH": self._program,
            "LOG_FORMAT": "json",
            "JOBS_DEBUG": "1",
            **self.schedule.settings,
        }
        self.watchers.start(WatcherOrder(settings, self.folder, self.schedule.bids, death))

    def _plan_death_at(self, boundary: str, nth: int) -> None:
        """The leader is killed in the middle of a request: before it is done, or before it is answered."""
        route, _, side = boundary.removeprefix("request.").partition(" ")

        def kill(answer: object) -> object:
            if (leader := self._leader()) is not None:
                self._note_death(leader, boundary)
                self.watchers.kill(_pid(leader))
            return answer

        self.vast.faults.add(
            RequestFault(route, nth, effect=side == "unanswered", edit=kill, name=f"death {side}")
        )

    def _note_death(self, leader: str, boundary: str) -> None:
        with (self.folder / "deaths").open("a") as told:
            told.write(f"{_pid(leader)} {boundary}\n")

    def _have_the_leader_replaced(self) -> None:
        """By the stand-by. One that stood still goes on afterwards, and must find that it leads no more."""
        self._follow("a leader and a stand-by", lambda: self._leader() and len(self.watchers.living) > 1)
        leader, number = self._leader(), signal.SIGSTOP if self.schedule.freezes else signal.SIGKILL
        assert leader is not None, "seen just now"
        self._replaced = False
        self._note_death(leader, f"replaced by {number.name}")
        self.watchers.kill(_pid(leader), number)
        self._follow("another leader", lambda: self._leader() not in (None, leader))
        self._replaced = True
        if self.schedule.freezes:
            self.watchers.kill(_pid(leader), signal.SIGCONT)
        elif len(self.watchers.living) < _WATCHERS:
            self._start_watcher()

    def _leader(self) -> str | None:
        found = self._lock.look()
        return found.owner if found is not None and found.live else None

    def deaths(self) -> list[str]:
        """The boundaries at which watchers ended, in order."""
        file = self.folder / "deaths"
        return file.read_text().splitlines() if file.exists() else []

    def log(self) -> str:
        """What watchers said last."""
        file = self.folder / "watcher.log"
        return f"{self.schedule.told()}\n{self.deaths()}\n{file.read_text()[-6000:]}"

    # --- what is to be seen ------------------------------------------------------------------------------

    def _search(self, found: RentedInstance) -> None:
        """Look for what no machine may know in everything that it has now."""
        if found.machine is None:
            return
        self.searched.add(found.id)
        for name, secret in (("the account's key", self.vast.api_key), ("the queue's address", self.url)):
            self.found += [f"{name} in {place} of {found.id}" for place in found.machine.find(secret)]

    def rests(self) -> list[tuple[float, float]]:
        """When there was no work, by the company's time: from, to."""
        return self._rests

    def _is_empty(self) -> bool:
        return not self.vast.living() and not self.ledger.open_rows()

    def differences(self) -> list[str]:
        """Where the ledger does not say what the company's bill says, in micro-dollars by machine."""
        billed: dict[str, float] = {}
        for amount in self.vast.bill().amounts:
            label = parse_label(amount.label)
            token = "" if label is None else label.token
            billed[token] = billed.get(token, 0.0) + amount.amount * 1_000_000
        found = []
        for token, micros in billed.items():
            ours = sum(charge.micros for charge in self.ledger.charges(token))
            if abs(ours - micros) > _ROUNDING_MICROS:
                found.append(f"{token}: {ours} and {micros:.0f}")
        return found


def need_what_runs_need() -> None:
    """Leave the test out where there is no sshd, or no SDK, which watchers load and this process does not."""
    need_sshd()
    if find_spec("vastai") is None:
        pytest.skip("the SDK is not installed (the extra vast)")


@contextlib.contextmanager
def opened_run(server: Server) -> Iterator[Callable[[Schedule], CampaignRun]]:
    """What makes the run of a schedule; it is ended with the context."""
    need_what_runs_need()
    with (
        tempfile.TemporaryDirectory(prefix="jr-campaign-") as name,
        contextlib.ExitStack() as stack,
    ):
        folder = Path(name)

        def run_of(schedule: Schedule) -> CampaignRun:
            run = CampaignRun(schedule, server, folder, str(programs_of_image(folder)))
            return stack.enter_context(contextlib.closing(run))

        yield run_of


def _pid(watcher: str) -> int:
    """The process of a watcher, which stands in its name."""
    return int(watcher.rsplit("-", 2)[1])
