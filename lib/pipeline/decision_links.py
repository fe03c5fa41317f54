"""Links that let one person decide at one opening of one gate, until a time.

A link is signed and kept nowhere. It cannot be used twice, because a gate is decided once; nor for what the
stage makes later, because that opens the gate anew, under another number. It holds no token.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from lib.clock import rfc3339
from lib.errors import BadConfiguration
from lib.foreign import parse_json
from lib.pipeline.model import GateRow

#: Where the console shows what a link is about.
PATH: Final = "/decide/"
_VERSION: Final = 1
_LONGEST: Final = 1200  # ids and a name of the most letters, each of four bytes, in base64
_LOOPBACK: Final = "localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionLink:
    """What a link says: the opening of a gate (`number`) and what that was about when the link was made.

    `expires_at` is in seconds since the epoch; `operator` is whose decision it is.
    """

    run: str
    stage: str
    number: int
    seen: str
    operator: str
    expires_at: int

    def is_over(self, now: float) -> bool:
        """Whether its time is over."""
        return now >= self.expires_at


def link_to(gate: GateRow, operator: str, expires_at: float) -> DecisionLink:
    """The link with which `operator` decides at an open gate."""
    return DecisionLink(
        run=gate.run,
        stage=gate.task,
        number=gate.number,
        seen=gate.seen,
        operator=operator,
        expires_at=int(expires_at),
    )


@dataclass(frozen=True, slots=True, repr=False)
class LinkMaker:
    """Makes links for a console that is reached at `base`, each good for `life_s` seconds.

    `reviewers` are the names of those who get one.
    """

    base: str
    token: str
    reviewers: Sequence[str]
    life_s: float

    def links_to(self, gate: GateRow, now: float) -> list[dict[str, Any]]:
        """A link for each reviewer to an open gate: whose it is, its address, until when it is good."""
        links = [link_to(gate, operator, now + self.life_s) for operator in self.reviewers]
        return [
            {
                "operator": link.operator,
                "url": f"{self.base}{PATH}{signed(link, self.token)}",
                "expires_at": rfc3339(link.expires_at),
            }
            for link in links
        ]


def signed(link: DecisionLink, token: str) -> str:
    """A link as letters of a URL, signed with a key that is made of the console's token."""
    told = [_VERSION, link.run, link.stage, link.number, link.seen, link.operator, link.expires_at]
    body = _letters(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode())
    return f"{body}.{_signature(body, token)}"


def read_link(text: str, token: str) -> DecisionLink | None:
    """The link that was signed; None where nobody with this token signed it, in whatever way it is wrong."""
    body, _, signature = text.partition(".")
    if len(text) > _LONGEST or not text.isascii():
        return None
    if not hmac.compare_digest(signature.encode(), _signature(body, token).encode()):
        return None
    version, *told = parse_json(urlsafe_b64decode(body + "=" * (-len(body) % 4)))  # ours: we signed it
    if version != _VERSION:
        return None
    run, stage, number, seen, operator, expires_at = told
    return DecisionLink(
        run=run, stage=stage, number=number, seen=seen, operator=operator, expires_at=expires_at
    )


def console_base(url: str) -> str:
    """Where links begin, of the address at which the console is reached.

    Raises:
        BadConfiguration: whoever looks on could read what goes there, or it is no plain address.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        alone = not (parts.path.strip("/") or parts.query or parts.fragment)
        plain = bool(host) and "@" not in parts.netloc and alone
        safe = parts.scheme == "https" or (parts.scheme == "http" and _is_here(host))
    except ValueError:
        plain = safe = False
    if not plain:
        raise BadConfiguration(
            "JOB_CONSOLE_URL must be the address of the console alone, as in https://console.example.org"
        )
    if not safe:
        raise BadConfiguration(
            "JOB_CONSOLE_URL must begin with https://: whoever reads a link may decide, and http sends it in "
            "the clear"
        )
    return url.rstrip("/")


def _is_here(host: str) -> bool:
    if host == _LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _signature(body: str, token: str) -> str:
    # Of a key of its own: what signs links is nowhere what lets one in, nor what signs sessions.
    key = hashlib.sha256(b"job-console decision\0" + token.encode()).digest()
    return _letters(hmac.new(key, body.encode(), hashlib.sha256).digest())


def _letters(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
