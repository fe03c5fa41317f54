"""Looks at the account and the market for `doctor`, and rents nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from job_watcher.provisioning.accounts import accounts_of
from job_watcher.provisioning.acquirer import preemptions_lately
from job_watcher.provisioning.offers_now import offers_to_take
from lib.fleet import Caps, Policy
from lib.fleet.limits import Obstacle, obstacles
from lib.fleet.money import Accounts, hours_of_interest
from lib.jobs.doctor import Trouble
from lib.jobs.doctor_account import AccountCheckup
from lib.machines.port import Ledger
from lib.offer import Offer
from lib.providers.rental import AccountFault, PassingTrouble, ProviderError, RateLimited, RefusedForGood
from lib.providers.vast.account import SEARCHING, AccountReport, examine_account
from lib.providers.vast.connection import VastConnection
from lib.providers.vast.provider import VastProvider
from lib.providers.vast.refusals import SCOPES

COMPANY = "Vast"


@dataclass(frozen=True, slots=True)
class AskedFor:
    """What the settings ask of the market: words as in " of VAST_GPUS=RTX_4090", and limits."""

    words: str
    policy: Policy
    caps: Caps


def look_at_account(
    connection: VastConnection, provider: VastProvider, asked: AskedFor, ledger: Ledger | None
) -> AccountCheckup:
    """Ask for everything once.

    Raises:
        MissingExtra, BadConfiguration: nothing can be called at all.
        Unavailable: the ledger does not answer.
    """
    report = examine_account(connection, searches=False)
    seen = _of(report, asked.caps)
    if report.key_accepted is None:  # nobody answered, or nothing that could be read: all is unseen
        return replace(seen, unasked=next(iter(seen.unseen), None), unseen=())
    if not report.key_accepted:
        return seen
    now = connection.clock.now()
    try:
        preemptions = 0 if ledger is None else preemptions_lately(ledger, now)
        offers = offers_to_take(provider, asked.policy, preemptions)
    except ProviderError as error:
        if isinstance(error, RefusedForGood) and error.fault is AccountFault.SCOPE:
            return replace(seen, missing=[*seen.missing, SEARCHING])
        return replace(seen, unseen=[*seen.unseen, _of_the_market(error)])
    return _with_market(seen, offers, asked, _accounts(ledger, now))


def _of(report: AccountReport, caps: Caps) -> AccountCheckup:
    return AccountCheckup(
        COMPANY,
        key_accepted=report.key_accepted,
        needed=SCOPES,
        missing=report.missing,
        excess=report.excess or (),
        credit_micros=report.credit_micros,
        floor_micros=caps.credit_floor,
        can_pay=report.can_pay,
        ssh_keys=report.ssh_keys,
        clock_ahead_s=report.clock_ahead_s,
        unseen=[Trouble(COMPANY, part.sentence.rstrip("."), part.passing) for part in report.unseen],
    )


def _of_the_market(error: ProviderError) -> Trouble:
    return Trouble(
        "the market", error.message.rstrip("."), passing=isinstance(error, PassingTrouble | RateLimited)
    )


def _accounts(ledger: Ledger | None, now: float) -> Accounts:
    """What is spent and promised already, for a machine of a batch that begins now."""
    if ledger is None:
        return Accounts(now)
    found = accounts_of(ledger.books(hours_of_interest(now)), now, "")
    return replace(found, commitments=tuple(item._replace(batch=item.token) for item in found.commitments))


def _with_market(
    seen: AccountCheckup, offers: Sequence[Offer], asked: AskedFor, accounts: Accounts
) -> AccountCheckup:
    if not offers:
        subject = asked.words.removeprefix(" of ") or "the market"
        return replace(
            seen, market=Trouble(subject, f"{COMPANY} offers nothing{asked.words} now, or knows no such name")
        )
    found = obstacles(offers, asked.policy, asked.caps, accounts)
    return replace(
        seen,
        limits=[Trouble(item.setting, item.sentence) for item in found if item.setting],
        market=_lacking(found),
    )


def _lacking(found: Sequence[Obstacle]) -> Trouble | None:
    return next((Trouble("the market", item.sentence) for item in found if not item.setting), None)
