"""P32: the frame of every page, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.pages import grave_faults

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_the_login_can_be_used_by_everybody(page: Page) -> None:
    page.goto("/login?next=/jobs/x")
    assert page.title() == "Log in · job-console"
    assert grave_faults(page) == []
