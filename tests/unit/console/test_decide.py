"""P20 to P22, P31: a decision by a signed link, from a phone, without a session and without JavaScript."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from lib.clock import ManualClock
from lib.pipeline.decision_links import PATH, signed
from lib.pipeline.gates import approve_gate, reject_gate
from lib.pipeline.runs import LONGEST_WORDS, advance, cancel_job
from lib.pipeline.trail import events_after
from tests.doubles.console import TOKEN, ConsoleDesk
from tests.doubles.phone import FILES, FORM, Page, address, at_gate, link_of


def trail(desk: ConsoleDesk, run: str) -> list[Any]:
    found = [event for event in events_after(desk.ledger, 0, run=run) if event.kind.startswith("gate_")]
    return [(event.kind, event.task, {**event.data, "seconds": 0}) for event in found]


class TestWhatItShows:
    """The gate, its files, what was said; nothing changes by looking."""

    def test_files_to_see_and_hear_and_a_form_without_a_script(
        self, desk: ConsoleDesk, phone: httpx.Client
    ) -> None:
        where = address(link_of(desk))
        answer = phone.get(where)
        page = Page(answer.text)
        assert answer.status_code == 200
        assert "The sea comes back." in page.words
        (audio,) = page.all("audio")
        assert phone.get(str(audio["src"])).content == FILES["take.wav"]
        assert phone.get(str(audio["src"]), headers={"Range": "bytes=0-3"}).content == b"RIFF"
        (picture,) = [each for each in page.all("img") if "look" in str(each["src"])]
        assert phone.get(str(picture["src"])).headers["content-type"] == "image/png"
        (form,) = page.all("form")
        assert (form["method"], form["action"]) == ("post", where)
        assert [each["value"] for each in page.all("button")] == ["reject", "approve"]
        assert not page.all("script", "nav")
        headers = answer.headers
        assert (headers["referrer-policy"], headers["cache-control"]) == ("no-referrer", "no-store")
        assert "script-src 'self'" in headers["content-security-policy"]

    def test_looking_decides_nothing_whoever_looks(self, desk: ConsoleDesk, phone: httpx.Client) -> None:
        before, where = trail(desk, "r1"), address(link_of(desk))
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"):
            for query in ("", "?decision=approve", "?decision=reject&note=no"):
                phone.request(method, where + query)
        assert phone.head(where).status_code == 200
        assert phone.head(where).content == b""
        assert (trail(desk, "r1"), at_gate(desk).decision) == (before, None)

    def test_what_was_said_before_is_shown(self, desk: ConsoleDesk, phone: httpx.Client) -> None:
        reject_gate(desk.ledger, "r1", "script", operator="bob", notes="less about the moon")
        advance(desk.ledger, "r1", operator="bob")
        desk.work("r1", files={"script.md": b"Tides."})
        words = Page(phone.get(address(link_of(desk))).text).words
        assert "less about the moon" in words
        assert "rejected by bob" in words

    def test_a_file_that_is_gone_is_said(self, desk: ConsoleDesk, phone: httpx.Client) -> None:
        (desk.folder / "runs" / "r1" / "take.wav").unlink()
        assert "another computer" in phone.get(address(link_of(desk))).text


class TestDeciding:
    """The first decision wins, and leaves the trail that every other way leaves."""

    @pytest.mark.parametrize("decision", ["approve", "reject"])
    def test_the_trail_is_that_of_the_command(
        self, desk: ConsoleDesk, phone: httpx.Client, decision: str
    ) -> None:
        desk.start("r2")
        desk.work("r2", files=FILES)
        where = address(link_of(desk, "r1"))
        answer = phone.post(where, data={"decision": decision, "note": " good\r\nand long "})
        assert (answer.status_code, answer.headers["location"]) == (303, where)
        decides = approve_gate if decision == "approve" else reject_gate
        decides(desk.ledger, "r2", "script", operator="ann", notes="good\nand long")
        assert trail(desk, "r1") == trail(desk, "r2")
        lines = (desk.folder / "runs" / "r1" / "events.jsonl").read_text().splitlines()
        assert json.loads(lines[-1])["event"] == (
            "gate_approved" if decision == "approve" else "gate_rejected"
        )
        after = phone.get(where)
        assert after.status_code == 200
        assert "by ann" in after.text
        assert not Page(after.text).all("form")

    def test_it_decides_once(self, desk: ConsoleDesk, phone: httpx.Client) -> None:
        mine, other = address(link_of(desk)), address(link_of(desk, operator="bob"))
        assert phone.post(other, data={"decision": "reject", "note": "no"}).status_code == 303
        for where in (mine, other):
            answer = phone.post(where, data={"decision": "approve"})
            assert answer.status_code == 409
            assert "rejected by bob" in Page(answer.text).words
        assert [kind for kind, _, _ in trail(desk, "r1")] == ["gate_pause", "gate_rejected"]
        advance(desk.ledger, "r1", operator="bob")
        desk.work("r1", files=FILES)  # to the letter what was rejected
        answer = phone.post(mine, data={"decision": "approve", "seen": at_gate(desk).seen})
        assert (answer.status_code, at_gate(desk).decision) == (409, None)
        assert phone.get(f"{mine}/files/script.md").text.find("The sea") < 0

    def test_what_has_changed_is_said_and_shown_before_it_is_decided(
        self, desk: ConsoleDesk, phone: httpx.Client
    ) -> None:
        where = address(link_of(desk))
        (desk.folder / "runs" / "r1" / "script.md").write_bytes(b"Another story.")
        answer = phone.post(where, data={"decision": "approve", "note": "fine", "seen": at_gate(desk).seen})
        page = Page(answer.text)
        assert answer.status_code == 409
        assert "has changed" in page.words
        assert "Another story." in page.words
        assert "fine" in page.words  # what was written is not lost
        again = phone.post(where, data={"decision": "approve"})  # about what the link was sent for
        assert (again.status_code, at_gate(desk).decision) == (409, None)
        assert "has changed since the link was sent" in " ".join(Page(phone.get(where).text).words.split())
        (seen,) = [each["value"] for each in page.all("input")]
        assert seen == at_gate(desk).seen
        assert phone.post(where, data={"decision": "approve", "seen": str(seen)}).status_code == 303

    def test_what_is_no_decision_is_none(self, desk: ConsoleDesk, phone: httpx.Client) -> None:
        where = address(link_of(desk))
        forms: list[dict[str, Any]] = [
            {"data": {"note": "x"}},
            {"data": {"decision": "maybe"}},
            {"data": {"decision": "approve", "note": "x" * (LONGEST_WORDS + 1)}},
            {"json": {"decision": "approve"}},
            {"content": b"decision=approve"},
            {"content": b"decision=approve&decision=reject", "headers": FORM},
            {"content": b"\xff\xfe", "headers": FORM},
            {"content": b"&".join(b"a%d=1" % n for n in range(5000)), "headers": FORM},
        ]
        for form in forms:
            answer = phone.post(where, **form)
            assert answer.status_code == 422, form
            assert answer.headers["content-type"].startswith("text/html")
        assert at_gate(desk).decision is None

    def test_a_rejection_without_a_word_is_asked_for_one_once(
        self, desk: ConsoleDesk, phone: httpx.Client
    ) -> None:
        where = address(link_of(desk))
        answer = phone.post(where, data={"decision": "reject", "note": " ", "seen": at_gate(desk).seen})
        page = Page(answer.text)
        assert (answer.status_code, at_gate(desk).decision) == (422, None)
        assert "Say why" in page.words
        fields = {str(each["name"]): str(each["value"]) for each in page.all("input")}
        assert phone.post(where, data={**fields, "note": "", "decision": "reject"}).status_code == 303
        kind, _, told = trail(desk, "r1")[-1]
        assert (kind, told.get("notes")) == ("gate_rejected", None)

    def test_the_longest_note_is_kept_whole(self, desk: ConsoleDesk, phone: httpx.Client) -> None:
        note = "\U0001f30a" * LONGEST_WORDS
        assert (
            phone.post(address(link_of(desk)), data={"decision": "reject", "note": note}).status_code == 303
        )
        assert trail(desk, "r1")[-1][2]["notes"] == note

    def test_a_canceled_run_asks_nobody(self, desk: ConsoleDesk, phone: httpx.Client) -> None:
        where = address(link_of(desk))
        cancel_job(desk.ledger, "r1", operator="bob")
        assert phone.get(where).status_code == 410
        assert phone.get(f"{where}/files/script.md").status_code == 410
        assert phone.post(where, data={"decision": "approve"}).status_code in (409, 410)


class TestWhatItDoesNotOpen:
    """One gate, by who was given the link, for a time."""

    def test_a_link_that_was_changed_is_none(self, desk: ConsoleDesk, phone: httpx.Client) -> None:
        link = link_of(desk)
        body, _, signature = signed(link, TOKEN).partition(".")
        wrong = [
            f"{signed(replace(link, operator='eve'), TOKEN).partition('.')[0]}.{signature}",
            signed(link, "another-token-of-nobody"),
            *(body, f"{body}.", f"{body}.{signature[:-1]}", "x" * 1900),
        ]
        for text in wrong:
            answer = phone.get(PATH + text)
            assert answer.status_code == 403, text
            assert "no link of ours" in answer.text
        assert phone.post(PATH + wrong[0], data={"decision": "approve"}).status_code == 403
        assert at_gate(desk).decision is None
        assert not desk.parts.audit.path.read_text()  # who has no link fills no disk

    def test_who_guesses_is_told_to_wait_and_who_has_a_link_is_not(
        self, desk: ConsoleDesk, phone: httpx.Client
    ) -> None:
        tries = [phone.get(f"{PATH}{number}.x").status_code for number in range(12)]
        assert tries == [403] * 10 + [429] * 2
        assert phone.get(address(link_of(desk))).status_code == 200

    def test_its_time_is_over(self, desk: ConsoleDesk, phone: httpx.Client) -> None:
        clock = ManualClock(desk.parts.clock.now())
        where = address(link_of(desk))
        with desk.client({}, clock=clock) as client:
            assert client.get(where).status_code == 200
            clock.advance(3601)
            for answer in (client.get(where), client.get(f"{where}/files/script.md")):
                assert (answer.status_code, "was good until" in answer.text) == (410, True)
            assert client.post(where, data={"decision": "approve"}).status_code == 410
        assert at_gate(desk).decision is None

    def test_it_reads_no_file_but_those_of_its_gate(self, desk: ConsoleDesk, phone: httpx.Client) -> None:
        link = link_of(desk)
        where = f"{address(link)}/files/"
        desk.start("r2")
        desk.work("r2", files={"secret.txt": b"of another run"})
        (desk.folder / "runs" / "r1" / "notes.txt").write_bytes(b"of nobody")
        names = [
            "secret.txt",
            "../r2/secret.txt",
            "notes.txt",
            "events.jsonl",
            "state.json",
            "",
            "/etc/passwd",
        ]
        names += [
            "..%2fr2%2fsecret.txt",
            "%2e%2e/r2/secret.txt",
            "script.md%00",
            "%2e/script.md",
            "script.md/",
        ]
        for name in names:
            url = httpx.URL(str(phone.base_url)).copy_with(raw_path=(where + name).encode())
            assert phone.get(url).status_code in (404, 422), name
        other = replace(link, run="r2")  # of another run, by the number of this gate
        assert phone.get(f"{address(other)}/files/secret.txt").status_code == 404

    def test_a_file_that_became_a_link_is_not_followed(self, desk: ConsoleDesk, phone: httpx.Client) -> None:
        place = desk.folder / "runs" / "r1" / "script.md"
        place.unlink()
        place.symlink_to(desk.folder / "console" / "audit.jsonl")
        where = address(link_of(desk))
        assert phone.get(f"{where}/files/script.md").status_code == 404
        assert "another computer" in phone.get(where).text

    def test_it_is_no_session_and_no_token(self, desk: ConsoleDesk, phone: httpx.Client) -> None:
        text = signed(link_of(desk), TOKEN)
        for headers in ({"Authorization": f"Bearer {text}"}, {"Cookie": f"job_console={text}"}):
            assert phone.get("/api/v1/runs", headers=headers).status_code == 401
        phone.get(PATH + text)
        assert phone.get("/api/v1/gates").status_code == 401
        for path in (f"{PATH}{text}/../../api/v1/runs", f"{PATH}{text}/api/v1/runs", f"{PATH}{text}/"):
            assert phone.get(path).status_code in (401, 404)

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"},
            {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
            {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none", "Origin": "https://evil.example"},
        ],
    )
    def test_another_sites_form_decides_nothing(
        self, desk: ConsoleDesk, phone: httpx.Client, headers: dict[str, str]
    ) -> None:
        answer = phone.post(address(link_of(desk)), data={"decision": "approve"}, headers=headers)
        assert (answer.status_code, at_gate(desk).decision) == (403, None)

    @pytest.mark.parametrize(
        "headers", [{"Sec-Fetch-Site": "same-origin", "Origin": "null"}, {"Origin": "null"}, {}]
    )
    def test_our_own_form_decides_as_browsers_send_it(
        self, desk: ConsoleDesk, phone: httpx.Client, headers: dict[str, str]
    ) -> None:
        answer = phone.post(address(link_of(desk)), data={"decision": "approve"}, headers=headers)
        assert answer.status_code == 303

    def test_a_huge_body_is_refused(self, desk: ConsoleDesk, phone: httpx.Client) -> None:
        content = b"decision=approve&note=" + b"x" * (1 << 20)
        answer = phone.post(address(link_of(desk)), content=content, headers=FORM)
        assert (answer.status_code, at_gate(desk).decision) == (413, None)
