"""Pages of the console in a real Chromium, as a person has them who is logged in."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pytest

from job_console.access.session import COOKIE, sign_in
from lib.clock import SystemClock
from tests.chromium import PROGRAM
from tests.doubles.console import TOKEN

if TYPE_CHECKING:
    from playwright.sync_api import APIResponse, Browser, Page, Route

#: A name of this computer that a browser does not know for one: it is told as little as any without TLS.
ELSEWHERE: Final = "console.test"
_FLAGS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio", "--hide-scrollbars"),
    "--autoplay-policy=no-user-gesture-required",
    f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1",
)
WIDE: Final = (1280, 900)
PHONE: Final = (380, 780)
_ANSWERS_WITHIN_S: Final = 20.0
_GRAVE: Final = ("serious", "critical")


@contextlib.contextmanager
def chromium_driven() -> Iterator[Browser]:
    """A Chromium driven by Playwright. While it lives, its thread can run no event loop of its own."""
    if PROGRAM is None:
        pytest.skip("there is no Chromium here")
    driving = pytest.importorskip("playwright.sync_api", reason="there is no Playwright here")
    with driving.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def logged_in(
    browser: Browser,
    url: str,
    *,
    operator: str = "ann",
    size: tuple[int, int] = WIDE,
    dark: bool = False,
    complaints: list[str] | None = None,
) -> Iterator[Page]:
    """A page of the console at `url`, of somebody who has a session; it is at no address yet.

    What the browser complains of (exceptions, what the policy stopped, files that do not come) goes to
    `complaints`; at the end there must be none.
    """
    told: list[str] = [] if complaints is None else complaints
    cookie, _ = sign_in(operator, TOKEN, SystemClock().now())
    context = browser.new_context(
        base_url=url,
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    context.add_cookies([{"name": COOKIE, "value": cookie, "url": url}])
    page = context.new_page()
    page.set_default_timeout(_ANSWERS_WITHIN_S * 1000)
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("console", lambda said: told.append(said.text) if said.type in ("error", "warning") else None)
    try:
        yield page
    finally:
        context.close()
    assert not told, told


def until(page: Page, script: str) -> None:
    """Wait until an expression is true. Playwright's own way needs `eval`, which the policy stops."""
    give_up = time.monotonic() + _ANSWERS_WITHIN_S
    while not page.evaluate(script):
        assert time.monotonic() < give_up, f"never true: {script}"
        page.wait_for_timeout(20)


class HeldAnswers:
    """What is asked of an address is done at once, and its answer comes when the test lets it go."""

    def __init__(self, page: Page, address: str) -> None:
        self._page = page
        self._held: list[tuple[Route, APIResponse]] = []
        page.route(address, lambda route: self._held.append((route, route.fetch())))

    def wait(self, count: int = 1) -> None:
        """Wait until so many answers are held."""
        give_up = time.monotonic() + _ANSWERS_WITHIN_S
        while len(self._held) < count:
            assert time.monotonic() < give_up, f"{len(self._held)} of {count} were asked for"
            self._page.wait_for_timeout(20)

    def let_go(self, at: int = -1) -> None:
        """Let one of them come, and what the page says to it."""
        route, answer = self._held[at]
        with self._page.expect_event("requestfinished", lambda done: done == route.request):
            route.fulfill(response=answer)
        self._page.wait_for_timeout(50)


def grave_faults(page: Page) -> list[str]:
    """What axe finds on a page that keeps somebody from using it, in light and in dark: rule and place."""
    from axe_playwright_python.sync_playwright import Axe

    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        told = Axe().run(page).response["violations"]
        found += [
            f"{scheme}: {each['id']} {node['target']}: {node['failureSummary']}"
            for each in told
            if each["impact"] in _GRAVE
            for node in each["nodes"]
        ]
    return found
