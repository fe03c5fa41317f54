"""A server that is another than REDIS_URL says: what it is, whose URL that is, and no part of a password."""

from __future__ import annotations

import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from job_runner.main import PROGRAM
from lib.errors import Unavailable
from lib.jobqueue import connect
from tests.integration.servers import Server, free_port
from tests.integration.topologies import TlsFront


def _refusal(url: str) -> str:
    with pytest.raises(Unavailable) as caught:
        connect(url, patience_s=0.2)
    assert "s3cret" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def by_port() -> Iterator[Server]:
    server = Server(port=free_port())
    server.start()
    yield server
    server.remove()


@pytest.fixture
def web() -> Iterator[int]:
    class Quiet(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_tls_asked_of_a_server_without_it_is_said_so(by_port: Server) -> None:
    told = _refusal(f"rediss://user:s3cret@127.0.0.1:{by_port.port}/0?socket_connect_timeout=1")

    assert "answers without TLS, and rediss:// asks for TLS; write redis:// in REDIS_URL" in told


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")
def test_a_server_with_tls_that_is_asked_without_it_is_said_so(own_server: Server) -> None:
    front = TlsFront(own_server)
    front.start()
    try:
        assert "wants TLS, and redis:// has none; write rediss://" in _refusal(
            f"redis://:s3cret@{front.place}"
        )
    finally:
        front.remove()


def test_a_web_server_is_no_redis_server(web: int) -> None:
    for scheme in ("redis", "rediss"):
        assert "is no Redis server: it answers with HTTP" in _refusal(f"{scheme}://:s3cret@127.0.0.1:{web}")


def test_logins_that_fail_say_which_half_is_missing(by_port: Server) -> None:
    place = f"127.0.0.1:{by_port.port}"
    assert "has no password, and REDIS_URL gives one" in _refusal(f"redis://:s3cret@{place}")
    with redis.Redis.from_url(by_port.url) as admin:
        admin.config_set("requirepass", "right")

    assert "it wants a password, and REDIS_URL gives none; write it before the host" in _refusal(
        f"redis://{place}"
    )
    assert "as USER:PASSWORD@ or :PASSWORD@" in _refusal(f"redis://s3cret@{place}")
    assert "refuses this user or password; check REDIS_URL" in _refusal(f"redis://:s3cret@{place}")


def test_a_server_that_is_no_sentinel_is_said_to_be_none(by_port: Server) -> None:
    told = _refusal(f"redis+sentinel://127.0.0.1:{by_port.port}/mymaster")

    assert "is no Sentinel; write redis:// in REDIS_URL" in told


NOBODY = "redis://user:s3cret@127.0.0.1:1/0"


@pytest.mark.parametrize("place", ["flag", "environment", ".env", "a file of a secret"])
def test_an_error_about_redis_url_says_where_it_came_from(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REDIS_URL", raising=False)
    flags: list[str] = []
    if place == "flag":
        flags, said = ["--redis-url", NOBODY], "(REDIS_URL of the flag --redis-url)"
    elif place == "environment":
        monkeypatch.setenv("REDIS_URL", NOBODY)
        said = "(REDIS_URL of the environment)"
    elif place == ".env":
        (tmp_path / ".env").write_text(f"REDIS_URL={NOBODY}\n")
        said = f"(REDIS_URL of {tmp_path / '.env'})"
    else:
        (tmp_path / "url").write_text(NOBODY)
        monkeypatch.setenv("REDIS_URL_FILE", "url")
        said = f"(REDIS_URL of the environment, REDIS_URL_FILE {tmp_path / 'url'})"

    assert PROGRAM.run(["status", *flags]) == 69

    told = capsys.readouterr().err
    assert f"the Redis server at 127.0.0.1:1 {said} does not answer" in told
    assert "s3cret" not in told


@pytest.mark.parametrize("character", list("@#/?[]: %&=+"))
def test_no_raw_character_of_a_password_brings_a_part_of_it_to_light(
    character: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", f"redis://user:pre{character}s3cret@127.0.0.1:1/0")

    assert PROGRAM.run(["status"]) in (69, 78)

    told = capsys.readouterr().err
    assert "s3cret" not in told
    assert "pre" not in told
    assert "REDIS_URL" in told
    if character in "#/?[] ":
        assert "there %23 stands for #, %2F for /" in told
        assert "%5B for [, %5D for ], %20 for a blank" in told


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ('"redis://:s3cret@127.0.0.1:1"', "a URL without quotes around it"),
        ("redis:/127.0.0.1:1", "a URL with two slashes, as in redis://127.0.0.1:6379/0"),
        ("REDIS://:s3cret@127.0.0.1:1", "the Redis server at 127.0.0.1:1"),
        ("127.0.0.1:6379", "a URL that begins with redis://"),
    ],
)
def test_a_url_that_is_written_wrongly_is_said_to_be_so(
    url: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", url)

    assert PROGRAM.run(["status"]) in (69, 78)

    told = capsys.readouterr().err
    assert said in told
    assert "s3cret" not in told
