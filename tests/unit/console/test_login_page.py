"""P31, P32: the way in for people: a form, a cookie, and back to where they wanted to."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest

from job_console.access.session import COOKIE
from tests.doubles.console import TOKEN, ConsoleDesk

OURS = {
    "Sec-Fetch-Site": "same-origin",
    "Origin": "null",
}
FIELDS = {"token": TOKEN, "operator": "ann", "next": "/runs?active=true"}


def send(desk: ConsoleDesk, headers: Mapping[str, str] = OURS, **changed: str) -> httpx.Response:
    with desk.client({}) as client:
        return client.post("/login", data={**FIELDS, **changed}, headers=headers)


def test_whoever_looks_at_a_page_is_led_to_the_login_and_back(desk: ConsoleDesk) -> None:
    with desk.client({}) as client:
        led = client.get("/jobs/a%2Fb?tab=log")
        assert (led.status_code, led.headers["location"]) == (303, "/login?next=%2Fjobs%2Fa%2Fb%3Ftab%3Dlog")
        form = client.get(led.headers["location"])
        assert 'name="next" value="/jobs/a/b?tab=log"' in form.text
    answer = send(desk)
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs?active=true")
    said = answer.headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=strict" in said
    assert TOKEN not in answer.headers["set-cookie"]


def test_the_cookie_opens_the_pages_that_the_form_led_to(desk: ConsoleDesk) -> None:
    cookie = send(desk).cookies[COOKIE]
    with desk.client({"Cookie": f"{COOKIE}={cookie}"}) as client:
        assert client.get("/nowhere").status_code == 404
        assert client.get("/api/v1/session").json()["operator"] == "ann"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/a\r\nSet-Cookie: x=1",
        "/\t/evil.example",
        "",
        "/" + "a" * 600,
    ],
)
def test_nobody_is_sent_elsewhere(desk: ConsoleDesk, elsewhere: str) -> None:
    answer = send(desk, next=elsewhere)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    with desk.client({}) as client:
        shown = client.get("/login", params={"next": elsewhere}).text
    assert 'name="next" value="/"' in shown


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"token": "wrong"}, 401, "not this console&#39;s token"),
        ({"token": ""}, 401, "not this console&#39;s token"),
        ({"operator": ""}, 422, "Give a name"),
        ({"operator": "a\x1bb"}, 422, "Give a name"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_right_stays(
    desk: ConsoleDesk, changed: dict[str, str], status: int, words: str
) -> None:
    answer = send(desk, OURS, **changed)
    assert answer.status_code == status
    assert words in answer.text
    assert "set-cookie" not in answer.headers
    assert 'value="/runs?active=true"' in answer.text
    assert TOKEN not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_page_of_another_site_logs_nobody_in(desk: ConsoleDesk, headers: dict[str, str]) -> None:
    answer = send(desk, headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_form_is_a_form(desk: ConsoleDesk) -> None:
    with desk.client({}) as client:
        assert client.post("/login", json=FIELDS, headers=OURS).status_code == 422
        twice = client.post(
            "/login",
            content=b"token=a&token=b",
            headers={**OURS, "Content-Type": "application/x-www-form-urlencoded"},
        )
        assert twice.status_code == 422
        long = client.post("/login", data={**FIELDS, "token": "x" * 40_000}, headers=OURS)
        assert long.status_code == 413


def test_many_wrong_tokens_are_told_to_wait(desk: ConsoleDesk) -> None:
    with desk.client({}) as client:
        wrong = {**FIELDS, "token": "wrong"}
        tries = [client.post("/login", data=wrong, headers=OURS).status_code for _ in range(12)]
        assert (tries[0], tries[-1]) == (401, 429)
        assert client.post("/login", data=FIELDS, headers=OURS).status_code == 303


def test_what_somebody_typed_is_text(desk: ConsoleDesk) -> None:
    script = '"><script>alert(1)</script>'
    answer = send(desk, token="wrong", operator=script, next=f"/{script}")
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert" in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]


def test_styles_are_open_kept_and_nothing_else_is_there(desk: ConsoleDesk) -> None:
    with desk.client({}) as client:
        form = client.get("/login").text
        address = form.split('rel="stylesheet" href="')[1].split('"')[0]
        style = client.get(address)
        assert style.headers["content-type"].startswith("text/css")
        assert "immutable" in style.headers["cache-control"]
        older = client.get("/static/0000/style.css")
        assert (older.status_code, older.headers["cache-control"]) == (200, "no-store")
        for name in ("nothing.js", "..%2Ftemplates%2Fbase.html", "base.html", "%2e%2e/style.css"):
            assert client.get(f"/static/0000/{name}").status_code in (303, 404), name
        assert client.post(address).status_code == 401
