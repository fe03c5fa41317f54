"""From settings to a watcher that rents on Vast."""

from __future__ import annotations

import contextlib
import getpass
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from job_watcher.bench_results import bench_results
from job_watcher.providers.over_ssh.wiring import (
    MachinesAre,
    engine_environ,
    see_that_machines_can_have,
)
from job_watcher.providers.pictures.wiring import pictures_on_machines
from job_watcher.providers.rented.wiring import Company, RentingPace, open_renting
from job_watcher.providers.vast.checkup import COMPANY, AskedFor, look_at_account
from job_watcher.providers.vast.terms import RentTerms, check_caps, terms_of
from job_watcher.providers.wiring import Given, RentalDesk, Runs, deployment_of, ledger_options, ledger_url
from lib.clock import Clock
from lib.errors import BadConfiguration, JobRunnerError
from lib.fleet import Policy, caps_of, policy_of
from lib.jobs.doctor import Trouble
from lib.jobs.doctor_account import AccountCheckup
from lib.machines import open_ledger
from lib.machines.ledger_exam import is_current
from lib.machines.port import Ledger
from lib.providers.rental import BootPlan, MakeBootPlan, RentalProvider
from lib.providers.vast.asks import Wanted
from lib.providers.vast.connection import VastConnection
from lib.providers.vast.onstart import LAST_WORDS_FILE, LEASE_FILE, NONCE_FILE, host_keys_in
from lib.providers.vast.provider import VastProvider
from lib.settings import Settings
from lib.voices import engine_facts, hub_ids

_KEYS = "https://cloud.vast.ai/manage-keys/"


def _as_it_is(policy: Policy) -> Policy:
    return policy


def open_watcher(
    given: Given,
    adapt: Callable[[Policy], Policy] = _as_it_is,
    pace: RentingPace | None = None,
    machines: MachinesAre = MachinesAre.RENTED,
) -> Runs:
    """A watcher for PROVIDER=vast.

    `adapt` makes the policy that it follows from the settings' one; a rehearsal has a `pace` of its own and
    `machines` that have what this computer has.

    Raises:
        BadConfiguration: there is no key, a limit lets nothing be rented, an address is wrong, or
            VOICE_ENGINE is none for machines.
        MissingExtra: the SDK or asyncssh is not installed.
    """
    settings, pace = given.settings, pace or RentingPace()
    see_that_machines_can_have(settings, machines)
    connection = connect(settings, pace.clock or given.parts.clock)
    terms = rent_terms(settings)
    check_caps(terms.policy, caps_of(settings))
    return open_renting(given, company_of(settings, connection, terms), adapt(terms.policy), pace)


def connect(settings: Settings, clock: Clock) -> VastConnection:
    """The account. Nothing is asked of it yet.

    Raises:
        BadConfiguration: there is no key, or it would not be sent as it is.
        MissingExtra: the SDK is not installed.
    """
    if settings.vast_api_key is None:
        raise BadConfiguration(
            f"PROVIDER is vast and VAST_API_KEY is not set: make a key at {_KEYS} and put it there."
        )
    connection = VastConnection(settings.vast_api_key.reveal(), clock=clock, url=settings.vast_url)
    connection.check()
    return connection


def rent_terms(settings: Settings) -> RentTerms:
    """What is rented, by the settings and the engine's facts. Raises BadConfiguration for a wrong hub id."""
    facts = engine_facts(settings.voice_engine)
    weights = engine_environ(settings, facts).get(facts.weights_setting, "")
    return terms_of(
        facts,
        policy_of(settings),
        image=settings.vast_image,
        disk_gb=settings.vast_disk_gb,
        models=max(1, len(hub_ids(weights, facts.model_names, facts.weights_setting))),
        pictures_vram_gb=pictures_on_machines(settings).least_vram_gb,
    )


def company_of(settings: Settings, connection: VastConnection, terms: RentTerms) -> Company:
    """Vast, as whoever rents needs to know it."""
    wanted = Wanted(
        image=terms.image,
        disk_gb=terms.disk_gb,
        gpus=settings.vast_gpus,
        regions=settings.vast_regions,
        download_gb=terms.download_gb,
    )

    def provider(boot_plan: MakeBootPlan) -> VastProvider:
        return VastProvider(connection, wanted, boot_plan)

    asked = {"VAST_GPUS": settings.vast_gpus, "VAST_REGIONS": settings.vast_regions}
    words = " and ".join(f"{name}={','.join(values)}" for name, values in asked.items() if values)
    return Company(
        provider,
        user=_user(settings),
        lease_file=LEASE_FILE,
        nonce_file=NONCE_FILE,
        last_words_file=LAST_WORDS_FILE,
        wanted=f" of {words}" if words else "",
        host_keys=_host_keys,
    )


def _host_keys(provider: RentalProvider, instance: str, nonce: str) -> Sequence[str]:
    assert isinstance(provider, VastProvider), "it is made here"
    return host_keys_in(provider.logs(instance), nonce)


def _user(settings: Settings) -> str:
    """Root, as on all of Vast's machines; those of a server on this computer are whoever's who runs it."""
    near = urlsplit(settings.vast_url or "").hostname in ("127.0.0.1", "localhost", "::1")
    return getpass.getuser() if near else "root"


def open_desk(settings: Settings, clock: Clock) -> RentalDesk:
    """Vast, for whoever only looks at offers and rentals, or ends them. Raises as `connect`."""
    terms = rent_terms(settings)
    company = company_of(settings, connect(settings, clock), terms)
    return RentalDesk(
        company.provider(_no_boot_plan),
        deployment_of(settings),
        terms.policy,
        caps_of(settings),
        settings.voice_engine,
        partial(bench_results, settings.jobs_data_dir),
    )


def check_account(settings: Settings, clock: Clock) -> AccountCheckup:
    """The account and the market as they are now, for `doctor`. Raises nothing that a setting can cause."""
    terms, limits = rent_terms(settings), []
    try:
        check_caps(terms.policy, caps_of(settings))
    except BadConfiguration as error:
        limits = [Trouble(error.message.partition(" ")[0], error.message.rstrip("."))]
    try:
        connection = connect(settings, clock)
        company = company_of(settings, connection, terms)
        provider = company.provider(_no_boot_plan)
        assert isinstance(provider, VastProvider), "it is made here"
        with _ledger(settings) as ledger:
            asked = AskedFor(company.wanted, terms.policy, caps_of(settings))
            seen = look_at_account(connection, provider, asked, ledger)
    except JobRunnerError as error:
        return AccountCheckup(COMPANY, unasked=Trouble.of(COMPANY, error), limits=limits)
    refused = [Trouble("speeds", why.rstrip(".")) for why in bench_results(settings.jobs_data_dir).refused]
    return replace(seen, limits=limits or seen.limits, unseen=[*seen.unseen, *refused], image=terms.image)


@contextlib.contextmanager
def _ledger(settings: Settings) -> Iterator[Ledger | None]:
    """The ledger; None where nothing was ever rented, or it is of another version: looking changes none."""
    url = ledger_url(settings)
    if not is_current(url, **ledger_options(settings)):
        yield None
        return
    with contextlib.closing(open_ledger(url, **ledger_options(settings))) as ledger:
        yield ledger


def _no_boot_plan(label: str) -> BootPlan:
    raise AssertionError(f"whoever only looks rents nothing, and {label} was to be rented")
