"""From settings and a company that rents to a watcher over its machines."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from job_watcher.bench_results import bench_results
from job_watcher.providers.leader_lock import end_last_term, leader_lock
from job_watcher.providers.over_ssh.keeper import MachineKeeper
from job_watcher.providers.over_ssh.machine_spec import MachineSpec
from job_watcher.providers.over_ssh.ports import MachineLink, MachineOut, Stage
from job_watcher.providers.over_ssh.preparation import SshPreparation
from job_watcher.providers.over_ssh.remote import RemoteMachine
from job_watcher.providers.over_ssh.wiring import bootstrap, queue_mark, worker_setup
from job_watcher.providers.pictures.wiring import pictures_on_machines
from job_watcher.providers.rented.access import RentedAccess
from job_watcher.providers.rented.keys import MachineKeys
from job_watcher.providers.rented.last_words import LastWordsSigner, no_last_words
from job_watcher.providers.rented.machine import TendedMachine
from job_watcher.providers.rented.machine_patience import MachinePatience
from job_watcher.providers.rented.preparation import RentedPreparation, still_fit
from job_watcher.providers.rented.rental_events import EventTeller, QuietWhileStarting
from job_watcher.providers.rented.watcher import RentingNews, RentingParts, RentingWatcher
from job_watcher.providers.rented.ways_in import RentedLink
from job_watcher.providers.wiring import Given, deployment_of, ledger_options, ledger_url
from job_watcher.provisioning.adapters import RedisMarketBoard, leaders_queue
from job_watcher.provisioning.ports import (
    Config,
    NotLeading,
    OnSettled,
    ProvisioningIntervals,
    ProvisioningParts,
)
from job_watcher.provisioning.reconcile import Reconciler
from lib.clock import Clock
from lib.dispatch import Dispatcher
from lib.dispatch.doorbell import Doorbell
from lib.errors import BadConfiguration, JobRunnerError
from lib.fleet import Policy, Speeds, caps_of
from lib.fleet.model import PASS_S
from lib.jobqueue import WatcherRole
from lib.leadership.lock import LeaderLock, RenewedLeadership
from lib.machine_checks import Gate
from lib.machines import open_ledger
from lib.machines.labels import parse_label
from lib.machines.model import MachineRow
from lib.machines.port import Ledger
from lib.providers.rental import (
    BootPlan,
    Endpoint,
    MakeBootPlan,
    RefusedForGood,
    RentalProvider,
)
from lib.workers.ssh import (
    FOR_RENTED_MACHINES,
    OneMachine,
    SshAddress,
    SshHost,
    SshMachine,
    SshOptions,
    SshThread,
    fingerprint_of,
)

log = logging.getLogger(__name__)

_PAUSE_S = 5.0  # the longest between two tries to get a starting machine ready
_CONNECT = SshOptions(longest_pause_s=3.0, advice=FOR_RENTED_MACHINES)


def no_host_keys(provider: RentalProvider, instance: str, nonce: str) -> Sequence[str]:
    """What a company says that shows no logs."""
    return ()


@dataclass(frozen=True, slots=True)
class Company:
    """Who rents: its provider, made with what tells a machine what to do at its start; how one logs in.

    `lease_file` is what keeps a machine from ending itself, `nonce_file` what it was told, `last_words_file`
    the program that it runs before it ends itself ("": none); all below its home. `host_keys` asks the
    company which host keys the machine of an id and nonce wrote into its log; none where it did not come.
    `wanted` says what was asked for, as in " of VAST_GPUS=RTX_4090".
    """

    provider: Callable[[MakeBootPlan], RentalProvider]
    user: str
    lease_file: str
    nonce_file: str
    last_words_file: str = ""
    wanted: str = ""
    host_keys: Callable[[RentalProvider, str, str], Sequence[str]] = no_host_keys


@dataclass(frozen=True, slots=True)
class RentingPace:
    """How fast it goes. `period_s` is between two passes while there is something to do, by this computer.

    `clock` is the company's time, in which machines are rented, judged and charged for: None: the watcher's
    own. Where a rehearsal lets it run faster, leases, connections and work keep to the watcher's own.
    """

    period_s: float = PASS_S
    clock: Clock | None = None
    patience: MachinePatience = field(default_factory=MachinePatience)


def open_renting(
    given: Given, company: Company, policy: Policy, pace: RentingPace | None = None
) -> RentingWatcher:
    """A watcher that rents of that company.

    Raises:
        BadConfiguration: the ledger or a folder cannot be used.
        MissingExtra: asyncssh or the database's packages are not installed.
    """
    for talkative in ("asyncssh", "alembic", "urllib3"):  # of each command, table and request
        logging.getLogger(talkative).setLevel(logging.WARNING)
    settings = given.settings
    ledger = given.stack.enter_context(closing(open_ledger(ledger_url(settings), **ledger_options(settings))))
    lock = leader_lock(given)
    last = end_last_term(given, lock)
    thread = given.stack.enter_context(SshThread())
    parts = given.parts
    leadership = RenewedLeadership(
        lock, act_s=lock.lease_s / 2, silent_after_s=3 * lock.lease_s, clock=parts.clock
    )
    standby = replace(parts, role=WatcherRole.STANDBY)
    made = _Renting(given, company, policy, pace or RentingPace(), ledger, lock, leadership, thread)
    watcher = RentingWatcher(
        RentingParts(
            name=parts.name,
            registry=parts.queue,
            ledger=ledger,
            leadership=leadership,
            clock=parts.clock,
            limits=parts.limits,
            intervals=parts.intervals,
            events=parts.events,
            teller=made.teller,
            pulse=given.pulse,
            news=made.news,
            about={**standby.about(), "hosts": 0, "machines": [], "holding": 0, "slots": 0},
            led=last.write,
            trouble=lambda: made.trouble,
            is_any_starting=made.access.is_any_starting,
            check=made.check_account,
        ),
        made.loop,
    )
    given.moment.has_leader = True
    given.moment.held, given.moment.epoch = watcher.held, watcher.epoch
    return watcher


class _Renting:
    """Makes the loop that rents, and each of its machines.

    Threads: the loop's, but for `trouble`.
    """

    def __init__(
        self,
        given: Given,
        company: Company,
        policy: Policy,
        pace: RentingPace,
        ledger: Ledger,
        lock: LeaderLock,
        leadership: RenewedLeadership,
        thread: SshThread,
    ) -> None:
        self._given, self._company, self._policy, self._pace = given, company, policy, pace
        self._clock = pace.clock or given.parts.clock
        self._ledger, self._lock, self._leadership, self._thread = ledger, lock, leadership, thread
        settings = given.settings
        self._keys = MachineKeys(ledger, settings.jobs_data_dir / "machines")
        self._bootstrap = bootstrap(settings)
        self._benched, refused = bench_results(settings.jobs_data_dir)
        for why in refused:
            log.warning("%s", why)
        self.news = RentingNews()
        self.teller = EventTeller(given.parts.events, self.news.tell)
        self.access = RentedAccess(self._machine, self._keys.forget)
        self.trouble: BadConfiguration | None = None
        self._current: Dispatcher | None = None
        self._spools: dict[str, str] = {}  # by the machine's token
        self._provider = company.provider(self._boot_plan)

    def loop(self, once: bool) -> Reconciler:
        """The loop; for one pass only, machines are not held for later work."""
        given, parts = self._given, self._given.parts
        owner = deployment_of(given.settings)
        policy = replace(self._policy, idle_hold_s=0.0) if once else self._policy
        lease_s = self._lock.lease_s
        config = Config(
            owner=owner,
            name=parts.name,
            policy=policy,
            caps=caps_of(given.settings),
            intervals=ProvisioningIntervals(
                period_s=self._pace.period_s,
                idle_s=min(30.0, lease_s / 3),
                standby_s=min(5.0, lease_s / 4),
                market_s=900.0,
            ),
            lease_ms=parts.limits.lease_ms,
            engine=given.settings.voice_engine,
            wanted=self._company.wanted,
        )
        queue = leaders_queue(parts.queue, self._lock, self._leadership)
        return Reconciler(
            ProvisioningParts(
                queue=queue,
                ledger=self._ledger,
                provider=self._provider,
                access=self.access,
                make_dispatcher=self._dispatcher,
                leadership=self._leadership,
                clock=self._clock,
                new_token=lambda: secrets.token_hex(8),
                tell=self.teller,
                market=RedisMarketBoard(
                    self._lock, provider=parts.provider, clock=self._clock, tell=self.teller
                ),
                incoming=given.incoming,
            ),
            config,
            Speeds(benched=self._benched),
        )

    def check_account(self) -> None:
        """See that the key is accepted, where nobody leads who knows it already: a stand-by asks nobody.

        Raises:
            BadConfiguration: a person must mend something first.
            Unavailable: the company, or Redis, does not answer.
        """
        leader = self._lock.look()
        if leader is not None and leader.live:
            return
        try:
            self._provider.credit_micros()
        except RefusedForGood as error:
            raise BadConfiguration(error.message) from None

    def _dispatcher(self, heard: OnSettled) -> Dispatcher:
        given, bell = self._given, Doorbell()
        self.news.ring_at(bell)
        parts = replace(
            given.parts,
            queue=leaders_queue(given.parts.queue, self._lock, self._leadership),
            doorbell=bell,
            on_settled=heard,
            role=WatcherRole.LEADS,
            epoch=self._lock.epoch,
        )
        renewals = leaders_queue(given.renewals, self._lock, self._leadership)
        self._current = dispatcher = Dispatcher(parts, renewals=renewals)
        return dispatcher

    def _boot_plan(self, label: str) -> BootPlan:
        found = parse_label(label)
        assert found is not None, "the label is ours"
        pair = self._keys.make(found.token)
        return BootPlan(public_key=pair.public, nonce=self._keys.nonce(found.token))

    # --- machines ----------------------------------------------------------------------------------------

    def _leads(self) -> bool:
        """Asked from threads of machines, and so it does not say that the loop is alive."""
        epoch = self._lock.epoch
        try:
            return epoch is not None and self._lock.held(epoch, for_s=self._lock.lease_s / 4)
        except JobRunnerError:
            return False

    def _machine(self, row: MachineRow) -> TendedMachine:
        settings, clock = self._given.settings, self._given.parts.clock
        key, known = self._keys.file(row.token), self._keys.known(row.token)

        def by(way: Endpoint) -> RemoteMachine:
            address = SshAddress(self._company.user, way.host, way.port, key)
            machine = SshMachine(self._thread, address, key_file=key, known_hosts=known, options=_CONNECT)
            remote = RemoteMachine(
                machine, lambda *about: self._host(row, *about), self._leads, mark=queue_mark(settings)
            )
            remote.name = row.token
            return remote

        link = RentedLink(row.token, by)
        spec = MachineSpec(SshAddress(self._company.user, row.token), workers=1)
        rest = SshPreparation(
            spec,
            self._bootstrap,
            engine=settings.voice_engine,
            program=settings.ssh_voice_synth,
            pictures_vram_gb=pictures_on_machines(settings).least_vram_gb,
        )
        keeper = MachineKeeper(
            link,
            RentedPreparation(
                rest,
                nonce=self._keys.nonce(row.token),
                nonce_file=self._company.nonce_file,
                gpu=row.intent.gpu,
                our_fault=self._note_trouble,
            ),
            clock,
            lambda: self._heard_of(keeper),
            events=QuietWhileStarting(self._given.parts.events),
            longest_pause_s=_PAUSE_S,
        )
        return TendedMachine(
            link,
            keeper,
            lease_file=self._company.lease_file,
            check=lambda: still_fit(link, row.intent.gpu),
            confirm=lambda: self._confirm(row, known),
            leads=self._leads,
            clock=clock,
            patience=self._pace.patience,
            with_lease=self._last_words(row.token),
        )

    def _heard_of(self, keeper: MachineKeeper) -> None:
        """A pass asks the company, which hears us only so often: one for each step would come in its way."""
        if keeper.standing.stage in (Stage.READY, Stage.OUT):
            self.news.tell()

    def _last_words(self, token: str) -> Callable[[MachineLink], None]:
        """What keeps the machine able to bring its finished work into the store before it ends itself."""
        file, incoming = self._company.last_words_file, self._given.incoming
        if not file or incoming is None:
            return no_last_words
        return LastWordsSigner(
            incoming,
            self._given.parts.clock,
            file=file,
            spool=lambda: self._spools.get(token),
            work=lambda: [] if self._current is None else self._current.at_hand(token),
        ).renew

    def _note_trouble(self, sentence: str) -> None:
        self.trouble = BadConfiguration(sentence)
        self.news.tell()

    def _confirm(self, row: MachineRow, known: OneMachine) -> bool | None:
        """Whether the machine's own log shows the key that it is known by; it comes by another way."""
        if not self._leads():
            raise NotLeading("This watcher does not lead any more: its machines are another one's.")
        assert row.instance is not None, "only rented machines are reached"
        found = self._company.host_keys(self._provider, row.instance, self._keys.nonce(row.token))
        if not found or not known.known:
            return None
        if known.known not in found:
            raise MachineOut(
                Gate.HOST_KEY.value,
                f"{row.token} shows {fingerprint_of(known.known)}, which is none of the keys in its own log: "
                "somebody stands between.",
            )
        return True

    def _host(self, row: MachineRow, machine: SshMachine, number: int, program: str, home: str) -> SshHost:
        setup = worker_setup(self._given.settings, self._given.parts.clock, home, number, program)
        self._spools[row.token] = f"{setup.folder}/spool"
        return SshHost(row.token, machine, setup)
