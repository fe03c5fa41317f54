"""`RentalProvider` over Vast.ai: one request, or one listing of several pages, for each call of the port."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn, TypeVar

from lib.offer import Offer
from lib.providers.rental import (
    BillLine,
    HalfRented,
    Listing,
    MakeBootPlan,
    NoOffer,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Rental,
)
from lib.providers.vast.asks import PAGE, Wanted, ask_and_bid, query, read_offers
from lib.providers.vast.charges import DAY_S, read_charge
from lib.providers.vast.charges import PAGE as CHARGES_PAGE
from lib.providers.vast.connection import CALL_S, VastConnection, VastRefusal, unreadable
from lib.providers.vast.fields import Unreadable, as_row, for_people, number
from lib.providers.vast.limiter import Route
from lib.providers.vast.machine_logs import read_logs
from lib.providers.vast.onstart import onstart
from lib.providers.vast.paging import Pages
from lib.providers.vast.refusals import Cause, error_of
from lib.providers.vast.rows import read_rental

T = TypeVar("T")

_CHARGES_COME_S: Final = 12 * 3600  # after the end of their day
_LIST_PAGE: Final = 25
_ID: Final = re.compile(r"[1-9][0-9]{0,17}")
_LOG_LINES: Final = 400


class VastProvider:
    """Rents on one account, `wanted` and nothing else. `boot_plan` is asked just before each rental.

    Threads: any; calls go one after another, those that destroy first.

    Raises: as `RentalProvider`, and from every method MissingExtra and BadConfiguration where nothing can be
    called at all.
    """

    name = "vast"

    def __init__(self, connection: VastConnection, wanted: Wanted, boot_plan: MakeBootPlan) -> None:
        self._connection, self._wanted, self._boot_plan = connection, wanted, boot_plan

    # --- the port ------------------------------------------------------------------------------------------

    def offers(self, *, interruptible: bool) -> Sequence[Offer]:
        """The best of the market by power for money, each with all its facts."""
        doing, wanted = "the search for offers", self._wanted

        def ask(vast: Any) -> Any:
            return vast.search_offers(
                query=query(wanted),
                type="bid" if interruptible else "on-demand",
                order="dlperf_per_dphtotal-",
                limit=PAGE,
                storage=float(wanted.disk_gb),
            )

        rows = self._ask(Route.OFFERS, doing, ask)
        return self._read(doing, lambda: read_offers(rows, wanted, interruptible=interruptible))

    def rent(self, offer: Offer, *, label: str, expires_at: float) -> str:
        """Rent, once. The answer is believed only where it says plainly what happened."""
        doing, connection = f"offer {offer.id}", self._connection
        try:
            ask_id, bid = ask_and_bid(offer.id)
        except Unreadable as error:
            raise NoOffer(f"{error}.") from None
        plan = self._boot_plan(label)
        script = onstart(plan, url=connection.url, now=connection.clock.now(), expires_at=expires_at)

        def ask(vast: Any) -> Any:
            return vast.create_instance(
                ask_id,
                image=self._wanted.image,
                disk=self._wanted.disk_gb,
                label=label,
                onstart_cmd=script,
                price=bid,
                cancel_unavail=True,
                ssh=True,
                direct=True,
            )

        try:
            answer = connection.call(Route.RENT, ask, connection.deadline())
        except VastRefusal as error:
            self._refused_to_rent(error, doing)
        return self._rented(answer, doing)

    def list(self) -> Listing:
        """Every rental of the account, page by page, counted against Vast's own total."""
        pages = Pages(self._connection, Route.LIST, "instances", self._connection.deadline())
        doing = "the listing of rentals"
        rentals: dict[str, Rental] = {}
        problem = ""
        try:
            for row in pages.rows(_list_page):
                try:
                    rental = read_rental(row)
                except Unreadable as error:
                    problem = f"a row cannot be read: {error}"
                else:
                    rentals[rental.instance] = rental
        except VastRefusal as error:
            if not pages.read:
                raise self._error(error, doing) from None
            problem = error.refusal.words
        except (RateLimited, Unreadable) as error:
            if not pages.read:
                raise error if isinstance(error, RateLimited) else unreadable(doing, error) from None
            problem = str(error)
        if not problem and pages.total != len(rentals):
            problem = f"{len(rentals)} rentals came, and Vast counts {pages.total}"
        return Listing(tuple(rentals.values()), complete=not problem, problem=for_people(problem))

    def show(self, instance: str) -> Rental | None:
        """One rental; None only where Vast says plainly that there is none."""
        doing, number_ = f"rental {instance}", _id(instance)
        try:
            answer = self._connection.call(
                Route.SHOW, lambda vast: _show(vast, number_), self._connection.deadline()
            )
        except VastRefusal as error:
            if error.refusal.cause is Cause.NO_SUCH_INSTANCE:
                return None
            raise self._error(error, doing) from None
        return self._read(doing, lambda: _shown(answer, instance))

    def destroy(self, instance: str) -> None:
        """Ask to end a rental; that it is gone already is no error, and nothing else passes for that."""
        number_ = _id(instance)
        try:
            self._connection.call(
                Route.DESTROY, lambda vast: vast.destroy_instance(number_), self._connection.deadline()
            )
        except VastRefusal as error:
            if error.refusal.cause is Cause.NO_SUCH_INSTANCE:
                return
            doing = f"the end of rental {instance}"
            if error.refusal.cause in (Cause.NO_ANSWER, Cause.SERVER, Cause.UNREADABLE):
                raise OutcomeUnknown(f"Vast did not confirm {doing}: {error.refusal.words}.") from None
            raise self._error(error, doing) from None

    def credit_micros(self) -> int:
        """What is left of what was paid in advance."""
        doing = "the account's credit"
        answer = self._ask(Route.ACCOUNT, doing, lambda vast: vast.show_user())
        return self._read(doing, lambda: int(number(as_row(answer, "the account"), "credit") * 1_000_000))

    def bill(self, since: float) -> Sequence[BillLine]:
        """What was charged since then; rows of days that began before it are whole."""
        doing = "the bill"
        pages = Pages(self._connection, Route.CHARGES, "results", self._connection.deadline())
        now = self._connection.clock.now()
        lines: list[BillLine] = []

        def page(vast: Any, token: str | None) -> Any:
            after = {} if token is None else {"next_token": token}
            return vast.show_invoices_v1(
                charges=True,
                start_date=int(since // DAY_S * DAY_S),
                end_date=int(now) + 1,
                charge_type=["instance"],
                limit=CHARGES_PAGE,
                **after,
            )

        try:
            for row in pages.rows(page):
                lines += read_charge(row)
        except VastRefusal as error:
            raise self._error(error, doing) from None
        except Unreadable as error:
            raise unreadable(doing, error) from None
        return lines

    def billed_until(self, now: float) -> float:
        """The end of the last day (UTC) that is over for so long that its charges have come."""
        return (now - _CHARGES_COME_S) // DAY_S * DAY_S

    # --- beside the port -----------------------------------------------------------------------------------

    def logs(self, instance: str, *, of_host: bool = False, patience_s: float = CALL_S) -> str:
        """The latest of what a machine wrote at its start, or of what its host says of it; not to be trusted.

        At most 256 KiB. Vast collects them first, which takes seconds.

        Raises:
            PassingTrouble: they did not come in time.
        """
        doing, connection = f"the log of rental {instance}", self._connection
        until = connection.clock.monotonic() + min(patience_s, CALL_S)
        try:
            return read_logs(connection, _id(instance), until, lines=_LOG_LINES, of_host=of_host)
        except VastRefusal as error:
            raise self._error(error, doing) from None
        except Unreadable as error:
            raise unreadable(doing, error) from None

    # --- answers -------------------------------------------------------------------------------------------

    def _ask(self, route: Route, doing: str, ask: Callable[[Any], Any]) -> Any:
        try:
            return self._connection.call(route, ask, self._connection.deadline())
        except VastRefusal as error:
            raise self._error(error, doing) from None

    def _read(self, doing: str, read: Callable[[], T]) -> T:
        try:
            return read()
        except Unreadable as error:
            raise unreadable(doing, error) from None

    def _error(self, error: VastRefusal, doing: str) -> ProviderError | NoOffer:
        return error_of(error.refusal, doing)

    def _refused_to_rent(self, error: VastRefusal, doing: str) -> NoReturn:
        refusal = error.refusal
        if refusal.contract is not None:
            raise HalfRented(
                f"Vast refused {doing} ({refusal.words}), and made rental {refusal.contract} all the same.",
                str(refusal.contract),
            ) from None
        if refusal.is_clear:
            raise self._error(error, doing) from None
        raise OutcomeUnknown(f"It is not known whether Vast rented {doing}: {refusal.words}.") from None

    def _rented(self, answer: object, doing: str) -> str:
        row = answer if isinstance(answer, dict) else {}
        contract = row.get("new_contract")
        if isinstance(contract, int) and not isinstance(contract, bool) and contract > 0:
            if row.get("success") is True:
                return str(contract)
            raise HalfRented(f"Vast does not say that {doing} is ours, and made {contract}.", str(contract))
        raise OutcomeUnknown(f"Vast's answer does not say whether {doing} was rented.")


def _id(instance: str) -> int:
    if not _ID.fullmatch(instance):
        raise ProviderError(f"{for_people(instance)!r} is no rental of Vast's: those have numbers.")
    return int(instance)


def _list_page(vast: Any, token: str | None) -> Any:
    order = [{"col": "id", "dir": "asc"}]
    after = {} if token is None else {"after_token": token}
    return vast.show_instances_v1({"select_filters": {}, "order_by": order, "limit": _LIST_PAGE, **after})


def _show(vast: Any, number_: int) -> Any:
    """The SDK's own method changes the row, and breaks on one that is odd."""
    answer = vast.client.get(f"/instances/{number_}/", query_args={"owner": "me"})
    answer.raise_for_status()
    return answer.json()


def _shown(answer: object, instance: str) -> Rental | None:
    found = as_row(answer, "the answer")
    if "instances" not in found:
        raise Unreadable("it shows nothing")
    if found["instances"] is None:
        return None
    rental = read_rental(found["instances"])
    if rental.instance != instance:
        raise Unreadable(f"it shows {rental.instance}")
    return rental
