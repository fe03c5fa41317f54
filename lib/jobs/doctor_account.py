"""Judges whether machines could be rented on the account that the settings name: facts in, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lib.findings import Finding, FindingKind, Severity
from lib.fleet.money import dollars
from lib.jobs.doctor import Trouble
from lib.units import seconds_text

_E, _W = Severity.ERROR, Severity.WARNING

NOT_ASKED: Final = FindingKind("D029", _E, "The account cannot be asked")
LIMITS_FORBID: Final = FindingKind("D030", _E, "The limits let nothing be rented")
KEY_REFUSED: Final = FindingKind("D031", _E, "The account's key is not accepted")
SCOPES_MISSING: Final = FindingKind("D032", _E, "The account's key may not do what renting needs")
SCOPES_EXCESS: Final = FindingKind("D033", _W, "The account's key may do more than renting needs")
CREDIT_LOW: Final = FindingKind("D034", _E, "The account's credit is at its floor")
MAY_NOT_SPEND: Final = FindingKind("D035", _W, "The company says that the account cannot pay")
KEYS_OF_ALL: Final = FindingKind("D036", _W, "SSH keys of the account open every machine")
COMPANY_CLOCK: Final = FindingKind("D037", _W, "The clocks of this machine and of the company differ")
MARKET_LACKS: Final = FindingKind("D038", _E, "The market has no machine that was asked for")
PARTLY_SEEN: Final = FindingKind("D039", _E, "Something of the account could not be looked at")
IMAGE_BY_NAME: Final = FindingKind("D040", _W, "Rented machines run an image that may change")

KINDS: Final = (
    *(NOT_ASKED, LIMITS_FORBID, KEY_REFUSED, SCOPES_MISSING, SCOPES_EXCESS, CREDIT_LOW, MAY_NOT_SPEND),
    *(KEYS_OF_ALL, COMPANY_CLOCK, MARKET_LACKS, PARTLY_SEEN, IMAGE_BY_NAME),
)

#: A machine ends itself by its own clock, at a time that was told to it by ours.
_SKEW_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class AccountCheckup:
    """What was looked at. None: it could not be told, or there is nothing to tell.

    Money is micro-dollars. `excess` are scopes that the key need not have, `limits` what forbids renting
    whatever the market offers or on the market as it is, `market` why no machine would be found there,
    `image` what machines run,
    `unseen` what could not be looked at.
    """

    company: str
    unasked: Trouble | None = None
    limits: Sequence[Trouble] = ()
    key_accepted: bool | None = None
    needed: Sequence[str] = ()
    missing: Sequence[str] = ()
    excess: Sequence[str] = ()
    credit_micros: int | None = None
    floor_micros: int = 0
    can_pay: bool | None = None
    ssh_keys: int | None = None
    clock_ahead_s: float | None = None
    market: Trouble | None = None
    unseen: Sequence[Trouble] = ()
    image: str | None = None


def diagnose_account(seen: AccountCheckup) -> list[Finding]:
    """All that is wrong, in the order of the ids. Pure."""
    found = [*_of_asking(seen), *_of_the_key(seen), *_of_money(seen), *_of_the_rest(seen)]
    return sorted(found, key=lambda item: item.kind.id)


def _of_asking(seen: AccountCheckup) -> Iterator[Finding]:
    if seen.unasked is not None:
        passing = seen.unasked.passing
        fix = "try again in a minute" if passing else "mend what it says"
        yield Finding(NOT_ASKED, seen.unasked.subject, seen.unasked.sentence, fix, passing=passing)
    for trouble in seen.unseen:  # what nobody saw is not in order
        passing = trouble.passing
        fix = "try again in a minute; nothing is rented by this" if passing else "mend what it says"
        yield Finding(PARTLY_SEEN, trouble.subject, trouble.sentence, fix, passing=passing)


def _of_the_key(seen: AccountCheckup) -> Iterator[Finding]:
    if seen.key_accepted is False:
        yield Finding(
            KEY_REFUSED,
            "VAST_API_KEY",
            f"{seen.company} does not accept it",
            "make a new key on the account's page, and put it there",
        )
    if seen.missing:
        yield Finding(
            SCOPES_MISSING,
            "VAST_API_KEY",
            f"it lacks {', '.join(seen.missing)}",
            f"make a key with {', '.join(seen.needed)}",
        )
    if seen.excess:
        yield Finding(
            SCOPES_EXCESS,
            "VAST_API_KEY",
            f"it may {', '.join(seen.excess)} too, and so may whoever steals it",
            f"make a key with {', '.join(seen.needed)} and nothing else",
        )


def _of_money(seen: AccountCheckup) -> Iterator[Finding]:
    for limit in seen.limits:
        yield Finding(
            LIMITS_FORBID, limit.subject, limit.sentence, f"set {limit.subject} to what is needed, or wait"
        )
    credit, floor = seen.credit_micros, seen.floor_micros
    if credit is not None and credit <= floor:
        yield Finding(
            CREDIT_LOW,
            seen.company,
            f"{dollars(credit)} of credit is left and CREDIT_FLOOR is {dollars(floor)}, so nothing is rented",
            "add credit on the account's page, or set CREDIT_FLOOR lower",
        )
    if seen.can_pay is False and credit is not None and credit > floor:
        yield Finding(
            MAY_NOT_SPEND,
            seen.company,
            "it says can_pay: no, which may mean a limit for new accounts",
            "look at the billing page of the account; a new one may spend little in an hour",
        )


def _of_the_rest(seen: AccountCheckup) -> Iterator[Finding]:
    if seen.image is not None and "@sha256:" not in seen.image:
        yield Finding(
            IMAGE_BY_NAME,
            seen.image,
            "it has a name and no digest, so whoever may publish under that name chooses what machines run",
            f"docker buildx imagetools inspect {seen.image} tells its digest; put the "
            "image with it into VAST_IMAGE",
        )
    if seen.ssh_keys:
        keys = "1 SSH key is" if seen.ssh_keys == 1 else f"{seen.ssh_keys} SSH keys are"
        yield Finding(
            KEYS_OF_ALL,
            seen.company,
            f"{keys} on the account, and whoever has one gets into every machine that is rented",
            "delete those that are not yours; renting needs none, for each machine gets a key of its own",
        )
    ahead = seen.clock_ahead_s or 0.0
    if abs(ahead) > _SKEW_S:
        which = "ahead of" if ahead > 0 else "behind"
        yield Finding(
            COMPANY_CLOCK,
            "this machine",
            f"its clock is {seconds_text(abs(ahead))} {which} that of {seen.company}, so machines end "
            "themselves as much too late or too early",
            "let NTP set it (timedatectl set-ntp true)",
        )
    if seen.market is not None:
        yield Finding(
            MARKET_LACKS,
            seen.market.subject,
            seen.market.sentence,
            "ask for other machines; job-watcher instances --why shows each offer and what is against it",
        )
