"""The worker's uploader: one PUT with just the signed headers, and not a word of the URL to anybody."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lib.spool import LocalFiles, SpoolClient, UploadOrder, WorkerSpool, entry_name
from synth.worker.uploads import Uploader
from tests.integration.servers import free_port

ENTRY = entry_name("topic:a", 1, "12345678")


class Store:
    """Takes PUTs, or answers with `status`."""

    def __init__(self) -> None:
        self.status, self.taken = 200, dict[str, tuple[dict[str, str], bytes]]()
        self.meanwhile: Callable[[], None] = lambda: None
        store = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                store.taken[self.path] = headers, body
                store.meanwhile()
                self.send_response(store.status)
                self.end_headers()

            def log_message(self, format: str, *words: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.close()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[WorkerSpool]:
    with WorkerSpool(tmp_path / "spool") as entered:
        folder = tmp_path / "spool/outbox" / ENTRY
        folder.mkdir()
        (folder / "audio.wav").write_bytes(b"audio")
        yield entered


@pytest.fixture
def client(spool: WorkerSpool) -> Iterator[SpoolClient]:
    files = LocalFiles(spool.root)
    yield SpoolClient(files, remote=True)
    files.close()


def order(url: str, file: str = "audio.wav", size: int = 5) -> UploadOrder:
    return UploadOrder(file, size, url, {"content-type": "audio/wav", "x-amz-checksum-sha256": "abc="})


def test_what_the_client_waits_for_no_longer_is_not_uploaded(
    spool: WorkerSpool, client: SpoolClient, store: Store
) -> None:
    """Else results that it does wait for stand behind it."""
    (spool.root / "outbox" / ENTRY / "peaks.json").write_bytes(b"peaks")
    client.order_uploads(ENTRY, [order(f"{store.url}/one"), order(f"{store.url}/two", "peaks.json")])
    store.meanwhile = lambda: client.forget_uploads(ENTRY)

    Uploader(spool, print).look()

    assert list(store.taken) == ["/one?"]


def test_a_file_goes_up_with_the_signed_headers(
    spool: WorkerSpool, client: SpoolClient, store: Store
) -> None:
    client.order_uploads(ENTRY, [order(f"{store.url}/key?X-Signature=s%2Fx")])
    assert not client.uploaded(ENTRY)

    Uploader(spool, lambda line: None).look()

    headers, body = store.taken["/key?X-Signature=s%2Fx"]
    assert body == b"audio"
    assert {name: headers[name] for name in ("content-type", "x-amz-checksum-sha256", "content-length")} == {
        "content-type": "audio/wav",
        "x-amz-checksum-sha256": "abc=",
        "content-length": "5",
    }
    assert client.uploaded(ENTRY)
    assert spool.ordered_uploads() == []


def test_an_end_that_nobody_waits_for_any_more_is_not_left(
    spool: WorkerSpool, client: SpoolClient, store: Store
) -> None:
    """A client that lost its patience took the result before the upload had ended."""
    client.order_uploads(ENTRY, [order(f"{store.url}/key")])
    Uploader(spool, lambda line: None).look()
    with Uploader(spool, lambda line: None).running():
        client.acknowledge(ENTRY)
    assert not list((spool.root / "upload").iterdir())

    spool.end_uploads(ENTRY)
    Uploader(spool, lambda line: None).look()
    assert not list((spool.root / "upload").iterdir())


def test_it_is_done_beside_the_work(spool: WorkerSpool, client: SpoolClient, store: Store) -> None:
    with Uploader(spool, lambda line: None).running():
        client.order_uploads(ENTRY, [order(f"{store.url}/key")])
        for _ in range(100):
            if client.uploaded(ENTRY):
                break
            client.wait(0.1)

    assert client.uploaded(ENTRY)


@pytest.mark.parametrize(
    "case", ["refused", "nobody there", "another length", "a link", "no such file", "odd url"]
)
def test_whatever_goes_wrong_is_an_end_and_says_nothing_of_the_url(
    spool: WorkerSpool, client: SpoolClient, store: Store, case: str
) -> None:
    asked = order(f"{store.url}/key?SECRET")
    if case == "refused":
        store.status = 403
    elif case == "nobody there":
        asked = order(f"http://127.0.0.1:{free_port()}/key?SECRET")
    elif case == "another length":
        asked = order(f"{store.url}/key?SECRET", size=6)
    elif case == "a link":
        audio = spool.result_file(ENTRY, "audio.wav")
        audio.unlink()
        (spool.root / "other").write_bytes(b"other")
        os.symlink(spool.root / "other", audio)
    elif case == "no such file":
        asked = order(f"{store.url}/key?SECRET", file="other.wav")
    elif case == "odd url":
        asked = order("http://[SECRET/key")
    client.order_uploads(ENTRY, [asked])
    lines: list[str] = []

    Uploader(spool, lines.append).look()

    assert client.uploaded(ENTRY)
    assert len(lines) == 1
    assert "SECRET" not in lines[0]
    if case != "refused":
        assert store.taken == {}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"format": 2, "uploads": [1]}',
        b'{"format": 2, "uploads": [{"file": "../x", "bytes": 1, "url": "http://x", "headers": {}}]}',
        b'{"format": 2, "uploads": [{"file": "x", "bytes": 1, "url": "file:///etc", "headers": {}}]}',
        b'{"format": 2, "uploads": [{"file": "x", "bytes": 1, "url": "http://x", "headers": {"a": "\\n"}}]}',
    ],
)
def test_an_order_that_breaks_the_format_is_ended(
    spool: WorkerSpool, client: SpoolClient, data: bytes
) -> None:
    (spool.root / "upload" / f"{ENTRY}.json").write_bytes(data)
    lines: list[str] = []

    Uploader(spool, lines.append).look()

    assert client.uploaded(ENTRY)
    assert len(lines) == 1
