"""Whoever comes by a signed link: it says who decides and about what, and opens nothing else.

Its address is what lets one decide, so it is told to no log.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import Scope

from job_console.access.caller import ConsoleCaller, is_of_this_site
from lib.pipeline.decision_links import PATH, DecisionLink, read_link


def is_by_link(scope: Scope) -> bool:
    """Whether that is asked below the address of a link."""
    path: str = scope["path"]
    return path.startswith(PATH)


def link_of(scope: Scope, token: str) -> DecisionLink | None:
    """The link by whose address somebody asks; None where we signed none such."""
    path: str = scope["path"]
    return read_link(path.removeprefix(PATH).partition("/")[0], token)


def caller_by(link: DecisionLink | None) -> ConsoleCaller:
    """Who decides by a link."""
    if link is None:
        return ConsoleCaller("nobody")
    return ConsoleCaller("link", link.operator, float(link.expires_at))


def may_decide(link: DecisionLink | None, scope: Scope, now: float) -> bool:
    """Whether a decision may be taken from this request: what another may be is not even written down."""
    if link is None or link.is_over(now):
        return False
    headers = Headers(scope=scope)
    if headers.get("sec-fetch-site") in (None, "none") and headers.get("origin") in (None, "null"):
        return True  # no browser that could be misled by another page, and the address is the secret
    return is_of_this_site(headers, scope["scheme"])


def told_path(scope: Scope) -> str:
    """The path that was asked for, as a log may have it."""
    path: str = scope["path"]
    return f"{PATH}***" if path.startswith(PATH) else path
