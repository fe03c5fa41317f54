"""A checkpoint named by a hub id, by the hub's own client: what it fetches, what it sends, what it refuses.

The hub is a server on loopback that answers as the real one does where this client asks.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lib.errors import Unavailable
from synth.engines.qwen3.checkpoints import HASHES
from synth.engines.qwen3.hub import fetch

REPOSITORY, COMMIT = "Qwen/Qwen3-TTS-12Hz-0.6B-Base", "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "config.json": b'{"model_type": "qwen3_tts"}',
    "model.safetensors": bytes(range(256)) * 100,
    "speech_tokenizer/config.json": b"{}",
}
LARGE = "model.safetensors"


def git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def etag_of(name: str) -> str:
    data = FILES[name]
    return hashlib.sha256(data).hexdigest() if name == LARGE else git_hash(data)


def sibling(name: str) -> dict[str, object]:
    data = FILES[name]
    told: dict[str, object] = {"rfilename": name, "size": len(data), "blobId": git_hash(data)}
    if name == LARGE:
        told["lfs"] = {"sha256": etag_of(name), "size": len(data), "pointerSize": 134}
    return told


class Hub(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.asked: list[tuple[str, str]] = []
        self.passwords: list[str] = []
        self.sent = dict(FILES)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answers(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append((self.command, path))
        if "Authorization" in self.headers:
            self.server.passwords.append(self.headers["Authorization"])
        if path == f"/api/models/{REPOSITORY}/revision/{COMMIT}":
            info = {"id": REPOSITORY, "sha": COMMIT, "siblings": [sibling(name) for name in FILES]}
            self.send(json.dumps(info).encode(), body, {"Content-Type": "application/json"})
            return
        name = path.removeprefix(f"/{REPOSITORY}/resolve/{COMMIT}/")
        if name in FILES:
            about = {"ETag": f'"{etag_of(name)}"', "X-Repo-Commit": COMMIT}
            self.send(self.server.sent[name], body, about)
        else:
            self.send_error(404)

    def send(self, data: bytes, body: bool, headers: dict[str, str]) -> None:
        self.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_TOKEN", "hf_the_secret_of_the_user")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_all_files_come_once_and_no_password_goes(hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "models/one"

    assert fetch(REPOSITORY, COMMIT, folder) == folder

    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    lines = (folder / HASHES).read_text().splitlines()
    assert sorted(lines) == sorted(
        f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in FILES.items()
    )
    assert {path.name for path in folder.iterdir()} == {"config.json", LARGE, "speech_tokenizer", HASHES}
    assert hub.passwords == []
    asked = len(hub.asked)
    assert fetch(REPOSITORY, COMMIT, folder) == folder
    assert len(hub.asked) == asked


@pytest.mark.parametrize("name", ["config.json", LARGE])
def test_what_is_not_of_its_hash_is_not_kept(hub: Hub, tmp_path: Path, name: str) -> None:
    hub.sent[name] = FILES[name].replace(b"e", b"E").replace(b"\x07", b"\x08")
    assert len(hub.sent[name]) == len(FILES[name])

    with pytest.raises(
        Unavailable, match=rf"{REPOSITORY}@{COMMIT} cannot be had: .*{name} is not of the hash"
    ):
        fetch(REPOSITORY, COMMIT, tmp_path / "one")
    assert not (tmp_path / "one").exists()
    hub.sent = dict(FILES)
    assert (fetch(REPOSITORY, COMMIT, tmp_path / "one") / name).read_bytes() == FILES[name]


def test_a_commit_that_is_not_there_and_a_hub_that_is_not_are_one_sentence(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unavailable, match=r"cannot be had: \w+: .*404"):
        fetch(REPOSITORY, "f" * 40, tmp_path / "one")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(Unavailable, match=r"cannot be had: \w+:"):
        fetch(REPOSITORY, COMMIT, tmp_path / "one")
    assert not (tmp_path / "one").exists()
