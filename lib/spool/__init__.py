"""The files that pass between a watcher and a resident worker. The format is docs/reference/spool.md.

The watcher's side is `SpoolClient` over a small `Files` port (a local folder here, SFTP for a machine far
away); the worker's side is `WorkerSpool`. Neither knows what a job specification means: it is carried as an
opaque mapping.
"""

from __future__ import annotations

from lib.spool.client import SpoolClient
from lib.spool.errors import (
    HostUnreachable,
    InvalidSpoolData,
    SpoolBusy,
    SpoolFull,
    SpoolUnusable,
    is_passing,
)
from lib.spool.files import Files, LocalFiles
from lib.spool.layout import (
    MAX_CAPTIONS_BYTES,
    MAX_KEPT_CAPTIONS_BYTES,
    digest_of,
    entry_name,
    is_entry,
    job_digest,
    lease_mark,
)
from lib.spool.model import (
    Heartbeat,
    Phase,
    ResultError,
    ResultErrorClass,
    SpoolJob,
    SpoolResult,
    WorkerState,
)
from lib.spool.samples import SampleRequests
from lib.spool.uploads import UploadOrder
from lib.spool.worker import MAX_STARTS, TakenJob, WorkerSpool

__all__ = [
    "MAX_CAPTIONS_BYTES",
    "MAX_KEPT_CAPTIONS_BYTES",
    "MAX_STARTS",
    "Files",
    "Heartbeat",
    "HostUnreachable",
    "InvalidSpoolData",
    "LocalFiles",
    "Phase",
    "ResultError",
    "ResultErrorClass",
    "SampleRequests",
    "SpoolBusy",
    "SpoolClient",
    "SpoolFull",
    "SpoolJob",
    "SpoolResult",
    "SpoolUnusable",
    "TakenJob",
    "UploadOrder",
    "WorkerSpool",
    "WorkerState",
    "digest_of",
    "entry_name",
    "is_entry",
    "is_passing",
    "job_digest",
    "lease_mark",
]
