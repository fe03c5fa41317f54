"""A checkpoint named by a hub id, by the hub's own client: what it fetches, what it sends, what it refuses.

The hub is a server on loopback that answers as the real one does where this client asks.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lib.errors import BadConfiguration, Unavailable
from lib.files import take_lock
from synth.engines import LoadStopped
from synth.engines.qwen3.checkpoints import HASHES
from synth.engines.qwen3.hub import fetch
from synth.engines.qwen3.hub_client import THEIR_HASHES

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
        self.altered: Counter[str] = Counter()  # how often each file still comes with other bytes
        self.under_way, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

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
            data = FILES[name]
            if body and self.server.altered[name]:
                self.server.altered[name] -= 1
                data = bytes(byte ^ 1 for byte in data)
            self.send(data, body, about)
        else:
            self.send_error(404)

    def send(self, data: bytes, body: bool, headers: dict[str, str]) -> None:
        self.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            half = len(data) // 2
            self.wfile.write(data[:half])
            if "/resolve/" in self.path and not self.server.go_on.is_set():
                self.server.under_way.set()
                self.server.go_on.wait()
            with contextlib.suppress(OSError):  # who asked has gone
                self.wfile.write(data[half:])


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_TOKEN", "hf_the_secret_of_the_user")
    yield server
    server.go_on.set()
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


def got(hub: Hub, name: str) -> int:
    """How often the whole file was asked for."""
    return hub.asked.count(("GET", f"/{REPOSITORY}/resolve/{COMMIT}/{name}"))


def free(folder: Path) -> bool:
    """Whether nobody downloads into it: the lock is held as long as the process that does lives."""
    lock = take_lock(folder.with_name(f"{folder.name}.lock"))
    if lock is not None:
        os.close(lock)
    return lock is not None


@pytest.mark.parametrize("name", ["config.json", LARGE])
class TestAFileOfAnotherHash:
    def test_is_fetched_once_more(self, hub: Hub, tmp_path: Path, name: str) -> None:
        hub.altered[name] = 1
        folder = fetch(REPOSITORY, COMMIT, tmp_path / "one")
        assert (folder / name).read_bytes() == FILES[name]
        assert [got(hub, each) for each in FILES] == [1 + (each == name) for each in FILES]

    def test_that_comes_again_is_refused_until_a_person_says_so(
        self, hub: Hub, tmp_path: Path, name: str
    ) -> None:
        hub.altered[name] = 2
        told = (
            rf"{REPOSITORY}@{COMMIT} is refused: {name} is not of the hash .* remove {tmp_path}/one.refused"
        )
        for _ in range(2):
            with pytest.raises(BadConfiguration, match=told):
                fetch(REPOSITORY, COMMIT, tmp_path / "one")
        assert got(hub, name) == 2
        assert not (tmp_path / "one").exists()
        (tmp_path / "one.refused").unlink()
        assert (fetch(REPOSITORY, COMMIT, tmp_path / "one") / name).read_bytes() == FILES[name]


class TestADownload:
    def test_ends_when_the_worker_is_to_stop_and_is_gone_on_with_later(
        self, hub: Hub, tmp_path: Path
    ) -> None:
        hub.go_on.clear()
        with pytest.raises(LoadStopped, match="was stopped"):
            fetch(REPOSITORY, COMMIT, tmp_path / "one", hub.under_way.is_set)
        assert free(tmp_path / "one")
        hub.go_on.set()
        assert fetch(REPOSITORY, COMMIT, tmp_path / "one").is_dir()

    def test_imports_nothing_of_the_folder_where_it_was_asked_for(
        self, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "huggingface_hub.py").write_text("raise SystemExit('a file of the user')")
        monkeypatch.chdir(tmp_path)
        assert fetch(REPOSITORY, COMMIT, tmp_path / "one").is_dir()

    def test_is_one_for_all_workers_of_a_machine(self, hub: Hub, tmp_path: Path) -> None:
        hub.go_on.clear()
        waits = threading.Event()

        def second_waits() -> bool:
            waits.set()
            return False

        with ThreadPoolExecutor(2) as both:
            one = both.submit(fetch, REPOSITORY, COMMIT, tmp_path / "one")
            assert hub.under_way.wait(60)
            other = both.submit(fetch, REPOSITORY, COMMIT, tmp_path / "one", second_waits)
            assert waits.wait(60)
            assert not free(tmp_path / "one")
            hub.go_on.set()
            assert one.result() == other.result()
        assert [got(hub, name) for name in FILES] == [1] * len(FILES)

    def test_ends_with_the_process_that_wants_it(self, hub: Hub, tmp_path: Path) -> None:
        hub.go_on.clear()
        wanted = f"from synth.engines.qwen3.hub import *; fetch({REPOSITORY!r}, {COMMIT!r}, Path('one'))"
        environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
        one = subprocess.Popen([sys.executable, "-c", wanted], cwd=tmp_path, env=environ)
        assert hub.under_way.wait(60)
        one.kill()
        one.wait()
        deadline = time.monotonic() + 60
        while not free(tmp_path / "one"):
            assert time.monotonic() < deadline, "the download goes on alone"
            time.sleep(0.05)

    def test_keeps_the_hashes_that_the_authors_publish_beside_ours(
        self, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(FILES, HASHES, b"theirs, in a form of their own")
        folder = fetch(REPOSITORY, COMMIT, tmp_path / "one")
        assert (folder / THEIR_HASHES).read_bytes() == FILES[HASHES]
        named = {line.partition("  ")[2] for line in (folder / HASHES).read_text().splitlines()}
        assert named == FILES.keys() - {HASHES}


def test_a_commit_that_is_not_there_and_a_hub_that_is_not_are_one_sentence(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unavailable, match=r"cannot be had: \w+: .*404"):
        fetch(REPOSITORY, "f" * 40, tmp_path / "one")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(Unavailable, match=r"cannot be had: \w+:"):
        fetch(REPOSITORY, COMMIT, tmp_path / "one")
    assert not (tmp_path / "one").exists()
