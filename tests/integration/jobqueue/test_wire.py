"""Connections: one reply per command whatever happens, and none left open (Q39)."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import redis

from lib.redislink.address import read_address
from lib.redislink.wire import Wire, pack


@pytest.fixture
def wire(redis_url: str) -> Wire:
    address = read_address(redis_url)
    return Wire(lambda: address.open(5.0))


def test_words_are_packed_as_bulk_strings() -> None:
    assert pack(("SET", "schlüssel", 12, 2.5)) == (
        b"*4\r\n$3\r\nSET\r\n$10\r\nschl\xc3\xbcssel\r\n$2\r\n12\r\n$3\r\n2.5\r\n"
    )


def test_a_refused_command_costs_no_reply_of_the_others(wire: Wire) -> None:
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        wire.ask_all(("SET", "a", 1), ("LPUSH", "a", 2), ("SET", "b", 3))

    assert wire.ask("GET", "b") == "3"
    wire.drop()


def test_an_interrupted_call_leaves_no_reply_for_the_next(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.ask("SET", "a", "mine")

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(redis.connection.AbstractConnection, "read_response", interrupted)
        with pytest.raises(KeyboardInterrupt):
            wire.ask("GET", "a")

    assert wire.ask("ECHO", "yours") == "yours"
    wire.drop()


def test_a_call_within_a_call_has_its_own_connection(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a signal handler asks while the interrupted code waits for a reply."""
    whole = redis.connection.AbstractConnection.read_response
    answers: list[Any] = []

    def with_a_signal(self: Any, *words: Any, **settings: Any) -> Any:
        monkeypatch.setattr(redis.connection.AbstractConnection, "read_response", whole)
        answers.append(wire.ask("ECHO", "inner"))
        return whole(self, *words, **settings)

    wire.ask("PING")
    monkeypatch.setattr(redis.connection.AbstractConnection, "read_response", with_a_signal)
    answers.append(wire.ask("ECHO", "outer"))

    assert answers == ["inner", "outer"]
    wire.drop()


def test_threads_do_not_take_each_others_replies(wire: Wire) -> None:
    wrong: list[str] = []

    def ask(name: str) -> None:
        wrong.extend(f"{name}:{n}" for n in range(300) if wire.ask("ECHO", f"{name}:{n}") != f"{name}:{n}")

    threads = [threading.Thread(target=ask, args=(f"t{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert wrong == []
    wire.drop()
