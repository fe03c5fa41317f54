"""Tells what Vast means when it refuses: one cause has several statuses, one status many causes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Any, Final

from lib.foreign import parse_json
from lib.providers.rental import (
    AccountFault,
    NoCredit,
    NoOffer,
    PassingTrouble,
    ProviderError,
    RateLimited,
    RefusedForGood,
)
from lib.providers.vast.fields import for_people

#: What a key needs and no more.
SCOPES: Final = ("user_read", "instance_read", "instance_write", "billing_read", "misc")
_READ: Final = 4096  # characters of a body that are looked at: a refusal is short, an error page need not be


class Cause(Enum):
    """Why a call did not do what it was asked."""

    RATE = auto()
    KEY = auto()
    SCOPE = auto()
    CREDIT = auto()
    SPEND_LIMIT = auto()
    RETIRED = auto()
    OFFER_GONE = auto()
    NO_SUCH_INSTANCE = auto()
    SERVER = auto()  # an error of theirs, or of what stands before them
    NO_ANSWER = auto()  # the connection failed
    UNREADABLE = auto()  # an answer that is none
    REFUSED = auto()  # a refusal that names its own reason
    ODD = auto()  # a refusal without a reason that can be read


_FAULTS: Final[Mapping[Cause, tuple[AccountFault, str]]] = {
    Cause.KEY: (AccountFault.KEY, "it does not accept the key; correct VAST_API_KEY"),
    Cause.SCOPE: (
        AccountFault.SCOPE,
        f"the key may not do that; let it have {', '.join(SCOPES)}",
    ),
    Cause.SPEND_LIMIT: (
        AccountFault.SPEND_LIMIT,
        "the account may not spend faster yet; wait some hours, or rent cheaper machines",
    ),
    Cause.RETIRED: (
        AccountFault.PROTOCOL,
        "this way to ask was retired; update the vastai package, and this program",
    ),
}
#: Causes that a word anywhere in the body tells, whatever the status; the first that fits.
_WORDS: Final = (
    (Cause.KEY, re.compile(r"(?i)auth_error|session expired|two factor|invalid user key")),
    (Cause.RETIRED, re.compile(r"(?i)deprecated_endpoint")),
    (Cause.CREDIT, re.compile(r"(?i)insufficient_credit|lacks credit")),
    (Cause.SPEND_LIMIT, re.compile(r"(?i)spend_rate_limit")),
    (Cause.OFFER_GONE, re.compile(r"(?i)no_such_ask|\b(?:not|no longer) available")),
    (Cause.NO_SUCH_INSTANCE, re.compile(r"(?i)no_such_instance|\binstance\b.{0,40}\bnot found\b")),
)
_CLEAR: Final = frozenset(
    {
        *(Cause.RATE, Cause.KEY, Cause.SCOPE, Cause.CREDIT, Cause.SPEND_LIMIT, Cause.RETIRED),
        Cause.OFFER_GONE,
    }
)
_BAD_REQUEST: Final = frozenset({"invalid_args", "invalid_price", "invalid_request", "no_ssh_key_for_vm"})
_OF_THE_ACCOUNT: Final = (Cause.KEY, Cause.CREDIT, Cause.SPEND_LIMIT)
_THRESHOLD: Final = re.compile(r"threshold\s*[=:]\s*([0-9]{1,4}(?:\.[0-9]{1,6})?)")
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{2,40}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that was not done as asked. `words` are Vast's own, made fit for one line."""

    cause: Cause
    words: str
    status: int = 0
    after_s: float | None = None
    contract: int | None = None  # a rental that the refusal itself names
    code: str = ""

    @property
    def is_clear(self) -> bool:
        """Whether a call that makes something has made nothing, for certain.

        A refusal without a reason, or with one that we do not know, may come with a rental: bids that are too
        low make one.
        """
        if self.contract is not None:
            return False
        if self.cause is Cause.REFUSED:
            return self.status >= 400 and self.code in _BAD_REQUEST
        return self.cause in _CLEAR


def read_refusal(status: int, body: object, headers: Mapping[str, str], now: float) -> Refusal:
    """What an answer means that is no success: its status and its body, as text or as read already."""
    content = body if isinstance(body, dict) else _object_of(body)
    raw = (body if isinstance(body, str) else json.dumps(body))[:_READ]
    contract = content.get("new_contract")
    return Refusal(
        _cause(status, content, raw),
        _words(status, content, raw),
        status,
        _after(content, raw, headers, now) if status == 429 else None,
        contract if isinstance(contract, int) and not isinstance(contract, bool) and contract > 0 else None,
        _code(content),
    )


def _code(content: Mapping[str, Any]) -> str:
    error = content.get("error")
    return error if isinstance(error, str) and _CODE.fullmatch(error) else ""


def _cause(status: int, content: Mapping[str, Any], raw: str) -> Cause:
    if status == 429:
        return Cause.RATE
    if status >= 500:
        return Cause.SERVER
    if status == 401:
        return Cause.KEY
    told = next((cause for cause, pattern in _WORDS if pattern.search(raw)), None)
    if status == 403:
        return told if told is not None and told in _OF_THE_ACCOUNT else Cause.SCOPE
    if told is not None:
        return told
    return Cause.REFUSED if _code(content) else Cause.ODD


def _words(status: int, content: Mapping[str, Any], raw: str) -> str:
    told = [content.get(name) for name in ("error", "msg", "detail")]
    words = ": ".join(part for part in told if isinstance(part, str) and part)
    if not words:
        words = "" if "<" in raw else raw  # an error page of something that stands before Vast
    return for_people(f"{status} {words}".strip(), 200)


def _object_of(body: object) -> Mapping[str, Any]:
    try:
        found = parse_json(str(body)[:_READ])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _after(content: Mapping[str, Any], raw: str, headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until the next try, from wherever they stand; None: it does not say."""
    told = headers.get("Retry-After", content.get("retry_after"))
    waits = [_seconds(told), _until(told, now), _until_epoch(headers.get("X-RateLimit-Reset"), now)]
    threshold = _THRESHOLD.search(raw)
    waits.append(None if threshold is None else float(threshold[1]))
    return next((min(wait, 86_400.0) for wait in waits if wait is not None), None)


def _seconds(told: object) -> float | None:
    try:
        seconds = float(str(told))
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def _until(told: object, now: float) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(str(told)).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _until_epoch(told: object, now: float) -> float | None:
    epoch = _seconds(told)
    return None if epoch is None else max(0.0, epoch - now)


def error_of(refusal: Refusal, doing: str) -> ProviderError | NoOffer:
    """The port's error for a refusal of a call that had no effect. `doing` is what was asked, as a noun."""
    begin = f"Vast refused {doing}"
    fault = _FAULTS.get(refusal.cause)
    if fault is not None:
        return RefusedForGood(f"{begin} ({refusal.words}): {fault[1]}.", fault[0])
    match refusal.cause:
        case Cause.RATE:
            return RateLimited(f"{begin}: too many calls ({refusal.words}).", refusal.after_s)
        case Cause.CREDIT:
            return NoCredit(f"{begin} ({refusal.words}): the account has no credit left; add some.")
        case Cause.OFFER_GONE:
            return NoOffer(f"{begin}: the offer is gone ({refusal.words}).")
        case Cause.NO_ANSWER:
            return PassingTrouble(f"Vast gave no answer to {doing}: {refusal.words}.")
        case Cause.SERVER | Cause.UNREADABLE:
            return PassingTrouble(f"Vast gave no readable answer to {doing}: {refusal.words}.")
        case _:
            return ProviderError(f"{begin}: {refusal.words}.")
