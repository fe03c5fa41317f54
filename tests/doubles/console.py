"""A console over real parts in one folder: a queue, a ledger in SQLite, a store that is a folder."""

from __future__ import annotations

import contextlib
import io
import threading
import wave
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from job_console.app import build_api, build_app
from job_console.audit import AuditLog
from job_console.listening import HttpListener, open_listener
from job_console.notes import NoteBook
from job_console.route_services import ConsoleLimits, ConsoleParts
from job_console.serving import server_config
from job_console.voice_samples import VoiceSamples
from job_console.waveforms import Waveforms
from lib.clock import Clock, SystemClock
from lib.jobqueue import JobQueue
from lib.jobs.voice_check import RegistryCheck
from lib.jobspec import parse_job_file
from lib.pipeline.claims import TaskReport, claim, finish
from lib.pipeline.context import measure_file
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.model import Artifact
from lib.pipeline.runs import NewRun, start_job
from lib.pipeline.snapshots import save_snapshot
from lib.pipeline.trail_files import TrailFiles
from lib.pipeline.work import Done, Failed
from lib.records import FileRef, done_record
from lib.sql import open_database
from lib.storage import FileStorage, open_storage
from lib.voices import VoiceRegistry
from tests.contract.pipeline.floor import dag_of
from tests.doubles import records

TOKEN = "a-token-that-nobody-guesses"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
#: Two stages, and a person decides about the first.
GATED = dag_of("gated", script={"gate": True}, audio={"requires": ["script"]})


def job_file(*names: str, text: str = "The sea comes back.") -> str:
    """A file of jobs topic/<name>."""
    jobs = "\n".join(f"  - {{output_name: topic/{name}, text: 'Job {name}. {text}'}}" for name in names)
    return f"defaults: {{speaker: Ryan}}\njobs:\n{jobs}\n"


def sound(seconds: float = 0.5) -> bytes:
    """A WAV of silence."""
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\0\0" * round(seconds * 16_000))
    return data.getvalue()


@contextlib.contextmanager
def served(config: uvicorn.Config, listener: HttpListener) -> Iterator[uvicorn.Server]:
    """A server in a thread, ended at the end."""
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener.socket]}, name="console")
    thread.start()
    try:
        yield server  # who connects meanwhile waits in the socket's line
    finally:
        server.should_exit = True
        thread.join(20)
        listener.socket.close()


class SharedServer:
    """One server for many tests, each with its own application behind it; without live events."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self._listener = open_listener("127.0.0.1:0", None, in_the_clear=False)
        self.url = self._listener.url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)

    @contextlib.contextmanager
    def running(self) -> Iterator[SharedServer]:
        config = server_config(self, None, ConsoleLimits())
        config.lifespan = "off"
        with served(config, self._listener):
            yield self


class ConsoleDesk:
    """The parts of a console, and hands that do what workers do."""

    def __init__(
        self,
        folder: Path,
        queue: JobQueue,
        *,
        database: str | None = None,
        limits: ConsoleLimits | None = None,
        clock: Clock | None = None,
        server: SharedServer | None = None,
    ) -> None:
        self.folder, self.queue, self.server = folder, queue, server
        self.database = open_database(
            database or f"sqlite:///{folder / 'pipeline.db'}", schema="job_console_test" if database else None
        )
        self.ledger = PipelineLedger(self.database)
        self.storage = open_storage((folder / "store").as_uri())
        assert isinstance(self.storage, FileStorage)
        self.parts = ConsoleParts(
            queue=queue,
            ledger=self.ledger,
            trail_files=TrailFiles(self.ledger, folder),
            storage=self.storage,
            voices=RegistryCheck(VoiceRegistry([folder / "voices"]), "hibari"),
            registry=lambda: VoiceRegistry([folder / "voices"]),
            engine="hibari",
            open_rented=lambda: contextlib.nullcontext(None),
            provider="local",
            token=TOKEN,
            audit=AuditLog(folder, SystemClock()),
            notes=NoteBook(folder, clock or SystemClock()),
            waveforms=Waveforms(folder / "console" / "peaks"),
            samples=VoiceSamples(folder / "console" / "samples", folder / "voices", "hibari"),
            files=folder,
            data=folder,
            limits=limits or ConsoleLimits(),
            clock=clock or SystemClock(),
        )

    def app(self, **changed: Any) -> ASGIApp:
        """The application over these parts."""
        return build_app(replace(self.parts, **changed) if changed else self.parts)

    @contextlib.contextmanager
    def client(
        self, headers: Mapping[str, str] | None = None, *, live: bool = False, **changed: Any
    ) -> Iterator[httpx.Client]:
        """A client with the token, of a server in a thread; `live`: of one of its own, with live events."""
        with contextlib.ExitStack() as stack:
            if self.server is None or live:
                url = stack.enter_context(self.served(**changed))
            else:
                self.server.app, url = self.app(**changed), self.server.url
            told = BEARER if headers is None else headers
            yield stack.enter_context(httpx.Client(base_url=url, headers=told, trust_env=False, timeout=20))

    @contextlib.contextmanager
    def served(self, **changed: Any) -> Iterator[str]:
        """A server in a thread of this process; its address."""
        listener = open_listener("127.0.0.1:0", None, in_the_clear=False)
        config = server_config(self.app(**changed), None, changed.get("limits", self.parts.limits))
        with served(config, listener):
            yield listener.url

    def close(self) -> None:
        """Let go of all."""
        self.parts.audit.close()
        self.parts.notes.close()
        self.database.close()
        self.queue.close()

    # what workers do

    def start(self, run: str = "r1", **inputs: Any) -> str:
        """Start a run of the gated pipeline."""
        snapshot = save_snapshot(self.ledger, GATED.graph())
        return start_job(self.ledger, snapshot.id, NewRun(id=run, inputs=inputs)).id

    def work(self, run: str = "r1", files: Mapping[str, bytes] | None = None, result: Any = None) -> str:
        """Carry out what is ready of a run: files are written below its folder and recorded."""
        (task,) = claim(self.ledger, {"gated": ["script", "audio"]}, owner="ann:1", count=1, lease_s=60.0)
        made = []
        for name, data in (files or {}).items():
            place = self.folder / "runs" / task.run / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            size, sha256 = measure_file(place)
            made.append(Artifact(path=name, type="application/octet-stream", sha256=sha256, size=size))
        report = TaskReport(task, Done(result=result, artifacts=made))
        assert not finish(self.ledger, [report], owner="ann:1")
        return task.name

    def claim(self) -> None:
        """Begin what is ready of a run, and be at work on it."""
        claim(self.ledger, {"gated": ["script", "audio"]}, owner="ann:1", count=1, lease_s=60.0)

    def fail(self, error: str = "it broke", *, for_good: bool = False) -> str:
        """Fail at what is ready of a run."""
        (task,) = claim(self.ledger, {"gated": ["script", "audio"]}, owner="ann:1", count=1, lease_s=60.0)
        report = TaskReport(task, Failed(error=error, for_good=for_good))
        assert not finish(self.ledger, [report], owner="ann:1")
        return task.name

    def enqueue(self, *names: str) -> None:
        """Enqueue topic:<name>."""
        file = parse_job_file(job_file(*names).encode(), name="test", base_dir=None)
        self.queue.enqueue(file.specs)

    def speak(self, name: str, data: bytes | None = None) -> bytes:
        """Do the next waiting job, which is topic:<name>: its audio is in the store."""
        audio = sound() if data is None else data
        place = self.folder / f"{name}.wav"
        place.write_bytes(audio)
        size, sha256 = measure_file(place)
        stored = self.storage.put(place, sha256=sha256, bytes=size)
        (lease,) = self.queue.claim("worker")
        assert lease.request_id == f"topic:{name}"
        begun = self.queue.begin(lease)
        ref = FileRef(f"topic/{name}.wav", size, sha256, stored.key)
        self.queue.complete(begun, done_record_of(ref))
        return audio


def done_record_of(audio: FileRef) -> dict[str, Any]:
    """A result record with this audio."""
    found = done_record(
        records.spoken().placed([records.take(audio=audio)]),
        started_at=11.0,
        finished_at=11.4,
        enqueued_at=10.0,
        now=11.5,
        provider="local",
        callback_data={},
    )
    return found.to_json()


_DOCUMENT = build_api().openapi()
_STORE = {"components": _DOCUMENT["components"]}


def check_answer(method: str, path: str, status: int, value: Any) -> None:
    """Hold an answer against the OpenAPI: that status is documented for that route, with that shape."""
    about = _DOCUMENT["paths"][f"/api/v1{path}"][method.lower()]["responses"][str(status)]
    schema = about["content"]["application/json"]["schema"]
    jsonschema.validate(value, {**schema, **_STORE})
