"""Sessions of pages: a cookie that says who logged in and until when, signed by the token.

Nothing is kept of them, so that a page stays logged in while the server is started anew; a new token ends
them all. EventSource can send a cookie and no header: that is what they are for.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

from lib.foreign import parse_json

COOKIE: Final = "job_console"
LIFE_S: Final = 12 * 3600
_LONGEST: Final = 2048  # a name of the most letters, each an escape in JSON, in base64


@dataclass(frozen=True, slots=True)
class Session:
    """Who logged in, until when (seconds since the epoch)."""

    operator: str
    expires_at: float


def sign_in(operator: str, token: str, now: float) -> tuple[str, Session]:
    """A new session, as the value of its cookie and as it is."""
    session = Session(operator, now + LIFE_S)
    told = {"operator": operator, "until": session.expires_at, "nonce": secrets.token_hex(8)}
    body = urlsafe_b64encode(json.dumps(told).encode()).decode()
    return f"{body}.{_signature(body, token)}", session


def session_of(cookie: str, token: str, now: float) -> Session | None:
    """The session of a cookie; None where we did not sign it, or its time is over."""
    body, _, signature = cookie.partition(".")
    if len(cookie) > _LONGEST or not cookie.isascii():
        return None
    if not hmac.compare_digest(signature.encode(), _signature(body, token).encode()):
        return None
    told = parse_json(urlsafe_b64decode(body))  # ours: we signed it
    return Session(told["operator"], told["until"]) if now < told["until"] else None


def _signature(body: str, token: str) -> str:
    # Of a key of its own: what signs sessions is nowhere what lets one in.
    key = hashlib.sha256(b"job-console session\0" + token.encode()).digest()
    return hmac.new(key, body.encode(), hashlib.sha256).hexdigest()
