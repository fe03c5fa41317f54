"""The port of companies that rent machines by the hour.

Money is whole micro-dollars (a millionth of a US dollar), times are seconds since the epoch, sizes GB,
networks megabits a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from lib.errors import TryAgain, Unavailable
from lib.offer import Offer


class ProviderError(Unavailable):
    """The provider refused, in its own words, and nothing was changed."""


class PassingTrouble(ProviderError):
    """The provider does not answer, or with an error of its own; nothing was changed. It will pass."""


class RateLimited(ProviderError):
    """Too many calls; this one had no effect. Ask again in `after_s` seconds, where that is known."""

    def __init__(self, message: str, after_s: float | None = None) -> None:
        super().__init__(message)
        self.after_s = after_s


class AccountFault(StrEnum):
    """What of the account keeps a call from being done."""

    KEY = "key"  # the credential is wrong, revoked or expired
    SCOPE = "scope"  # the credential may not do this
    CREDIT = "credit"  # no money is left
    SPEND_LIMIT = "spend limit"  # the company lets the account spend no faster
    PROTOCOL = "protocol"  # the company has retired what we call


class RefusedForGood(ProviderError):
    """The account may not do this, and no other offer or try helps: a person must mend it first."""

    def __init__(self, message: str, fault: AccountFault) -> None:
        super().__init__(message)
        self.fault = fault


class NoOffer(TryAgain):
    """Somebody else took the offer first; nothing was rented."""


class NoCredit(RefusedForGood):
    """The account has no money left; nothing was rented, and no other offer would be."""

    def __init__(self, message: str) -> None:
        super().__init__(message, AccountFault.CREDIT)


class OutcomeUnknown(Unavailable):
    """No answer, or one that cannot be understood: the call may have had its effect or not."""


class HalfRented(ProviderError):
    """The provider refused and made a rental all the same; it bills until it is destroyed."""

    def __init__(self, message: str, instance: str) -> None:
        super().__init__(message)
        self.instance = instance


class RentalStatus(StrEnum):
    """What the provider says of a rental."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPED = "stopped"  # by us or by anybody; the disk is billed
    OFFLINE = "offline"
    BROKEN = "broken"  # an error that does not mend itself


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a machine's SSH server may be reached. Host and port come from the provider: not trusted."""

    host: str
    port: int
    direct: bool  # the machine itself; else a proxy of the provider's before it


@dataclass(frozen=True, slots=True)
class BootPlan:
    """What a machine is told at its start, beside its label and its end. Holds no secret.

    The machine ends itself when nobody came for `nobody_s` seconds, and when nobody renewed its lease for
    `lease_s` after somebody had come.
    """

    public_key: str  # one line as in authorized_keys: who may come in
    nonce: str  # letters and digits that the machine has to repeat: that it is the one we rented
    lease_s: int = 900
    nobody_s: int = 2400


#: Makes what the machine of that label is told, before it is asked for; raises nothing but JobRunnerError.
MakeBootPlan = Callable[[str], BootPlan]


@dataclass(frozen=True, slots=True)
class Rental:
    """One rental of the account, ours or not: the label tells.

    `endpoints` are where it may be reached now, the best first; none until the provider knows any. `progress`
    changes as it comes up, where the provider shows how far it is; else "". `is_image_bad`: it is broken, and
    for a reason that lies in the image that we named, so that it would be the same anywhere.
    """

    instance: str
    label: str
    status: RentalStatus
    hourly_micros: int
    machine_id: str
    started_at: float
    message: str = ""
    endpoints: tuple[Endpoint, ...] = ()
    progress: str = ""
    is_image_bad: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """What the account rents. Only a `complete` one says anything about what is not in it.

    An adapter sets `complete` when it read every page and the provider's own totals agree with the rows.
    """

    rentals: Sequence[Rental]
    complete: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class BillLine:
    """What the provider charges for one rental in one hour (since the epoch) for one category."""

    instance: str
    label: str
    category: str  # "compute", "storage", "bandwidth"
    hour: int
    micros: int


class RentalProvider(Protocol):
    """A company that rents GPUs by the hour.

    Calls block, and return within 30 s or raise. No call retries by itself: the caller owns the schedule.

    Raises, from every method:
        RateLimited: the call had no effect; ask again later.
        RefusedForGood: the account may not do this until a person mends it.
        ProviderError: any other refusal, with the provider's own words; it had no effect.
        OutcomeUnknown: the call may have had its effect.
    """

    name: str

    def offers(self, *, interruptible: bool) -> Sequence[Offer]:
        """Machines that could be rented now, each with all its facts: none is left to a default.

        One may be gone, or dearer, when it is asked for.
        """
        ...

    def rent(self, offer: Offer, *, label: str, expires_at: float) -> str:
        """Rent `offer` and return the rental's id at once, before the machine is reachable.

        The machine is told to end itself at `expires_at`.

        Raises:
            NoOffer: someone else took it first.
            NoCredit: the account has no money.
            HalfRented: refused, and a rental exists; the caller must destroy it.
            OutcomeUnknown: there may be a rental with this label; only listings can tell.
        """
        ...

    def list(self) -> Listing:
        """Every rental of the account. A fresh one may be missing for two minutes."""
        ...

    def show(self, instance: str) -> Rental | None:
        """One rental; None when the provider says that there is none of this id."""
        ...

    def destroy(self, instance: str) -> None:
        """Ask to stop paying for a rental. Destroying one that is gone succeeds; it may linger in lists."""
        ...

    def credit_micros(self) -> int:
        """What is left on the account."""
        ...

    def bill(self, since: float) -> Sequence[BillLine]:
        """Hourly totals of every rental charged since then, ended ones too. Final up to `billed_until`."""
        ...

    def billed_until(self, now: float) -> float:
        """The time up to which the bill is final now, or the beginning of an hour before it. Asks nobody.

        Some tell what a day cost when it is long over; until then only our own count says what was spent.
        """
        ...
