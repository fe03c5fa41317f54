"""The one table of settings: name, kind, default, alias and purpose of each.

`Settings` below is both the table and the value that a program gets; docs/reference/settings.md,
`.env.example` and `config show` are held against it by tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Annotated, get_type_hints

from lib.settings.about import About, Info, info_of, origin_of, secret_texts
from lib.settings.kinds import (
    Secret,
    choice,
    duration,
    machines,
    money,
    number,
    path,
    pauses,
    secret,
    text,
    url,
    whole,
    words,
)

_POSTGRES = ("postgresql", "postgresql+psycopg", "postgres")
_DAY = 86400
_FROM_FACTS = "from the engine's facts"
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,62}[A-Za-z0-9])?"
# The rule of the queue itself, lib.jobqueue.options.PREFIX_PATTERN; a test compares them.
_PREFIX = rf"{_NAME}|\{{{_NAME}\}}"


@dataclass(frozen=True, repr=False, kw_only=True)
class Settings:
    """Every setting as a checked value. Made by `load_settings`; never changes.

    Durations are seconds unless the name ends in `_ms`; money is US dollars.
    `sources` maps each name to where its value came from; `warnings` are sentences about names that look
    mistyped, for whoever reads the settings to tell.
    """

    redis_url: Annotated[
        str | None,
        url("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster"),
        About("Redis server of the queue", "unset: the embedded server", "redis://127.0.0.1:6379/0"),
    ] = None
    jobs_data_dir: Annotated[
        Path,
        path(),
        About(
            "folder of all that is kept",
            default="`STATE_DIRECTORY`, else the XDG data folder plus `job-runner`",
            example="/var/lib/job-runner",
        ),
    ]
    jobs_prefix: Annotated[
        str,
        text(_PREFIX, "letters, digits, '.', '_', '-' and ':', at most 64, as in pab:jobs or {pab:jobs}"),
        About("prefix of all Redis keys"),
    ] = "pab:jobs"
    watcher_lease_idle_ms: Annotated[
        int, whole(100, _DAY * 1000), About("milliseconds without renewal until a lease is stale")
    ] = 180_000
    jobs_result_ttl: Annotated[
        int, duration(60, 3650 * _DAY), About("how long results are kept", default="30d")
    ] = 30 * _DAY
    jobs_history_max: Annotated[int, whole(1, 100_000_000), About("how many finished jobs are kept")] = (
        100_000
    )
    jobs_max_depth: Annotated[
        int, whole(1, 100_000_000), About("unfinished jobs above which enqueue is refused")
    ] = 1_000_000
    voices_dir: Annotated[
        Path,
        path(),
        About(
            "folder of your own voices, beside the shipped ones",
            default="`voices` in the data folder",
            example="/srv/voices",
        ),
    ]
    voice_engine: Annotated[
        str,
        text(r"[a-z][a-z0-9_-]{0,63}", "an engine's name: lower-case letters, digits, '-' and '_'"),
        About("engine of jobs that name a speaker"),
    ] = "hibari"
    voice_pauses: Annotated[
        str, pauses(), About("seconds of silence after a clause, a sentence and a paragraph")
    ] = "0.2,0.45,0.9"
    verify: Annotated[
        str, choice("auto", "always", "never"), About("whether a recogniser hears takes; auto: where it pays")
    ] = "auto"
    verify_model: Annotated[
        Path | None,
        path(),
        About("folder of the recogniser's model", "that of the extra `verify`, for English", "/srv/whisper"),
    ] = None
    watcher_drain_seconds: Annotated[
        int, whole(0, _DAY), About("seconds to finish running jobs after SIGTERM")
    ] = 600
    watcher_listen: Annotated[
        str | None,
        text(
            r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}(?:-[0-9]{1,5})?",
            "host:port, or host:first-last for the first free port, like 127.0.0.1:9464-9471",
        ),
        About("where a watcher serves /metrics, /livez and /readyz", "unset: nowhere", "127.0.0.1:9464-9471"),
    ] = None
    log_format: Annotated[
        str,
        choice("auto", "text", "json"),
        About("log lines of job-watcher run on stderr; auto: text on a terminal, else JSON"),
    ] = "auto"
    local_workers: Annotated[
        int,
        whole(1, 1000),
        About("resident workers of provider local, run and execute-manifest", "one per core, at most 4", "4"),
    ]
    ssh_key_file: Annotated[
        Path | None,
        path("a file's path"),
        About("private key of provider ssh", "those that `asyncssh` looks for", "~/.ssh/id_ed25519"),
    ] = None
    ssh_known_hosts: Annotated[
        Path,
        path("a file's path"),
        About(
            "host keys that provider ssh has seen",
            default="`ssh/known_hosts` in the data folder",
            example="~/.ssh/known_hosts",
        ),
    ]
    max_machines: Annotated[int, whole(0, 10_000), About("rented machines at most")] = 4
    max_dph: Annotated[Decimal, money(), About("most dollars per hour for one machine")] = Decimal("1.00")
    idle_hold_seconds: Annotated[
        int | None,
        whole(0, 7 * _DAY),
        About("seconds an idle machine is kept", default="by cost", example="300"),
    ] = None
    spend_cap_hour: Annotated[Decimal, money(), About("most dollars per hour")] = Decimal("2")
    spend_cap_day: Annotated[Decimal, money(), About("most dollars per day")] = Decimal("10")
    spend_cap_month: Annotated[Decimal, money(), About("most dollars per month")] = Decimal("100")
    spend_cap_batch: Annotated[Decimal | None, money(), About("most dollars per batch", example="5")] = None
    spend_cap_machine: Annotated[Decimal, money(), About("most dollars per machine")] = Decimal("5")
    credit_floor: Annotated[Decimal, money(), About("dollars of credit below which nothing is rented")] = (
        Decimal("1")
    )
    ssh_machines: Annotated[
        tuple[str, ...],
        machines(),
        About(
            "machines of provider ssh; `?key=FILE` behind one is its own key, then `*N` gives it N workers",
            example="me@gpu.example:22",
        ),
    ] = ()
    ssh_voice_synth: Annotated[
        str | None,
        text(r"/[^\x00-\x1f\x7f]{1,1000}", "an absolute path on the machines"),
        About(
            "voice-synth on the machines of provider ssh",
            default="unset: it is brought there",
            example="/opt/job-runner/bin/voice-synth",
        ),
    ] = None
    aws_access_key_id: Annotated[str | None, text(), About("S3 key id", example="AKIAEXAMPLE")] = None
    aws_secret_access_key: Annotated[Secret | None, secret(), About("S3 secret key")] = None
    aws_session_token: Annotated[
        Secret | None, secret(), About("token of S3 credentials that end by themselves")
    ] = None
    aws_region: Annotated[
        str | None,
        text(r"[A-Za-z0-9-]{1,64}", "a region's name, like eu-central-1"),
        About("S3 region", example="eu-central-1"),
    ] = None
    webhook_url: Annotated[Secret | None, secret(), About("where notifications are posted")] = None
    webhook_secret: Annotated[Secret | None, secret(), About("signs notifications")] = None
    llm_base_url: Annotated[
        str | None,
        url("http", "https"),
        About("language model of text stages", example="http://127.0.0.1:8080/v1"),
    ] = None
    llm_api_key: Annotated[Secret | None, secret(), About("key of the language model")] = None
    llm_model: Annotated[str | None, text(), About("name of the language model", example="small")] = None
    database_url: Annotated[
        str,
        url("sqlite", *_POSTGRES, may_be_empty=False),
        About(
            "database of pipelines, in Postgres of the ledger too",
            default="SQLite file `pipeline.db` in the data folder",
            example="postgresql://job_runner@127.0.0.1/job_runner",
        ),
    ]
    db_schema: Annotated[
        str,
        text(r"[a-z_][a-z0-9_]{0,62}", "lower-case letters, digits and '_', at most 63"),
        About("Postgres schema"),
    ] = "job_pipeline"
    job_pipeline_dag: Annotated[
        str | None,
        text(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", "module:object, like shop.stages:dag"),
        About("pipeline to run, instead of --dag", example="shop.stages:dag", alias="ORCHEX_DAG"),
    ] = None
    task_timeout_seconds: Annotated[int, whole(1, 7 * _DAY), About("wall time of one task")] = 120
    max_attempts: Annotated[int, whole(1, 1000), About("attempts of a task until it is dead")] = 10
    lease_seconds: Annotated[int, whole(3, _DAY), About("lease of a task, renewed at a third of it")] = 90
    claim_poll_interval: Annotated[
        float, number(0.01, 3600), About("seconds between claims on an empty queue without NOTIFY")
    ] = 0.5
    db_pool_min: Annotated[int, whole(0, 1000), About("connections to the database kept open")] = 1
    db_pool_max: Annotated[int, whole(1, 1000), About("connections to it at most, in each process")] = 10
    statement_timeout_ms: Annotated[
        int, whole(1, _DAY * 1000), About("milliseconds a statement may take in Postgres")
    ] = 30_000
    metrics_flush_interval: Annotated[int, whole(1, _DAY), About("seconds between rate log lines")] = 15
    storage_url: Annotated[
        str,
        url("file", "s3"),
        About(
            "where finished files are kept",
            default="`storage` in the data folder",
            example="s3://bucket/prefix?endpoint=https://s3.example",
        ),
    ]
    provider: Annotated[str, choice("local", "ssh", "vast"), About("who runs the machines")] = "local"
    vast_api_key: Annotated[Secret | None, secret(), About("key of the Vast account")] = None
    vast_url: Annotated[
        str | None,
        url("http", "https"),
        About("another Vast server, for tests", example="http://127.0.0.1:8090"),
    ] = None
    vast_image: Annotated[
        str | None,
        text(
            r"[a-z0-9][a-z0-9./:_-]*@sha256:[0-9a-f]{64}",
            "an image with its digest, like name@sha256:64 digits",
        ),
        About(
            "image that rented machines run, by digest",
            default=_FROM_FACTS,
            example=f"registry.example/voice-synth@sha256:{'0' * 64}",
        ),
    ] = None
    vast_disk_gb: Annotated[
        int | None, whole(1, 100_000), About("disk to rent, in GB", default=_FROM_FACTS, example="40")
    ] = None
    vast_gpus: Annotated[
        tuple[str, ...],
        words(
            r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}",
            "a list of GPUs by Vast's names with _ for blanks, separated by commas",
        ),
        About("GPUs that may be rented", default=_FROM_FACTS, example="RTX_4090,RTX_3090"),
    ] = ()
    vast_regions: Annotated[
        tuple[str, ...],
        words(r"[A-Z]{2}", "a list of two-letter countries or regions, separated by commas"),
        About("where machines may stand", default=_FROM_FACTS, example="DE,EU"),
    ] = ()
    qwen_model: Annotated[
        str | None,
        text(),
        About(
            "folder of Qwen's checkpoints, or hub ids with a commit; only those are ever downloaded",
            example="/srv/models/qwen",
        ),
    ] = None
    qwen_device: Annotated[
        str,
        text(r"auto|cpu|cuda(?::[0-9]{1,2})?", "auto, cpu, cuda or cuda:1"),
        About("where the engine qwen3 runs; auto: the first GPU, and without one nothing"),
    ] = "auto"
    qwen_batch: Annotated[
        int, whole(1, 64), About("texts that the engine qwen3 speaks at once; less where memory runs out")
    ] = 8
    hibari_batch: Annotated[
        int,
        whole(1, 64),
        About(
            "texts that the engine hibari speaks at once, a core each; local workers share them",
            "one per core, at most 4",
            "4",
        ),
    ]
    imagen_worker_database_url: Annotated[
        str | None,
        url(*_POSTGRES),
        About(
            "direct Postgres address of the picture worker", example="postgresql://worker@127.0.0.1/pictures"
        ),
    ] = None
    supabase_url: Annotated[
        str | None,
        url("http", "https"),
        About("storage of the picture worker", example="https://project.example"),
    ] = None
    supabase_service_key: Annotated[Secret | None, secret(), About("key of that storage")] = None
    imagen_owner_user_id: Annotated[
        str | None,
        text(),
        About("owner of pictures whose row has none", example="00000000-0000-0000-0000-000000000000"),
    ] = None
    replicate_api_token: Annotated[Secret | None, secret(), About("token of the replicate backend")] = None
    replicate_url: Annotated[
        str, url("http", "https", may_be_empty=False), About("another Replicate server, for tests")
    ] = "https://api.replicate.com"
    imagen_backend: Annotated[
        str,
        text(r"[a-z0-9][a-z0-9._-]{0,63}", "a picture backend's name"),
        About("who draws where nobody is named"),
    ] = "card"
    imagen_machine_backends: Annotated[
        tuple[str, ...],
        words(r"[a-z0-9][a-z0-9._-]{0,63}", "a list of picture backends, separated by commas"),
        About("picture backends that machines elsewhere draw with; card takes 40 MB", "mock", "mock"),
    ] = ("mock",)
    imagen_backends_file: Annotated[
        Path,
        path("a file's path"),
        About(
            "names of picture backends of your own, in TOML",
            default="`picture-backends.toml` in the data folder",
            example="/srv/picture-backends.toml",
        ),
    ]
    card_fonts: Annotated[
        Path | None,
        path("a file's or folder's path"),
        About("further fonts for cards: a font file, or a folder of them", example="/srv/fonts"),
    ] = None
    flux_model: Annotated[
        Path | None,
        path(),
        About("folder of the weights of flux-schnell-local", example="/srv/models/FLUX.1-schnell"),
    ] = None
    flux_device: Annotated[
        str,
        text(r"auto|cpu|cuda(?::[0-9]{1,2})?", "auto, cpu, cuda or cuda:1"),
        About("where flux-schnell-local draws; auto: the first GPU, and without one nothing"),
    ] = "auto"
    job_console_token: Annotated[
        Secret | None, secret(), About("bearer token of the console", default="made at first start")
    ] = None
    job_console_url: Annotated[str | None, url("http", "https"), About("where the console is reached")] = None
    job_console_reviewers: Annotated[
        tuple[str, ...],
        words(r"[\w.@+-]{1,100}", "a list of names without blanks, separated by commas"),
        About("who gets links to decide", default="the user of `job-pipeline`", example="ann,bob"),
    ] = ()
    job_console_link_seconds: Annotated[int, duration(300, 30 * _DAY), About("how long a link is good")] = (
        3 * _DAY
    )
    imagen_bucket: Annotated[
        str, text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", "a bucket's name"), About("bucket of pictures")
    ] = "imagen-generated"
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)
    warnings: tuple[str, ...] = field(default=(), compare=False)

    def shown(self) -> dict[str, str | None]:
        """Every setting by name, fit to be printed: no secret, no password. None: not set."""
        return {info.name: info.kind.show(getattr(self, info.attribute)) for info in table()}

    def secrets(self) -> frozenset[str]:
        """Every text that must not be told: the secret settings, and what logs in or is a key in URLs."""
        return secret_texts((info, getattr(self, info.attribute)) for info in table())

    def origin(self, name: str) -> str:
        """A setting and where its value came from, for errors: `REDIS_URL of the environment`."""
        return origin_of(name, self.sources.get(name, "default"))

    def __repr__(self) -> str:
        set_ones = (f"{name}={value}" for name, value in self.shown().items() if value is not None)
        return f"Settings({', '.join(set_ones)})"


@lru_cache(maxsize=1)
def table() -> tuple[Info, ...]:
    """All settings in the order of the reference."""
    hints = get_type_hints(Settings, include_extras=True)
    return tuple(
        info_of(item.name, hints[item.name].__metadata__, None if item.default is MISSING else item.default)
        for item in fields(Settings)
        if item.name not in ("sources", "warnings")
    )
