"""P31: what is said of a decision by a link: in pages, headers, logs and the audit log."""

from __future__ import annotations

import json
import logging
from urllib.parse import quote

import httpx
import pytest

from job_console.route_services import ConsoleLimits
from lib.clock import ManualClock
from lib.pipeline.decision_links import signed
from lib.pipeline.gates import reject_gate
from lib.pipeline.runs import advance
from tests.doubles.console import TOKEN, ConsoleDesk, sound
from tests.doubles.phone import Page, address, at_gate, link_of

HTML = "<script>alert(1)</script>'\"&"


class TestWhatIsSaidOfIt:
    """No text becomes markup or a header, and no log or trail holds a link that can be used."""

    def test_no_text_becomes_markup(self, desk: ConsoleDesk) -> None:
        desk.start("r1", topic=HTML)
        name = f"a{HTML.replace('/', '')}.md"
        desk.work("r1", files={name: HTML.encode(), f"b{HTML.replace('/', '')}.wav": sound()}, result=HTML)
        reject_gate(desk.ledger, "r1", "script", operator=HTML, notes=HTML)
        advance(desk.ledger, "r1", operator=HTML)
        desk.work("r1", files={name: HTML.encode()})
        where = address(link_of(desk, operator=HTML))
        with desk.client({}) as phone:
            texts = [phone.get(where).text, phone.post(where, data={"decision": HTML, "note": HTML}).text]
            assert phone.get(f"{where}/files/{quote(name)}").headers["content-type"].startswith("text/plain")
            texts.append(phone.get(f"{where}/files/{quote(HTML, safe='')}").text)
            assert phone.post(where, data={"decision": "reject", "note": HTML}).status_code == 303
            texts.append(phone.get(where).text)
        for text in texts:
            page = Page(text)
            assert not page.all("script")
            assert not [key for _, attributes in page.tags for key in attributes if key.startswith("on")]
        assert sum(HTML in Page(text).words for text in texts) == 3

    def test_no_text_becomes_a_header(self, desk: ConsoleDesk, phone: httpx.Client) -> None:
        where = address(link_of(desk, operator="ann"))
        for path in (f"{where}%0d%0aX-Evil:%201", f"{where}/files/x%0d%0aX-Evil:%201"):
            for answer in (phone.get(path), phone.post(path, data={"decision": "approve"})):
                assert "x-evil" not in answer.headers
        answer = phone.post(where, data={"decision": "approve", "note": "a\r\nX-Evil: 1"})
        assert "x-evil" not in answer.headers

    def test_the_audit_log_says_who_by_what_and_not_the_link(
        self, desk: ConsoleDesk, phone: httpx.Client
    ) -> None:
        link = link_of(desk)
        phone.get(address(link))
        phone.post(address(link), data={"decision": "approve"})
        text = desk.parts.audit.path.read_text()
        asked, answered = (json.loads(line) for line in text.splitlines())
        assert (asked["by"], asked["operator"], answered["status"]) == ("link", "ann", 303)
        assert asked["path"] == f"/decide/r1/script/{link.number}"
        assert signed(link, TOKEN).partition(".")[2] not in text

    def test_nothing_is_decided_that_cannot_be_written_down(
        self, desk: ConsoleDesk, phone: httpx.Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(type(desk.parts.audit), "write", full)
        assert phone.post(address(link_of(desk)), data={"decision": "approve"}).status_code == 503
        assert at_gate(desk).decision is None

    def test_no_log_has_it(
        self,
        desk: ConsoleDesk,
        phone: httpx.Client,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def fails(*_: object, **__: object) -> None:
            raise ValueError("a fault of ours")

        where = address(link_of(desk))
        monkeypatch.setattr("job_console.pages.decide.find_linked", fails)
        with caplog.at_level(logging.DEBUG):
            assert phone.get(where).status_code == 500
            assert phone.post(where, data={"decision": "maybe"}).json()["error"]["type"] == "InternalError"
        ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
        assert sum("/decide/***" in line for line in ours) == 2
        assert where.rpartition(".")[2] not in "".join(ours)

    def test_rates_hold(self, desk: ConsoleDesk, phone: httpx.Client) -> None:
        limits = ConsoleLimits(reads=5, changes=2)
        where = address(link_of(desk))
        with desk.client({}, limits=limits, clock=ManualClock(desk.parts.clock.now())) as client:
            assert [client.get(where).status_code for _ in range(12)] == [200] * 10 + [429] * 2
            tries = [client.post(where, data={"decision": "maybe"}).status_code for _ in range(6)]
            assert tries == [422] * 4 + [429] * 2
