"""Settings to objects, for the picture worker and for pictures that are synced."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from lib.cli import output
from lib.cli.command_settings import command_settings
from lib.clock import Clock, SystemClock
from lib.errors import BadConfiguration
from lib.picture_backends.names import PictureSettings
from lib.picture_tables import init_tables, open_images
from lib.picture_tables.image_tables import CHANNEL, ImageTables
from lib.picture_tables.schema import HEAD
from lib.settings import Settings, ensure_data_folder
from lib.sql import DatabaseOptions, read_address
from lib.sql.listen import Listener
from lib.storage.bucket import Bucket
from lib.storage.open_bucket import BucketAccess, open_bucket
from lib.storage.s3 import s3_access_of
from synth.imagen.bell import PictureBell, StopFlag
from synth.imagen.delivery import PictureDelivery
from synth.imagen.drawn_files import DrawnFiles
from synth.imagen.queue import TableQueue
from synth.imagen.studio import Studio
from synth.imagen.worker import PictureWorker, PictureWorkerOptions, RowReport, note_drawn_in
from synth.pictures.backend import PictureBackend
from synth.pictures.open_backend import open_backend
from synth.pictures.recorded import RecordedDrawing
from synth.pictures.usage import UsageLog
from synth.wiring import pictures_of

_UUID: Final = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SETTING: Final = "IMAGEN_WORKER_DATABASE_URL"


@dataclass(frozen=True, slots=True)
class SyncDesk:
    """What a picture is synced with. `default_owner` is of the settings."""

    tables: ImageTables
    bucket: Bucket
    clock: Clock
    default_owner: str | None

    def owned_by(self, owner: str | None) -> str:
        """The owner that was named, else the one of the settings. Raises BadConfiguration."""
        found = owner or self.default_owner
        if found is None:
            raise BadConfiguration("set IMAGEN_OWNER_USER_ID to the UUID of whoever owns pictures made here")
        return _uuid(found)


def init_database() -> tuple[str, str]:
    """Make the tables of pictures or bring them up to date; where they are, and their version.

    Raises:
        BadConfiguration, MissingExtra, Unavailable: as a sentence, what keeps it.
    """
    settings = command_settings()
    url, options = _database(settings)
    init_tables(url, **options)
    return read_address(url).place, HEAD


@contextmanager
def sync_desk() -> Iterator[SyncDesk]:
    """Open what a picture is synced with. Raises: as `init_database`."""
    settings = command_settings()
    with ExitStack() as opened:
        url, options = _database(settings)
        tables = open_images(url, **options)
        opened.callback(tables.close)
        bucket = _bucket(settings)
        opened.callback(bucket.close)
        yield SyncDesk(tables, bucket, SystemClock(), settings.imagen_owner_user_id)


OpenBackend = Callable[[str, PictureSettings], PictureBackend]


def run_worker(
    stop: StopFlag,
    told: Callable[[RowReport], None],
    *,
    once: bool = False,
    opens: OpenBackend = open_backend,
) -> None:
    """Draw rows until asked to stop; `once`: those that are ready now. `opens` makes backends by name.

    Raises:
        BadConfiguration, MissingExtra, Unavailable: as a sentence, what keeps it from beginning.
    """
    settings = command_settings()
    options = _options(settings)
    ensure_data_folder(settings.jobs_data_dir)
    clock = SystemClock()
    with ExitStack() as opened:
        url, database = _database(settings)
        bucket = _bucket(settings)
        opened.callback(bucket.close)
        tables = open_images(url, **database)
        opened.callback(tables.close)
        queue = TableQueue(tables, f"{socket.gethostname()}:{os.getpid()}", options.lease_s)
        files = DrawnFiles(settings.jobs_data_dir / "pictures")
        files.sweep(tables.still_open)
        backends = pictures_of(settings).backends
        usage = UsageLog(settings.jobs_data_dir)
        studio = Studio(lambda name: opens(name, backends), RecordedDrawing(usage, output.warn))
        opened.callback(studio.close)
        note = note_drawn_in(queue, clock, options.lease_s)
        bell = PictureBell(stop)
        opened.callback(bell.close)
        worker = PictureWorker(
            queue,
            PictureDelivery(studio.draw, files, bucket, note),
            stop,
            bell.wait,
            clock,
            options,
            told=told,
            warned=output.warn,
        )
        if once:
            worker.drain()
            return
        listener = Listener(tables.address, CHANNEL, bell.ring)
        opened.callback(listener.close)
        worker.run()


def _options(settings: Settings) -> PictureWorkerOptions:
    owner = settings.imagen_owner_user_id
    return PictureWorkerOptions(
        lease_s=settings.lease_seconds,
        most_attempts=settings.max_attempts,
        owner=None if owner is None else _uuid(owner),
    )


def _database(settings: Settings) -> tuple[str, DatabaseOptions]:
    url = settings.imagen_worker_database_url
    if url is None:
        raise BadConfiguration(
            f"no database of pictures is set; set {_SETTING} to a Postgres address like "
            "postgresql://worker@127.0.0.1/pictures"
        )
    options = DatabaseOptions(
        origin=settings.origin(_SETTING), pool_max=3, statement_timeout_ms=settings.statement_timeout_ms
    )
    return url, options


def _bucket(settings: Settings) -> Bucket:
    key = settings.supabase_service_key
    access = BucketAccess(
        settings.storage_url,
        s3_access_of(settings),
        settings.supabase_url,
        None if key is None else key.reveal(),
    )
    return open_bucket(settings.imagen_bucket, access)


def _uuid(text: str) -> str:
    if not _UUID.fullmatch(text):
        raise BadConfiguration("IMAGEN_OWNER_USER_ID is no UUID like 00000000-0000-0000-0000-000000000000")
    return text.lower()
