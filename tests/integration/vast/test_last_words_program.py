"""The program that a machine runs before it ends itself, by the real switch, whatever shell it has."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from job_watcher.providers.rented.last_words import program
from job_watcher.rehearsal.vast import FakeVast
from lib.providers.vast.onstart import LAST_WORDS_FILE
from tests.integration.vast.fake_vast import rent
from tests.integration.vast.switches import Switch, shell, wait_for

SHELLS = [
    "dash",
    pytest.param("busybox", marks=pytest.mark.soak),
    pytest.param("bash", marks=pytest.mark.soak),
]
AUDIO, RESULT = b"RIFF" + bytes(range(256)) * 300, b'{"of": "a result"}'


class Store:
    """Takes PUTs. `refuses` are names that it does not take; `hangs` what it never answers."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.refuses: set[str] = set()
        self.hangs: set[str] = set()
        store, self.let_go = self, threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                name = self.path.partition("?")[0].lstrip("/")
                if name in store.hangs:
                    store.let_go.wait(60)
                data = self.rfile.read(int(self.headers["Content-Length"]))
                taken = name not in store.refuses
                if taken:
                    store.held[name] = data
                self.send_response(200 if taken else 403)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.close()


Machine = Callable[..., Switch]


@pytest.fixture
def machine(vast: FakeVast, sdk: object, tmp_path: Path, store: Store) -> Iterator[Machine]:
    """A machine whose switch waits, with two finished results and a third that is not."""
    made: list[Switch] = []

    def make(words: list[str] | None = None, programs: tuple[str, ...] = ("curl",)) -> Switch:
        instance = rent(sdk)
        (found,) = [each for each in vast.instances() if each.id == instance]
        made.append(Switch(tmp_path, vast.url, instance, found.key, words or shell("dash"), programs))
        switch = made[-1]
        switch.start(lease_s=4, nobody_s=60)
        outbox, lines = switch.home / "spool of ours/outbox", []
        for entry in ("one", "two", "three"):
            for file, data in (("audio.wav", AUDIO), ("audio.peaks.json", b""), ("result.json", RESULT)):
                lines.append(
                    f"{store.url}/{entry}/{file}?signature=secret-of-{entry} {outbox}/{entry}/{file}\n"
                )
                if data and entry != "three":
                    (outbox / entry).mkdir(parents=True, exist_ok=True)
                    (outbox / entry / file).write_bytes(data)
        script = switch.home / LAST_WORDS_FILE
        text = program().replace(b"#!/bin/sh", f"#!{switch.bin}/sh".encode())
        script.write_bytes(text)
        script.chmod(0o700)
        script.with_name("last-words.urls").write_text("".join(lines))
        return switch

    yield make
    for each in made:
        each.close()


def is_gone(vast: FakeVast) -> bool:
    return wait_for(lambda: not vast.living())


WHOLE = {f"{entry}/{file}" for entry in ("one", "two") for file in ("audio.wav", "result.json")}


@pytest.mark.parametrize("name", SHELLS)
def test_what_is_finished_lies_in_the_store_when_the_machine_goes(
    vast: FakeVast, machine: Machine, store: Store, name: str
) -> None:
    switch = machine(shell(name))
    switch.set_uptime(1061.0)
    assert is_gone(vast)
    assert store.held.keys() == WHOLE
    assert store.held["one/audio.wav"] == AUDIO
    assert store.held["two/result.json"] == RESULT


@pytest.mark.parametrize(
    "tool",
    [
        "curl",
        pytest.param("python3", marks=pytest.mark.soak),
        pytest.param("wget", marks=pytest.mark.soak),
    ],
)
def test_it_uses_what_is_there_and_shows_no_url(
    vast: FakeVast, machine: Machine, store: Store, tool: str
) -> None:
    real = sys.executable if tool == "python3" else shutil.which(tool)
    if real is None:
        pytest.skip(f"{tool} is not installed")
    switch = machine(programs=())
    heard = switch.folder / "words"
    switch.write_program(tool, f'#!/bin/sh\necho "$@" >>{heard}\nexec {real} "$@"\n')
    switch.set_uptime(1061.0)
    assert is_gone(vast)
    assert store.held.keys() == WHOLE
    assert "audio.wav" in heard.read_text()
    assert "secret-of" not in heard.read_text()
    assert "secret-of" not in (switch.folder / "log").read_text()
    assert "secret-of" not in (switch.home / ".job-runner/dead-man.log").read_text()
    assert not switch.home.joinpath(f"{LAST_WORDS_FILE}.urls").exists()


def test_a_result_whose_audio_is_not_taken_is_not_put(vast: FakeVast, machine: Machine, store: Store) -> None:
    store.refuses.add("one/audio.wav")
    machine().set_uptime(1061.0)
    assert is_gone(vast)
    assert store.held.keys() == {"two/audio.wav", "two/result.json"}


@pytest.mark.soak
def test_a_machine_without_any_of_them_goes_in_silence(
    vast: FakeVast, machine: Machine, store: Store
) -> None:
    switch = machine(programs=())
    switch.set_uptime(1061.0)
    urls = switch.home / f"{LAST_WORDS_FILE}.urls"
    assert wait_for(lambda: not urls.exists())
    switch.bin.joinpath("curl").symlink_to(str(shutil.which("curl")))  # it tries to end itself until it can
    assert is_gone(vast)
    assert store.held == {}


@pytest.mark.parametrize("name", SHELLS)
def test_a_store_that_hangs_holds_the_machine_up_for_a_bounded_time(
    vast: FakeVast, machine: Machine, store: Store, name: str
) -> None:
    """The limit is what ends it, so a shorter one is put in its place."""
    store.hangs.update({"one/audio.wav", "two/audio.wav"})
    switch = machine(shell(name))
    real = shutil.which("timeout")
    switch.write_program(
        "timeout", f'#!/bin/sh\n[ "$1 $2 $3" = "-s KILL 300" ] && shift 3\nexec {real} -s KILL 1 "$@"\n'
    )
    switch.set_uptime(1061.0)
    assert is_gone(vast)
    assert store.held == {}
