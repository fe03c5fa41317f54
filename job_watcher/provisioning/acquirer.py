"""Rents one machine: search, choose, reserve, write down, ask once, write down the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from job_watcher.provisioning.accounts import Accountant, accounts_of
from job_watcher.provisioning.fenced_calls import FencedCalls
from job_watcher.provisioning.payers import Payers
from job_watcher.provisioning.ports import Config, ProvisioningParts
from lib.errors import Unavailable
from lib.fleet import Demand, Host, Machine, MachineEvent, Offer, Score, Speeds, State, best, ranked
from lib.fleet.host_history import MUTE, HostIncident, remembered
from lib.fleet.limits import obstacles
from lib.fleet.money import Accounts, Budget, Commitment, credit_refusal, hours_of_interest
from lib.fleet.own_faults import LOOKED_BACK_ON_S, own_fault
from lib.fleet.scaling import COMING, needed_life_s, paid_for, wants_another
from lib.machines.labels import MachineLabel
from lib.machines.model import Books, HostNote, Intent
from lib.machines.port import Ledger, SpendingRefused
from lib.providers.rental import (
    AccountFault,
    HalfRented,
    NoOffer,
    OutcomeUnknown,
    ProviderError,
    RefusedForGood,
)
from lib.spool import SpoolUnusable
from lib.units import MICROS

MEMORY_S = 30 * 86_400.0
_PREEMPTIONS_S = 2 * 3600.0
_TRIED_S = 900.0
_KINDS = {AccountFault.CREDIT: "credit", AccountFault.SPEND_LIMIT: "credit"}
_SPEND_LIMIT_S = 3600.0  # an account that may not spend faster yet may do so in some hours
_CANDIDATES = 8  # offers that are tried against the caps in one search


class Acquirer:
    """Rents machines, one in a pass.

    Threads: the loop's only.

    Raises: Unavailable from `preemptions` and `consider`, where ledger or provider does not answer;
    StaleEpoch or NotLeading from `consider` and `look_around`, where another watcher leads;
    RowChanged from `consider`.
    """

    def __init__(
        self,
        parts: ProvisioningParts,
        config: Config,
        accountant: Accountant,
        speeds: Speeds,
        is_any_speakable: Callable[[], bool],
    ) -> None:
        self._parts, self._config, self._speeds = parts, config, speeds
        self._is_any_speakable = is_any_speakable
        self._accountant = accountant
        self._payers = Payers(parts, config)
        self._next_search = 0.0
        self._next_look = 0.0
        self._barred_until = 0.0  # whatever work comes
        self._began = parts.clock.now()
        self._tried: dict[str, float] = {}  # machines that could not be rented, until when
        self._told = ""
        self._offers: dict[str, Offer] = {}
        self._rest = config.intervals.fruitless_s
        self._known_jobs = 0
        self.last_scores: list[Score] = []

    def heed(self, jobs: int) -> None:
        """Search at once where there is more work than before."""
        if jobs > self._known_jobs:
            self._next_search = 0.0
        self._known_jobs = jobs

    def rests_for(self) -> float:
        """Seconds until the next search."""
        return max(0.0, max(self._next_search, self._barred_until) - self._parts.clock.monotonic())

    def preemptions(self) -> int:
        """How often machines were taken from us lately."""
        return preemptions_lately(self._parts.ledger, self._parts.clock.now())

    def consider(
        self, fenced: FencedCalls, demand: Demand, machines: Sequence[Machine], *, orphans: int = 0
    ) -> None:
        """Rent one machine if one more is worth it and affordable.

        `orphans` are rentals that no row explains:
        they are paid for until they are gone, so they count as the others do.

        Raises:
            Unavailable: the provider or the ledger does not answer; nothing was rented.
        """
        tick = self._parts.clock.monotonic()
        coming = sum(item.state in COMING for item in machines)
        full = paid_for(machines) + orphans >= self._config.policy.max_machines
        if not demand.waiting or full or self.rests_for() > 0:
            return
        intervals = self._config.intervals
        self._next_search = tick + intervals.search_s
        in_vain = self._in_vain(fenced)
        if in_vain is not None:
            self._bar(*in_vain)
            return
        self._payers.look(demand.running)
        scores = self._search(fenced, demand, machines)
        if best(scores) is None:
            self._hold_back(*self._nothing_to_rent(scores))
            return
        self._accountant.charge(fenced, self._parts.ledger.open_rows())  # what ran since the last time counts
        now = self._parts.clock.now()
        books = self._accountant.books(now, self._payers.to_judge())
        none_pays = self._judge_payers(books, now)
        # what nobody pays for is no reason to rent; machines that are there may speak it
        demand = replace(demand, waiting=max(0, demand.waiting - self._payers.unpaid_jobs()))
        refused = ""
        for batch in self._payers.paying():
            accounts = accounts_of(books, now, batch)
            found = self._affordable(scores, demand, coming, accounts, batch)
            if isinstance(found, str):
                refused = refused or self._limit(accounts, batch) or found
                continue
            chosen, wish = found
            why = wants_another(demand, machines, chosen.offer, self._config.policy, self._speeds)
            if why is not None and self._has_work(fenced):
                self._reserve(fenced, chosen, wish, accounts, why)
            return
        if refused or none_pays:
            self._hold_back("cap", refused or none_pays or "")
        elif none_pays is not None:
            self._rest_longer()

    def _has_work(self, fenced: FencedCalls) -> bool:
        """Whether a new machine would have anything to do: a job whose voice is gone keeps none at work.

        Where that cannot be written down now none is rented, and those that we have must not be left for it.
        """
        fenced.check()
        try:
            return self._is_any_speakable()
        except SpoolUnusable as error:
            self._parts.tell("trouble", error.message, "")
            return False

    def _judge_payers(self, books: Books, now: float) -> str | None:
        """Tell of batches that reached their cap; why none of those that wait pays, None where one may."""
        news, none_pays = self._payers.judge(books, self._offers.values(), now), self._payers.why_none()
        for sentence in news:
            if sentence != none_pays or self._told == "cap":  # else it holds back all renting, and is told so
                self._parts.tell("batch_cap", sentence, "")
        return none_pays

    def _affordable(
        self, scores: Sequence[Score], demand: Demand, coming: int, accounts: Accounts, batch: str
    ) -> tuple[Score, Commitment] | str:
        """The best offer that the caps can pay for long enough, and its reservation; else what refuses.

        A dear one that does not fit must not hide a cheaper one that does: it would be the best for ever.
        """
        policy, now = self._config.policy, accounts.now
        budget = Budget(accounts, self._config.caps)
        left, refused = list(scores), ""
        for _ in range(_CANDIDATES):
            chosen = best(left)
            if chosen is None:
                break
            offer = chosen.offer
            end = now + needed_life_s(demand, offer, coming + 1, policy, self._speeds)
            end = end if offer.contract_end is None else min(end, offer.contract_end)
            wish = Commitment("", offer.hourly_micros, offer.fee_micros, end, batch)
            life = budget.affordable_life(wish, policy.least_life_s)
            if life:
                return chosen, wish._replace(until=float(int(now + life)))
            least = wish._replace(until=now + policy.least_life_s)
            refused = refused or budget.refusal(least) or "its contract ends too soon"
            left.remove(chosen)
        return refused

    def _search(self, fenced: FencedCalls, demand: Demand, machines: Sequence[Machine]) -> list[Score]:
        policy, now = self._config.policy, self._parts.clock.now()
        provider = fenced.provider
        self._offers = {item.id: item for item in fenced.ask(provider.offers, interruptible=False)}
        if policy.interruptible and demand.preemptions < policy.preemptions_until_on_demand:
            self._offers |= {item.id: item for item in fenced.ask(provider.offers, interruptible=True)}
        tick = self._parts.clock.monotonic()
        self._tried = {name: until for name, until in self._tried.items() if until > tick}
        taken = {item.machine_id for item in machines}.union(self._tried)
        notes = self._parts.ledger.host_notes(now - MEMORY_S)
        hosts: dict[str, Host] = remembered(map(incident_of, notes), now)
        offers = self._offers.values()
        caps, speeds = self._config.caps, self._speeds
        self.last_scores = ranked(
            offers, demand, policy, caps, speeds, hosts, now=now, taken=frozenset(taken)
        )
        self._show(tick)
        return self.last_scores

    def look_around(self, fenced: FencedCalls, demand: Demand, machines: Sequence[Machine]) -> None:
        """Look at the market now and then though nothing is to be rented: people price batches with it."""
        if self._parts.market is None or self._parts.clock.monotonic() < self._next_look:
            return
        self._next_look = self._parts.clock.monotonic() + self._config.intervals.market_s  # also if it fails
        try:
            self._search(fenced, demand, machines)
        except Unavailable as error:
            self._parts.tell("trouble", error.message, "")

    def _show(self, tick: float) -> None:
        if self._parts.market is not None:
            fit = [item.offer for item in self.last_scores if item.objection is None]
            self._next_look = tick + self._config.intervals.market_s
            self._parts.market.show(fit, self._speeds)

    def _reserve(
        self, fenced: FencedCalls, chosen: Score, wish: Commitment, accounts: Accounts, why: str
    ) -> None:
        """Write the intent with its reservation, if the credit and the caps at that moment allow it."""
        now, caps, offer = accounts.now, self._config.caps, chosen.offer
        broke = credit_refusal(fenced.ask(fenced.provider.credit_micros), accounts, caps)
        if broke is not None:
            self._hold_back("credit", broke)
            return

        def room(books: Books) -> str | None:
            return Budget(accounts_of(books, now, wish.batch), caps).refusal(wish)

        intent = self._intent(fenced, chosen, wish, now, why)
        try:
            hours = hours_of_interest(now)
            row = self._parts.ledger.plan(intent, state=State.PLANNED.value, hours=hours, allow=room)
        except SpendingRefused as error:
            self._hold_back("cap", error.message)
            return
        self._parts.tell(
            "planned", f"{why}: {offer.gpu} for {offer.hourly_micros / MICROS:.3f} $/h", row.token
        )
        self._rent(fenced, row.token, self._offers[offer.id])

    def _intent(self, fenced: FencedCalls, chosen: Score, wish: Commitment, now: float, why: str) -> Intent:
        token, offer = self._parts.new_token(), chosen.offer
        return Intent(
            token=token,
            epoch=fenced.epoch,
            provider=self._parts.provider.name,
            offer_id=offer.id,
            machine_id=offer.machine_id,
            host_id=offer.host_id,
            gpu=offer.gpu,
            interruptible=offer.interruptible,
            hourly_micros=offer.hourly_micros,
            fee_micros=offer.fee_micros,
            created_at=now,
            expires_at=wish.until,
            label=MachineLabel(self._config.owner, fenced.epoch, token, wish.until).text(),
            batch=wish.batch,
            why=why,
        )

    def _rent(self, fenced: FencedCalls, token: str, offer: Offer) -> None:
        """Ask once. Whatever is not a clear answer leaves the row for the listings to decide."""
        row = self._parts.ledger.row(token)
        assert row is not None, "it was written a moment ago"
        self._tried[offer.machine_id] = self._parts.clock.monotonic() + _TRIED_S
        try:
            instance = fenced.ask(
                fenced.provider.rent, offer, label=row.intent.label, expires_at=row.intent.expires_at
            )
        except HalfRented as error:
            fenced.move(row, MachineEvent.HALF_RENTED, error.message, instance=error.instance)
        except OutcomeUnknown as error:
            fenced.move(row, MachineEvent.UNCLEAR, error.message)
        except (NoOffer, ProviderError) as error:
            fenced.move(row, MachineEvent.REFUSED, error.message)
            if isinstance(error, RefusedForGood):
                self._account_refuses(error, offer)
        else:
            self._told = ""
            del self._tried[offer.machine_id]  # what becomes of it is in the memory of hosts
            fenced.move(row, MachineEvent.ACCEPTED, "rent", instance=instance)

    def _account_refuses(self, error: RefusedForGood, offer: Offer) -> None:
        """It is not the offer's fault, and every other one would be refused as well."""
        del self._tried[offer.machine_id]
        least = _SPEND_LIMIT_S if error.fault is AccountFault.SPEND_LIMIT else 0.0
        self._bar(_KINDS.get(error.fault, "account"), error.message, least)

    def _in_vain(self, fenced: FencedCalls) -> tuple[str, str] | None:
        """Why another machine would be paid for in vain, as those of this term were; None where it may do.

        A new watcher, with what was corrected, tries.
        """
        notes = self._parts.ledger.host_notes(max(self._began, self._parts.clock.now() - LOOKED_BACK_ON_S))
        fault = own_fault(map(incident_of, notes))
        if fault is None:
            return None
        if fault.kind == "image":
            return fault.kind, "no machine can load the image: correct VAST_IMAGE"
        last = {note.machine_id: note for note in notes if note.reason in MUTE}
        for machine_id in fault.innocent:
            fenced.excuse(last[machine_id])
        return fault.kind, (
            f"the last {fault.machines} machines could not be made to speak with {self._config.engine}: the "
            "log has what they said; correct the engine's settings and start the watcher again"
        )

    def _nothing_to_rent(self, scores: Sequence[Score]) -> tuple[str, str]:
        """What stands in the way where no offer may be taken: a limit of ours, or the market."""
        if not scores:
            return "no_offer", f"the provider offers nothing{self._config.wanted}"
        now = self._parts.clock.now()
        limit = self._limit(accounts_of(self._accountant.books(now), now, ""))
        if limit is not None:
            return "cap", limit
        return "no_offer", f"none of {len(scores)} offers fits: {scores[0].objection}"

    def _limit(self, accounts: Accounts, batch: str | None = None) -> str | None:
        """The limit that forbids renting anything on this market, with what would be enough.

        `batch` None: for nobody in particular, so that no batch's cap is asked.
        """
        config = self._config
        caps = config.caps if batch is not None else replace(config.caps, batch=None)
        found = obstacles(self._offers.values(), config.policy, caps, accounts, batch=batch or "")
        return next((item.sentence for item in found if item.setting), None)

    def _bar(self, kind: str, reason: str, least_s: float = 0.0) -> None:
        """As `_hold_back`, and more work is no reason to try sooner."""
        self._hold_back(kind, reason)
        self._barred_until = max(self._next_search, self._parts.clock.monotonic() + least_s)

    def _hold_back(self, kind: str, reason: str) -> None:
        """Search again later, and later each time the same stands in the way; tell it once."""
        if kind != self._told:
            self._parts.tell(kind, reason, "")
            self._rest = self._config.intervals.fruitless_s
        self._told = kind
        self._rest_longer()

    def _rest_longer(self) -> None:
        self._next_search = self._parts.clock.monotonic() + self._rest
        self._rest = min(2 * self._rest, self._config.intervals.longest_rest_s)


def preemptions_lately(ledger: Ledger, now: float) -> int:
    """How often machines were taken from us of late. Raises Unavailable: the ledger does not answer."""
    return sum(note.reason == "outbid" for note in ledger.host_notes(now - _PREEMPTIONS_S))


def incident_of(note: HostNote) -> HostIncident:
    """A note of the ledger as the memory of hosts weighs it."""
    return HostIncident(note.machine_id, note.reason, note.ok, note.at)
