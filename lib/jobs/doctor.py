"""Judges whether everything that jobs need is in order: facts in, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lib.errors import ExitStatus, JobRunnerError, Unavailable
from lib.findings import Finding, FindingKind, Severity, exit_status_of
from lib.jobqueue import Snapshot
from lib.jobqueue.admin.observed import ServerFacts
from lib.jobs.advice import A_WATCHER, reclaiming
from lib.units import bytes_text, seconds_text

_E, _W = Severity.ERROR, Severity.WARNING

UNREACHABLE: Final = FindingKind(
    "D001", _E, "The server does not answer, or does not let itself be looked at"
)
OLD_SERVER: Final = FindingKind("D002", _E, "The server is older than what the scripts need")
REPLICA: Final = FindingKind("D003", _E, "The server is a replica")
NOT_KEPT: Final = FindingKind("D004", _E, "The server keeps no append-only file")
WRITE_FAILED: Final = FindingKind("D005", _E, "The server's last write to its disk failed")
EVICTS: Final = FindingKind("D006", _E, "The server may throw keys away")
NOT_PERMITTED: Final = FindingKind("D007", _E, "The user may not send commands that the queue needs")
MEMORY_LOW: Final = FindingKind("D008", _W, "The server's memory is nearly full")
CLOCK_SKEW: Final = FindingKind("D009", _W, "The clocks of this machine and of the server differ")
NO_WATCHER: Final = FindingKind("D010", _W, "Jobs are outstanding and no watcher runs")
STALE_LEASES: Final = FindingKind("D011", _W, "Leases ran out: a watcher stopped in the middle")
BAD_VOICE: Final = FindingKind("D012", _E, "A voice cannot be used")
NO_ENGINE: Final = FindingKind("D013", _E, "The speech engine does not speak")
STORE_REFUSES: Final = FindingKind("D014", _E, "The store cannot be written")
DATA_REFUSES: Final = FindingKind("D015", _E, "The data folder cannot be written")
DISK_LOW: Final = FindingKind("D016", _W, "A disk is nearly full")
NOT_LOOKED_AT: Final = FindingKind("D017", _W, "The provider was not looked at")
UPKEEP_REFUSED: Final = FindingKind(
    "D019", _W, "The user may not send commands that flush, reconcile or enqueue --durable need"
)
STORE_LACKS: Final = FindingKind("D020", _W, "The store does not keep what others do")
STORE_CLOCK: Final = FindingKind("D021", _W, "The clocks of this machine and of the store differ")
BAD_BACKEND: Final = FindingKind("D050", _W, "A picture backend cannot be used")
NEVER_SYNCED: Final = FindingKind("D018", _W, "The append-only file is never synced")

KINDS: Final = (
    *(
        UNREACHABLE,
        OLD_SERVER,
        REPLICA,
        NOT_KEPT,
        WRITE_FAILED,
        EVICTS,
        NOT_PERMITTED,
        MEMORY_LOW,
        CLOCK_SKEW,
    ),
    *(NO_WATCHER, STALE_LEASES, BAD_VOICE, NO_ENGINE, STORE_REFUSES, DATA_REFUSES, DISK_LOW, NOT_LOOKED_AT),
    *(NEVER_SYNCED, UPKEEP_REFUSED, STORE_LACKS, STORE_CLOCK, BAD_BACKEND),
)

_OLDEST: Final = {"valkey": (8, 0), "redis": (7, 0)}
_SKEW_S: Final = 5.0
_STORE_SKEW_S: Final = 60.0  # the time of its answers has whole seconds, and a request takes some
_MEMORY_LEFT: Final = 0.10
_DISK_LEFT_BYTES: Final = 1024**3


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that could not be used: which, and the sentence it was refused with.

    `passing`: it does not answer, and may do so again without anybody mending anything here.
    """

    subject: str
    sentence: str
    passing: bool = False

    @classmethod
    def of(cls, subject: str, error: JobRunnerError) -> Trouble:
        """What was refused with `error`."""
        return cls(subject, error.message.rstrip("."), isinstance(error, Unavailable))


@dataclass(frozen=True, slots=True)
class FreeSpace:
    """The free space where a folder lies, in bytes."""

    folder: str
    free: int


@dataclass(frozen=True, slots=True)
class Checkup:
    """Everything that was looked at. `now` is this machine's clock when `server.time` was read.

    `server` is None when it could not be asked; `server_trouble` then says why, `server_fix` what
    mends it. A trouble that is None means
    that the thing was tried and works.
    """

    now: float
    place: str
    server: ServerFacts | None = None
    server_trouble: str | None = None
    server_fix: str = "start the server, or set REDIS_URL to one that runs"
    snapshot: Snapshot | None = None
    voices: Sequence[Trouble] = ()
    engine: Trouble | None = None
    backends: Sequence[Trouble] = ()
    store: Trouble | None = None
    store_place: str = "the store"
    store_lacks: Sequence[str] = ()
    store_ahead_s: float | None = None  # this machine's clock before the store's
    data: Trouble | None = None
    disks: Sequence[FreeSpace] = ()
    provider: str = "local"
    provider_seen: bool = False  # it is looked at elsewhere


def diagnose(seen: Checkup) -> list[Finding]:
    """All that is wrong, in the order of the ids. Pure."""
    found = [*_of_server(seen), *_of_queue(seen), *_of_speech(seen), *_of_places(seen)]
    return sorted(found, key=lambda item: item.kind.id)


def exit_status(findings: Sequence[Finding]) -> ExitStatus:
    """0 when nothing is wrong or there are only warnings; 69 when something does not answer; else 78."""
    return exit_status_of(findings, blind=UNREACHABLE)


def _of_server(seen: Checkup) -> Iterator[Finding]:
    if seen.server_trouble is not None:
        yield Finding(
            UNREACHABLE,
            seen.place,
            seen.server_trouble,
            seen.server_fix,
        )
    if seen.server is not None:
        yield from _version(seen.server, seen.place)
        yield from _persistence(seen.server, seen.place)
        yield from _memory(seen.server, seen.place)
        yield from _clock(seen.server, seen)


def _version(server: ServerFacts, place: str) -> Iterator[Finding]:
    oldest = _OLDEST.get(server.name, (7, 0))
    if server.version < oldest:
        need = ".".join(map(str, oldest))
        yield Finding(
            OLD_SERVER,
            place,
            f"{server.name} {server.version_text} is older than {need}, which the scripts need",
            "install Redis 7.0 or later, or Valkey 8 or later",
        )
    if server.role != "master":
        yield Finding(
            REPLICA, place, f"it is a {server.role}, which takes no writes", "set REDIS_URL to its primary"
        )
    if server.refused:
        yield Finding(
            NOT_PERMITTED,
            place,
            f"this user may not send {', '.join(server.refused)}",
            "permit them on the queue's keys with ACL SETUSER; docs/reference/redis-keys.md lists all",
        )
    if server.refused_upkeep:
        yield Finding(
            UPKEEP_REFUSED,
            place,
            f"this user may not send {', '.join(server.refused_upkeep)}, so some of flush, reconcile and "
            "enqueue --durable are refused",
            "permit them with ACL SETUSER (docs/reference/redis-keys.md), or leave those to another user",
        )


def _persistence(server: ServerFacts, place: str) -> Iterator[Finding]:
    if not server.appendonly:
        yield Finding(
            NOT_KEPT,
            place,
            "appendonly is no, so a restart loses accepted jobs",
            "run CONFIG SET appendonly yes there, and set it in its configuration file",
        )
    elif server.appendfsync == "no":
        yield Finding(
            NEVER_SYNCED,
            place,
            "appendfsync is no, so a power cut may lose half a minute of accepted jobs",
            "run CONFIG SET appendfsync everysec there, and set it in its configuration file",
        )
    if not server.last_write_ok:
        yield Finding(
            WRITE_FAILED,
            place,
            "its last write to the append-only file failed, and it refuses new jobs",
            "free space on its disk, and look at its log",
        )


def _memory(server: ServerFacts, place: str) -> Iterator[Finding]:
    if server.eviction_policy != "noeviction":
        yield Finding(
            EVICTS,
            place,
            f"maxmemory-policy is {server.eviction_policy}, so it may throw queued jobs and results away",
            "run CONFIG SET maxmemory-policy noeviction there, and set it in its configuration file",
        )
    left = server.maxmemory - server.used_memory
    if server.maxmemory and left < _MEMORY_LEFT * server.maxmemory:
        yield Finding(
            MEMORY_LOW,
            place,
            f"{bytes_text(max(0, left))} of {bytes_text(server.maxmemory)} are left; when it is full, new "
            "jobs are refused",
            "raise its maxmemory, or keep fewer records (JOBS_RESULT_TTL, JOBS_HISTORY_MAX)",
        )


def _clock(server: ServerFacts, seen: Checkup) -> Iterator[Finding]:
    skew = seen.now - server.time
    if abs(skew) > _SKEW_S:
        which = "ahead of" if skew > 0 else "behind"
        yield Finding(
            CLOCK_SKEW,
            "this machine",
            f"its clock is {seconds_text(abs(skew))} {which} the server's; leases go by the server's, but "
            "not_before and --since are off by as much",
            "let both set their clocks by NTP (timedatectl set-ntp true)",
        )


def _of_queue(seen: Checkup) -> Iterator[Finding]:
    shot = seen.snapshot
    if shot is None:
        return
    if shot.stale_pel:
        running = shot.lock_owner is not None
        later = ": look again in a minute" if running and not shot.paused else ""
        yield Finding(
            STALE_LEASES,
            "watchers",
            f"{shot.stale_pel} leases ran out and nobody has taken them back yet",
            reclaiming(paused=shot.paused, watched=running) + later,
        )
    elif shot.outstanding and shot.lock_owner is None:
        jobs = "1 job is" if shot.outstanding == 1 else f"{shot.outstanding} jobs are"
        yield Finding(
            NO_WATCHER,
            "watchers",
            f"{jobs} outstanding and no watcher was seen lately",
            f"start one with {A_WATCHER}",
        )


def _of_speech(seen: Checkup) -> Iterator[Finding]:
    for voice in seen.voices:
        yield Finding(
            BAD_VOICE, voice.subject, voice.sentence, "mend its voice.yaml, or remove the folder of the voice"
        )
    if seen.engine is not None:
        yield Finding(
            NO_ENGINE,
            seen.engine.subject,
            seen.engine.sentence,
            "set VOICE_ENGINE to an installed engine, or install this one's packages",
        )
    for backend in seen.backends:
        yield Finding(
            BAD_BACKEND,
            backend.subject,
            backend.sentence,
            "mend what it says (docs/reference/image-synth.md); until then its pictures fail, nothing else",
        )
    if seen.provider_seen:
        return
    if seen.provider == "ssh":
        yield Finding(
            NOT_LOOKED_AT,
            seen.provider,
            "PROVIDER is ssh, and the machines of SSH_MACHINES were not connected to",
            "job-watcher machines --check looks at each of them",
        )
    elif seen.provider != "local":
        yield Finding(
            NOT_LOOKED_AT,
            seen.provider,
            f"PROVIDER is {seen.provider}, and its account was not asked",
            "job-watcher doctor looks at its key, its credit and the market",
        )


def _of_the_store(seen: Checkup) -> Iterator[Finding]:
    if seen.store_lacks:
        lacks = "; ".join(seen.store_lacks)
        yield Finding(
            STORE_LACKS, seen.store_place, lacks, "docs/how-to/storage.md says which stores keep all"
        )
    ahead = seen.store_ahead_s or 0.0
    if abs(ahead) > _STORE_SKEW_S:
        which = "ahead of" if ahead > 0 else "behind"
        yield Finding(
            STORE_CLOCK,
            seen.store_place,
            f"this machine's clock is {seconds_text(abs(ahead))} {which} the store's; from 15 minutes on it "
            "refuses every request",
            "let NTP set it (timedatectl set-ntp true)",
        )


def _of_places(seen: Checkup) -> Iterator[Finding]:
    if seen.store is not None:
        yield Finding(
            STORE_REFUSES,
            seen.store.subject,
            seen.store.sentence,
            "mend what it says (docs/how-to/storage.md), or set STORAGE_URL to another place"
            if seen.store.subject.startswith("s3:")
            else "make it writable for this user, or set STORAGE_URL to another place",
            passing=seen.store.passing,
        )
    yield from _of_the_store(seen)
    if seen.data is not None:
        yield Finding(
            DATA_REFUSES,
            seen.data.subject,
            seen.data.sentence,
            "make it writable for this user, or set JOBS_DATA_DIR to another folder",
        )
    for disk in seen.disks:
        if disk.free < _DISK_LEFT_BYTES:
            yield Finding(
                DISK_LOW,
                disk.folder,
                f"only {bytes_text(disk.free)} are free where {disk.folder} lies",
                "free some space; finished audio waits in the spool when the disk is full",
            )
