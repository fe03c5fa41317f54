"""P32: the frame of every page, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.doubles.console import TOKEN
from tests.pages import ELSEWHERE, grave_faults

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_the_login_can_be_used_by_everybody(page: Page) -> None:
    page.goto("/login?next=/jobs/x")
    assert page.title() == "Log in · job-console"
    assert grave_faults(page) == []


def test_somebody_logs_in_where_no_tls_is_spoken(page: Page, url: str, complaints: list[str]) -> None:
    page.goto(url.replace("127.0.0.1", ELSEWHERE) + "/login?next=/history")
    page.fill("[name=token]", TOKEN)
    page.fill("[name=operator]", "bea")
    page.click("[type=submit]")
    page.wait_for_url("**/history")
    assert page.inner_text(".who") == "bea"
    page.click("[data-log-out]")
    page.wait_for_url("**/login")
    complaints.clear()  # of policies that a browser heeds with TLS alone
