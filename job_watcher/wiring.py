"""From settings to a running watcher. The only module of this program that reads settings."""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from job_watcher.event_outlets import TellingOptions, open_telling
from job_watcher.liveness import Pulse
from job_watcher.logs import redactor
from job_watcher.own_names import host_name, unique_name
from job_watcher.providers.pictures.wiring import backends_in, refuse_backend
from job_watcher.providers.wiring import Given, OpenRuns, RentalDesk, Runs, ledger_options, ledger_url
from job_watcher.readiness import Moment
from job_watcher.self_check import WatcherGround
from job_watcher.service_manager import service_manager_of
from job_watcher.work_folder import take_slot
from lib.cli import output
from lib.cli.command_settings import command_settings
from lib.cli.program import installed_version
from lib.clock import SystemClock
from lib.dispatch import (
    CarriedPieces,
    DispatchIntervals,
    DispatchLimits,
    DispatchParts,
    LeaseJournal,
    RejectedTakes,
    StorageDelivery,
)
from lib.errors import BadConfiguration
from lib.fleet import Caps, Policy, caps_of, policy_of
from lib.jobqueue import JobQueue, connect, options_of
from lib.machines import open_ledger
from lib.machines.port import Ledger
from lib.processes import this_process
from lib.redislink.embedded import EmbeddedServer
from lib.settings import Secret, Settings, ensure_data_folder
from lib.storage import (
    Storage,
    StorageMisconfigured,
    StorageUnavailable,
    open_storage,
    s3_access_of,
)
from lib.voices import VoiceRegistry, named_by

if TYPE_CHECKING:
    from job_watcher.providers.ssh.checkup import CheckedMachine
    from lib.jobs.doctor_account import AccountCheckup
    from lib.jobs.doctor_probes import Home
    from lib.leadership.lock import Leader


@dataclass(frozen=True, slots=True)
class Installation:
    """The settings about renting and speaking, for simulations: nothing is opened for it."""

    policy: Policy
    caps: Caps
    voices: VoiceRegistry
    engine: str


def installation() -> Installation:
    """The limits that a renting watcher with these settings would keep. Raises BadConfiguration."""
    settings = _settings({})
    return Installation(
        policy_of(settings),
        caps_of(settings),
        VoiceRegistry([settings.voices_dir]),
        settings.voice_engine,
    )


@contextlib.contextmanager
def open_watcher(
    *, redis_url: str | None, slots: int | None, log: Callable[[str], None], runs: OpenRuns | None = None
) -> Iterator[Runs]:
    """A watcher over the provider's machines with everything it needs, given back at the end.

    `log` starts the log in the form that the settings ask for. `slots` is how many jobs are leased at once;
    None: enough that no worker ever waits for us. `runs` opens it, the settings' provider by default.

    Raises:
        BadConfiguration: a setting or a folder is wrong.
        Unavailable: Redis does not answer.
    """
    settings = _settings({"REDIS_URL": redis_url})
    log(settings.log_format)
    with _open(settings, runs or _provider(settings), slots=slots) as watcher:
        yield watcher


@dataclass(frozen=True, slots=True, repr=False)
class RehearsalPlace:
    """Where a rehearsal rents, and works in its folder `data`; finished audio lies in `audio` by its names.

    `program` is where voice-synth is on machines, for an engine; None: in their image. `hasten` makes the
    policy that it follows of the settings', `period_s` is between two passes.
    """

    vast_url: str
    vast_key: str
    program: Callable[[str], str | None]
    data: Path
    audio: Path
    hasten: Callable[[Policy], Policy]
    period_s: float


class RehearsalRoom(NamedTuple):
    """A rehearsal's watcher, with its queue and the company as commands see it."""

    watcher: Runs
    queue: JobQueue
    desk: RentalDesk


@contextlib.contextmanager
def open_rehearsal(place: RehearsalPlace) -> Iterator[RehearsalRoom]:
    """A watcher that rents at the fake Vast of `place`: with a queue, a ledger and a store of its own.

    Of the settings only those that bound renting and speaking count; nobody is told of it, and no server,
    bucket or database of theirs is touched. Raises as `open_watcher`.
    """
    server = EmbeddedServer(ensure_data_folder(place.data))
    settings = replace(
        (asked := _settings({})),
        provider="vast",
        vast_url=place.vast_url,
        vast_api_key=Secret(place.vast_key),
        vast_gpus=(),
        vast_regions=(),
        redis_url=server.ensure(),
        jobs_data_dir=place.data,
        jobs_prefix="rehearsal",
        storage_url=place.audio.parent.as_uri(),
        database_url="sqlite:///unused",
        ssh_voice_synth=place.program(asked.voice_engine),
        vast_image="this-computer",  # which has what this computer has
        idle_hold_seconds=0,
        watcher_listen=None,
        webhook_url=None,
        webhook_secret=None,
    )

    def rent(given: Given) -> Runs:
        from job_watcher.providers.over_ssh.wiring import MachinesAre
        from job_watcher.providers.rented.wiring import RentingPace
        from job_watcher.providers.vast import wiring as vast

        return vast.open_watcher(given, place.hasten, RentingPace(place.period_s), MachinesAre.HERE)

    try:
        with (
            _queue(settings, settings.redis_url or "") as queue,
            _open(settings, rent, slots=None) as watcher,
        ):
            yield RehearsalRoom(watcher, queue, _desk(settings))
    finally:
        server.stop()


@contextlib.contextmanager
def _open(settings: Settings, open_provider: OpenRuns, *, slots: int | None) -> Iterator[Runs]:
    data = ensure_data_folder(settings.jobs_data_dir)
    lease_ms, drain_s = settings.watcher_lease_idle_ms, float(settings.watcher_drain_seconds)
    limits = DispatchLimits(lease_ms, drain_s, slots=slots)
    with contextlib.ExitStack() as stack:
        slot = take_slot(data)
        stack.callback(slot.release)
        url = settings.redis_url or EmbeddedServer(settings.jobs_data_dir).ensure()
        queue = stack.enter_context(_queue(settings, url))
        renewals = stack.enter_context(_queue(settings, url))
        clock, intervals = SystemClock(), DispatchIntervals()
        storage, refused = _storage(settings)
        name, pulse = unique_name(), Pulse(clock, service_manager_of(os.environ))
        open_queue = partial(_queue, settings, url)
        moment = Moment(pulse, clock, open_queue, storage)
        moment.note_store(refused)
        events = stack.enter_context(open_telling(_telling(settings, data, name), moment, clock, open_queue))
        parts = DispatchParts(
            name=name,
            provider=settings.provider,
            queue=queue,
            delivery=StorageDelivery(storage, provider=settings.provider, scratch=slot.scratch, clock=clock),
            journal=LeaseJournal(slot.journal),
            store_trouble=moment.store_trouble,
            clock=clock,
            limits=limits,
            intervals=intervals,
            process=this_process(),
            events=events,
            alive=pulse.go_on,
            voices=lambda: VoiceRegistry([settings.voices_dir]),
            engine=settings.voice_engine,
            refuse_backend=refuse_backend(settings),
            named=named_by(settings, here=settings.provider == "local"),
            pieces=CarriedPieces(slot.pieces, clock),
            rejected=RejectedTakes(slot.rejected),
        )
        host, incoming = host_name(), storage.incoming()
        yield open_provider(Given(settings, url, slot, host, parts, renewals, stack, pulse, moment, incoming))


class RentedBooks(NamedTuple):
    """What is written of rented machines. `ledger` None: nothing was ever rented from here."""

    provider: str
    ledger: Ledger | None
    open_desk: Callable[[], RentalDesk | None]  # as `rental_desk`


@contextlib.contextmanager
def open_rented() -> Iterator[RentedBooks]:
    """The ledger of rented machines, by one reading of the settings.

    Raises:
        BadConfiguration: a setting is wrong, or the ledger is of a newer version.
        Unavailable: the ledger stayed locked.
    """
    settings = _settings({})
    from lib.machines.ledger_exam import has_ledger

    url, open_desk = ledger_url(settings), partial(_desk_where_rented, settings)
    if not has_ledger(url, **ledger_options(settings)):  # looking makes none
        yield RentedBooks(settings.provider, None, open_desk)
        return
    with contextlib.closing(open_ledger(url, **ledger_options(settings))) as ledger:
        yield RentedBooks(settings.provider, ledger, open_desk)


def rental_desk() -> RentalDesk | None:
    """The company; None where PROVIDER rents nothing.

    Raises:
        BadConfiguration: a setting is wrong or missing.
        MissingExtra: the packages for it are not installed.
    """
    return _desk_where_rented(_settings({}))


def _desk_where_rented(settings: Settings) -> RentalDesk | None:
    if settings.provider != "vast":
        return None
    ensure_data_folder(settings.jobs_data_dir)
    return _desk(settings)


def _desk(settings: Settings) -> RentalDesk:
    wiring = importlib.import_module(f"job_watcher.providers.{settings.provider}.wiring")
    return cast(RentalDesk, wiring.open_desk(settings, SystemClock()))


@dataclass(frozen=True, slots=True)
class MachineRoom:
    """What the settings lead to for a command that looks at machines; read once."""

    found: Settings

    @contextlib.contextmanager
    def open_queue(self) -> Iterator[JobQueue]:
        """The queue. Raises as `open_watcher`."""
        ensure_data_folder(self.found.jobs_data_dir)
        url = self.found.redis_url or EmbeddedServer(self.found.jobs_data_dir).ensure()
        with _queue(self.found, url) as queue:
            yield queue

    def leader(self) -> Leader | None:
        """Who leads the watchers that drive machines, or led last. Raises as `open_queue`."""
        from lib.leadership.lock import open_leader_lock

        url = self.found.redis_url or EmbeddedServer(self.found.jobs_data_dir).ensure()
        with contextlib.closing(
            open_leader_lock(url, owner=host_name(), prefix=self.found.jobs_prefix)
        ) as lock:
            return lock.look()

    def check(self) -> Sequence[CheckedMachine]:
        """Each machine of SSH_MACHINES as it is now. Raises BadConfiguration."""
        from job_watcher.providers.ssh.wiring import check

        return check(self.found)

    def check_account(self) -> AccountCheckup:
        """The account on which machines are rented, as it is now."""
        wiring = importlib.import_module(f"job_watcher.providers.{self.found.provider}.wiring")
        return cast("AccountCheckup", wiring.check_account(self.found, SystemClock()))

    def home(self) -> Home:
        """What `doctor` looks at wherever jobs are spoken."""
        from lib.jobs.doctor_probes import Home

        found = self.found
        return Home(
            data_dir=found.jobs_data_dir,
            storage_url=found.storage_url,
            engine=found.voice_engine,
            provider=found.provider,
            embedded=found.redis_url is None,
            open_storage=lambda: open_storage(found.storage_url, s3_access_of(found)),
            speaks_here=found.provider == "local",
            looks_at_provider=found.provider in ("ssh", "vast"),
            backends=backends_in(found),
            usual_backend=found.imagen_backend,
            machine_backends=found.imagen_machine_backends,
        )

    def voices(self) -> VoiceRegistry:
        """The voices folder's and the shipped ones."""
        return VoiceRegistry([self.found.voices_dir])

    def ground(self) -> WatcherGround:
        """What `doctor` looks at because a watcher is to work here."""
        found = self.found
        return WatcherGround(
            data_dir=found.jobs_data_dir,
            ledger=ledger_url(found),
            ledger_options=ledger_options(found),
            listen=found.watcher_listen,
            check_machines=self.check if found.provider == "ssh" else None,
            check_webhooks=self.check_webhooks,
            check_account=self.check_account if found.provider == "vast" else None,
        )

    def check_webhooks(self) -> None:
        """See that notifications can be signed and have somewhere to go. Raises BadConfiguration."""
        from lib.webhooks import receiver_of

        url = self.found.webhook_url
        if url is not None and self.found.webhook_secret is None:
            raise BadConfiguration("WEBHOOK_URL is set and WEBHOOK_SECRET, which signs what is sent, is not")
        if url is not None:
            receiver_of(url.reveal())


def machine_room(redis_url: str | None) -> MachineRoom:
    """By one reading of the settings. Raises BadConfiguration."""
    return MachineRoom(_settings({"REDIS_URL": redis_url}))


def _telling(settings: Settings, data: Path, name: str) -> TellingOptions:
    """Who hears of what happens here, by the settings."""
    url, secret = settings.webhook_url, settings.webhook_secret
    return TellingOptions(
        listen=settings.watcher_listen,
        webhook_url=url.reveal() if url else None,
        webhook_secret=secret.reveal() if secret else None,
        outbox=data / "webhooks",
        deployment=settings.jobs_prefix,
        watcher=name,
        facts={"watcher": name, "provider": settings.provider, "version": installed_version()},
    )


def _provider(settings: Settings) -> OpenRuns:
    """The wiring of the provider. Each is a folder, loaded only where it is chosen."""
    wiring = importlib.import_module(f"job_watcher.providers.{settings.provider}.wiring")
    return cast(OpenRuns, wiring.open_watcher)


def _settings(flags: Mapping[str, str | None]) -> Settings:
    """All settings, checked; what looks mistyped is told. Raises BadConfiguration."""
    found = command_settings(flags)
    redactor.more(found.secrets())
    return found


def _storage(settings: Settings) -> tuple[Storage, str | None]:
    """The store, tried where it is far away, and why it refuses; what people must mend ends the start.

    Raises:
        BadConfiguration: STORAGE_URL is wrong, or packages are missing.
        StorageMisconfigured: the store refuses until something is mended.
    """
    storage = open_storage(settings.storage_url, s3_access_of(settings))
    if settings.storage_url.startswith("s3:"):
        try:
            for lack in storage.examine().lacks:
                output.warn(f"the store {settings.storage_url.partition('?')[0]}: {lack}")
        except StorageMisconfigured:
            raise
        except StorageUnavailable as error:  # that passes; finished work waits for it
            output.warn(error.message)
            return storage, error.message
    return storage, None


def _queue(settings: Settings, url: str) -> contextlib.closing[JobQueue]:
    origin = settings.origin("REDIS_URL") if settings.redis_url else ""
    return contextlib.closing(connect(url, options_of(settings), origin=origin))
