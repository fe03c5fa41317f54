"""Searches Vast's market and reads its offers. One that lacks a fact is left out: no default is a fact."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final

from lib.offer import Offer
from lib.providers.vast.fields import (
    Row,
    Unreadable,
    amount,
    as_row,
    identity,
    micros,
    number,
    optional_text,
    text,
    whole,
)

PAGE: Final = 64  # more are not given, whatever is asked for
#: Above the lowest bid that wins now: who bids just that is outbid at once.
_BID_MARGIN: Final = 1.1
_LEAST_BID, _MOST_BID = 0.001, 32.0
#: Vast's own figure of power for an RTX 3090, which counts as 1 here.
_POWER_OF_3090: Final = 42.0
#: Vast gives memory in thousands of MB where people say GB.
_MB_IN_GB: Final = 1000.0

#: Regions that are more than one country; a word that is none of these is a country by its two letters.
_REGIONS: Final = {
    name: frozenset(re.findall("..", countries))
    for name, countries in {
        "EU": "ALATBABEBGCHCYCZDEDKEEESFIFRGBGRHRHUIEISITLTLULVMDMEMKMTNLNOPLPTRORSSESISKUA",
        "NA": "CAMXUS",
        "AS": "CNHKIDILINJPKRMYPHSGTHTWVN",
    }.items()
}
_COUNTRY: Final = re.compile(r"(?:^|[,\s])([A-Z]{2})$")
_OFFER_ID: Final = re.compile(r"([1-9][0-9]{0,17})(?:@([0-9]{1,3}\.[0-9]{3}))?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is rented: the image, the disk, and which machines count at all.

    `gpus` are Vast's names (`RTX 4090`; `_` may stand for blanks), `regions` countries by their two letters,
    or EU, NA, AS; none means any. `download_gb` is what a new machine loads, for what that costs there.
    """

    image: str
    disk_gb: int
    gpus: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    download_gb: float = 8.0

    def countries(self) -> frozenset[str]:
        """The countries that machines may stand in; none: any."""
        each = (_REGIONS.get(name.upper(), frozenset({name.upper()})) for name in self.regions)
        return frozenset().union(*each)

    def names(self) -> tuple[str, ...]:
        """The GPUs as Vast writes them."""
        return tuple(name.replace("_", " ") for name in self.gpus)


def query(wanted: Wanted) -> dict[str, Any]:
    """What the market is asked for, with numbers as numbers. All of it is looked at again in each row."""
    found: dict[str, Any] = {"num_gpus": {"eq": 1}, "disk_space": {"gte": wanted.disk_gb}}
    if wanted.gpus:
        found["gpu_name"] = {"in": list(wanted.names())}
    return found


def read_offers(rows: object, wanted: Wanted, *, interruptible: bool) -> list[Offer]:
    """The offers among what the market sent.

    Raises:
        Unreadable: that is no list of offers, or not one of many can be read: their form has changed.
    """
    if not isinstance(rows, list):
        raise Unreadable("offers is no list")
    found, problem = [], ""
    for row in rows:
        try:
            offer = _offer(as_row(row, "an offer"), wanted, interruptible=interruptible)
        except Unreadable as error:
            problem = str(error)
        else:
            found.append(offer)
    if problem and not found:
        raise Unreadable(f"none of {len(rows)} offers: {problem}")
    return [offer for offer in found if offer is not None]


def _offer(row: Row, wanted: Wanted, *, interruptible: bool) -> Offer | None:
    """The offer in a row; None for one that was not asked for."""
    ask = identity(row, "ask_contract_id" if "ask_contract_id" in row else "id")
    gpu = text(row, "gpu_name")
    if whole(row, "num_gpus") != 1 or amount(row, "disk_space") < wanted.disk_gb:
        return None
    if (wanted.gpus and gpu not in wanted.names()) or not _stands_right(row, wanted):
        return None
    total = amount(row, "dph_total")
    bid = _bid(row) if interruptible else None
    hourly = total if bid is None else bid + max(0.0, total - amount(row, "dph_base"))
    if hourly <= 0:
        raise Unreadable("it costs nothing")
    return Offer(
        id=str(ask) if bid is None else f"{ask}@{bid:.3f}",
        machine_id=str(identity(row, "machine_id")),
        host_id=str(identity(row, "host_id")),
        gpu=gpu,
        hourly_micros=micros(hourly),
        fee_micros=micros(amount(row, "inet_down_cost") * wanted.download_gb),
        perf=amount(row, "dlperf") / _POWER_OF_3090,
        reliability=amount(row, "reliability2" if "reliability2" in row else "reliability"),
        cuda=amount(row, "cuda_max_good"),
        driver=_driver(row),
        vram_gb=amount(row, "gpu_ram") / _MB_IN_GB,
        disk_gb=amount(row, "disk_space"),
        down_mbps=amount(row, "inet_down"),
        up_mbps=amount(row, "inet_up"),
        direct_ports=max(0, whole(row, "direct_port_count")),
        contract_end=amount(row, "end_date"),
        interruptible=interruptible,
        verified=text(row, "verification") == "verified",
    )


def _stands_right(row: Row, wanted: Wanted) -> bool:
    if not wanted.regions:
        return True
    country = _COUNTRY.search(optional_text(row, "geolocation"))
    return country is not None and country[1] in wanted.countries()


def _bid(row: Row) -> float:
    lowest = number(row, "min_bid")
    if not 0 < lowest <= _MOST_BID:
        raise Unreadable("min_bid is no price")
    return max(_LEAST_BID, math.ceil(lowest * _BID_MARGIN * 1000) / 1000)


def _driver(row: Row) -> int:
    major = text(row, "driver_version").partition(".")[0]
    if not major.isdecimal():
        raise Unreadable("driver_version is no version")
    return int(major)


def ask_and_bid(offer_id: str) -> tuple[int, float | None]:
    """The number by which an offer is taken, and what is bid for it; None: its price is fixed.

    Raises:
        Unreadable: it is no offer of ours.
    """
    found = _OFFER_ID.fullmatch(offer_id)
    if found is None:
        raise Unreadable(f"{offer_id!r} is no offer of Vast's")
    return int(found[1]), None if found[2] is None else float(found[2])
