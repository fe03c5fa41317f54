"""P31: who may ask what, how often and how much; and what is written down of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
from pathlib import Path

import httpx
import pytest
from anyio.to_thread import current_default_thread_limiter
from starlette.types import Receive, Scope, Send

from job_console.access.rate_limit import RateLimit, holder_of
from job_console.access.session import COOKIE, LIFE_S, session_of, sign_in
from job_console.app import build_api
from job_console.audit import AuditLog
from job_console.health_and_metrics import ConsolePulse
from job_console.listening import open_listener
from job_console.route_services import ConsoleLimits
from job_console.serving import serve
from lib.clock import ManualClock
from lib.errors import BadConfiguration, Unavailable, UsageError
from lib.pipeline.operator_names import LONGEST_OPERATOR
from lib.redact import Redactor
from tests.doubles.console import BEARER, TOKEN, ConsoleDesk

API = "/api/v1"
DOCUMENT = build_api().openapi()
OPERATIONS = [
    (method.upper(), path.replace("{number}", "1").replace("{", "").replace("}", ""))
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
]
OPEN = {("GET", f"{API}/healthz"), ("POST", f"{API}/session")}


class TestWithoutTheRightToken:
    """Nobody gets in, nothing is told and nothing is changed."""

    WRONG: tuple[dict[str, str], ...] = (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer \xff"},
        {"Cookie": f"{COOKIE}={TOKEN}"},
        {"Cookie": f"{COOKIE}=a.b"},
        {"Cookie": f"{COOKIE}=."},
        {"Cookie": "=;;"},
    )

    def test_every_route_but_two_is_closed(self, desk: ConsoleDesk) -> None:
        limits = ConsoleLimits(wrong_tokens=1e6)
        with desk.client({}, limits=limits) as client:
            for method, path in OPERATIONS:
                if (method, path) in OPEN:
                    continue
                for headers in self.WRONG if path == f"{API}/runs" else self.WRONG[:2]:
                    sent = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
                    answer = client.request(method, path, headers=sent)
                    assert answer.status_code == 401, (method, path, headers)
                    assert answer.json()["error"]["type"] == "NotLoggedIn"
                    assert answer.headers["www-authenticate"] == "Bearer"

    def test_what_does_not_exist_is_not_told_either(self, desk: ConsoleDesk) -> None:
        with desk.client({}) as client:
            for path in (f"{API}/nothing", "/api/", "/api/v2/runs"):
                assert client.get(path).status_code == 401
            for path in ("/", "/api", "/docs", "/openapi.json", "/etc/passwd"):
                answer = client.get(path)
                assert (answer.status_code, answer.headers["location"][:12]) == (303, "/login?next=")
                assert client.post(path).status_code == 401

    def test_a_token_in_the_url_is_none(self, desk: ConsoleDesk) -> None:
        with desk.client({}) as client:
            for name in ("token", "access_token", "key"):
                assert client.get(f"{API}/runs?{name}={TOKEN}").status_code == 401

    def test_who_tries_often_is_told_to_wait_and_the_right_one_is_let_in(self, desk: ConsoleDesk) -> None:
        with desk.client({}) as client:
            wrong = {"Authorization": "Bearer wrong"}
            tries = [client.get(f"{API}/runs", headers=wrong).status_code for _ in range(15)]
            assert tries[:10] == [401] * 10
            assert tries[-1] == 429
            body = {"token": "wrong", "operator": "eve"}
            answer = client.post(f"{API}/session", json=body)
            assert (answer.status_code, "retry-after" in answer.headers) == (429, True)
            assert client.get(f"{API}/runs", headers=BEARER).status_code == 200


class TestSessions:
    """A page's cookie: HttpOnly, SameSite=Strict, good for its own site alone."""

    def log_in(self, client: httpx.Client) -> httpx.Response:
        return client.post(f"{API}/session", json={"token": TOKEN, "operator": "ann"})

    def test_the_cookie_cannot_be_read_or_sent_by_others(self, desk: ConsoleDesk) -> None:
        with desk.client({}) as client:
            said = self.log_in(client).headers["set-cookie"].lower()
            assert "httponly" in said
            assert "samesite=strict" in said
            assert "secure" not in said
            assert TOKEN not in said
        with desk.client({}, secure=True) as client:
            answer = self.log_in(client)
            assert "secure" in answer.headers["set-cookie"].lower()
            assert "strict-transport-security" in answer.headers

    def test_it_names_the_operator_of_what_is_decided(self, desk: ConsoleDesk) -> None:
        desk.start()
        desk.work()
        with desk.client({}) as client:
            self.log_in(client)
            assert client.get(f"{API}/session").json()["operator"] == "ann"
            path = f"{API}/runs/r1/gates/script/approve"
            answer = client.post(path, json={}, headers={"Sec-Fetch-Site": "same-origin"})
            assert answer.json()["operator"] == "ann"

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({}, 403),
            ({"Origin": "http://evil.example"}, 403),
            ({"Origin": "null"}, 403),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Sec-Fetch-Site": "same-site"}, 403),
            ({"Sec-Fetch-Site": "none"}, 403),
            ({"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"}, 403),
            ({"Sec-Fetch-Site": "cross-site", "Origin": "OWN"}, 403),
            ({"Origin": "OWN"}, 404),
            ({"Origin": "TLS", "Sec-Fetch-Site": "same-origin"}, 404),
            ({"Origin": "TLS.evil.example", "Sec-Fetch-Site": "same-origin"}, 403),
            ({"Sec-Fetch-Site": "same-origin"}, 404),
        ],
    )
    def test_other_sites_change_nothing(
        self, desk: ConsoleDesk, headers: dict[str, str], status: int
    ) -> None:
        with desk.client({}) as client:
            self.log_in(client)
            own = str(client.base_url).rstrip("/")
            tls = own.replace("http:", "https:")  # what a browser says where a proxy speaks TLS for us
            sent = {name: value.replace("OWN", own).replace("TLS", tls) for name, value in headers.items()}
            answer = client.post(f"{API}/runs/r9/cancel", json={}, headers=sent)
            assert answer.status_code == status

    def test_it_ends_by_time_by_hand_and_with_the_token(self, desk: ConsoleDesk) -> None:
        cookie, session = sign_in("ann", TOKEN, 1000.0)
        assert session_of(cookie, TOKEN, 1000.0 + LIFE_S - 1) == session
        assert session_of(cookie, TOKEN, 1000.0 + LIFE_S) is None
        assert session_of(cookie, "another-token-than-that", 1000.0) is None
        for at in range(len(cookie)):
            changed = cookie[:at] + ("A" if cookie[at] != "A" else "B") + cookie[at + 1 :]
            assert session_of(changed, TOKEN, 1000.0) is None
        with desk.client({}) as client:
            self.log_in(client)
            answer = client.delete(f"{API}/session", headers={"Sec-Fetch-Site": "same-origin"})
            assert answer.status_code == 204
            assert client.get(f"{API}/session").status_code == 401

    def test_a_name_of_the_most_letters_stays_logged_in(self, desk: ConsoleDesk) -> None:
        with desk.client({}) as client:
            name = "\N{DESERET CAPITAL LETTER LONG I}" * LONGEST_OPERATOR  # two escapes in JSON each
            assert client.post(f"{API}/session", json={"token": TOKEN, "operator": name}).status_code == 200
            assert client.get(f"{API}/session").json()["operator"] == name

    def test_no_get_changes_anything(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.start()
        desk.work()
        for method, path in OPERATIONS:
            if method == "POST":
                answer = client.get(path.replace("/run/", "/r1/").replace("/stage/", "/script/"))
                assert answer.status_code in (200, 404, 405, 422, 503), path
        assert [event["event"] for event in client.get(f"{API}/runs/r1/trail").json()][-1] == "gate_pause"


class TestWhatABrowserIsTold:
    """Security headers on every answer, no CORS, nowhere a redirect."""

    def test_every_answer_has_them(self, desk: ConsoleDesk) -> None:
        with desk.client({}) as client:
            for headers, path in (
                ({}, "/"),
                *((BEARER, each) for each in (f"{API}/runs", "/x", f"{API}/runs/")),
            ):
                answer = client.get(path, headers={**headers, "Origin": "http://evil.example"})
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert "default-src 'none'" in answer.headers["content-security-policy"]
                assert "unsafe" not in answer.headers["content-security-policy"]
                assert answer.headers["cache-control"] == "no-store"
                assert not [name for name in answer.headers if name.startswith("access-control")]
                assert "server" not in answer.headers
                assert answer.status_code == {"/": 303, f"{API}/runs": 200}.get(path, 404)

    @pytest.mark.parametrize("host", ["evil.example", "evil.example\\@127.0.0.1", "127.0.0.1:1/..//evil"])
    def test_no_host_leads_anywhere(self, client: httpx.Client, host: str) -> None:
        for path in ("//evil.example", "/api/v1/runs/", "//evil.example/..", "/api/v1//evil.example/%2f.."):
            answer = client.get(path, headers={"Host": host})
            assert answer.status_code == (200 if answer.request.url.path == "/" else 404)  # our first page
            assert "location" not in answer.headers

    def test_no_header_comes_from_what_a_caller_names(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        for name in ("a%0d%0aX-Bad:%201", "a%0aSet-Cookie:%20b", "%0d%0a%0d%0a<script>"):
            for path in (f"/runs/{name}", f"/queue/jobs/{name}/result", f"/runs?after={name}"):
                answer = client.get(API + path)
                assert answer.status_code in (404, 422)
                assert {"x-bad", "set-cookie"} & {*answer.headers} == set()
                assert answer.headers["content-type"] == "application/json"


class TestBounds:
    """Memory, time and turns that one client may take."""

    def test_a_body_that_is_too_long_is_refused(self, desk: ConsoleDesk) -> None:
        limits = ConsoleLimits(body_bytes=1000)
        with desk.client(limits=limits) as client:
            fits = client.post(f"{API}/runs", json={"intent": "x" * 900})
            assert fits.status_code == 404
            for body in ({"content": b"x" * 1001}, {"content": iter([b"x" * 600] * 3)}):
                for path, kind in (("/runs", "application/json"), ("/queue/jobs", "application/yaml")):
                    answer = client.post(API + path, headers={"Content-Type": kind}, **body)
                    assert answer.status_code == 413, path
                    assert answer.json()["error"]["type"] == "TooLong"
                    body = {"content": b"x" * 1001}

    def test_who_has_no_token_gets_no_memory(self, client: httpx.Client) -> None:
        body = {"token": "x" * 40_000, "operator": "eve"}
        assert client.post(f"{API}/session", json=body, headers={"Authorization": ""}).status_code == 413

    def test_who_holds_a_network_holds_no_more_permits(self) -> None:
        pairs = ("2001:db8::1", "2001:db8::ffff:1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("fe80::1%a", "fe80::2")
        assert all(holder_of(one) == holder_of(other) for one, other in pairs)
        others = "2001:db8::1", "2001:db8:0:1::1", "10.0.0.1", "10.0.0.2", "local", "a:b"
        assert len({holder_of(each) for each in others}) == len(others)

    def test_who_asks_too_often_waits(self, desk: ConsoleDesk) -> None:
        limits = ConsoleLimits(reads=5, changes=2)
        clock = ManualClock()
        with desk.client(limits=limits, clock=clock) as client:
            reads = [client.get(f"{API}/gates").status_code for _ in range(12)]
            assert reads == [200] * 10 + [429] * 2
            changes = [client.post(f"{API}/runs/r9/cancel", json={}).status_code for _ in range(6)]
            assert changes == [403] * 4 + [429] * 2
            clock.advance(1.0)
            assert client.get(f"{API}/gates").status_code == 200

    def test_many_addresses_take_no_memory(self) -> None:
        limit = RateLimit(1.0, 1.0, ManualClock())
        for number in range(20_000):
            limit.wait_s(f"10.0.{number}")
        assert len(limit._left) == 10_000

    def test_json_that_is_none_is_no_error_of_ours(self, client: httpx.Client) -> None:
        bodies = (b"{", b"\xff\xfe", b"[" * 100_000, b'{"inputs": NaN}', b'"\\ud800"', b"null", b"")
        for body in bodies:
            headers = {"Content-Type": "application/json"}
            answer = client.post(f"{API}/runs", content=body, headers=headers)
            assert answer.status_code in (400, 422), body[:20]
        deep = b'{"inputs": {"a": ' + b"[" * 70 + b"]" * 70 + b"}}"
        answer = client.post(f"{API}/runs", content=deep, headers={"Content-Type": "application/json"})
        assert "levels deep" in answer.json()["error"]["message"]

    def test_the_pulse_needs_no_thread_of_the_routes(self, desk: ConsoleDesk) -> None:
        async def work() -> None:
            routes = current_default_thread_limiter()
            routes.total_tokens = 1
            async with asyncio.timeout(20), routes:  # as where all wait for a server that is away
                assert (await ConsolePulse(desk.parts).feel())["ok"]

        asyncio.run(work())

    def test_no_error_tells_a_secret(self, desk: ConsoleDesk, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(*_: object) -> None:
            raise BadConfiguration("redis://ann:hunter22@queue does not answer to hunter22")

        monkeypatch.setattr(type(desk.queue), "last_event_id", fails)
        monkeypatch.setattr(type(desk.queue), "snapshot", fails)
        with desk.client(redactor=Redactor(["hunter22"])) as client:
            answer = client.get(f"{API}/queue/status")
        assert (answer.status_code, "hunter22" in answer.text) == (503, False)


class TestAudit:
    """A line before each change that is asked for, and one after; whoever asked."""

    def lines(self, desk: ConsoleDesk) -> list[dict[str, object]]:
        return [json.loads(line) for line in desk.parts.audit.path.read_text().splitlines()]

    def test_a_decision_stands_there_with_its_operator(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.start()
        desk.work()
        client.post(f"{API}/runs/r1/gates/script/approve", json={"operator": "ann"})
        client.get(f"{API}/runs")
        asked, answered = self.lines(desk)
        assert (asked["event"], answered["event"]) == ("asked", "answered")
        assert asked["id"] == answered["id"]
        assert (answered["operator"], answered["status"]) == ("ann", 200)
        assert stat.S_IMODE(desk.parts.audit.path.stat().st_mode) == 0o600

    def test_nothing_is_changed_that_cannot_be_written_down(
        self, desk: ConsoleDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        desk.start()

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(type(desk.parts.audit), "write", full)
        with desk.client() as client:
            answer = client.post(f"{API}/runs/r1/cancel", json={"operator": "ann"})
            assert answer.status_code == 503
            assert client.get(f"{API}/runs/r1").json()["state"] == "queued"

    def test_who_has_no_token_fills_no_disk(self, desk: ConsoleDesk) -> None:
        with desk.client({}) as client:
            for body in ({"token": "wrong", "operator": "eve"}, {"other": 1}):
                for _ in range(20):
                    client.post(f"{API}/session", json=body)
            assert [line["status"] for line in self.lines(desk)] == [401] * 10
            client.post(f"{API}/session", json={"token": TOKEN, "operator": "ann"})
            last = self.lines(desk)[-1]
            assert (last["event"], last["operator"], last["status"]) == ("answered", "ann", 200)
            assert TOKEN not in desk.parts.audit.path.read_text()

    def test_half_a_line_spoils_no_other(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with contextlib.closing(AuditLog(tmp_path, ManualClock())) as log:
            log.write("asked", {"id": "1"})
            real = os.write
            with monkeypatch.context() as full:
                full.setattr(os, "write", lambda file, data: real(file, data[:9]))
                with pytest.raises(OSError, match="space"):
                    log.write("asked", {"id": "2"})
            log.write("asked", {"id": "3"})
        with log.path.open("a") as file:
            file.write('{"at')
        with contextlib.closing(AuditLog(tmp_path, ManualClock())) as log:
            log.write("asked", {"id": "4"})
        lines = log.path.read_text().splitlines()
        whole = [json.loads(line)["id"] for line in lines if line.endswith("}")]
        assert (whole, len(lines)) == (["1", "3", "4"], 5)

    def test_no_name_writes_a_second_line(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        client.post(f"{API}/runs/a%0a%7b%22event%22%3a%22asked%22%7d/cancel", json={"operator": "a"})
        assert len(self.lines(desk)) == 2


class TestWhereItListens:
    """On this computer alone, unless TLS is spoken or somebody says so."""

    @pytest.mark.parametrize("place", ["0.0.0.0:0", "[::]:0"])
    def test_elsewhere_it_wants_tls(self, place: str) -> None:
        with pytest.raises(UsageError, match="in the clear"):
            open_listener(place, None, in_the_clear=False)

    def test_where_somebody_says_so_it_listens(self) -> None:
        open_listener("0.0.0.0:0", None, in_the_clear=True).socket.close()

    def test_what_could_not_begin_is_no_success(self, caplog: pytest.LogCaptureFixture) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            raise Unavailable("the queue went away")

        listener = open_listener("127.0.0.1:0", None, in_the_clear=False)
        with contextlib.closing(listener.socket), pytest.raises(Unavailable, match="could not begin"):
            serve(app, listener, None, ConsoleLimits())

    @pytest.mark.parametrize("place", ["", "8640", "127.0.0.1", "127.0.0.1:99999", "a b:1"])
    def test_what_is_no_place_is_said(self, place: str) -> None:
        with pytest.raises(UsageError, match="no place"):
            open_listener(place, None, in_the_clear=False)
