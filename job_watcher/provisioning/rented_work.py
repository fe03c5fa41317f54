"""Makes rented machines hosts of the dispatcher, and measures what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from job_watcher.provisioning.observation import Observations
from job_watcher.provisioning.ports import Config, MachineAccess, ProvisioningParts
from lib.dispatch import Dispatcher, HostView, Settled
from lib.dispatch.last_words import NAME as LAST_WORDS
from lib.dispatch.last_words import LastWords
from lib.errors import Unavailable
from lib.fleet import Demand, Speeds, State
from lib.fleet.capacity import jobs_to_hold
from lib.fleet.speeds import blended
from lib.jobqueue import JobState, Lease, LeaseLost, Snapshot, Term
from lib.machines.model import FinishedWork, MachineRow
from lib.spool import Files, HostUnreachable, SpoolUnusable
from lib.voices import engine_facts, estimated_audio_s
from lib.workers import WorkerDeath

#: A machine may say anything; no job takes a month.
_LONGEST_S = 31 * 86_400.0
_SIFTED = 100  # jobs before one rental; what is behind them is seen before the next
_WORKING = frozenset({State.READY.value, State.DRAINING.value})


def _milliseconds(seconds: float) -> int:
    return round(min(seconds, _LONGEST_S) * 1000)


class RentedHost:
    """`WorkerHost` on a rented machine; a machine whose workers keep ending is given back.

    Threads: as `WorkerHost`.
    Raises: HostUnreachable from `files`, NotLeading from all that touches the machine.
    """

    remote = True

    def __init__(self, row: MachineRow, instance: str, access: MachineAccess) -> None:
        self.name, self.machine = row.token, row.intent.machine_id
        self._instance, self._access = instance, access

    def files(self) -> Files:
        """The spool on the machine."""
        return self._access.files(self._instance)

    def tend(self) -> WorkerDeath | None:
        """Keep its worker going. One whose machine does not answer is seen to later."""
        try:
            return self._access.tend(self._instance)
        except HostUnreachable:
            return None

    def restart(self) -> None:
        """End its worker; a machine that does not answer is given back anyway."""
        with suppress(HostUnreachable):
            self._access.restart(self._instance)

    def stop(self, grace: float) -> None:
        """Stop nothing: the work goes on, for the next leader to adopt."""


class RentedWork:
    """The dispatcher of one term, with the machines that are ready as its hosts.

    Threads: the loop's only.

    Raises, from every method that asks the queue:
        Unavailable: it does not answer.
        NotLeading, LeadershipLost: another watcher leads.
        SpoolUnusable: the journal cannot be written.
    """

    def __init__(
        self, parts: ProvisioningParts, config: Config, observations: Observations, speeds: Speeds
    ) -> None:
        self._parts, self._config, self._observations, self._speeds = parts, config, observations, speeds
        self._letters_per_second = engine_facts(config.engine).letters_per_second
        self._dispatcher: Dispatcher = parts.make_dispatcher(self._learn)
        self._words: LastWords | None = None
        if parts.incoming is not None:
            self._words = LastWords(parts.incoming, parts.queue, parts.clock)
        self._gpus: dict[str, str] = {}
        self._draining: set[str] = set()
        self._demand = Demand()
        self._adopted = False
        self.audio_s_per_job = config.audio_s_per_job
        self._measured = 0  # jobs that told how long they are
        self._finished: list[FinishedWork] = []  # not written down yet

    def view(self, token: str) -> HostView | None:
        """What the dispatcher knows of a machine; None before its checks are passed."""
        return self._dispatcher.view(token)

    def held(self) -> int:
        """Jobs at hand on all machines."""
        return self._dispatcher.held

    def job_s(self, gpu: str) -> float:
        """Seconds that one job takes on such a machine."""
        return self.audio_s_per_job / self._speed(gpu)

    def job_due_s(self, token: str) -> float:
        """Seconds that the oldest job at hand on a machine should take there; 0 when none was begun."""
        view = self._dispatcher.view(token)
        if view is None or view.oldest_job is None:
            return 0.0
        spec = view.oldest_job
        return (
            estimated_audio_s(
                spec.text,
                self._letters_per_second,
                pronounce=spec.pronounce,
                speed=spec.speed,
                language=spec.language,
            )
            * spec.variants
            / self._speed(self._gpus[token])
        )

    def _speed(self, gpu: str) -> float:
        return self._speeds.of(self._config.engine, gpu, 1.0, self._config.policy.speed)

    # --- a pass ------------------------------------------------------------------------------------------

    def keep_hosts(self, rows: Iterable[MachineRow]) -> None:
        """Bring the dispatcher's hosts in line with the ledger: a crash may have cut a step short."""
        working = {row.token: row for row in rows if row.state in _WORKING and row.instance is not None}
        for name in self._dispatcher.hosts():
            if name not in working and name != LAST_WORDS:
                self.abandon(name, why="its machine left", lost=False)
        self._draining = {token for token, row in working.items() if row.state == State.DRAINING.value}
        for token, row in working.items():
            assert row.instance is not None, "chosen so"
            self._gpus[token] = row.intent.gpu
            host = RentedHost(row, row.instance, self._parts.access)
            self._dispatcher.add(host, self._room_of(token), replaceable=True)
        words = self._words
        if words is not None:
            self._dispatcher.add(words, lambda: 0, replaceable=True, serves=lambda: False, fits=words.fits)

    def ask(self, rows: Iterable[MachineRow]) -> None:
        """Ask each machine how it is. One that does not answer is skipped."""
        for row in rows:
            if row.instance is None or row.state not in (State.RENTED.value, *_WORKING):
                continue
            observation = self._observations.by_token[row.token]
            self._renew()  # a machine may take long to answer
            try:
                contact = self._parts.access.look(row, observation.rental)
            except Unavailable:
                continue
            observation.answered_at = self._parts.clock.monotonic()
            observation.gate = contact.gate

    def _renew(self) -> None:
        with suppress(Unavailable):  # the pass itself says so
            self._dispatcher.renew_if_due()

    def do(self, term: Term, snapshot: Snapshot | None, *, claims: bool) -> None:
        """Take what is finished, and give each machine as many jobs as it speaks until the next pass."""
        self._demand = Demand() if snapshot is None else self.demand(snapshot)
        if not self._adopted:
            self._dispatcher.resume(hosts_come=True)
            self._dispatcher.adopt(term)
            self._adopted = True
        self.go_on(claims=claims)

    def go_on(self, *, claims: bool) -> None:
        """Renew, settle and claim with the hosts there are; the ledger is not asked."""
        self._dispatcher.renew_if_due()
        beyond = self._hear_last_words()
        self._dispatcher.step()
        if self._words is not None and self._words.has_heard():
            self._dispatcher.give_up_unfinished(self._words.name, "what its machine left is gone")
        if claims and self._dispatcher.claim(beyond) and beyond and self._words is not None:
            self._words.claimed_for()

    def _hear_last_words(self) -> int:
        """See what machines left that ended themselves; for how many jobs of that a lease may be claimed."""
        words = self._words
        if words is None:
            return 0
        hosts = {name: self._dispatcher.at_hand(name) for name in self._dispatcher.hosts()}
        words.look([entry for entry, _ in hosts.pop(words.name, ())])
        for name, work in hosts.items():  # who left last words does not come back
            left = words.entries() & {entry for entry, _ in work}
            for entry in left:
                words.came_from(entry, name)
            self._dispatcher.rehome(name, words.name, left)
        return words.wanted()

    def _room_of(self, token: str) -> Callable[[], int]:
        def room() -> int:
            if token in self._draining:
                return 0
            return jobs_to_hold(self._demand, self._speed(self._gpus[token]), self._config.policy)

        return room

    def demand(self, snapshot: Snapshot, preemptions: int = 0) -> Demand:
        """The work there is. What is leased and not by us was handed back, or left by a watcher that died."""
        held = self.held()
        return Demand(
            waiting=max(0, snapshot.waiting + snapshot.pending - held),
            running=held,
            delayed=snapshot.delayed,
            audio_s_per_job=self.audio_s_per_job,
            engine=self._config.engine,
            preemptions=preemptions,
            measured=self._measured > 0,
        )

    def is_any_speakable(self) -> bool:
        """Whether the first jobs in line could be spoken on a machine; those before that cannot fail now."""
        return self._dispatcher.sift(_SIFTED)

    def stir(self) -> bool:
        """Let delayed jobs that are due become work, with no machine to take them; whether there were any."""
        queue, config = self._parts.queue, self._config
        leases = queue.claim(config.name, count=1, lease_ms=config.lease_ms)
        for lease in leases:
            with suppress(LeaseLost):
                queue.release(lease, "no machine yet")
        return bool(leases)

    def _learn(self, host: str, lease: Lease, settled: Settled) -> None:
        token = host
        if self._words is not None and host == self._words.name:
            token = self._words.host_of(lease.request_id)
        self._finished.append(
            FinishedWork(
                token=token,
                request_id=lease.request_id,
                lease_no=lease.lease_no,
                batch=lease.spec.batch or "",
                at=self._parts.clock.now(),
                work_ms=_milliseconds(settled.work_seconds),
                audio_ms=_milliseconds(settled.audio_seconds),
            )
        )
        if host not in self._gpus or settled.state is not JobState.DONE:
            return
        if lease.spec.is_picture:  # it has no seconds of audio, and says nothing of how quickly one speaks
            return
        gpu = self._gpus[host]
        self._speeds.measured(self._config.engine, gpu, settled.audio_seconds, settled.work_seconds)
        self._measured += 1  # a guess must not outlive the first measurement
        weight = max(0.1, 1 / self._measured)
        self.audio_s_per_job = blended(self.audio_s_per_job, settled.audio_seconds, weight)

    def write_down(self, epoch: int) -> None:
        """Tell the ledger what was finished since the last time, once for each pass: no job waits for it.

        Raises:
            Unavailable: the ledger does not answer; the next time tells it.
            StaleEpoch: another watcher leads.
        """
        ledger = self._parts.ledger
        if self._finished:
            # of what a machine left in the store nobody but the queue says which machine that was
            known = [one for one in self._finished if one.token in self._gpus or ledger.history(one.token)]
            ledger.note_work(known, epoch=epoch)
            self._finished = []

    # --- endings -----------------------------------------------------------------------------------------

    def abandon(self, token: str, *, why: str, lost: bool) -> None:
        """The machine leaves: its jobs go elsewhere at once. `lost` counts against jobs that kill them."""
        if self._words is not None and self._dispatcher.at_hand(token):
            self._words.soon()
            try:
                self._hear_last_words()
            except (Unavailable, SpoolUnusable) as error:  # the machine must end all the same
                self._parts.tell("trouble", error.message, token)
        self._dispatcher.remove(token, why=why, lost=lost)
        self._gpus.pop(token, None)

    def begin(self) -> None:
        """Enter the registry of watchers."""
        self._dispatcher.register()

    def withdraw(self) -> None:
        """Hand back what no worker has begun; the rest is finished.

        Raises:
            Unavailable: the queue does not answer.
        """
        self._dispatcher.withdraw()

    def wait(self, timeout_s: float) -> None:
        """Until something rings on a machine, or the dispatcher is woken, at most `timeout_s` seconds."""
        self._dispatcher.wait(timeout_s)

    def settled(self) -> int:
        """Jobs that this term took to their end."""
        return self._dispatcher.settled

    def leave(self) -> None:
        """Release every lease and leave the work where it is, for the next watcher to adopt."""
        self._dispatcher.hand_back("drain", keep_work=True)

    def close(self) -> None:
        """End what this term started; nothing is written."""
        self._dispatcher.close()
        self._parts.access.let_go()
