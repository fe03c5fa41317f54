"""No secret that the settings know reaches a log line, however it is written there (W18)."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from job_watcher.logs import RedactingFilter
from lib.events import LogSink, transition_of
from lib.events.watchers import WatcherTrouble
from lib.redact import Redactor
from lib.settings import load_settings, table

HUSH = "hu/sh 'éQ%"
SECRETS = [info.name for info in table() if info.kind.secret]
URLS = {
    "REDIS_URL": "rediss://me:{}@host/0",
    "DATABASE_URL": "postgresql://me:{}@host/db",
    "STORAGE_URL": "s3://bucket/x?secret={}",
    "IMAGEN_WORKER_DATABASE_URL": "postgresql://me:{}@host/db",
    "LLM_BASE_URL": "https://me:{}@host/v1",
    "SUPABASE_URL": "https://me:{}@host",
    "VAST_URL": "https://me:{}@host",
}


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, list[logging.LogRecord]]]:
    records: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    handler, logger = Keep(), logging.getLogger("tests.redaction")
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, records
    logger.removeHandler(handler)


def test_every_setting_that_may_hold_a_secret_is_looked_at() -> None:
    assert {info.name for info in table() if info.kind.url} == set(URLS)
    assert len(SECRETS) >= 8


@pytest.mark.parametrize("name", [*SECRETS, *URLS])
def test_a_secret_shows_in_no_form(
    name: str, tmp_path: Path, log: tuple[logging.Logger, list[logging.LogRecord]]
) -> None:
    value = URLS[name].format(quote(HUSH, safe="")) if name in URLS else HUSH
    settings = load_settings({}, {"HOME": str(tmp_path), name: value}, tmp_path)
    logger, records = log
    logger.handlers[0].addFilter(RedactingFilter(Redactor(settings.secrets())))

    logger.warning("refused: %s and %r", HUSH, HUSH)
    logger.warning("at %s, %(x)s", quote(HUSH, safe=""))
    try:
        raise ValueError(f"no login with {HUSH}")
    except ValueError:
        logger.exception("it failed")
    LogSink(logger).emit(WatcherTrouble(reason=f"refused {HUSH}"))

    told = [
        part
        for record in records
        for part in (record.getMessage(), record.exc_text or "", str(transition_of(record)))
    ]
    assert len(records) == 4
    assert [part for part in told if "hu/sh" in part or "hu%2Fsh" in part] == []
    assert sys.exc_info() == (None, None, None)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("https://b/x?X-Amz-Credential=AKIA%2F1&X-Amz-Signature=feed&a=1", "feed"),
        ("redis://me:unknownpass@host/0", "unknownpass"),
        ("Authorization: Bearer abcdefghijkl", "abcdefghijkl"),
        ("AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=feedbeef", "feedbeef"),
    ],
)
def test_what_signs_or_logs_in_is_hidden_though_nobody_knew_it(text: str, left: str) -> None:
    assert left not in Redactor().hide(text)


def test_words_that_only_contain_a_short_secret_stay() -> None:
    assert Redactor(["key"]).hide("the monkey has a key") == "the monkey has a ***"
