"""Reads what comes in pages, to the last one and no further than a bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from lib.providers.vast.connection import VastConnection
from lib.providers.vast.fields import Unreadable, as_row, whole
from lib.providers.vast.limiter import Route

_MOST_PAGES: Final = 40


Page = Callable[[Any, str | None], Any]


class Pages:
    """The pages of one answer. Afterwards `read` says how many came, `total` how many rows Vast counts.

    Threads: its caller's.

    Raises, from `rows`:
        VastRefusal, RateLimited: a page was refused; those before it have been given.
        Unreadable: a page is none, or there is no end of them.
    """

    def __init__(self, connection: VastConnection, route: Route, name: str, until: float) -> None:
        self._connection, self._route, self._name, self._until = connection, route, name, until
        self.read = 0
        self.total: int | None = None

    def rows(self, page: Page) -> Iterator[object]:
        """Each row. `page` asks the SDK for one page, the first without a token."""
        token: str | None = None
        while self.read < _MOST_PAGES:
            answer = self._connection.call(self._route, partial(_asked, page, token), self._until)
            found = as_row(answer, "a page")
            rows = found.get(self._name)
            if not isinstance(rows, list):
                raise Unreadable(f"{self._name} is no list")
            self._count(found)
            self.read += 1
            yield from rows
            token = self._next(found, token)
            if token is None:
                return
        raise Unreadable(f"there are more than {_MOST_PAGES} pages")

    def _count(self, page: Any) -> None:
        name = "total_instances" if self._route is Route.LIST else "total"
        self.total = whole(page, name) if name in page else None

    def _next(self, page: Any, token: str | None) -> str | None:
        if "next_token" not in page:
            raise Unreadable("it does not say whether there are more pages")
        following = page["next_token"]
        if following in (None, ""):
            return None
        if not isinstance(following, str) or following == token:
            raise Unreadable("next_token leads nowhere")
        return following


def _asked(page: Page, token: str | None, vast: Any) -> Any:
    return page(vast, token)
