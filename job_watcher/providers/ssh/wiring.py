"""A watcher over the user's own machines: one leads, the others stand by."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NoReturn

from job_watcher.leader_and_standby import LedWatcher, Reign
from job_watcher.providers.leader_lock import end_last_term, leader_lock
from job_watcher.providers.over_ssh.keeper import MachineKeeper
from job_watcher.providers.over_ssh.machine_spec import MachineSpec, read_machines
from job_watcher.providers.over_ssh.ports import MachineLink
from job_watcher.providers.over_ssh.preparation import SshPreparation
from job_watcher.providers.over_ssh.remote import RemoteMachine
from job_watcher.providers.over_ssh.wiring import (
    bootstrap,
    queue_mark,
    see_that_machines_can_have,
    worker_setup,
)
from job_watcher.providers.pictures.wiring import pictures_on_machines
from job_watcher.providers.ssh.checkup import CheckedMachine, MachineCheckup
from job_watcher.providers.ssh.fleet import Fleet
from job_watcher.providers.wiring import Given
from job_watcher.provisioning.adapters import leaders_queue
from lib.clock import Clock
from lib.dispatch import Dispatcher
from lib.dispatch.doorbell import Doorbell
from lib.errors import JobRunnerError
from lib.jobqueue import JobQueue, WatcherRole
from lib.leadership.lock import LeaderLock, RenewedLeadership
from lib.settings import Settings
from lib.voices import jobs_ahead
from lib.workers.ssh import KnownHosts, SshHost, SshMachine, SshThread

_MOST_SILENCE_S = 120.0
_TELL_S = 2.0  # how old what `machines` shows may be


def open_watcher(given: Given) -> LedWatcher:
    """A watcher for PROVIDER=ssh.

    Raises:
        BadConfiguration: SSH_MACHINES, VOICE_ENGINE, the packages for machines or, for every machine, the
            file of host keys are wrong.
        MissingExtra: asyncssh is not installed.
    """
    settings, parts = given.settings, given.parts
    logging.getLogger("asyncssh").setLevel(logging.WARNING)  # it tells of each command
    specs = machine_specs(settings)
    see_that_machines_can_have(settings)
    KnownHosts(settings.ssh_known_hosts).see_usable_for([spec.address for spec in specs])
    lock = leader_lock(given)
    lease_s = lock.lease_s
    leadership = RenewedLeadership(lock, act_s=lease_s / 4, silent_after_s=3 * lease_s, clock=parts.clock)
    last = end_last_term(given, lock)
    thread = given.stack.enter_context(SshThread())
    makes = _Reigns(given, specs, lock, leadership, thread)
    standby = replace(parts, role=WatcherRole.STANDBY)
    watcher = LedWatcher(
        makes.make,
        leadership,
        parts.queue,
        parts.clock,
        parts.limits,
        parts.intervals,
        name=parts.name,
        about={**standby.about(), "hosts": 0, "machines": [], "holding": 0, "slots": 0},
        standby_s=min(5.0, lease_s / 4),
        led=last.write,
        events=parts.events,
        pulse=given.pulse,
    )
    given.moment.has_leader = True
    given.moment.held, given.moment.epoch = watcher.held, watcher.epoch
    given.moment.no_machine = watcher.no_machine
    return watcher


def machine_specs(settings: Settings) -> list[MachineSpec]:
    """The machines that the settings name. Raises BadConfiguration."""
    return read_machines(settings.ssh_machines, settings.origin("SSH_MACHINES"))


def ssh_machine(settings: Settings, thread: SshThread, spec: MachineSpec) -> SshMachine:
    """The way to one machine."""
    known = KnownHosts(settings.ssh_known_hosts)
    return SshMachine(thread, spec.address, key_file=settings.ssh_key_file, known_hosts=known)


def check(settings: Settings) -> Sequence[CheckedMachine]:
    """Every machine of the settings, looked at from here. Raises BadConfiguration."""
    specs = machine_specs(settings)
    with SshThread() as thread:

        def connect(spec: MachineSpec) -> MachineLink:
            return RemoteMachine(ssh_machine(settings, thread, spec), _no_host, lambda: True)

        checkup = MachineCheckup(connect, engine=settings.voice_engine, program=settings.ssh_voice_synth)
        return checkup.check(specs)


def _no_host(machine: SshMachine, number: int, program: str, home: str) -> NoReturn:
    raise AssertionError("a checkup starts no worker")


class _Reigns:
    """Makes what each term works with.

    Threads: the loop's only.
    """

    def __init__(
        self,
        given: Given,
        specs: list[MachineSpec],
        lock: LeaderLock,
        leadership: RenewedLeadership,
        thread: SshThread,
    ) -> None:
        self._given, self._specs, self._thread = given, specs, thread
        self._lock, self._leadership = lock, leadership
        self._bootstrap = bootstrap(given.settings)

    def make(self, name: str) -> Reign:
        """A dispatcher of that name, and the machines, for the term that has begun."""
        parts = self._given.parts
        guard = _Guard(self._lock)
        leads = guard.leads_in(self._lock.epoch)
        away_s = min(_MOST_SILENCE_S, parts.limits.lease_ms / 1000)
        doorbell = Doorbell()
        keepers = [self._keeper(spec, leads, doorbell.wake, parts.clock) for spec in self._specs]
        ahead = jobs_ahead(self._given.settings.voice_engine)
        fleet = Fleet(keepers, leads, parts.clock, away_s=away_s, ahead=ahead)
        mine = replace(
            parts,
            name=name,
            role=WatcherRole.LEADS,
            epoch=self._lock.epoch,
            queue=self._guarded(parts.queue, guard),
            limits=replace(parts.limits, silence_s=away_s),
            intervals=replace(parts.intervals, heartbeat_s=_TELL_S),
            doorbell=doorbell,
            facts=fleet.facts,
        )
        return Reign(Dispatcher(mine, renewals=self._guarded(self._given.renewals, guard)), fleet)

    def _guarded(self, queue: JobQueue, guard: _Guard) -> JobQueue:
        return leaders_queue(queue, self._lock, guard)

    def _keeper(
        self, spec: MachineSpec, leads: Callable[[], bool], wake: Callable[[], None], clock: Clock
    ) -> MachineKeeper:
        settings = self._given.settings
        way = ssh_machine(settings, self._thread, spec)
        preparation = SshPreparation(
            spec,
            self._bootstrap,
            engine=settings.voice_engine,
            program=settings.ssh_voice_synth,
            pictures_vram_gb=pictures_on_machines(settings).least_vram_gb,
        )
        host = partial(self._host, spec.workers)
        remote = RemoteMachine(way, host, leads, mark=queue_mark(settings))
        return MachineKeeper(remote, preparation, clock, wake, events=self._given.parts.events)

    def _host(
        self, workers: int | None, machine: SshMachine, number: int, program: str, home: str
    ) -> SshHost:
        given = self._given
        setup = worker_setup(given.settings, given.parts.clock, home, number, program, workers)
        return SshHost(f"{machine.name}/{number}", machine, setup)


class _Guard:
    """Asks the lock's server whether we lead, without saying that the loop is alive."""

    def __init__(self, lock: LeaderLock) -> None:
        self._lock = lock

    def held(self, epoch: int) -> bool:
        """Whether we lead in that epoch now, for long enough to act. False when that is not certain."""
        try:
            return self._lock.held(epoch, for_s=self._lock.lease_s / 4)
        except JobRunnerError:
            return False

    def leads_in(self, epoch: int | None) -> Callable[[], bool]:
        """The same, of the term that goes on."""
        return lambda: epoch is not None and self.held(epoch)
