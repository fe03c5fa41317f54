"""Names inside a spool folder, and the largest sizes there.

Nothing a caller names becomes one but its hash, or the name of a voice.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

INBOX: Final = "inbox"
WORK: Final = "work"
OUTBOX: Final = "outbox"
CANCEL: Final = "cancel"
TMP: Final = "tmp"
UPLOAD: Final = "upload"
SAMPLE: Final = "sample"
PIECES: Final = "pieces"  # of long texts, by the hash of the job; whoever speaks the first one makes it
VOICES: Final = "voices"  # that were brought to the machine; where all are at hand, nothing makes the folder
VOICE_FILE: Final = "voice.yaml"
HEARTBEAT: Final = "heartbeat.json"
WORKER_LOCK: Final = "worker.lock"
WORKER_BELL: Final = "bell.worker"  # rung when something lies in inbox/ or cancel/
CLIENT_BELL: Final = "bell.client"  # rung when something lies in outbox/
RESULT: Final = "result.json"
PICTURE: Final = "picture.png"  # what the file of a picture is called there
AUDIO: Final = "audio"  # what the files of a result are called, before the take's number and the suffix
ON_THE_WAY: Final = (INBOX, WORK, OUTBOX)  # as an entry travels: looked at in this order none is missed
FOLDERS: Final = (INBOX, WORK, OUTBOX, CANCEL, TMP, UPLOAD, SAMPLE)

MAX_JOB_BYTES: Final = 16 * 1024 * 1024
MAX_RESULT_BYTES: Final = 4 * 1024 * 1024
MAX_RECORD_BYTES: Final = 64 * 1024  # of compact JSON: it is kept with the job for as long as its result
MAX_CAPTIONS_BYTES: Final = 1536 * 1024  # the cues in it besides: some 100 hours
MAX_KEPT_CAPTIONS_BYTES: Final = 64 * 1024  # of these, what is kept with the job beside their files
MAX_HEARTBEAT_BYTES: Final = 64 * 1024
MAX_FILE_BYTES: Final = 4 * 1024 * 1024 * 1024
MAX_PEAKS_BYTES: Final = 64 * 1024 * 1024  # some two days of audio
MAX_PICTURE_BYTES: Final = 72 * 1024 * 1024  # 4096 x 4096 pixels of four bytes, not packed at all
MAX_FILES: Final = 64
MAX_LOG_LINES: Final = 50
MAX_LINE_CHARACTERS: Final = 2_000

_ENTRY: Final = re.compile(r"[0-9a-f]{32}\.(0|[1-9][0-9]{0,17})-[A-Za-z0-9_-]{8}")
_MARK: Final = re.compile(r"[A-Za-z0-9_-]{8}")
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def entry_name(request_id: str, lease_no: int, mark: str) -> str:
    """The name of one lease of one job: `<32 hexadecimal digits of its id's hash>.<lease number>-<mark>`.

    `mark` is `lease_mark` of the lease's token: lease numbers start again when a job was forgotten, tokens
    never come twice.

    Raises:
        ValueError: the lease number is negative, or `mark` is no mark.
    """
    if lease_no < 0:
        raise ValueError(f"a lease number is not negative: {lease_no}")
    if not is_mark(mark):
        raise ValueError(f"a mark has 8 of the characters A-Z a-z 0-9 _ -, not {mark!r}")
    return f"{job_digest(request_id)}.{lease_no}-{mark}"


def job_digest(request_id: str) -> str:
    """The part of an entry's name that all leases of one job share."""
    return hashlib.sha256(request_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def digest_of(entry: str) -> str:
    """The `job_digest` that an entry begins with."""
    return entry.partition(".")[0]


def lease_mark(token: str) -> str:
    """The first 8 characters of a lease's token: enough to tell leases apart, too few to pass the fence."""
    return token[:8]


def is_mark(text: str) -> bool:
    """Whether `text` could have come from `lease_mark`."""
    return _MARK.fullmatch(text) is not None


def is_entry(name: str) -> bool:
    """Whether `name` could have come from `entry_name`."""
    return _ENTRY.fullmatch(name) is not None


def lease_no_of(entry: str) -> int:
    """The number of the lease that an entry is of."""
    return int(entry.partition(".")[2].partition("-")[0])


def incoming_name(entry: str, file: str) -> str:
    """What a file of an outbox is called below a store's `incoming/`: `<job>/<lease_no>-<mark>/<file>`."""
    return f"{entry.replace('.', '/', 1)}/{file}"


def incoming_entry(name: str) -> tuple[str, str] | None:
    """The entry and the file of such a name; None for any other."""
    job, _, rest = name.partition("/")
    lease, _, file = rest.partition("/")
    entry = f"{job}.{lease}"
    plain = file == RESULT or is_file_name(file)
    return (entry, file) if is_entry(entry) and plain else None


def entry_of(file_name: str) -> str | None:
    """The entry of a file `<entry>.json`; None for any other name."""
    entry, dot, suffix = file_name.rpartition(".")
    return entry if dot and suffix == "json" and is_entry(entry) else None


def job_path(folder: str, entry: str) -> str:
    """Where the job file of `entry` lies: in `inbox` or in `work`."""
    return f"{folder}/{entry}.json"


def order_path(entry: str) -> str:
    """Where the order to upload files of `entry` lies."""
    return f"{UPLOAD}/{entry}.json"


def uploads_end_path(entry: str) -> str:
    """What says that the worker has done what it could of that order."""
    return f"{UPLOAD}/{entry}.end"


def is_file_name(name: str) -> bool:
    """Whether a result may call a file so: one plain segment that is not `result.json`."""
    return _FILE_NAME.fullmatch(name) is not None and name != RESULT
