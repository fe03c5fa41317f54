"""Looks at an account before anything is rented on it: its key and what that may do, its money, its clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple

from lib.providers.rental import RateLimited
from lib.providers.vast.connection import VastConnection, VastRefusal
from lib.providers.vast.fields import Unreadable, as_row, micros, number
from lib.providers.vast.limiter import Route
from lib.providers.vast.refusals import SCOPES, Cause, Refusal

#: A rental that nobody has: to be refused for it takes the scope that renting takes, and changes nothing.
_NOBODYS: Final = 0
_SHOWN_KEY: Final = 4  # letters of a key that Vast shows
_HOUR_S: Final = 3600
#: The scope that a search takes.
SEARCHING: Final = "misc"
#: Nobody need mend anything for the next try to succeed.
_PASSING: Final = frozenset({Cause.RATE, Cause.SERVER, Cause.NO_ANSWER, Cause.UNREADABLE, Cause.ODD})


class UnseenPart(NamedTuple):
    """What of the account could not be looked at, and whether a later look may succeed by itself."""

    sentence: str
    passing: bool


@dataclass(frozen=True, slots=True)
class AccountReport:
    """What was found. None: it could not be told; `unseen` says why, unless the key may not ask for it.

    `missing` are scopes that the key needs and has not, `excess` those that it has and does not need: whoever
    steals it could do that too. `clock_ahead_s` is by how much our clock is ahead of Vast's, to a second.
    Vast does not show the limit of what a new account may spend in an hour: renting is refused by it.
    """

    key_accepted: bool | None = None
    missing: tuple[str, ...] = ()
    excess: tuple[str, ...] | None = None
    credit_micros: int | None = None
    can_pay: bool | None = None
    ssh_keys: int | None = None
    clock_ahead_s: float | None = None
    unseen: tuple[UnseenPart, ...] = ()


def examine_account(connection: VastConnection, *, searches: bool = True) -> AccountReport:
    """Ask for everything once, and change nothing.

    Whoever `searches` the market afterwards says False: few searches may be made in a row, and they tell
    whether the key may search.

    Raises:
        MissingExtra, BadConfiguration: nothing can be called at all.
    """
    connection.check()
    found = _Examination(connection)
    found.user()
    if found.report.key_accepted:
        found.scopes(searches=searches)
        found.ssh_keys()
    return found.report


class _Examination:
    """One look at one account."""

    def __init__(self, connection: VastConnection) -> None:
        self._connection = connection
        self.report = AccountReport()

    def user(self) -> None:
        """The key, the money and the clock."""
        sent = self._connection.clock.now()
        answer = self._ask(Route.ACCOUNT, "user_read", _user)
        if answer is None:
            return
        row, date = answer
        ahead = (sent + self._connection.clock.now()) / 2 - date if date is not None else None
        self._note(key_accepted=True, clock_ahead_s=None if ahead is None else float(round(ahead)))
        try:
            self._note(credit_micros=micros(number(row, "credit")), can_pay=row.get("can_pay") is True)
        except Unreadable as error:
            self._miss(f"Vast's answer about the account cannot be read: {error}.", passing=False)

    def scopes(self, *, searches: bool) -> None:
        """What the key may do: each is tried, for what Vast says of keys need not be there."""
        now = int(self._connection.clock.now())
        self._ask(Route.LIST, "instance_read", lambda vast: vast.show_instances_v1({"limit": 1}))
        self._ask(
            Route.CHARGES,
            "billing_read",
            lambda vast: vast.show_invoices_v1(
                charges=True, start_date=now - _HOUR_S, end_date=now, charge_type=["instance"], limit=1
            ),
        )
        if searches:
            self._ask(Route.OFFERS, SEARCHING, lambda vast: vast.search_offers(query={}, limit=1))
        self._ask(
            Route.SHOW,
            "instance_write",
            lambda vast: vast.label_instance(_NOBODYS, ""),
            fine=(Cause.NO_SUCH_INSTANCE, Cause.REFUSED),
        )
        rows = self._ask(Route.KEYS, "", lambda vast: vast.show_api_keys(), fine=(Cause.SCOPE,))
        told = _scopes_of(rows, self._connection.key_begins_with(_SHOWN_KEY))
        if told is not None:
            self._note(excess=tuple(sorted(told - set(SCOPES))))

    def ssh_keys(self) -> None:
        """Keys of the account, which get into every machine; ours are given to each by itself."""
        try:
            rows = self._connection.call(
                Route.KEYS, lambda vast: vast.show_ssh_keys(), self._connection.deadline()
            )
        except VastRefusal as error:
            refusal = error.refusal
            if "no ssh keys" in refusal.words.lower():
                self._note(ssh_keys=0)
            elif refusal.cause is not Cause.SCOPE:  # the least of keys may not ask for them
                self._refused("the account's SSH keys", refusal)
            return
        except RateLimited as error:
            self._miss(f"The account's SSH keys could not be looked at: {error}", passing=True)
            return
        self._note(ssh_keys=len(rows) if isinstance(rows, list) else None)

    def _ask(self, route: Route, scope: str, ask: Callable[[Any], Any], fine: Iterable[Cause] = ()) -> Any:
        """The answer; None where there is none, and then the report says what that means."""
        try:
            return self._connection.call(route, ask, self._connection.deadline())
        except VastRefusal as error:
            refusal = error.refusal
            if refusal.cause in fine:
                return None
            if refusal.cause is Cause.SCOPE:
                self._note(key_accepted=True, missing=(*self.report.missing, scope))
            elif refusal.cause is Cause.KEY:
                self._note(key_accepted=False)
            else:
                self._refused(scope or "its keys", refusal)
        except (RateLimited, Unreadable) as error:
            passing = isinstance(error, RateLimited)
            self._miss(f"{scope or 'its keys'} could not be looked at: {error}", passing=passing)
        return None

    def _note(self, **facts: Any) -> None:
        self.report = replace(self.report, **facts)

    def _refused(self, what: str, refusal: Refusal) -> None:
        sentence = f"Vast did not let {what} be looked at: {refusal.words}."
        self._miss(sentence, passing=refusal.cause in _PASSING)

    def _miss(self, sentence: str, *, passing: bool) -> None:
        self._note(unseen=(*self.report.unseen, UnseenPart(sentence, passing)))


def _user(vast: Any) -> tuple[Mapping[str, Any], float | None]:
    """The account, and the time that the server has."""
    answer = vast.client.get("/users/current")
    answer.raise_for_status()
    try:
        date = parsedate_to_datetime(str(answer.headers.get("Date"))).timestamp()
    except (ValueError, OverflowError):
        date = None
    return as_row(answer.json(), "the account"), date


def _scopes_of(rows: object, begin: str) -> frozenset[str] | None:
    """What Vast says that the key may do, of which it shows the first letters; None: it does not say."""
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and str(row.get("key", "")).startswith(begin):
            told = row.get("permissions")
            scopes = told.get("api") if isinstance(told, dict) else None
            return frozenset(map(str, scopes)) if isinstance(scopes, dict) else None
    return None
