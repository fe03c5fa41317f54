"""Notifications reach a real HTTP receiver, whatever it does in between (W19)."""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lib.clock import ManualClock
from lib.events.model import JobBegun, JobDone, JobFailure
from lib.redact import Redactor
from lib.webhooks import Outbox, WebhookSender, WebhookSink, receiver_of, verify
from lib.webhooks.outbox import Notification
from lib.webhooks.receiver import Receiver

SECRET = "a long random text"
DONE = JobDone(request_id="tides:one", lease_no=1, attempt=1, host="here", identity="5f2c")


class Ear:
    """A receiver that answers each post with the next status, the last one for ever."""

    def __init__(self) -> None:
        self.statuses, self.heard = [200], list[tuple[dict[str, str], bytes]]()
        self.location = ""
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                ear.heard.append((dict(self.headers), body))
                self.send_response(ear.statuses.pop(0) if len(ear.statuses) > 1 else ear.statuses[0])
                if ear.location:
                    self.send_header("Location", ear.location)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/token-in-the-path"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    yield made
    made.close()


class JumpingClock(ManualClock):
    """One whose date somebody sets."""

    date_off = 0.0

    def now(self) -> float:
        return super().now() + self.date_off


class Desk:
    """An outbox, its sink and a sender, on a clock that is moved."""

    def __init__(self, folder: Path, url: str, within_s: float = 20.0) -> None:
        self.clock = JumpingClock()
        self.outbox = Outbox(folder)
        self.counts: list[str] = []
        self.receiver = replace(receiver_of(url), within_s=within_s)
        self.sender = self.another_sender()
        self.sink = WebhookSink(
            self.outbox, self.clock, deployment="pab:jobs", watcher="ann", wake=self.sender.wake
        )

    def another_sender(self) -> WebhookSender:
        return WebhookSender(
            self.outbox, self.receiver, SECRET, self.clock, count=self.counts.append, jitter=lambda: 1.0
        )

    def for_seconds(self, seconds: float) -> None:
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            self.clock.advance(max(0.1, self.sender.turn()))


def test_a_done_job_is_posted_once_signed_and_a_begun_one_never(ear: Ear, tmp_path: Path) -> None:
    desk = Desk(tmp_path, ear.url)
    desk.sink.emit(JobBegun(request_id="tides:one", lease_no=1, attempt=1, host="here"))
    desk.sink.emit(DONE)

    desk.for_seconds(10)

    ((headers, body),) = ear.heard
    told = json.loads(body)
    assert (told["event"], told["request_id"], told["deployment"]) == ("done", "tides:one", "pab:jobs")
    assert told["id"] == headers["Webhook-Id"]
    stamp, given = headers["Webhook-Timestamp"], headers["Webhook-Signature"]
    now = desk.clock.now()
    assert verify(SECRET, stamp, body, given, now=now)
    assert not verify(SECRET, stamp, body + b" ", given, now=now)
    assert not verify("another", stamp, body, given, now=now)
    assert not verify(SECRET, stamp, body, given, now=now + 3600)
    assert desk.outbox.waiting() == []


def test_each_try_is_signed_anew(ear: Ear, tmp_path: Path) -> None:
    """Else a receiver that was down for an hour would refuse what it gets as a repetition."""
    ear.statuses = [503, 200]
    desk = Desk(tmp_path, ear.url)
    desk.sink.emit(DONE)
    desk.clock.advance(3000)
    desk.sender.turn()
    desk.clock.advance(600)

    desk.sender.turn()

    for (headers, body), now in zip(ear.heard, (desk.clock.now() - 600, desk.clock.now()), strict=True):
        stamp, given = headers["Webhook-Timestamp"], headers["Webhook-Signature"]
        assert verify(SECRET, stamp, body, given, now=now)
    assert desk.sender.waits == 0


class Hiccup(Outbox):
    """On a disk whose first read fails."""

    failed = False

    def body(self, notification: Notification) -> bytes | None:
        if not self.failed:
            self.failed = True
            raise OSError(errno.EIO, "Input/output error")
        return super().body(notification)


def test_one_that_cannot_be_read_for_a_moment_is_not_dropped(ear: Ear, tmp_path: Path) -> None:
    desk = Desk(tmp_path, ear.url)
    desk.outbox = Hiccup(tmp_path)
    desk.sender = desk.another_sender()
    desk.sink.emit(DONE)

    desk.for_seconds(60)

    assert len(ear.heard) == 1
    assert desk.counts == ["refused", "delivered"]


def test_a_receiver_that_is_down_for_an_hour_misses_nothing(ear: Ear, tmp_path: Path) -> None:
    ear.statuses = [503]
    desk = Desk(tmp_path, ear.url)
    for number in range(20):
        desk.sink.emit(replace(DONE, lease_no=number + 1))
    desk.for_seconds(3600)
    assert "delivered" not in desk.counts
    tries = len(ear.heard)
    assert tries < 120  # it is left alone between the tries
    desk.sender.stop()
    desk.sender = desk.another_sender()  # and a restart in between

    ear.statuses = [200]
    desk.for_seconds(120)

    assert desk.counts.count("delivered") == 20
    assert len({headers["Webhook-Id"] for headers, _ in ear.heard[tries:]}) == 20
    assert desk.outbox.waiting() == []


def test_after_a_day_it_is_given_up_and_said(
    ear: Ear, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ear.statuses = [500]
    desk = Desk(tmp_path, ear.url)
    desk.sink.emit(DONE)
    desk.for_seconds(60)
    desk.clock.advance(86_400)

    desk.sender.turn()

    assert desk.outbox.waiting() == []
    assert desk.counts[-1] == "dropped"
    assert "not taken within a day and dropped (1 notifications)" in caplog.text


def test_the_same_end_told_again_has_the_same_id_and_another_job_has_not(ear: Ear, tmp_path: Path) -> None:
    desk = Desk(tmp_path, ear.url)
    for event in (DONE, DONE, replace(DONE, identity="77aa")):
        desk.sink.emit(event)
        desk.for_seconds(3)

    first, second, other = (headers["Webhook-Id"] for headers, _ in ear.heard)
    assert first == second != other


def test_the_same_end_told_twice_before_it_is_sent_is_posted_once(ear: Ear, tmp_path: Path) -> None:
    desk = Desk(tmp_path, ear.url)
    desk.sink.emit(DONE)
    desk.clock.advance(5)  # a restart lies between
    desk.sink.emit(DONE)

    desk.for_seconds(10)

    assert len(ear.heard) == 1


def test_a_date_that_jumps_drops_nothing(ear: Ear, tmp_path: Path) -> None:
    """The clock is set right after a boot: what waits is days old at once, and was never tried for long."""
    ear.statuses = [500]
    desk = Desk(tmp_path, ear.url)
    desk.sink.emit(DONE)
    desk.clock.date_off = 30 * 86_400.0
    desk.for_seconds(1_800)
    assert "dropped" not in desk.counts
    ear.statuses = [200]

    desk.for_seconds(700)

    assert desk.counts[-1] == "delivered"


def test_of_too_many_the_oldest_give_way_and_it_is_said(
    ear: Ear, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(tmp_path, ear.url)
    for number in range(12):
        desk.sink.emit(replace(DONE, lease_no=number + 1))
        desk.clock.advance(0.5)
    desk.sender = WebhookSender(desk.outbox, desk.receiver, SECRET, desk.clock, most=8)

    desk.for_seconds(5)

    assert [json.loads(body)["lease_no"] for _, body in ear.heard] == list(range(5, 13))
    assert "too many wait (12 notifications)" in caplog.text


def test_thousands_that_wait_cost_as_many_steps_and_not_their_square(tmp_path: Path) -> None:
    class Silent(Receiver):
        def post(self, body: bytes, headers: Mapping[str, str]) -> None:
            return

    def cpu_s(many: int) -> float:
        desk = Desk(tmp_path / str(many), "http://127.0.0.1:9/")
        for number in range(many):
            (desk.outbox.folder / f"{number:032x}.json").write_bytes(b"{}")
        desk.receiver = Silent("http", "nowhere", None, "/")
        sender, began = desk.another_sender(), time.process_time()
        sender.turn()
        assert desk.counts == ["delivered"] * many
        return time.process_time() - began

    few = cpu_s(500)
    assert cpu_s(4000) < 24 * few  # 8 is what they should be, 64 what the square would be


def test_halves_of_characters_in_a_reason_are_told_all_the_same(ear: Ear, tmp_path: Path) -> None:
    desk = Desk(tmp_path, ear.url)
    desk.sink.emit(JobFailure(request_id="a:b", lease_no=1, attempt=1, host="h", reason="file \udcff.wav"))

    desk.for_seconds(3)

    assert json.loads(ear.heard[0][1])["reason"] == "file ?.wav"


def test_no_secret_is_posted(ear: Ear, tmp_path: Path) -> None:
    desk = Desk(tmp_path, ear.url)
    told = WebhookSink(
        desk.outbox,
        desk.clock,
        deployment="d",
        watcher="w",
        wake=desk.sender.wake,
        hide=Redactor(["hushhush"]).hide,
    )
    told.emit(JobFailure(request_id="a:b", lease_no=1, attempt=1, host="h", reason="no login with hushhush"))

    desk.for_seconds(3)

    assert json.loads(ear.heard[0][1])["reason"] == "no login with ***"


def test_a_disk_that_is_full_for_a_while_loses_none(
    ear: Ear, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path, ear.url)
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", no_space)
        for number in (1, 2):
            desk.sink.emit(replace(DONE, lease_no=number))
        desk.for_seconds(5)
        assert ear.heard == []

    desk.for_seconds(5)

    assert len(ear.heard) == 2


def no_space(fd: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_one_that_was_taken_and_cannot_be_removed_is_not_posted_again(ear: Ear, tmp_path: Path) -> None:
    desk = Desk(tmp_path, ear.url)
    desk.outbox = Stuck(tmp_path)
    desk.sender = desk.another_sender()
    desk.sink.emit(DONE)

    desk.for_seconds(1_300)

    assert len(ear.heard) == 1
    assert desk.counts == ["delivered"]


class Stuck(Outbox):
    """On a disk that became read-only."""

    def remove(self, notification: Notification) -> None:
        raise OSError(errno.EROFS, "Read-only file system")


def test_a_redirect_is_not_followed(ear: Ear, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ear.statuses, ear.location = [302], ear.url + "/elsewhere"
    desk = Desk(tmp_path, ear.url)
    desk.sink.emit(DONE)

    desk.sender.turn()

    assert len(ear.heard) == 1
    assert len(desk.outbox.waiting()) == 1
    assert "redirects are not followed" in caplog.text
    assert "token-in-the-path" not in caplog.text


def test_of_two_senders_on_a_folder_one_sends(ear: Ear, tmp_path: Path) -> None:
    desk = Desk(tmp_path, ear.url)
    desk.sender.turn()
    desk.sink.emit(DONE)

    desk.another_sender().turn()

    assert ear.heard == []
    desk.sender.turn()
    assert len(ear.heard) == 1
