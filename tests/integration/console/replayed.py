"""Pages that hear everything again: an event may be both in a page and behind the place it was made at."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route


def heard_from_the_begin(page: Page, address: str) -> None:
    """From now on, what is loaded from an address is followed by all events that there were."""

    def changed(route: Route) -> None:
        answer = route.fetch()
        text = re.sub(r'data-place="[^"]*"', 'data-place="0.0-0"', answer.text())
        route.fulfill(response=answer, body=text)

    page.route(address, changed)
