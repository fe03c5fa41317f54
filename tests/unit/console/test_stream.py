"""P24, P30: live events come once each and in order, whatever a stream missed."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

import anyio
import httpx
import pytest

from job_console.access.session import COOKIE, LIFE_S, sign_in
from job_console.route_services import ConsoleLimits
from job_console.stream.hub import BadPlace, Hub, NewsSources, StreamPlace
from job_console.stream.subscription import WantedNews, follow
from lib.clock import ManualClock
from lib.pipeline.gates import approve_gate
from lib.pipeline.trail import events_after
from tests.doubles.console import BEARER, TOKEN, ConsoleDesk

START = StreamPlace(0, (0, 0))
Stream = AsyncGenerator[dict[str, str], None]


class Live:
    """A hub at work, and streams of it."""

    def __init__(self, desk: ConsoleDesk) -> None:
        self.sources = NewsSources(desk.queue, desk.ledger)
        self.hub = Hub(self.sources)
        self.ending = anyio.Event()

    def stream(self, after: StreamPlace | None = None, wanted: WantedNews | None = None) -> Stream:
        return follow(self.hub, self.sources, after, wanted or WantedNews(), self.ending)


def run(live: Live, work: Coroutine[Any, Any, None]) -> None:
    async def within() -> None:
        await live.hub.start()
        try:
            async with asyncio.timeout(20):
                await work
        finally:
            await live.hub.stop()

    asyncio.run(within())


async def take(stream: Stream, count: int) -> list[dict[str, str]]:
    return [await anext(stream) for _ in range(count)]


def told(events: list[dict[str, str]]) -> list[str]:
    """Kind and what happened, without `begin`."""
    values = [(event["event"], json.loads(event["data"])) for event in events if event["event"] != "begin"]
    return [f"{kind}:{value.get('event') or value.get('kind')}" for kind, value in values]


def test_what_was_missed_comes_first_then_what_is_new(desk: ConsoleDesk) -> None:
    live = Live(desk)
    desk.start()
    desk.enqueue("a")

    async def work() -> None:
        stream = live.stream(START)
        assert told(await take(stream, 3)) == ["run:job_started", "job:created"]
        await asyncio.to_thread(desk.work)
        assert told(await take(stream, 3)) == ["run:stage_started", "run:stage_completed", "run:gate_pause"]
        await asyncio.to_thread(desk.queue.cancel, "topic:a")
        assert told(await take(stream, 1)) == ["job:canceled"]
        await stream.aclose()

    run(live, work())


def test_a_stream_that_comes_again_at_any_place_gets_the_rest_once(desk: ConsoleDesk) -> None:
    live = Live(desk)
    desk.start()
    desk.enqueue("a", "b")
    desk.work()
    approve_gate(desk.ledger, "r1", "script", operator="ann")
    total = len(events_after(desk.ledger, 0)) + 2

    async def work() -> None:
        whole = await take(live.stream(START), total + 1)
        for at, event in enumerate(whole[:-1]):
            stream = live.stream(StreamPlace.read(event["id"]))
            rest = await take(stream, total - at + 1)
            assert [each["data"] for each in rest[1:]] == [each["data"] for each in whole[at + 1 :]]
            await stream.aclose()

    run(live, work())


def test_without_a_place_it_begins_now(desk: ConsoleDesk) -> None:
    live = Live(desk)
    desk.start()

    async def work() -> None:
        stream = live.stream()
        begin = await take(stream, 1)
        assert StreamPlace.read(begin[0]["id"]).trail == 1
        await asyncio.to_thread(desk.work)
        assert told(await take(stream, 1)) == ["run:stage_started"]

    run(live, work())


def test_it_is_of_one_run_or_of_jobs_alone(desk: ConsoleDesk) -> None:
    live = Live(desk)
    desk.start("r1")
    desk.start("r2")
    desk.enqueue("a")

    async def work() -> None:
        one = await take(live.stream(START, WantedNews(run="r2")), 2)
        assert [json.loads(event["data"])["run"] for event in one[1:]] == ["r2"]
        jobs = await take(live.stream(START, WantedNews(runs=False)), 2)
        assert told(jobs) == ["job:created"]

    run(live, work())


def test_what_comes_while_it_catches_up_is_neither_lost_nor_doubled(desk: ConsoleDesk) -> None:
    live = Live(desk)
    desk.start("r0")

    async def work() -> None:
        stream = live.stream(START)
        events = await take(stream, 1)
        for number in range(1, 30):  # some before its first look, some while it looks, some after
            await asyncio.to_thread(desk.start, f"r{number}")
            if number % 3 == 0:
                events += await take(stream, 1)
        events += await take(stream, 31 - len(events))
        runs = [json.loads(event["data"])["run"] for event in events[1:]]
        assert runs == [f"r{number}" for number in range(30)]

    run(live, work())


def test_a_stream_that_is_ahead_of_this_console_gets_nothing_twice(
    desk: ConsoleDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another console on the same queue and ledger may have told it more than this one has seen yet."""
    live = Live(desk)
    desk.start("r1")
    desk.enqueue("a")
    desk.start("r2")
    looked, seen = live.sources.of_trail, threading.Event()
    real, first = live.sources.now, iter([START])
    monkeypatch.setattr(live.sources, "now", lambda: next(first, None) or real())
    monkeypatch.setattr(live.sources, "of_trail", lambda at: looked(at) if seen.wait(20) else [])

    async def work() -> None:
        stream = live.stream(StreamPlace(1, (1, 0)))
        begin = await take(stream, 1)
        seen.set()
        rest = await take(stream, 1)
        await asyncio.to_thread(desk.enqueue, "b")
        rest += await take(stream, 1)
        assert begin[0]["id"] == "1.1-0"
        assert [json.loads(event["data"]).get("run") for event in rest] == ["r2", None]

    run(live, work())


def test_who_takes_too_little_is_hung_up_on_and_misses_nothing(desk: ConsoleDesk) -> None:
    live = Live(desk)

    async def work() -> None:
        slow = live.stream(START)
        events = await take(slow, 1)
        for first in range(0, 2400, 400):
            names = [f"n{number}" for number in range(first, first + 400)]
            await asyncio.to_thread(desk.enqueue, *names)
        while live.hub.place.queue[0] < 2400:
            await asyncio.sleep(0.01)
        with pytest.raises(StopAsyncIteration):
            events += await take(slow, 3000)
        again = await take(live.stream(StreamPlace.read(events[-1]["id"])), 2401)
        assert len({json.loads(event["data"])["request_id"] for event in again[1:]}) == 2400

    run(live, work())


def test_events_that_are_not_kept_any_more_are_told_as_a_gap(
    desk: ConsoleDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Live(desk)
    desk.enqueue("a", "b", "c")
    monkeypatch.setattr(live.sources, "oldest", lambda: (3, 0))

    async def work() -> None:
        events = await take(live.stream(StreamPlace(0, (1, 0))), 2)
        assert [event["event"] for event in events] == ["begin", "gap"]
        for fine in (START, StreamPlace(0, (3, 0))):
            events = await take(live.stream(fine), 1)
            assert [event["event"] for event in events] == ["begin"]

    run(live, work())


def test_a_place_of_another_ledger_or_queue_is_a_gap_and_then_all_that_is_new(desk: ConsoleDesk) -> None:
    """A page that stayed open while the data folder was made anew would else be silent for good."""
    live = Live(desk)
    desk.start("r1")
    desk.enqueue("a")

    async def work() -> None:
        stream = live.stream(StreamPlace(500, (10**14, 0)))
        begin = await take(stream, 2)
        assert [event["event"] for event in begin] == ["begin", "gap"]
        assert begin[0]["id"] == str(live.hub.place)
        await asyncio.to_thread(desk.start, "r2")
        assert told(await take(stream, 1)) == ["run:job_started"]
        await asyncio.to_thread(desk.enqueue, "b")
        assert told(await take(stream, 1)) == ["job:created"]

    run(live, work())


def test_a_fault_of_ours_silences_no_stream_for_good(
    desk: ConsoleDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Live(desk)
    real, failed = live.sources.of_trail, threading.Event()

    def once(position: int) -> Any:
        if not failed.is_set():
            failed.set()
            raise ValueError("no such event")
        return real(position)

    monkeypatch.setattr(live.sources, "of_trail", once)

    async def work() -> None:
        stream = live.stream()
        await take(stream, 1)
        assert await asyncio.to_thread(failed.wait, 20)
        await asyncio.to_thread(desk.start)
        assert told(await take(stream, 1)) == ["run:job_started"]

    run(live, work())


def test_it_ends_when_the_server_stops(desk: ConsoleDesk) -> None:
    live = Live(desk)

    async def work() -> None:
        stream = live.stream()
        await take(stream, 1)
        live.ending.set()
        with pytest.raises(StopAsyncIteration):
            await take(stream, 1)

    run(live, work())


@pytest.mark.parametrize("text", ["", "1", "1.2", "-1.2-3", "1.2-3\n", "1" * 20 + ".2-3", "a.b-c"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(BadPlace):
        StreamPlace.read(text)


def test_over_http_with_the_last_event_id(desk: ConsoleDesk) -> None:
    """P30."""
    desk.start()
    with desk.client(live=True) as client:
        first = ids_of(client, "?after=0.0-0", {}, 2)
        assert first == ["0.0-0", "1.0-0"]
        assert ids_of(client, "", {"Last-Event-ID": first[0]}, 2) == first
        assert client.get("/api/v1/events", headers={"Last-Event-ID": "x"}).status_code == 422


def ids_of(client: httpx.Client, query: str, headers: dict[str, str], count: int) -> list[str]:
    """The ids of the first events of a stream."""
    with client.stream("GET", f"/api/v1/events{query}", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = (line for line in answer.iter_lines() if line.startswith("id: "))
        return [next(lines).removeprefix("id: ") for _ in range(count)]


def test_a_stream_that_never_began_gives_its_seat_back(desk: ConsoleDesk) -> None:
    """P31: who hangs up before the first byte takes nobody's place."""
    app = desk.app(limits=ConsoleLimits(streams=1))
    headers = [(name.lower().encode(), value.encode()) for name, value in BEARER.items()]
    path = "/api/v1/events"
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def ask() -> int:
        statuses: list[int] = []

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
                if message["status"] == 200:
                    await asyncio.Event().wait()  # the client takes nothing

        async with asyncio.timeout(20):
            await app({**scope, "scheme": "http", "client": ("127.0.0.1", 1)}, receive, send)
        return statuses[0]

    async def work() -> None:
        assert [await ask() for _ in range(3)] == [200] * 3

    asyncio.run(work())


def test_a_stream_ends_with_the_session_that_opened_it(desk: ConsoleDesk) -> None:
    """P31. The console's clock is moved: by a real one the session may end before the server has begun."""
    clock = ManualClock()
    cookie, session = sign_in("ann", TOKEN, clock.now() - LIFE_S + 1.0)
    with desk.client({"Cookie": f"{COOKIE}={cookie}"}, live=True, clock=clock) as client:
        with client.stream("GET", "/api/v1/events") as answer:
            assert answer.status_code == 200
            assert "event: begin" in [*answer.iter_lines()]  # and its end, in good order
        assert client.get("/api/v1/session").status_code == 200
        clock.advance(session.expires_at - clock.now())
        assert client.get("/api/v1/session").status_code == 401


def test_a_flood_of_streams_is_refused_and_takes_nobodys_place(desk: ConsoleDesk) -> None:
    """P31."""
    limits = ConsoleLimits(streams=5, streams_each=3)
    with desk.client(live=True, limits=limits) as client:
        open_ones = [client.stream("GET", "/api/v1/events") for _ in range(3)]
        for each in open_ones:
            assert each.__enter__().status_code == 200
        refused = client.get("/api/v1/events")
        assert (refused.status_code, refused.json()["error"]["type"]) == (429, "TooManyStreams")
        open_ones.pop().__exit__(None, None, None)
        for _ in range(100):  # the server notices that the client went away
            with client.stream("GET", "/api/v1/events") as answer:
                status = answer.status_code
            if status == 200:
                break
        assert status == 200
        for each in open_ones:
            each.__exit__(None, None, None)
