"""Tries the server, voices, engine, store and disks, for `lib.jobs.doctor` to judge."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lib.clock import Clock
from lib.errors import BadConfiguration, JobRunnerError, Unavailable
from lib.files import try_write
from lib.jobqueue import JobQueue
from lib.jobs.admin import admin_of
from lib.jobs.doctor import Checkup, FreeSpace, Trouble
from lib.picture_backends.names import SHIPPED_BACKENDS, USUAL, PictureSettings
from lib.picture_backends.readiness import cannot_draw, lacks_here
from lib.redislink.errors import ServerUnavailable
from lib.storage import Storage, StorageExam
from lib.urls import shown
from lib.voices import VoiceRegistry, engine_facts

_SPEAK_WITHIN_S = 120.0

OpenQueue = Callable[[], AbstractContextManager[JobQueue]]


@dataclass(frozen=True, slots=True)
class Home:
    """The places the settings name, to be probed. `embedded`: the queue is the data folder's own server.

    `speaks_here`: jobs are spoken on this computer, so its engine is tried. `looks_at_provider`: whoever
    asks looks at the provider's machines too.
    """

    data_dir: Path
    storage_url: str
    engine: str
    provider: str
    embedded: bool
    open_storage: Callable[[], Storage] | None = None  # None: a folder is all that may be there
    speaks_here: bool = True
    looks_at_provider: bool = False
    backends: PictureSettings = SHIPPED_BACKENDS
    usual_backend: str = USUAL  # that draws where nobody names another
    machine_backends: Sequence[str] = ()  # with which machines elsewhere draw


def examine(home: Home, voices: VoiceRegistry, open_queue: OpenQueue, clock: Clock) -> Checkup:
    """Look at everything once. What cannot be used stands in the checkup; nothing is raised for it."""
    data = refusing(home.data_dir)
    folder = folder_of(home.storage_url)
    store, exam = (None, StorageExam()) if folder is None else (refusing(folder), StorageExam())
    if folder is None and home.open_storage is not None:
        store, exam = bucket(home.storage_url, home.open_storage)
    places = [home.data_dir, *([folder] if folder else [])]
    return Checkup(
        **_server(open_queue, clock, embedded=home.embedded, data=data),
        voices=bad_voices(voices),
        engine=bad_engine(home.engine) if home.speaks_here else None,
        backends=[] if data is not None else bad_backends(home),  # their file lies in the data folder
        store=store,
        store_place=place_of(home.storage_url),
        store_lacks=exam.lacks,
        store_ahead_s=exam.ahead_s,
        data=data,
        disks=disks(places),
        provider=home.provider,
        provider_seen=home.looks_at_provider,
    )


def _server(open_queue: OpenQueue, clock: Clock, *, embedded: bool, data: Trouble | None) -> dict[str, Any]:
    """What the server says; nothing when it is the embedded one and its folder is the trouble."""
    seen: dict[str, Any] = {"now": clock.now(), "place": "the embedded server" if embedded else "the server"}
    if embedded and data is not None:
        return seen
    try:
        with open_queue() as queue:
            role = "master"
            if admin := admin_of(queue):
                seen["server"] = admin.inspector.server()
                role = seen["server"].role
            seen["now"] = clock.now()
            seen["place"] = str(queue.server_health()["place"])
            if role == "master":  # else the script that counts is refused
                seen["snapshot"] = queue.snapshot()
    except ServerUnavailable as error:
        seen |= {"server_trouble": error.reason, "server_fix": error.fix}
    except Unavailable as error:
        seen["server_trouble"] = error.message
    except BadConfiguration as error:
        folder = "set JOBS_DATA_DIR to a folder that the embedded server can use"
        forms = "correct REDIS_URL; docs/how-to/own-redis.md has its forms"
        seen |= {"server_trouble": error.message, "server_fix": folder if embedded else forms}
    return seen


def bad_voices(registry: VoiceRegistry) -> list[Trouble]:
    """The voices that cannot be used, each with why."""
    found = []
    for name in registry.names():
        try:
            engine_facts(registry.get(name).engine)
        except JobRunnerError as error:
            found.append(Trouble.of(name, error))
    return found


def bad_backends(home: Home) -> list[Trouble]:
    """The picture backends that the settings name and that cannot draw where they are to, each with why."""
    found = []
    try:
        if lacking := lacks_here(home.usual_backend, home.backends):
            found.append(Trouble(home.usual_backend, lacking.rstrip(".")))
    except JobRunnerError as error:
        found.append(Trouble.of(home.usual_backend, error))
    if home.provider != "local":
        told = cannot_draw((), home.backends, home.machine_backends)
        found += [Trouble("IMAGEN_MACHINE_BACKENDS", sentence.rstrip(".")) for sentence in told]
    return found


def bad_engine(name: str) -> Trouble | None:
    """Have the engine say one word in a process of its own, as a watcher's worker would; None: it does."""
    try:
        speaker = next(iter(engine_facts(name).speakers))
    except JobRunnerError as error:
        return Trouble.of(name, error)
    with tempfile.TemporaryDirectory(prefix="doctor-") as folder:
        text = Path(folder) / "word.txt"
        text.write_text("Ready.", encoding="utf-8")
        given = ("--text-file", str(text), "--out-exact", f"{folder}/word", "--speaker", speaker)
        # -P: a file of the user's folder must not stand in for a module of ours
        argv = [sys.executable, "-P", "-m", "synth.main", "speak", *given, "--engine", name]
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=_SPEAK_WITHIN_S, check=False)
        except subprocess.TimeoutExpired:
            return Trouble(name, f"it did not say one word within {_SPEAK_WITHIN_S:.0f} s")
    if done.returncode == 0:
        return None
    last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    return Trouble(name, f"it does not speak: {last.removeprefix('error: ').rstrip('.')}")


def refusing(folder: Path) -> Trouble | None:
    """Try a write where `folder` is, making it when it is missing; None: it works."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try_write(folder)
    except OSError as error:
        return Trouble(str(folder), f"nothing can be written in {folder}: {error.strerror or error}")
    return None


def bucket(url: str, open_store: Callable[[], Storage]) -> tuple[Trouble | None, StorageExam]:
    """Try all that a store elsewhere is needed for."""
    try:
        return None, open_store().examine()
    except JobRunnerError as error:
        return Trouble.of(place_of(url), error), StorageExam()


def place_of(url: str) -> str:
    """A store as it is named to people: without what stands behind the ?."""
    return shown(url).partition("?")[0]


def folder_of(url: str) -> Path | None:
    """The folder of a store; None for a store of another kind."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def free_bytes(folder: Path) -> int:
    """The room on the disk of `folder`, which exists."""
    return shutil.disk_usage(folder).free


def disks(folders: Iterable[Path], free: Callable[[Path], int] = free_bytes) -> Sequence[FreeSpace]:
    """The room where the folders lie; each disk once."""
    seen: dict[int, FreeSpace] = {}
    for folder in folders:
        if folder.exists():
            seen.setdefault(folder.stat().st_dev, FreeSpace(str(folder), free(folder)))
    return list(seen.values())
