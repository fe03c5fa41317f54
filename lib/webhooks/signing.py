"""Signs a post, and tells whether a signature fits: HMAC-SHA256 over the time and the body."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

ID: Final = "Webhook-Id"
TIMESTAMP: Final = "Webhook-Timestamp"
SIGNATURE: Final = "Webhook-Signature"
TOLERANCE_S: Final = 300


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The value of `Webhook-Signature` for a body that is sent at `timestamp`, seconds since the epoch."""
    signed = f"{timestamp}.".encode() + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def verify(secret: str, timestamp: str, body: bytes, given: str, *, now: float) -> bool:
    """Whether `given` was made with the secret, for this body, within five minutes of `now`."""
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(now - int(timestamp)) > TOLERANCE_S:
        return False
    return hmac.compare_digest(signature(secret, int(timestamp), body).encode(), given.encode())
