"""Who asks: by the token in a header, or by the session of a page."""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Final

from starlette.datastructures import Headers

from job_console.access.session import COOKIE, session_of
from job_console.access.token import is_token

_SCHEME: Final = "bearer "


@dataclass(frozen=True, slots=True)
class ConsoleCaller:
    """Somebody who may ask. `by` is token or session; `operator` is who logged in, None with the token."""

    by: str
    operator: str | None = None
    expires_at: float | None = None


def caller_of(headers: Headers, token: str, now: float) -> ConsoleCaller | None:
    """Who it is; None where neither token nor session is right. A wrong token is no session's business."""
    given = headers.get("authorization")
    if given is not None:
        right = given[: len(_SCHEME)].lower() == _SCHEME and is_token(
            given[len(_SCHEME) :].strip().encode("latin-1"), token
        )
        return ConsoleCaller("token") if right else None
    cookie = _cookie_of(headers)
    session = None if cookie is None else session_of(cookie, token, now)
    return None if session is None else ConsoleCaller("session", session.operator, session.expires_at)


def _cookie_of(headers: Headers) -> str | None:
    try:
        jar = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return None
    return jar[COOKIE].value if COOKIE in jar else None


def is_of_this_site(headers: Headers, scheme: str) -> bool:
    """Whether a page of ours asks, as the browser says: no other site can make it say so.

    Where a proxy speaks TLS for us, the browser's page is of https and what comes here is not.
    """
    site = headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    origin = headers.get("origin")
    if origin in (None, "null"):  # a form of ours has none, for its page tells nobody where it comes from
        return site == "same-origin"
    host = headers.get("host", "")
    return origin in (f"{scheme}://{host}", f"https://{host}")
