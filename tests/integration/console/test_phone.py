"""P20, P32: a real browser of a phone's size opens a signed link, without scripts, and decides."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lib.jobqueue.memory.queue import MemoryQueue
from lib.pipeline.views import get_job_status
from tests.chromium import PROGRAM, needs_chromium
from tests.doubles.console import ConsoleDesk
from tests.doubles.phone import FILES, address, link_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = needs_chromium
driving = pytest.importorskip("playwright.sync_api", reason="there is no Playwright here")
#: A folder to put pictures of the pages into, for whoever wants to look.
PICTURES = os.environ.get("PHONE_PICTURES")
WIDTH, HEIGHT = 390, 844
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with driving.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ConsoleDesk]:
    desk = ConsoleDesk(tmp_path, MemoryQueue())
    desk.start("r1")
    desk.work("r1", files={**FILES, "a-name-of-many-letters-" * 6 + ".txt": b"long words " * 200})
    yield desk
    desk.close()


def shown(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def test_a_phone_without_scripts_decides_and_sees_that_it_is_decided(
    desk: ConsoleDesk, browser: Browser
) -> None:
    link = link_of(desk)
    with desk.served() as url:
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT},
            java_script_enabled=False,
            color_scheme="dark",
            has_touch=True,
        )
        asked = list[str]()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(url + address(link))
        shown(page, "decide-dark")
        for word in ("Reject", "Approve"):
            box = page.get_by_role("button", name=word).bounding_box()
            assert box is not None
            assert box["height"] >= 44
            assert box["x"] + box["width"] <= WIDTH
        page.get_by_label("A note").fill("less about the moon")
        page.get_by_role("button", name="Reject").click()
        page.get_by_text("It was rejected by ann").wait_for()
        page.get_by_text("less about the moon").wait_for()
        shown(page, "decided")
        page.reload()  # asks for the page, and decides nothing
        assert not [each for each in asked if not each.startswith(url)]
        for name, wrong in (("wrong", f"{address(link)}x"), ("old", address(replace(link, expires_at=1)))):
            page.goto(url + wrong)
            assert page.get_by_role("alert").count() == 1
            shown(page, name)
        page.close()
    gates = get_job_status(desk.ledger, "r1").gates
    assert [(gate.decision, gate.operator, gate.notes) for gate in gates] == [
        ("rejected", "ann", "less about the moon")
    ]


def test_it_plays_fits_and_can_be_used_by_everybody(desk: ConsoleDesk, browser: Browser) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="there is no axe-core here")
    with desk.served() as url:
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, bypass_csp=True
        )  # axe is a script of nobody's
        page.goto(url + address(link_of(desk)))
        page.wait_for_function("document.querySelector('audio').duration > 0.4")  # by the link alone
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
        shown(page, "decide-light")
        found = axe.Axe().run(page).response["violations"]
        assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
        page.close()
