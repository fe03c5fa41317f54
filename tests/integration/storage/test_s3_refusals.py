"""What can be wrong with a bucket is said in one line each, and no secret is in any of them."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import botocore.auth
import pytest

from lib.clock import ManualClock
from lib.errors import ExitStatus
from lib.storage import Claim, S3Access, S3Storage, StorageMisconfigured, StorageUnavailable, open_storage
from lib.storage.locations import artifact_of
from lib.storage.s3 import address_of
from tests.integration.servers import free_port
from tests.integration.storage.conftest import Place
from tests.integration.storage.proxy import Fate, Refuse, Request
from tests.s3_servers import ACCESS, BUCKET, READER, S3Server

Make = Callable[[S3Server], S3Storage]
AUDIO = artifact_of(hashlib.sha256(b"audio").hexdigest(), 5)


def at(url: str, access: S3Access = ACCESS) -> S3Storage:
    return S3Storage(address_of(url, None), access, retries=0)


WRONG: dict[str, tuple[Make, str]] = {
    "no such bucket": (lambda server: at(server.url("x", "nowhere")), "there is no bucket nowhere; make it"),
    "secret": (
        lambda server: at(server.url("x"), replace(ACCESS, secret="another-secret")),
        "correct AWS_SECRET_ACCESS_KEY",
    ),
    "key id": (
        lambda server: at(server.url("x"), replace(ACCESS, key_id="AKIANO")),
        "correct AWS_ACCESS_KEY_ID",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_a_person_must_mend_is_a_wrong_configuration(
    seaweed: S3Server, tmp_path: Path, wrong: str
) -> None:
    make, words = WRONG[wrong]
    storage = make(seaweed)
    for call in (storage.examine, lambda: storage.published("a.wav"), lambda: storage.owner("a")):
        with pytest.raises(StorageMisconfigured) as caught:
            call()
        assert words in caught.value.message
        assert "\n" not in caught.value.message
        assert caught.value.exit_status is ExitStatus.BAD_CONFIGURATION
        shown = "".join(traceback.format_exception(caught.value)) + repr(storage)
        for secret in (ACCESS.secret or "", "another-secret", "Signature="):
            assert secret not in shown


def test_a_key_that_may_only_read_reads_and_is_told_what_it_may_not(place: Place) -> None:
    artifact = place.put(place.storage, b"audio")
    place.storage.publish(_claim(), "a", {"a.wav": artifact})
    reader = at(place.server.url(place.prefix), READER)

    assert (reader.stands(artifact, "a.wav"), reader.owner("a")) == (True, _claim())
    with pytest.raises(StorageMisconfigured, match=r"let it have s3:GetObject, s3:PutObject"):
        reader.examine()


def test_a_clock_that_is_off_is_told_by_how_much(seaweed: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    late = datetime.now(UTC) - timedelta(minutes=20)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: late)

    with pytest.raises(StorageMisconfigured, match=r"the clock of this machine is off.*timedatectl"):
        at(seaweed.url("x")).examine()


def test_nobody_at_the_endpoint_is_trouble_that_may_pass() -> None:
    port = free_port()

    with pytest.raises(StorageUnavailable, match=f"http://127.0.0.1:{port} does not answer") as caught:
        at(f"s3://audio?endpoint=http://127.0.0.1:{port}").examine()

    assert not isinstance(caught.value, StorageMisconfigured)
    assert caught.value.exit_status is ExitStatus.UNAVAILABLE


@pytest.mark.parametrize(
    ("refusal", "kind", "words"),
    [
        (Refuse(503, "SlowDown"), StorageUnavailable, "refuses with status 503"),
        (Refuse(500, "<script>"), StorageUnavailable, "refuses with status 500."),
        (Refuse(403, "QuotaExceeded"), StorageUnavailable, "it is full, or a quota is used up"),
        (Refuse(507, "XMinioStorageFull"), StorageUnavailable, "it is full, or a quota is used up"),
        (Refuse(400, "ExpiredToken"), StorageMisconfigured, "the temporary credentials have run out"),
        (Refuse(403, "RequestTimeTooSkewed"), StorageMisconfigured, "the clock of this machine is off"),
        (
            Refuse(400, "IllegalLocationConstraintException"),
            StorageMisconfigured,
            "the bucket is in another region",
        ),
    ],
)
def test_other_refusals_are_sorted_by_whether_they_may_pass(
    place: Place, refusal: Refuse, kind: type[StorageUnavailable], words: str
) -> None:
    place.proxy.rule = lambda request: refusal

    for call in (place.through().examine, lambda: place.through().published("a.wav")):
        with pytest.raises(StorageUnavailable) as caught:
            call()
        assert type(caught.value) is kind
        assert words in caught.value.message


def test_a_refusal_that_is_no_right_to_come_in_is_a_persons_to_mend(place: Place) -> None:
    place.proxy.rule = lambda request: Refuse(401, "Unauthorized")  # as Cloudflare R2 says it

    with pytest.raises(StorageMisconfigured, match="correct AWS_ACCESS_KEY_ID and its secret"):
        place.through().published("a.wav")


CALLS: dict[str, Callable[[S3Storage, Path], object]] = {
    "examine": lambda storage, file: storage.examine(),
    "put": lambda storage, file: storage.put(file, sha256=AUDIO.sha256, bytes=AUDIO.bytes),
    "has": lambda storage, file: storage.has(AUDIO),
    "fetch": lambda storage, file: storage.fetch(AUDIO, file.with_name("local")),
    "owner": lambda storage, file: storage.owner("a"),
    "publish": lambda storage, file: storage.publish(_claim(), "a", {"a.wav": AUDIO}),
}


@pytest.mark.parametrize("call", CALLS)
def test_what_answers_everything_with_a_page_is_no_store(web_page: str, tmp_path: Path, call: str) -> None:
    """The sign-in page of a network, or a web server at the endpoint: nothing may be taken for an answer."""
    file = tmp_path / "audio"
    file.write_bytes(b"audio")

    with pytest.raises(StorageUnavailable, match="answers, but not as an S3 store does"):
        CALLS[call](at(f"s3://audio/x?endpoint={web_page}"), file)


@pytest.mark.parametrize("status", [302, 400, 404, 405, 501])
@pytest.mark.parametrize("page", [b"", b"<html>No</html>", b"<!DOCTYPE html><p>No<br>", b"no"])
def test_a_web_server_that_refuses_what_it_does_not_know_is_no_store(
    refusing_page: Callable[[int, bytes], str], status: int, page: bytes
) -> None:
    """A folder that is served by `python -m http.server` answers an upload with 501."""
    with pytest.raises(StorageUnavailable, match="answers, but not as an S3 store does"):
        at(f"s3://audio/x?endpoint={refusing_page(status, page)}").examine()


def test_a_refusal_without_words_by_what_names_itself_a_store_is_not_taken_for_a_page(place: Place) -> None:
    place.proxy.rule = lambda request: Refuse(405, "MethodNotAllowed")

    with pytest.raises(StorageUnavailable, match=r"refuses with status 405 \(MethodNotAllowed\)"):
        place.through().examine()


def test_what_other_programs_set_for_the_client_is_told_where_it_is_wrong() -> None:
    """In a process of its own: the client reads it once."""
    code = (
        "from lib.storage import S3Access, S3Storage\nfrom lib.storage.s3 import address_of\n"
        "address = address_of('s3://abc?endpoint=http://127.0.0.1:9', None)\n"
        "try: S3Storage(address, S3Access('a', 'b')).owner('x')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    environ = {**os.environ, "AWS_PROFILE": "nobody"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith(
        "StorageMisconfigured The store s3://abc cannot be spoken to: The config profile"
    )
    assert "Look at the AWS_ variables" in done.stdout


def test_a_store_that_says_nothing_is_not_waited_for_again_and_again() -> None:
    """The loop stores one file after the other, and has to turn meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"s3://audio?endpoint=http://127.0.0.1:{mute.getsockname()[1]}"
        storage = S3Storage(address_of(url, None), ACCESS, answer_s=1.0)
        for number in range(20):
            with pytest.raises(StorageUnavailable):
                storage.published(f"{number}.wav")
        tries = calls_at(mute)

    assert tries < 6  # of a second each, and not 20 times six, nor once


def calls_at(mute: socket.socket) -> int:
    """How many connections wait to be taken by a server that takes none."""
    mute.setblocking(False)
    for number in itertools.count():
        try:
            mute.accept()[0].close()
        except BlockingIOError:
            return number
    raise AssertionError


def test_a_store_that_says_nothing_is_not_waited_for_long_by_whoever_lists_what_came_in() -> None:
    """The loop does, and asks again in a minute."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"s3://audio?endpoint=http://127.0.0.1:{mute.getsockname()[1]}"
        storage = S3Storage(address_of(url, None), ACCESS, answer_s=60.0, incoming_answer_s=0.2)
        began = time.monotonic()
        with pytest.raises(StorageUnavailable):
            storage.incoming().list()
        took = time.monotonic() - began

    assert took < 30  # and not as long as for a file of audio


def test_a_store_is_asked_again_when_it_may_be_well(place: Place) -> None:
    clock = ManualClock()
    url = f"s3://{BUCKET}/{place.prefix}?endpoint={place.proxy.endpoint}"
    storage = S3Storage(address_of(url, None), ACCESS, clock, retries=0)

    def slow(request: Request) -> Refuse:
        clock.advance(6)
        return Refuse(503, "SlowDown")

    place.proxy.rule = slow
    for _ in range(3):
        with pytest.raises(StorageUnavailable, match="status 503"):
            storage.published("a.wav")
    asked = len(place.proxy.seen)
    place.proxy.rule = lambda request: Fate.PASS
    clock.advance(11)

    assert (asked, storage.published("a.wav")) == (1, False)


def test_a_download_that_is_cut_off_is_not_a_short_file(place: Place, tmp_path: Path) -> None:
    artifact = place.put(place.storage, b"audio" * 100_000)
    place.proxy.rule = lambda request: Fate.CUT

    with pytest.raises(StorageUnavailable):
        place.through().fetch(artifact, tmp_path / "local")

    assert not (tmp_path / "local").exists()


def test_no_secret_is_in_what_is_shown_of_a_store(seaweed: S3Server) -> None:
    storage = open_storage(seaweed.url("x"), ACCESS)

    assert str(ACCESS.secret) not in repr(ACCESS)
    assert storage.location("a.wav") == "s3://audio/x/outputs/a.wav"


@pytest.fixture
def web_page() -> Iterator[str]:
    """A server that answers whatever it is asked with a page."""
    with _web_server(200, b"<html>Welcome</html>") as url:
        yield url


@pytest.fixture
def refusing_page() -> Iterator[Callable[[int, bytes], str]]:
    """Starts web servers that answer whatever they are asked with a status and a page."""
    with contextlib.ExitStack() as servers:
        yield lambda status, page: servers.enter_context(_web_server(status, page))


@contextlib.contextmanager
def _web_server(status: int, page: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # so that who asks whether to go on is answered at once

        def _serve(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            body = b"" if self.command == "HEAD" else page
            self.send_response_only(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _serve

        def log_message(self, format: str, *words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def _claim() -> Claim:
    return Claim("a", 1, 1)
