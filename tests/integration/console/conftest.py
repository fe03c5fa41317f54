"""Pages in a Chromium: one browser for the tests of a module, a console and a page for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lib.jobqueue.memory.queue import MemoryQueue
from tests.doubles.console import ConsoleDesk
from tests.pages import chromium_driven, logged_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of a module and not of the session: where it lives, no other test could run an event loop."""
    with chromium_driven() as browser:
        yield browser


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ConsoleDesk]:
    desk = ConsoleDesk(tmp_path, MemoryQueue())
    yield desk
    desk.close()


@pytest.fixture
def url(desk: ConsoleDesk) -> Iterator[str]:
    """Where the desk's console is served, with live events."""
    with desk.served() as url:
        yield url


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained of on `page`; a test takes out what it caused, and leaves none."""
    return []


@pytest.fixture
def page(browser: Browser, url: str, complaints: list[str]) -> Iterator[Page]:
    """A page of ann, who is logged in."""
    with logged_in(browser, url, complaints=complaints) as page:
        yield page
