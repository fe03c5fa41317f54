"""What a plan would cost on rented machines, at the prices that a watcher saw last.

The market lies in Redis (docs/reference/ledger.md, `the market`). It is a courtesy: whatever goes wrong here,
the cost is unknown and the plan is as good as ever. So it is asked for by hand, in a thread, with a deadline:
the client library alone takes longer to import than the answer may take.
"""

from __future__ import annotations

import math
import os
import socket
import stat
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from lib.clock import parse_rfc3339, rfc3339
from lib.foreign import parse_json

if TYPE_CHECKING:
    from lib.fleet import Caps, Offer, Policy, Price, Speeds
    from lib.fleet.pricing import Stop

FRESH_S: Final = 3600.0  # a price older than that is no price
_CLOCKS_APART_S: Final = 60.0  # a market seen later than that after now was not seen
PATIENCE_S: Final = 0.04  # beyond the time that the plan itself takes
_ANSWER_WITHIN_S: Final = 0.5
_MOST_BYTES: Final = 256 * 1024
_VERSION: Final = 1
_MICROS: Final = 1_000_000  # in a dollar


@dataclass(frozen=True, slots=True)
class Work:
    """One job as money sees it: seconds of audio, all takes together, and its engine, None: unknown."""

    audio_s: float
    engine: str | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What the jobs cost, micro-dollars: together, and the share of each in the order given."""

    expected_micros: int
    worst_micros: int
    shares: tuple[int, ...]
    worst_shares: tuple[int, ...]
    provider: str
    gpu: str
    seen_at: float  # seconds since the epoch
    stopped: str = ""  # which cap ends the batch before it is finished, as a sentence

    def basis(self) -> str:
        """For people: what the figures rest on."""
        return f"{self.gpu} at {self.provider}, as seen at {rfc3339(self.seen_at)}"


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A market was seen, and nothing on it may be rented: why, as sentences that name the settings."""

    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """The limits that a watcher with these settings would keep; money in dollars."""

    machines: int
    price: Decimal
    hour: Decimal
    day: Decimal
    month: Decimal
    machine: Decimal
    batch: Decimal | None = None
    idle_hold_s: float | None = None

    def policy(self) -> Policy:
        """As the fleet decides."""
        from lib.fleet import Policy

        return Policy(max_machines=self.machines, idle_hold_s=self.idle_hold_s)

    def caps(self) -> Caps:
        """As the fleet keeps them."""
        from lib.fleet import Caps

        return Caps.in_dollars(
            hour=self.hour,
            day=self.day,
            month=self.month,
            machine=self.machine,
            batch=self.batch,
            hourly_price=self.price,
        )


def usd(micros: int) -> str:
    """Micro-dollars as exact text in dollars."""
    return f"{micros / _MICROS:.6f}"


# --- asking ----------------------------------------------------------------------------------------------


class MarketQuestion:
    """Asks a server for the market, from now on, while the caller does something else.

    Plain addresses are asked, redis:// and unix://; for others the market stays unknown.
    """

    def __init__(self, url: str, prefix: str) -> None:
        self._text: str | None = None
        self._thread = threading.Thread(target=self._ask, args=(url, prefix), name="market", daemon=True)
        self._thread.start()

    def answer(self, patience_s: float = PATIENCE_S) -> str | None:
        """The market as it is stored, if it has come; waits at most `patience_s` seconds."""
        self._thread.join(patience_s)
        return self._text

    def _ask(self, url: str, prefix: str) -> None:
        with suppress(OSError, ValueError, EOFError):
            self._text = _fetched(url, f"{prefix}:market")


def embedded_url(data_dir: Path) -> str | None:
    """The address of the data folder's embedded server, if its socket is there and ours; starts nothing."""
    from lib.jobqueue.embedded import EmbeddedServer

    try:
        if not (data_dir / "redis").is_dir():
            return None
        server = EmbeddedServer(data_dir)
        found = server.socket_path.lstat()
    except OSError:
        return None
    return server.url if stat.S_ISSOCK(found.st_mode) and found.st_uid == os.getuid() else None


def _fetched(url: str, key: str) -> str | None:
    parts, options = urlsplit(url), parse_qs(urlsplit(url).query)
    password = options.get("password", [unquote(parts.password or "")])[0]
    user = options.get("username", [unquote(parts.username or "") or "default"])[0]
    path = parts.path.strip("/") if parts.scheme == "redis" else ""
    database = options.get("db", [path])[0]
    with _connected(url) as connection, connection.makefile("rb") as replies:
        if password:
            _call(connection, replies, "AUTH", user, password)
        if database:
            _call(connection, replies, "SELECT", database)
        return _call(connection, replies, "GET", key)


def _connected(url: str) -> socket.socket:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(_ANSWER_WITHIN_S)
        try:
            connection.connect(unquote(parts.path))
        except OSError:
            connection.close()
            raise
        return connection
    if parts.scheme != "redis":
        raise ValueError("not asked at such an address")
    return socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 6379), _ANSWER_WITHIN_S)


def _call(connection: socket.socket, replies: Any, *words: str) -> str | None:
    """One command and its reply, a status or a bulk string; an error counts as no answer."""
    encoded = [word.encode() for word in words]
    parts = [b"*%d\r\n" % len(encoded), *(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)]
    connection.sendall(b"".join(parts))
    head = replies.readline(1024)
    if head.startswith(b"+"):
        return ""
    if not head.startswith(b"$") or not -1 <= int(head[1:]) <= _MOST_BYTES:
        raise ValueError("the server refuses")
    length = int(head[1:])
    if length < 0:
        return None
    data = replies.read(length + 2)
    if len(data) != length + 2:
        raise EOFError
    return str(data[:-2], "utf-8")


# --- reckoning -------------------------------------------------------------------------------------------


def cost_of(work: Sequence[Work], stored: str | None, found: Terms, *, now: float) -> Cost | Forbidden | None:
    """Price the jobs on the stored market; None when it is none, unreadable, nonsense or stale.

    Expected is at the lowest price of each class of GPU, worst at the median of each: the cheapest offer may
    be gone when it is wanted. A job's share is that of its audio, so shares add up to the whole.
    """
    try:
        data = parse_json(stored or "null")
        if not work or data is None or data["version"] != _VERSION:
            return None
        seen_at = parse_rfc3339(data["seen_at"])
        if not -_CLOCKS_APART_S <= now - seen_at <= FRESH_S:
            return None
        classes, provider = [_sound(item) for item in data["classes"]], str(data["provider"])
        lowest = _price(work, classes, "lowest_hourly_micros", found, now)
        median = _price(work, classes, "median_hourly_micros", found, now)
        if lowest is None:
            return _forbidden(classes, found, now)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None
    dearer = lowest if median is None or lowest.worst_micros > median.worst_micros else median
    return Cost(
        lowest.expected_micros,
        dearer.worst_micros,
        _shared(lowest.expected_micros, work),
        _shared(dearer.worst_micros, work),
        provider,
        lowest.gpu,
        seen_at,
        _stopped(lowest.stopped, dearer.stopped_at_worst),
    )


def _sound(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """A class of the stored market.

    Raises:
        ValueError: it holds what no market can.
    """
    prices = (int(item["lowest_hourly_micros"]), int(item["median_hourly_micros"]))
    figures = [float(item["perf"]), *map(float, item["speeds"].values())]
    rest = [float(item["fee_micros"]), 0.0 if item["cold_start_s"] is None else float(item["cold_start_s"])]
    if min(*prices, *figures) <= 0 or min(rest) < 0 or not all(map(math.isfinite, figures + rest)):
        raise ValueError("no market is like that")
    return item


def _forbidden(classes: Sequence[Mapping[str, Any]], found: Terms, now: float) -> Forbidden:
    from lib.fleet import obstacles
    from lib.fleet.money import Accounts

    if not classes:
        return Forbidden(("the watcher saw no machine that fits the work within its limits",))
    policy, caps = found.policy(), found.caps()
    offers = [_offer(item, "lowest_hourly_micros", policy, str(index)) for index, item in enumerate(classes)]
    return Forbidden(tuple(item.sentence for item in obstacles(offers, policy, caps, Accounts(now))))


def _stopped(usual: Stop | None, worst: Stop | None) -> str:
    """Which cap ends the batch before it is finished, as a sentence; "" when none does."""
    stop, when = (usual, "") if usual is not None else (worst, "at worst ")
    if stop is None:
        return ""
    needed = "about" if usual is not None else "up to"
    return (
        f"{when}it is not finished within {stop.setting}: {needed} ${stop.needed_micros / _MICROS:.4f} "
        f"would be needed and ${stop.allowed_micros / _MICROS:.4f} is allowed in that time"
    )


def _price(
    work: Sequence[Work], classes: Sequence[Mapping[str, Any]], price: str, found: Terms, now: float
) -> Price | None:
    from lib.fleet import Demand, price_batch

    policy = found.policy()
    offers = [_offer(item, price, policy, str(index)) for index, item in enumerate(classes)]
    demand = Demand(
        waiting=len(work),
        audio_s_per_job=sum(item.audio_s for item in work) / len(work),
        engine=_main_engine(work),
    )
    speeds = _speeds(classes)
    return price_batch(offers, demand, policy=policy, caps=found.caps(), speeds=speeds, hosts={}, now=now)


def _offer(item: Mapping[str, Any], price: str, policy: Policy, name: str) -> Offer:
    """A class as one offer. What is in the market was found fit for the work: that is not asked again."""
    from lib.fleet import Offer

    return Offer(
        id=name,
        machine_id=name,
        host_id=name,
        gpu=str(item["gpu"]),
        hourly_micros=int(item[price]),
        fee_micros=int(item["fee_micros"]),
        perf=float(item["perf"]),
        cuda=policy.least_cuda,
        interruptible=bool(item["interruptible"]),
    )


def _speeds(classes: Sequence[Mapping[str, Any]]) -> Speeds:
    from lib.fleet import Speeds

    speeds = Speeds()
    for item in classes:
        gpu = str(item["gpu"])
        speeds.audio |= {(engine, gpu): float(speed) for engine, speed in item["speeds"].items()}
        if item["cold_start_s"] is not None:
            speeds.cold[gpu] = float(item["cold_start_s"])
    return speeds


def _main_engine(work: Sequence[Work]) -> str:
    """The one that makes most of the audio: machines carry one."""
    audio: Counter[str] = Counter()
    for item in work:
        if item.engine is not None:
            audio[item.engine] += round(item.audio_s * 1000)
    return audio.most_common(1)[0][0] if audio else ""


def _shared(micros: int, work: Sequence[Work]) -> tuple[int, ...]:
    whole = sum(item.audio_s for item in work) or 1.0
    shares, given, audio_s = [], 0, 0.0
    for item in work:
        audio_s += item.audio_s
        upto = round(micros * audio_s / whole)
        shares.append(upto - given)
        given = upto
    return tuple(shares)
