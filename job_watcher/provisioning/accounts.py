"""Keeps the accounts: our own count minute by minute, the provider's bill when it is to be had."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from job_watcher.provisioning.fenced_calls import FencedCalls
from job_watcher.provisioning.ports import Config, ProvisioningParts
from lib.fleet import State
from lib.fleet.model import HOUR
from lib.fleet.money import Accounts, Commitment, hourly_shares, hours_of_interest
from lib.machines.labels import own_label
from lib.machines.model import Books, Category, Charge, MachineRow
from lib.providers.rental import BillLine

_UNPAID = frozenset({State.PLANNED.value, State.UNKNOWN.value, State.GONE.value})
_LOOK_BACK_S = 2 * HOUR
_FIRST_LOOK_BACK_S = 32 * 86_400.0
_CATEGORY = {
    "compute": Category.COMPUTE,
    "storage": Category.STORAGE,
    "bandwidth": Category.BANDWIDTH,
}


def accounts_of(books: Books, now: float, batch: str) -> Accounts:
    """The ledger's books as decisions see them: every open row reserves until its end."""
    commitments = tuple(
        Commitment(
            row.token,
            row.intent.hourly_micros,
            row.intent.fee_micros,
            row.intent.expires_at,
            row.intent.batch,
        )
        for row in books.open
    )
    return Accounts(
        now,
        commitments,
        books.spent_by_hour,
        books.spent_by_machine,
        books.spent_by_batch.get(batch, 0),
    )


class _Final(NamedTuple):
    """What a bill is final for: all of it, or the hours that begin before a time."""

    until: float | None

    def has(self, hour: int) -> bool:
        return self.until is None or hour * HOUR < self.until


class Accountant:
    """Charges the ledger. Time that no bill covers yet stands as an adjustment by our own count.

    A bill that is behind replaces only what it is final for, and only of machines that it names.

    Threads: the loop's only.

    Raises, from every method but `soon`:
        Unavailable: the provider or the ledger does not answer; trying later loses nothing.
        StaleEpoch, NotLeading: another watcher leads; nothing was written (not from `books`, which reads).
    """

    def __init__(self, parts: ProvisioningParts, config: Config) -> None:
        self._parts, self._config = parts, config
        self._next_charge = 0.0
        self._next_bill = 0.0
        self._billed_at: float | None = None  # wall time up to which the bill was read
        self._counted: dict[str, set[int]] = {}  # hours with an adjustment, by token
        self._taken_over: set[str] = set()  # tokens whose earlier adjustments are known too

    def books(self, now: float, batches: Collection[str] = ()) -> Books:
        """What was spent and is promised, as the ledger has it; of batches, what those cost."""
        return self._parts.ledger.books(hours_of_interest(now), batches)

    def keep(self, fenced: FencedCalls, rows: Iterable[MachineRow]) -> None:
        """Charge what is due, at most once a minute, and read the bill every ten.

        Raises:
            Unavailable: the provider or the ledger does not answer; nothing is lost by trying later.
        """
        tick = self._parts.clock.monotonic()
        if tick >= self._next_charge:
            self._next_charge = tick + self._config.intervals.charge_s
            self.charge(fenced, rows)
        if tick >= self._next_bill:
            self._next_bill = tick + self._config.intervals.charge_s  # when it fails
            self._read_bill(fenced)
            self._next_bill = tick + self._config.intervals.bill_s

    def charge(self, fenced: FencedCalls, rows: Iterable[MachineRow]) -> None:
        """Write our own count of every machine's time since the bill that was read last."""
        now, charges = self._parts.clock.now(), []
        for row in rows:
            if row.state in _UNPAID or row.instance is None:
                continue
            begin = max(row.intent.created_at, self._billed_at or 0.0)
            # Until a bill lists it the fee is ours to count, or the time spent would pass for it.
            fee = row.intent.fee_micros if begin == row.intent.created_at else 0
            hours = self._counted.setdefault(row.token, set())
            for hour, micros in hourly_shares(row.intent.hourly_micros, begin, now):
                hours.add(hour)
                charges.append(Charge(row.token, Category.ADJUSTMENT, hour, micros + fee))
                fee = 0
        if charges:
            self._parts.ledger.charge(charges, epoch=fenced.epoch)

    def soon(self) -> None:
        """Read the bill in the next pass: a machine has ended."""
        self._next_bill = 0.0

    def _read_bill(self, fenced: FencedCalls) -> None:
        now, before = self._parts.clock.now(), self._billed_at
        since = now - _FIRST_LOOK_BACK_S if before is None else min(now, before) - _LOOK_BACK_S
        lines = fenced.ask(fenced.provider.bill, since)
        until = fenced.provider.billed_until(now)
        final = _Final(None if until >= now else until)
        totals: dict[tuple[str, Category, int], int] = {}
        for token, line in self._ours(lines):
            if final.has(line.hour):
                place = (token, _CATEGORY.get(line.category, Category.COMPUTE), line.hour)
                totals[place] = totals.get(place, 0) + line.micros  # a token may have had two rentals
        billed = {token for token, _, _ in totals}
        if before is None or final.until is not None:
            self._take_over_counts(billed - self._taken_over)
        replaced = [
            (token, hour)
            for token, hours in self._counted.items()
            if final.until is None or token in billed
            for hour in hours
            if final.has(hour)
        ]
        charges = [Charge(*place, micros) for place, micros in totals.items()]
        charges += [Charge(token, Category.ADJUSTMENT, hour, 0) for token, hour in replaced]
        if charges:
            self._parts.ledger.charge(charges, epoch=fenced.epoch)
        for token, hour in replaced:
            self._counted[token].discard(hour)
        self._counted = {token: hours for token, hours in self._counted.items() if hours}
        self._billed_at = min(now, until)

    def _take_over_counts(self, tokens: Iterable[str]) -> None:
        """Know the hours that those before us counted: by a clock that was off, other ones than ours."""
        for token in tokens:
            self._taken_over.add(token)
            hours = self._counted.setdefault(token, set())
            for item in self._parts.ledger.charges(token):
                if item.category is Category.ADJUSTMENT:
                    hours.add(item.hour)

    def _ours(self, lines: Iterable[BillLine]) -> Iterable[tuple[str, BillLine]]:
        """The lines of machines in our ledger. Others are other people's, or another deployment's."""
        known: dict[str, bool] = {}
        for line in lines:
            label = own_label(line.label, self._config.owner)
            if label is None:
                continue
            if label.token not in known:
                known[label.token] = self._parts.ledger.row(label.token) is not None
            if known[label.token]:
                yield label.token, line
