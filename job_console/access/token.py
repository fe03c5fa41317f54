"""Whether a caller knows the token, told without telling how much of it was right."""

from __future__ import annotations

import hmac


def is_token(given: bytes, token: str) -> bool:
    """Whether somebody knows the token, in a time that does not depend on how much of it is right."""
    return hmac.compare_digest(given, token.encode())
