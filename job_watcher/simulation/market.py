"""A simulated market of rented machines: offers with prices that move, rentals that bill, hosts of all kinds.

Prices, start times and failure rates are modelled on the public behaviour of such markets; they are no
measurement of any company's.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from job_watcher.simulation.machine import Character, SimMachine
from lib.fleet.model import HOUR
from lib.offer import Offer
from lib.providers.rental import BillLine, NoCredit, NoOffer, Rental, RentalStatus
from lib.units import MICROS

#: GPU, power beside an RTX 3090, dollars per hour, memory.
GPUS = (
    ("RTX 3060", 0.5, 0.08, 12.0),
    ("RTX 3090", 1.0, 0.19, 24.0),
    ("RTX 4070", 1.0, 0.17, 12.0),
    ("RTX 4090", 1.9, 0.38, 24.0),
    ("A5000", 0.9, 0.22, 24.0),
    ("RTX 5090", 2.6, 0.62, 32.0),
)
#: Of the price: what a machine costs while it boots or is stopped. Its disk is billed, its GPU is not.
STANDING_SHARE = 0.06
_NEW_HOST_S = 1200.0
_BILLED = {
    RentalStatus.RUNNING: 1.0,
    RentalStatus.STARTING: STANDING_SHARE,
    RentalStatus.STOPPED: STANDING_SHARE,
    RentalStatus.BROKEN: STANDING_SHARE,
    RentalStatus.OFFLINE: 0.0,
}


@dataclass(frozen=True, slots=True)
class Stay:
    """A host that somebody else has rented, from a moment up to another."""

    machine_id: str
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Taste:
    """The parameters of a market. `hosts` is how many there are; chances are between 0 and 1."""

    hosts: int = 24
    bad_hosts: float = 0.0
    base_speed: float = 8.0  # seconds of audio a second on an RTX 3090
    boot_s: float = 90.0
    download_gb: float = 8.0
    list_lag_s: float = 15.0
    linger_s: float = 20.0
    audio_s: Mapping[str, float] = field(default_factory=dict)  # of jobs whose length is known, all takes
    dead_man: bool = True  # machines end themselves at their time; False: only we can end them
    by_itself: bool = False  # hosts come, go, start and work as they would whatever is rented, and when
    others: Sequence[Stay] = ()  # what cannot be had, for others have it


@dataclass(slots=True)
class Lot:
    """One rental as the company sees it."""

    instance: str
    label: str
    offer: Offer
    hourly_micros: int
    started_at: float
    ends_at: float  # the machine's own end
    machine: SimMachine
    runs_at: float
    status: RentalStatus = RentalStatus.STARTING
    billed_to: float = 0.0
    destroyed_at: float | None = None
    late: bool = False  # made minutes after the call that asked for it
    ignores: int = 0  # destroys that will be accepted and forgotten
    resumes_at: float | None = None
    bills: dict[tuple[str, int], float] = field(default_factory=dict)
    run_s: float = 0.0  # billed at the whole price
    standing_s: float = 0.0  # billed at the price of its disk

    @property
    def alive(self) -> bool:
        """Whether it still exists."""
        return self.destroyed_at is None


class SimulatedMarket:
    """Everything that the company knows. `now` is moved on by the world."""

    def __init__(self, taste: Taste, chance: random.Random, now: float, credit_micros: int) -> None:
        if taste.by_itself:
            chance = random.Random(chance.getrandbits(64))
        self.taste, self.chance, self.now = taste, chance, now
        self._salt = chance.getrandbits(64) if taste.by_itself else 0
        self.credit_micros = credit_micros
        self.lots: dict[str, Lot] = {}
        self.price_factor = 1.0
        self._number = 1000
        self._living: dict[str, Lot] = {}
        self._priced: dict[tuple[bool, float], list[Offer]] = {}
        self.hosts = [self._host(index, now) for index in range(taste.hosts)]
        self._hosts_seen = taste.hosts
        self._next_host_at = now + _NEW_HOST_S
        self.characters = {host.machine_id: self._character() for host in self.hosts}

    def _host(self, index: int, came: float) -> Offer:
        chance = self.chance
        gpu, perf, dollars, vram = chance.choice(GPUS)
        price = round(dollars * chance.uniform(0.8, 1.5) * MICROS)
        down = chance.choice((300.0, 600.0, 900.0, 2000.0, 150.0))
        return Offer(
            id=f"offer-{index}",
            machine_id=f"host-{index}",
            host_id=f"owner-{index // 2}",
            gpu=gpu,
            hourly_micros=price,
            fee_micros=round(self.taste.download_gb * chance.choice((0, 2_000, 5_000))),
            perf=perf,
            reliability=chance.choice((0.999, 0.995, 0.98, 0.96, 0.9)),
            cuda=chance.choice((12.8, 12.4, 12.2, 11.8)),
            driver=550,
            vram_gb=vram,
            disk_gb=100.0,
            down_mbps=down,
            up_mbps=down / 2,
            direct_ports=chance.choice((0, 4, 16)),
            contract_end=None if chance.random() < 0.7 else came + chance.uniform(0.2, 72) * HOUR,
            interruptible=False,
            verified=chance.random() < 0.9,
        )

    def _character(self) -> Character:
        if self.chance.random() >= self.taste.bad_hosts:
            return Character.GOOD
        return self.chance.choice([kind for kind in Character if kind is not Character.GOOD])

    # --- what the company offers ---------------------------------------------------------------------------

    def offers(self, *, interruptible: bool) -> list[Offer]:
        """Hosts that are free now, at today's prices."""
        key = (interruptible, self.price_factor)
        if key not in self._priced:
            self._priced[key] = self._price(interruptible=interruptible)
        taken = {lot.offer.machine_id for lot in self._living.values()}
        taken |= {stay.machine_id for stay in self.taste.others if stay.since <= self.now < stay.until}
        return [
            host
            for host in self._priced[key]
            if host.machine_id not in taken and (host.contract_end is None or host.contract_end > self.now)
        ]

    def _price(self, *, interruptible: bool) -> list[Offer]:
        factor = self.price_factor * (0.55 if interruptible else 1.0)
        kind = "bid" if interruptible else "ask"
        return [
            replace(
                host,
                id=f"{host.id}-{kind}",
                hourly_micros=round(host.hourly_micros * factor),
                interruptible=interruptible,
            )
            for host in self.hosts
        ]

    def rent(self, offer: Offer, label: str, expires_at: float, *, stopped: bool = False) -> Lot:
        """Make a rental at the price of this moment.

        Raises:
            NoOffer: the host is taken.
            NoCredit: the account is empty.
        """
        if self.credit_micros <= 0:
            raise NoCredit("The account lacks credit.")
        current = {item.id: item for item in self.offers(interruptible=offer.interruptible)}
        if offer.id not in current:
            raise NoOffer(f"{offer.id} is no longer available.")
        taste = self.taste
        character = self.characters.get(offer.machine_id, Character.GOOD)
        boot, speed, answers = self.draws(offer)
        boot *= 4 if character is Character.SLOTH else 1
        self._number += 1
        runs_at = self.now + boot
        lot = Lot(
            instance=f"i{self._number}",
            label=label,
            offer=offer,
            hourly_micros=current[offer.id].hourly_micros,
            started_at=self.now,
            ends_at=expires_at,
            machine=SimMachine(
                character,
                speed=speed,
                answers_at=runs_at + answers,
                engine="hibari",
                audio_s=taste.audio_s,
            ),
            runs_at=runs_at,
            billed_to=self.now,
            status=RentalStatus.STOPPED if stopped else RentalStatus.STARTING,
        )
        lot.bills["bandwidth", int(self.now) // HOUR] = offer.fee_micros
        self.credit_micros -= offer.fee_micros
        self.lots[lot.instance] = self._living[lot.instance] = lot
        return lot

    def draws(self, offer: Offer) -> tuple[float, float, float]:
        """What a good host will turn out to be: seconds until it runs, seconds of audio a second, and seconds
        from running until it answers. A host of a market by itself is always the same."""
        taste, chance = self.taste, self.chance
        if taste.by_itself:
            chance = random.Random(f"{self._salt} {offer.machine_id}")
        boot = taste.boot_s * chance.uniform(0.7, 1.6) + taste.download_gb * 8_000 / offer.down_mbps
        speed = taste.base_speed * offer.perf * chance.uniform(0.85, 1.1)
        return boot, speed, chance.uniform(2, 20)

    def destroy(self, instance: str) -> None:
        """End a rental; unknown and ended ones are fine. A zombie accepts and lives on."""
        lot = self._living.get(instance)
        if lot is None:
            return
        if lot.ignores > 0:
            lot.ignores -= 1
            return
        self._end(lot)

    def _end(self, lot: Lot) -> None:
        self._bring_up(lot)
        lot.destroyed_at = self.now
        self._living.pop(lot.instance, None)

    # --- time ----------------------------------------------------------------------------------------------

    def advance(self, now: float) -> None:
        """Bring every rental up to `now`: states, bills, the machines' own ends, an empty account."""
        self.now = max(self.now, now)
        while self.now >= self._next_host_at:
            self._replace_host()
        for lot in list(self._living.values()):
            if self.taste.dead_man and now >= lot.ends_at and lot.status is RentalStatus.RUNNING:
                self.now, keep = max(lot.billed_to, lot.ends_at), self.now
                self._end(lot)
                self.now = keep
            else:
                self._bring_up(lot)
        if self.credit_micros <= 0:
            for lot in self._living.values():
                lot.status, lot.resumes_at = RentalStatus.STOPPED, None

    def _replace_host(self) -> None:
        """Hosts come and go: one leaves the market, rented or not, and another one comes."""
        host = self._host(self._hosts_seen, self._next_host_at)  # not when somebody looks
        self._next_host_at += _NEW_HOST_S
        self._priced.clear()
        self._hosts_seen += 1
        self.hosts[self.chance.randrange(len(self.hosts))] = host
        self.characters[host.machine_id] = self._character()

    def _bring_up(self, lot: Lot) -> None:
        if lot.status is RentalStatus.STARTING and self.now >= lot.runs_at:
            self._bill(lot, lot.runs_at)
            lot.status = RentalStatus.RUNNING
        if lot.resumes_at is not None and self.now >= lot.resumes_at:
            self._bill(lot, lot.resumes_at)
            lot.status, lot.resumes_at = RentalStatus.RUNNING, None
        self._bill(lot, self.now)
        if lot.status is RentalStatus.RUNNING:
            lot.machine.advance(self.now)

    def _bill(self, lot: Lot, until: float) -> None:
        share = _BILLED[lot.status]
        while lot.billed_to < until:
            hour = int(lot.billed_to) // HOUR
            stop = min(until, (hour + 1.0) * HOUR)
            whole = lot.hourly_micros * (stop - lot.billed_to) / HOUR
            if share:
                disk = whole * STANDING_SHARE
                lot.bills["storage", hour] = lot.bills.get(("storage", hour), 0.0) + disk
                work = whole * (share - STANDING_SHARE)
                if work > 0:
                    lot.bills["compute", hour] = lot.bills.get(("compute", hour), 0.0) + work
                self.credit_micros -= round(whole * share)
                if work > 0:
                    lot.run_s += stop - lot.billed_to
                else:
                    lot.standing_s += stop - lot.billed_to
            lot.billed_to = stop

    # --- misfortune ----------------------------------------------------------------------------------------

    def living(self) -> list[Lot]:
        """Rentals that exist."""
        return list(self._living.values())

    def halt(self, lot: Lot, status: RentalStatus, back_after: float | None) -> None:
        """Stop a rental from outside; it may come back by itself and bill again."""
        self._bring_up(lot)
        lot.status = status
        lot.resumes_at = None if back_after is None else self.now + back_after

    def vanish(self, lot: Lot) -> None:
        """The host takes the machine away for good."""
        self._end(lot)

    # --- what the company says ---------------------------------------------------------------------------

    def listing(self) -> list[Rental]:
        """Rows of the account. Fresh rentals come late, ended ones linger."""
        taste = self.taste
        return [
            _row(lot)
            for lot in self.lots.values()
            if self.now >= lot.started_at + taste.list_lag_s
            and (lot.destroyed_at is None or self.now < lot.destroyed_at + taste.linger_s)
        ]

    def show(self, instance: str) -> Rental | None:
        """One rental."""
        lot = self.lots.get(instance)
        if lot is None or (
            lot.destroyed_at is not None and self.now >= lot.destroyed_at + self.taste.linger_s
        ):
            return None
        return _row(lot)

    def bill(self, since: float) -> list[BillLine]:
        """Hourly totals, rounded up to a micro-dollar."""
        first = int(since) // HOUR
        return [
            BillLine(lot.instance, lot.label, category, hour, -int(-micros // 1))
            for lot in self.lots.values()
            if lot.billed_to // HOUR >= first
            for (category, hour), micros in lot.bills.items()
            if hour >= first
        ]


def _row(lot: Lot) -> Rental:
    return Rental(
        lot.instance,
        lot.label,
        lot.status,
        lot.hourly_micros,
        lot.offer.machine_id,
        lot.started_at,
    )
