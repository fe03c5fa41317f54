"""What a person sees where a page cannot be shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import Request

from job_console.pages.rendering import HtmlPage, page

_HEADS: Final[Mapping[int, str]] = {404: "Not here", 422: "That cannot be", 503: "It does not answer"}


def failure_page(request: Request, status: int, sentence: str) -> HtmlPage:
    """The sentence of an error as a page of the same status."""
    found = page(
        request, "failure.html", status=status, head=_HEADS.get(status, "Not possible"), sentence=sentence
    )
    if status == 503:
        found.headers["Retry-After"] = "5"
    return found
