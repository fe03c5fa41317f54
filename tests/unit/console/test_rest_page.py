"""The page about REST says what REST is."""

from __future__ import annotations

from job_console.app import build_api
from tests.unit.console.rest_page import PAGE, page


def test_the_page_is_current() -> None:
    """P30. When the routes changed: python -m tests.unit.console.rest_page"""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_route_is_on_it() -> None:
    """P30."""
    text = PAGE.read_text(encoding="utf-8")
    for path, methods in build_api().openapi()["paths"].items():
        for method in methods:
            assert f"### `{method.upper()} {path}`" in text
